"""Voices that cost nothing: each is a chord, and the embedder hears how much of each chord is in a window."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from schemas.recording import Recording
from transforms.models.base import MODEL_RATE, Samples, SpeakerEmbedder

BANDS = 16


class ChordEmbedder(SpeakerEmbedder):
    """A point whose coordinates are the power in 16 bands; remembers the longest stretch it was given."""

    longest = 0

    @property
    def identity(self) -> str:
        return "chords"

    @property
    def dimension(self) -> int:
        return BANDS

    @property
    def window_seconds(self) -> float:
        return 1.6

    def embed(self, windows: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
        bands = np.stack([part.sum(axis=1) for part in np.array_split(power[:, 160:], BANDS, axis=1)], axis=1)
        return (bands / np.maximum(np.linalg.norm(bands, axis=1, keepdims=True), 1e-9)).astype(np.float32)

    def embed_at(self, samples: Samples, starts: np.ndarray) -> np.ndarray:
        self.longest = max(self.longest, len(samples))
        return super().embed_at(samples, starts)


def chord(voice: int, seconds: float) -> np.ndarray:
    """The voice's chord: three tones in its band, and a little noise."""
    times = np.arange(round(seconds * MODEL_RATE)) / MODEL_RATE
    width = (MODEL_RATE / 2 - 100) / BANDS
    base = 100 + (voice + 0.5) * width
    tones = sum(np.sin(2 * np.pi * (base + step) * times) for step in (-60, 0, 70))
    return (0.05 * tones + np.random.default_rng(voice).normal(0, 1e-4, len(times))).astype(np.float32)


@dataclass
class Talk:
    """Turns (voice, start, end) mixed into one recording; what overlaps is added."""

    turns: list[tuple[int, float, float]] = field(default_factory=list)

    def write(self, path: Path) -> Recording:
        seconds = max((end for _, _, end in self.turns), default=1.0) + 1.0
        samples = np.random.default_rng(99).normal(0, 1e-5, round(seconds * MODEL_RATE)).astype(np.float32)
        for voice, start, end in self.turns:
            said = chord(voice, end - start)
            first = round(start * MODEL_RATE)
            samples[first : first + len(said)] += said
        soundfile.write(path, samples, MODEL_RATE, subtype="PCM_16")
        return Recording(str(path), "0" * 64, seconds, MODEL_RATE, MODEL_RATE, 1)

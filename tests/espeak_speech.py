"""Sentences spoken by eSpeak NG with known word times, and recordings assembled of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from pipeline.demo.espeak import Espeak, Voice
from schemas.errors import RealtalkError
from schemas.recording import Recording
from schemas.turn import Span
from transforms.models.base import MODEL_RATE

HOST = Voice("en-us+f3", rate=150)
GUEST = Voice("en-us+m3", rate=165)
NOISE = 0.0005


@dataclass(frozen=True)
class Sentence:
    """A sentence in samples at 16 kHz; `starts` says when words begin (s), by the synthesiser's own events.

    It is by the number of the word; words that the synthesiser joins ("of the") have one event.
    """

    text: str
    samples: NDArray[np.float32]
    starts: dict[int, float]

    @property
    def seconds(self) -> float:
        return len(self.samples) / MODEL_RATE


def speak(text: str, voice: Voice = HOST) -> Sentence:
    """Skips the test where eSpeak NG isn't installed."""
    try:
        spoken = Espeak().speak(text, voice)
    except RealtalkError:
        pytest.skip("eSpeak NG is not installed (espeakng-loader, in the test extra)")
    samples = soxr.resample(spoken.samples, spoken.rate, MODEL_RATE).astype(np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[: loud[-1] + 800]
    noise = np.random.default_rng(len(text)).normal(0, NOISE, len(samples))
    return Sentence(
        text, samples + noise.astype(np.float32), {text[:place].count(" "): time for place, time in spoken.words}
    )


@dataclass(frozen=True)
class Talk:
    """A recording of sentences: who says each (by voice name), and when."""

    recording: Recording
    sentences: tuple[Sentence, ...]
    voices: tuple[str, ...]
    spans: tuple[Span, ...]

    def of(self, voice: Voice) -> tuple[Span, ...]:
        return tuple(span for span, name in zip(self.spans, self.voices, strict=True) if name == voice.name)


def record(folder: Path, turns: list[tuple[Voice, str]], gap: float = 0.6, lead: float = 0.5) -> Talk:
    """A FLAC of turns with `gap` seconds of noise between them, `lead` before the first."""
    noise = np.random.default_rng(0)
    sentences = tuple(speak(text, voice) for voice, text in turns)
    pieces, spans, at = [], [], 0.0
    for number, sentence in enumerate(sentences):
        silence = round((gap if number else lead) * MODEL_RATE)
        pieces += [noise.normal(0, NOISE, silence).astype(np.float32), sentence.samples]
        at += silence / MODEL_RATE
        spans.append(Span(at, at + sentence.seconds))
        at += sentence.seconds
    samples = np.concatenate([*pieces, noise.normal(0, NOISE, MODEL_RATE // 2).astype(np.float32)])
    path = folder / "talk.flac"
    soundfile.write(path, samples, MODEL_RATE)
    recording = Recording(str(path), "0" * 64, len(samples) / MODEL_RATE, MODEL_RATE, MODEL_RATE, 1)
    return Talk(recording, sentences, tuple(voice.name for voice, _ in turns), tuple(spans))

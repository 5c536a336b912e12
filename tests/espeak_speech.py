"""Sentences spoken by eSpeak NG with known word times, and recordings assembled of them."""

import functools
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from pipeline.demo.espeak import Espeak, Spoken, Voice
from schemas.errors import RealtalkError
from schemas.recording import Recording
from schemas.turn import Span
from transforms.models.base import MODEL_RATE

HOST = Voice("en-us+f3", rate=150)
GUEST = Voice("en-us+m3", rate=165)
NOISE = 0.0005
_NOT_INSTALLED = 77


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


@functools.cache
def speak(text: str, voice: Voice = HOST) -> Sentence:
    """The same samples at every call, in any order. Skips the test where eSpeak NG isn't installed."""
    spoken = _speak_afresh(text, voice)
    samples = soxr.resample(spoken.samples, spoken.rate, MODEL_RATE).astype(np.float32)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[: loud[-1] + 800]
    noise = np.random.default_rng(len(text)).normal(0, NOISE, len(samples))
    return Sentence(
        text, samples + noise.astype(np.float32), {text[:place].count(" "): time for place, time in spoken.words}
    )


def _speak_afresh(text: str, voice: Voice) -> Spoken:
    """Speak in a process of its own: the library's samples depend on what it has said before."""
    done = subprocess.run([sys.executable, "-P", __file__], input=pickle.dumps((text, voice)), capture_output=True)
    if done.returncode == _NOT_INSTALLED:
        pytest.skip("eSpeak NG is not installed (espeakng-loader, in the test extra)")
    assert done.returncode == 0, done.stderr.decode()
    spoken = pickle.loads(done.stdout)
    assert isinstance(spoken, Spoken)
    return spoken


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


def _main() -> int:
    text, voice = pickle.loads(sys.stdin.buffer.read())
    try:
        spoken = Espeak().speak(text, voice)
    except RealtalkError:
        return _NOT_INSTALLED
    sys.stdout.buffer.write(pickle.dumps(spoken))
    return 0


if __name__ == "__main__":
    sys.exit(_main())

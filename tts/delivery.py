"""Speech from sentences: silences between them, pieces joined without clicks. Numpy alone; what runs the networks is
given."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError
from tts.frontend.script import PITCHES, RATES, VOLUMES, Manner, Sentence
from tts.timing import Timing, faded, gain_curve, limited, pieces, silence_between

Floats = NDArray[np.float32]

# Silences are given out in pieces too.
_SILENT_SECONDS = 1.0


class Timed(Protocol):
    """A sentence of which is known how long each symbol lasts."""

    @property
    def sentence(self) -> Sentence: ...

    @property
    def timing(self) -> Timing: ...


T = TypeVar("T", bound=Timed)


def delivered(
    sentences: Iterable[Sentence],
    utterance_of: Callable[[Sentence], T],
    samples_of: Callable[[T, int, int], Floats],
    rate: int,
    hop: int,
    manner: Manner,
) -> Iterator[Floats]:
    """Samples of sentences, mono float32 within -0.99 to 0.99, a piece at a time.

    `samples_of` gives the samples of frames of an utterance, from the first to the one before the last, in order.
    `manner` is that of all of it: only its volume is not in the utterances yet.
    """
    previous: T | None = None
    asked = 0.0
    for sentence in sentences:
        if sentence.is_silent:
            asked += sentence.pause or 0.0
            continue
        utterance = utterance_of(sentence)
        silence = asked
        if previous is not None:
            silence += silence_between(previous.sentence, previous.timing, utterance.timing, rate / hop)
        yield from _silence(silence, rate)
        yield from _pieces(utterance, samples_of, rate, hop, manner)
        previous, asked = utterance, 0.0
    trailing = previous.sentence.pause if previous is not None else 0.0
    yield from _silence(asked + (trailing or 0.0), rate)


def checked_manner(rate: float, pitch: float, volume: float) -> Manner:
    """Raises ConfigurationError for what no voice can do."""
    for name, value, (least, most), unit in (
        ("rate", rate, RATES, "times"),
        ("pitch", pitch, PITCHES, "semitones"),
        ("volume", volume, VOLUMES, "dB"),
    ):
        if not least <= value <= most:
            raise ConfigurationError(f"{name} {value:g}: has to be {least:g} to {most:g} {unit}")
    return Manner(rate, pitch, volume)


def _pieces(
    utterance: T, samples_of: Callable[[T, int, int], Floats], rate: int, hop: int, manner: Manner
) -> Iterator[Floats]:
    durations = utterance.timing.durations
    frames = int(durations.sum())
    gains = utterance.sentence.gains() * np.float32(math.pow(10, manner.volume / 20))
    for start, end in pieces(frames):
        samples = samples_of(utterance, start, end)
        if np.any(gains != 1):
            samples = samples * gain_curve(gains, durations, hop, start, end)
        yield limited(faded(samples, rate, begins=start == 0, ends=end == frames))


def _silence(seconds: float, rate: int) -> Iterator[Floats]:
    left = round(seconds * rate)
    while left > 0:
        count = min(left, round(_SILENT_SECONDS * rate))
        yield np.zeros(count, np.float32)
        left -= count

"""How long symbols and silences last, and how samples are joined. Numpy alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tts.frontend.script import Sentence
from tts.phones import PAUSE, Symbols

Floats = NDArray[np.float32]

# Inner pauses shorter than a frame are the mean of none and some: there is none.
LEAST_PAUSE = 1.0
# Frames of silence that a sentence is spoken with at its beginning and its end.
LEAD, TAIL = (3, 10), (6, 20)
# Seconds between sentences, and between paragraphs, at the voice's own pace.
_BETWEEN_SENTENCES, _BETWEEN_PARAGRAPHS = (0.25, 0.6), (0.6, 1.0)
_PARAGRAPH = 1.5
# Vocoder pieces: the first is short so that it is soon there, the others grow until overlaps cost little.
_FIRST_FRAMES, _GROWTH, _MOST_FRAMES = 32, 4, 512
_FADE_SECONDS = 0.004
_KNEE, _PEAK = 0.9, 0.99


@dataclass(frozen=True, eq=False)
class Timing:
    """Whole frames of each symbol, int64 (n,), and the frames of silence before and after that are natural."""

    durations: NDArray[np.int64]
    lead: float
    tail: float


def timing_of(symbols: Symbols, frames: Floats, rates: Floats | float) -> Timing:
    """Whole durations of predicted ones, (n,), in frames; rates as many times faster.

    Rounding errors are carried on, so that a sentence lasts as long as predicted; phones last a frame at least.
    """
    wanted = np.asarray(frames, np.float64) / rates
    is_pause = symbols.ids == PAUSE
    lead, tail = float(wanted[0]), float(wanted[-1])
    wanted = np.where(is_pause, np.where(wanted < LEAST_PAUSE, 0.0, wanted), np.maximum(wanted, 1.0))
    wanted[0] = round(float(np.clip(lead, *LEAD)))
    wanted[-1] = np.clip(tail, *TAIL)
    # Not np.round, by which 0.5, 1.5, 2.5 are 0, 2, 2.
    ends = np.floor(np.cumsum(wanted) + 0.5).astype(np.int64)
    return Timing(np.diff(ends, prepend=0), lead, tail)


def silence_between(before: Sentence, first: Timing, following: Timing, frames_a_second: float) -> float:
    """Seconds of silence to put between two spoken sentences, beside what they end and begin with."""
    own = float(first.durations[-1] + following.durations[0]) / frames_a_second
    return max(0.0, pause_after(before, first, following, frames_a_second) - own)


def pause_after(before: Sentence, first: Timing, following: Timing, frames_a_second: float) -> float:
    """Seconds of silence between what is said in two sentences: as it is asked for, else as the voice makes pauses."""
    if before.pause is not None:
        return before.pause
    natural = (first.tail + following.lead) / frames_a_second
    if before.ends_paragraph:
        return float(np.clip(_PARAGRAPH * natural, *_BETWEEN_PARAGRAPHS))
    return float(np.clip(natural, *_BETWEEN_SENTENCES))


def pieces(frames: int) -> Iterator[tuple[int, int]]:
    """First and last frame (exclusive) of the pieces that a sentence is vocoded in, longer and longer."""
    start, size = 0, _FIRST_FRAMES
    while start < frames:
        end = min(start + size, frames)
        # What is left is not worth a piece of its own, where it is less than the one before.
        end = frames if frames - end < size else end
        yield start, end
        start, size = end, min(_GROWTH * size, _MOST_FRAMES)


def gain_curve(gains: Floats, durations: NDArray[np.int64], hop: int, start: int, end: int) -> Floats:
    """Of the samples of frames start to end, what to multiply each by, without steps; `gains` of each symbol."""
    of_frames = np.repeat(gains, durations)
    centres = (np.arange(len(of_frames)) + 0.5) * hop
    return np.interp(np.arange(start * hop, end * hop), centres, of_frames).astype(np.float32)


def faded(samples: Floats, rate: int, begins: bool, ends: bool) -> Floats:
    """With a short fade at the beginning or the end of a sentence, where it is silent."""
    length = min(round(_FADE_SECONDS * rate), len(samples))
    ramp = np.linspace(0.0, 1.0, length, endpoint=False, dtype=np.float32)
    found = samples.copy()
    if begins:
        found[:length] *= ramp
    if ends:
        found[len(found) - length :] *= ramp[::-1]
    return found


def limited(samples: Floats) -> Floats:
    """Samples none of which is beyond 0.99; those below 0.9 are left as they are."""
    size = np.abs(samples)
    if size.max(initial=0.0) <= _KNEE:
        return samples
    room = _PEAK - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return np.where(size > _KNEE, np.sign(samples) * bent, samples).astype(np.float32)

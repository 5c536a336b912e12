"""Pauses, and where two voices are heard at once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.turn import Span

#: Levels are kept for every stretch of this many seconds.
LEVEL_STEP = 0.01
#: What was not listened to, and digital silence (dBFS).
SILENT_DB = -100

# The level that pauses are measured against: loud speech within some seconds around.
_NEIGHBOURHOOD_SECONDS = 10
_LOUD_PERCENTILE = 85
_SMOOTHED_STEPS = 3
_A_SECOND = round(1 / LEVEL_STEP)
# So much is looked at at once: memory does not grow with a recording but for a byte or two a frame.
_BLOCK_SECONDS = 600


@dataclass(frozen=True, slots=True)
class PauseSettings:
    """What counts as a pause."""

    depth_db: float = 22.0  # below loud speech around it; a room with a long tail never gets 25 dB down for long
    min_seconds: float = 0.1


def levels_of(samples: NDArray[np.float32], rate: int) -> NDArray[np.int8]:
    """Level of every 10 ms (dBFS, -100 or more), shape (len(samples) * 100 // rate,)."""
    step = round(rate * LEVEL_STEP)
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    power = np.mean(frames.astype(np.float64) ** 2, axis=1)
    return np.clip(np.round(10 * np.log10(np.maximum(power, 1e-10))), SILENT_DB, 0).astype(np.int8)


def find_pauses(levels: NDArray[np.int8], settings: PauseSettings) -> tuple[Span, ...]:
    """Where nobody speaks for a moment: stretches well below the loud speech around them, in order."""
    if not len(levels):
        return ()
    threshold = _loud(levels) - settings.depth_db
    quiet = np.empty(len(levels), bool)
    for second in range(0, len(threshold), _BLOCK_SECONDS):
        block = slice(second * _A_SECOND, (second + _BLOCK_SECONDS) * _A_SECOND)
        around = np.repeat(threshold[second : second + _BLOCK_SECONDS], _A_SECOND)
        smoothed = _smoothed(levels, block.start, min(block.stop, len(levels)))
        quiet[block] = smoothed < around[: len(smoothed)]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.view(np.int8), [0]]))).reshape(-1, 2)
    long = edges[(edges[:, 1] - edges[:, 0]) * LEVEL_STEP >= settings.min_seconds - 1e-9]
    return tuple(Span(float(start) * LEVEL_STEP, float(end) * LEVEL_STEP) for start, end in long)


def _smoothed(levels: NDArray[np.int8], first: int, last: int) -> NDArray[np.float64]:
    """Mean power of three neighbours of the frames first..last (exclusive), in dB."""
    neighbours = levels[np.clip(np.arange(first - 1, last + 1), 0, len(levels) - 1)]
    power = 10 ** (neighbours.astype(np.float64) / 10)
    return 10 * np.log10(np.convolve(power, np.ones(_SMOOTHED_STEPS) / _SMOOTHED_STEPS, "valid"))


def _loud(levels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Level of loud speech around each second, shape (seconds,): a percentile over the ten seconds around it."""
    seconds = -(-len(levels) // _A_SECOND)
    half = _NEIGHBOURHOOD_SECONDS // 2
    padded = np.full((seconds + 2 * half) * _A_SECOND, SILENT_DB, np.int8)
    padded[half * _A_SECOND : half * _A_SECOND + len(levels)] = levels
    loud = np.empty(seconds)
    for second in range(seconds):
        around = padded[second * _A_SECOND : (second + 2 * half + 1) * _A_SECOND]
        heard = around[around > SILENT_DB]
        loud[second] = np.percentile(heard, _LOUD_PERCENTILE) if len(heard) else SILENT_DB
    return loud


def overlap_share(overlaps: Iterable[Span], start: float, end: float) -> float:
    """Share (0..1) of `start`..`end` (seconds) that lies inside of disjoint spans of more than one voice."""
    if end <= start:
        return 0.0
    return min(1.0, shared_seconds(overlaps, start, end) / (end - start))


def shared_seconds(spans: Iterable[Span], start: float, end: float) -> float:
    """Seconds of `start`..`end` that lie inside of disjoint `spans`."""
    return sum(max(0.0, min(end, span.end) - max(start, span.start)) for span in spans)


def merged(spans: Iterable[Span], gap: float = 0.0) -> tuple[Span, ...]:
    """Spans in order, those not more than `gap` seconds apart made one."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start - result[-1].end <= gap:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return tuple(result)


def without(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of spans outside of `holes`, in order."""
    result: list[Span] = []
    gaps = merged(holes)
    for span in sorted(spans):
        start = span.start
        for gap in gaps:
            if gap.end <= start or gap.start >= span.end:
                continue
            if gap.start > start:
                result.append(Span(start, gap.start))
            start = gap.end
        if start < span.end:
            result.append(Span(start, span.end))
    return tuple(result)

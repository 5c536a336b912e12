"""Room tone: what a recording sounds like when nobody speaks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.turn import Span
from transforms.pauses import LevelTrack
from transforms.silence import HOP_SECONDS

_LENGTH_SECONDS = 0.3
# The room near a clip is the clip's own: other parts may be another day's.
_NEAR_SECONDS = (15.0, 60.0, float("inf"))
# Much quieter than the floor around a clip is another room, or none (an editor's digital silence).
_BELOW_FLOOR_DB = 12.0
# Ten minutes: so much is looked at at once, and of the rest only what is quiet is kept.
_BLOCK_FRAMES = round(600 / HOP_SECONDS)
_MINUTE_FRAMES = round(60 / HOP_SECONDS)


class RoomTone:
    """Quiet stretches of one recording."""

    def __init__(self, track: LevelTrack, speech: Sequence[Span]) -> None:
        length = round(_LENGTH_SECONDS / HOP_SECONDS)
        count = len(track.levels) - length + 1
        self._track = track
        self._starts: NDArray[np.float64] = np.zeros(0)
        self._levels: NDArray[np.float32] = np.zeros(0, np.float32)
        if count <= 0:
            return
        silent, outside, levels = [], [], []
        for first in range(0, count, _BLOCK_FRAMES):
            last = min(first + _BLOCK_FRAMES, count) + length - 1
            loud = ~track.quiet(first, last)
            frames = np.flatnonzero(_sums(loud.astype(np.float64), length) == 0)
            silent.append((first + frames).astype(np.int32))
            outside.append(_sums(_inside(speech, first, last), length)[frames] == 0)
            levels.append((_sums(track.levels[first:last], length)[frames] / length).astype(np.float32))
        if not any(map(len, silent)):
            self._keep_least_loud(length, count)
            return
        # Detectors pad speech: in a talk without a breath, quiet inside of it is all there is.
        kept = np.concatenate(outside) if any(map(np.any, outside)) else slice(None)
        self._starts = np.asarray(np.concatenate(silent)[kept] * HOP_SECONDS, np.float64)
        self._levels = np.concatenate(levels)[kept]

    def _keep_least_loud(self, length: int, count: int) -> None:
        """Of a recording that is never quiet (music under all of it): in each minute the stretch that is least loud."""
        for first in range(0, count, _MINUTE_FRAMES):
            levels = _sums(self._track.levels[first : min(first + _MINUTE_FRAMES, count) + length - 1], length) / length
            least = int(levels.argmin())
            self._starts = np.append(self._starts, (first + least) * HOP_SECONDS)
            self._levels = np.append(self._levels, np.float32(levels[least]))

    def near(self, start: float, end: float) -> Span | None:
        """The quietest 0.3 s near start..end (s) that are as quiet as the room there.

        Where the recording is never quiet for so long, what is least loud of it; None where it is shorter than that.
        """
        if not len(self._starts):
            return None
        floor = self._track.at(self._track.floors, round((start + end) / 2 / HOP_SECONDS))
        distance = np.maximum(np.maximum(start - self._starts, self._starts + _LENGTH_SECONDS - end), 0.0)
        for reach in _NEAR_SECONDS:
            near = np.flatnonzero((distance <= reach) & (self._levels >= floor - _BELOW_FLOOR_DB))
            if len(near):
                break
        else:
            near = np.arange(len(self._starts))
        best = float(self._starts[near[self._levels[near].argmin()]])
        return Span(best, best + _LENGTH_SECONDS)


def _sums(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Sum of each `length` neighbours, shape (n - length + 1,)."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    return total[length:] - total[:-length]


def _inside(spans: Sequence[Span], first: int, last: int) -> NDArray[np.float64]:
    """1.0 for the frames of first..last (exclusive) that are inside a span, shape (last - first,)."""
    inside = np.zeros(last - first)
    for span in spans:
        start, end = round(span.start / HOP_SECONDS) - first, round(span.end / HOP_SECONDS) - first
        inside[max(0, start) : max(0, end)] = 1.0
    return inside

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


class RoomTone:
    """Quiet stretches of one recording."""

    def __init__(self, track: LevelTrack, speech: Sequence[Span]) -> None:
        length = round(_LENGTH_SECONDS / HOP_SECONDS)
        count = len(track.levels) - length + 1
        self._track = track
        self._starts: NDArray[np.float64] = np.zeros(0)
        self._levels: NDArray[np.float64] = np.zeros(0)
        if count <= 0:
            return
        loud = ~track.quiet(0, len(track.levels))
        silent = np.flatnonzero(_sums(loud.astype(np.float64), length) == 0)
        outside = _sums(_inside(speech, len(track.levels)), length)[silent] == 0
        # Detectors pad speech: in a talk without a breath, quiet inside of it is all there is.
        frames = silent[outside] if outside.any() else silent
        self._starts = np.asarray(frames * HOP_SECONDS, np.float64)
        self._levels = _sums(track.levels, length)[frames] / length

    def near(self, start: float, end: float) -> Span | None:
        """The quietest 0.3 s near start..end (s) that are as quiet as the room there; None where nothing is quiet."""
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


def _inside(spans: Sequence[Span], count: int) -> NDArray[np.float64]:
    """1.0 for the frames inside a span, shape (count,)."""
    inside = np.zeros(count)
    for span in spans:
        inside[max(0, round(span.start / HOP_SECONDS)) : max(0, round(span.end / HOP_SECONDS))] = 1.0
    return inside

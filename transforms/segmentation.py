"""Where a text in time is divided into clips: the division that costs least, of all there are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place between two words (or before the first, after the last).

    `end` is where a clip before it would end and `start` where one after it would begin (s); `cost` is what dividing
    here costs, infinite where it can't be, and `whole` what not dividing here does. `pause` (s) is what stays inside a
    clip that goes on across it; `divides` says that none may.
    """

    end: float
    start: float
    cost: float
    pause: float = 0.0
    whole: float = 0.0
    divides: bool = False


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long clips are (s): never outside least..most, best inside preferred_least..preferred_most."""

    least: float
    most: float
    preferred_least: float
    preferred_most: float


# Costs are relative to a division in the middle of a sentence at a pause of no length, which costs about 3.
_CLIP = 0.25
_SHORT, _LONG = 3.0, 2.0
_LONGEST_COMFORTABLE_PAUSE = 0.6
_PAUSE_PER_SECOND = 4.0
# Leaving words out is the last resort.
_LEFT_OUT_PER_WORD, _LEFT_OUT_PER_SECOND = 4.0, 4.0


def divide(boundaries: Sequence[Boundary], lengths: Lengths) -> tuple[tuple[int, int], ...]:
    """Clips as pairs (i, j) of boundaries, the words i..j-1 inside; words in no pair can't be in a clip.

    Dynamic programming over boundaries: the division of least total cost; of equal ones the one with earlier divisions.
    """
    count = len(boundaries)
    best = np.full(count, np.inf)
    best[0] = 0.0
    came_from = [0] * count
    is_clip = [False] * count
    for j in range(1, count):
        here, before = boundaries[j], boundaries[j - 1]
        seconds = max(0.0, here.end - before.start)
        best[j] = best[j - 1] + _LEFT_OUT_PER_WORD + _LEFT_OUT_PER_SECOND * seconds
        came_from[j] = j - 1
        if not np.isfinite(here.cost):
            continue
        inside = 0.0
        for i in range(j - 1, -1, -1):
            first = boundaries[i]
            duration = here.end - first.start
            if duration > lengths.most:
                break
            if np.isfinite(first.cost) and duration >= lengths.least:
                cost = best[i] + _CLIP + first.cost / 2 + here.cost / 2 + inside + _length_cost(duration, lengths)
                if cost < best[j] - 1e-9:
                    best[j], came_from[j], is_clip[j] = cost, i, True
            if first.divides:
                break
            inside += first.whole + _PAUSE_PER_SECOND * max(0.0, first.pause - _LONGEST_COMFORTABLE_PAUSE)
    clips = []
    j = count - 1
    while j > 0:
        if is_clip[j]:
            clips.append((came_from[j], j))
        j = came_from[j]
    return tuple(reversed(clips))


def _length_cost(duration: float, lengths: Lengths) -> float:
    if duration < lengths.preferred_least:
        return _SHORT * (lengths.preferred_least - duration) / lengths.preferred_least
    if duration > lengths.preferred_most:
        return _LONG * (duration - lengths.preferred_most) / max(lengths.most - lengths.preferred_most, 1e-9)
    return 0.0

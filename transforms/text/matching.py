"""Two sequences of words against each other: which words both have, and where one lies inside of the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np


@dataclass(frozen=True, slots=True)
class Place:
    """Words first..end-1 of a text are what was looked for; `matched` is the share (0..1) that is the same word."""

    first: int
    end: int
    matched: float


def find_place(heard: Sequence[str], words: Sequence[str]) -> Place | None:
    """The contiguous stretch of `words` at the least edit distance from `heard`; None where no word of it matches.

    Words before and after the stretch cost nothing (Sellers, 1980); of stretches at the same distance it is the one
    with the most of its words, then the one nearest to the middle. Time and memory grow with len(heard) * len(words).
    """
    if not heard or not words:
        return None
    same = np.array([[one == other for other in words] for one in heard])
    costs = _costs(same)
    if not same.any():
        return None
    ends = np.flatnonzero(costs[-1] == costs[-1].min()).tolist()
    middle = (len(words) + len(heard)) / 2
    paths = [(end, _pairs(costs, same, end)) for end in ends]
    _, pairs = min(paths, key=lambda path: (-len(path[1]), abs(path[0] - middle), path[0]))
    if not pairs:
        return None
    # What was heard otherwise before the first pair, and after the last, stands for as many words of the text.
    first = max(pairs[0][1] - pairs[0][0], 0)
    last = min(pairs[-1][1] + len(heard) - 1 - pairs[-1][0], len(words) - 1)
    return Place(first, last + 1, len(pairs) / max(len(heard), last + 1 - first))


def _costs(same: np.ndarray) -> np.ndarray:
    """Edit distances of heard[:i] to the best stretch that ends before words[j], shape (len(heard) + 1, words + 1)."""
    rows, columns = same.shape
    costs = np.zeros((rows + 1, columns + 1), np.int32)
    places = np.arange(columns + 1, dtype=np.int32)
    for row in range(rows):
        above = costs[row]
        step = np.empty(columns + 1, np.int32)
        step[0] = row + 1
        step[1:] = np.minimum(above[:-1] + ~same[row], above[1:] + 1)
        # Words left out cost one each: a running minimum of (cost - place).
        costs[row + 1] = np.minimum.accumulate(step - places) + places
    return costs


def _pairs(costs: np.ndarray, same: np.ndarray, end: int) -> list[tuple[int, int]]:
    """(heard, word) of the same words on the way to the end, in order."""
    row, column = len(costs) - 1, end
    pairs = []
    while row > 0 and column > 0:
        cost = costs[row, column]
        if cost == costs[row - 1, column - 1] + (0 if same[row - 1, column - 1] else 1):
            row, column = row - 1, column - 1
            if same[row, column]:
                pairs.append((row, column))
        elif cost == costs[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return pairs[::-1]


def confirmed(words: Sequence[str], heard: Sequence[str]) -> list[bool]:
    """For each word whether it was heard too, in the same order, with nothing else heard right after it."""
    found = [False] * len(words)
    for tag, first, end, heard_first, heard_end in SequenceMatcher(
        None, list(words), list(heard), autojunk=False
    ).get_opcodes():
        if tag == "equal":
            found[first:end] = [True] * (end - first)
        elif tag == "insert" and words and heard_end > heard_first:
            found[max(first - 1, 0)] = False
    return found

"""Dynamic time warping: which frame of one utterance is which of another.

H. Sakoe, S. Chiba: Dynamic programming algorithm optimization for spoken word recognition, IEEE ASSP 26 (1978).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_BOTH, _FIRST, _SECOND = range(3)


def warp(first: Floats, second: Floats) -> tuple[Places, Places]:
    """The path of least total distance through frames of shape (n, d) and (m, d): places in each, both (length,).

    Steps of one frame in either or in both, each as dear as the Euclidean distance of where it goes.
    """
    if not len(first) or not len(second):
        raise ValueError("there are no frames to warp")
    steps = _steps(_distances(first, second))
    n, m = len(first) - 1, len(second) - 1
    path = [(n, m)]
    while n or m:
        step = steps[n, m]
        n, m = n - (step != _SECOND), m - (step != _FIRST)
        path.append((n, m))
    places = np.array(path[::-1], np.int64)
    return places[:, 0], places[:, 1]


def _distances(first: Floats, second: Floats) -> Floats:
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    found: Floats = np.sqrt(np.maximum(squares, 0.0))
    return found


def _steps(distances: Floats) -> NDArray[np.uint8]:
    """The last step on the best way to every pair of frames, shape (n, m); a diagonal at a time, which are vectors."""
    n, m = distances.shape
    steps = np.zeros((n, m), np.uint8)
    # Costs on diagonals by the place in `first`; one more in front, which nothing reaches.
    before = np.full(n + 1, np.inf)
    last = np.full(n + 1, np.inf)
    last[1] = distances[0, 0]
    for diagonal in range(1, n + m - 1):
        rows = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        # Ways from (row - 1, column - 1), (row - 1, column) and (row, column - 1).
        ways = np.stack([before[rows], last[rows], last[rows + 1]])
        step = ways.argmin(axis=0)
        steps[rows, diagonal - rows] = step
        now = np.full(n + 1, np.inf)
        now[rows + 1] = ways[step, np.arange(len(rows))] + distances[rows, diagonal - rows]
        before, last = last, now
    return steps

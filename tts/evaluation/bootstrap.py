"""95 % intervals by the bootstrap over clips: the words of a clip fail together, so clips are drawn and not words.

M. Bisani, H. Ney: Bootstrap estimates for confidence intervals in ASR performance evaluation, ICASSP 2004.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 4000
_LEVELS = (2.5, 97.5)
# Resamples at a time: memory does not grow with how many there are.
_BLOCK = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over `n` clips, and the ends of its 95 % interval (nan where there is nothing to tell it from)."""

    value: float
    low: float
    high: float
    n: int


def mean(values: Sequence[float], seed: int = 0) -> Estimate:
    """The mean of one value a clip; values that are not finite (nothing could be measured) are left out."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    return ratio(finite, np.ones(len(finite)), seed)


def ratio(numerators: Sequence[float] | Floats, denominators: Sequence[float] | Floats, seed: int = 0) -> Estimate:
    """The sum of the one over the sum of the other: errors of each clip over words of each clip.

    Differences are paired: ratio(errors_c - errors_a, words) compares two versions of the same clips.
    """
    above, below = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    if above.shape != below.shape:
        raise ValueError(f"{above.shape} numerators do not go with {below.shape} denominators")
    n = len(above)
    if not n or below.sum() <= 0:
        return Estimate(float("nan"), float("nan"), float("nan"), n)
    random = np.random.default_rng(seed)
    drawn = []
    for first in range(0, RESAMPLES, _BLOCK):
        places = random.integers(0, n, (min(_BLOCK, RESAMPLES - first), n))
        drawn.append(above[places].sum(axis=1) / np.maximum(below[places].sum(axis=1), 1e-12))
    low, high = np.percentile(np.concatenate(drawn), _LEVELS)
    return Estimate(float(above.sum() / below.sum()), float(low), float(high), n)

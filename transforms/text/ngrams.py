"""Estimates a pruned n-gram model over small alphabets, for training only.

Interpolated modified Kneser-Ney smoothing (Chen and Goodman, 1999), pruned by weighted difference (Seymore and
Rosenfeld, 1996), written in back-off form.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# An n-gram is one integer: SYMBOL_BITS a symbol, the last symbol lowest. Symbol 0 is no symbol, so that integers of
# shorter n-grams are smaller and none collide.
SYMBOL_BITS = 9
MAX_ORDER = 63 // SYMBOL_BITS
MAX_SYMBOLS = (1 << SYMBOL_BITS) - 1
BEGIN, END, FIRST_SYMBOL = 1, 2, 3

_NEVER = 1e-12

Keys = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """The n-grams of one order, sorted by key: ln P(last symbol | the others) and the ln back-off weight as context."""

    keys: Keys
    log_probability: Floats
    log_backoff: Floats


@dataclass(frozen=True, slots=True)
class _Counts:
    keys: Keys
    occurrences: Floats  # how often it occurs
    smoothing: Floats  # what Kneser-Ney counts: occurrences, or in how many contexts it occurs


def estimate(sequences: Sequence[Sequence[int]], order: int, threshold: float) -> list[Level]:
    """Levels 1..order of a model of `sequences` (symbols from FIRST_SYMBOL on; begin and end are added here).

    `threshold` prunes an n-gram whose loss costs less than that much log-likelihood (nats) over the training data.
    """
    counts = _count(sequences, order)
    probabilities, backoffs = _kneser_ney(counts)
    kept = _prune(counts, probabilities, backoffs, threshold)
    return _backed_off(counts, probabilities, kept)


def suffix(keys: Keys, symbols: int) -> Keys:
    """The last `symbols` symbols of each n-gram."""
    return keys & ((1 << (SYMBOL_BITS * symbols)) - 1)


def _count(sequences: Sequence[Sequence[int]], order: int) -> list[_Counts]:
    text = np.concatenate([np.array([BEGIN, *sequence, END], np.int64) for sequence in sequences])
    position = np.concatenate([np.arange(len(sequence) + 2) for sequence in sequences])
    levels: list[_Counts] = []
    windows = text
    raw: list[tuple[Keys, Floats]] = []
    for n in range(1, order + 1):
        if n > 1:
            windows = (text[: len(windows) - 1] << (SYMBOL_BITS * (n - 1))) | windows[1:]
        inside = position[n - 1 : n - 1 + len(windows)] >= max(n - 1, 1)
        keys, repeats = np.unique(windows[inside], return_counts=True)
        raw.append((keys, repeats.astype(np.float64)))
    for n, (keys, occurrences) in enumerate(raw, start=1):
        smoothing: Floats = occurrences
        if n < order:
            longer = raw[n][0]
            extensions: Floats = np.bincount(np.searchsorted(keys, suffix(longer, n)), minlength=len(keys)).astype(
                np.float64
            )
            from_begin = (keys >> (SYMBOL_BITS * (n - 1))) == BEGIN
            smoothing = np.where(from_begin, occurrences, extensions)
        levels.append(_Counts(keys, occurrences, smoothing))
    return levels


def _discounts(smoothing: Floats) -> tuple[float, float, float]:
    ones, twos, threes, fours = (float(np.count_nonzero(smoothing == k)) for k in (1, 2, 3, 4))
    if min(ones, twos, threes) == 0:
        return 0.5, 0.75, 0.9
    ratio = ones / (ones + 2 * twos)
    exact = (1 - 2 * ratio * twos / ones, 2 - 3 * ratio * threes / twos, 3 - 4 * ratio * fours / threes)
    # Few data give estimates that leave nothing to lower orders, or take more than there is.
    one, two, more = (min(max(discount, 0.1), k - 0.1) for k, discount in enumerate(exact, start=1))
    return one, two, more


def _kneser_ney(counts: list[_Counts]) -> tuple[list[Floats], list[Floats]]:
    """Interpolated probabilities of each n-gram, and for each n-gram the weight its context leaves to lower orders."""
    probabilities: list[Floats] = []
    backoffs: list[Floats] = []
    for n, level in enumerate(counts, start=1):
        contexts, owner = np.unique(level.keys >> SYMBOL_BITS, return_inverse=True)
        total = np.bincount(owner, weights=level.smoothing, minlength=len(contexts))
        steps = np.array([0.0, *_discounts(level.smoothing)])
        discount = steps[np.minimum(level.smoothing, 3).astype(np.int64)]
        left = np.bincount(owner, weights=discount, minlength=len(contexts)) / total
        if n == 1:
            lower = np.full(len(level.keys), 1.0 / len(level.keys))
        else:
            below = counts[n - 2].keys
            lower = probabilities[-1][np.searchsorted(below, suffix(level.keys, n - 1))]
        probabilities.append((level.smoothing - discount) / total[owner] + left[owner] * lower)
        backoffs.append(left[owner])
    return probabilities, backoffs


def _prune(
    counts: list[_Counts], probabilities: list[Floats], backoffs: list[Floats], threshold: float
) -> list[NDArray[np.bool_]]:
    """Which n-grams stay: those that matter, and those that are contexts of such."""
    kept: list[NDArray[np.bool_]] = []
    needed: Keys = np.zeros(0, np.int64)
    for n in range(len(counts), 0, -1):
        level = counts[n - 1]
        keep = np.ones(len(level.keys), np.bool_)
        if n > 1:
            lower = probabilities[n - 2][np.searchsorted(counts[n - 2].keys, suffix(level.keys, n - 1))]
            gain = level.occurrences * np.log(probabilities[n - 1] / (lower * backoffs[n - 1]))
            keep = gain > threshold
        keep |= np.isin(level.keys, needed)
        kept.append(keep)
        needed = np.unique(level.keys[keep] >> SYMBOL_BITS)
    return kept[::-1]


def _backed_off(counts: list[_Counts], probabilities: list[Floats], kept: list[NDArray[np.bool_]]) -> list[Level]:
    keys = [level.keys[keep] for level, keep in zip(counts, kept, strict=True)]
    chances = [chance[keep] for chance, keep in zip(probabilities, kept, strict=True)]
    # BEGIN is never predicted, but it is a context, and a context needs a place for its back-off weight.
    keys[0] = np.concatenate([[BEGIN], keys[0]])
    chances[0] = np.concatenate([[_NEVER], chances[0]])
    backoffs = [np.ones(len(level)) for level in keys]
    for n in range(2, len(keys) + 1):
        lower = backed_off_probability(keys, chances, backoffs, suffix(keys[n - 1], n - 1), n - 1)
        contexts, owner = np.unique(keys[n - 1] >> SYMBOL_BITS, return_inverse=True)
        seen = np.bincount(owner, weights=chances[n - 1], minlength=len(contexts))
        seen_below = np.bincount(owner, weights=lower, minlength=len(contexts))
        weight = np.maximum(1 - seen, 1e-9) / np.maximum(1 - seen_below, 1e-9)
        place = np.searchsorted(keys[n - 2], contexts)
        backoffs[n - 2][place] = weight
    return [Level(k, np.log(p), np.log(b)) for k, p, b in zip(keys, chances, backoffs, strict=True)]


def backed_off_probability(
    keys: list[Keys], chances: list[Floats], backoffs: list[Floats], grams: Keys, order: int
) -> Floats:
    """P(last symbol | the others) of n-grams of `order` symbols by the back-off model."""
    result = np.zeros(len(grams))
    weight = np.ones(len(grams))
    open_ = np.ones(len(grams), np.bool_)
    for n in range(order, 0, -1):
        place = np.minimum(np.searchsorted(keys[n - 1], suffix(grams, n)), len(keys[n - 1]) - 1)
        found = open_ & (keys[n - 1][place] == suffix(grams, n))
        result[found] = weight[found] * chances[n - 1][place[found]]
        open_ &= ~found
        if n > 1:
            context = suffix(grams, n) >> SYMBOL_BITS
            place = np.minimum(np.searchsorted(keys[n - 2], context), len(keys[n - 2]) - 1)
            known = open_ & (keys[n - 2][place] == context)
            weight[known] *= backoffs[n - 2][place[known]]
    return result

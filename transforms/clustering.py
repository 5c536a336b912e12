"""Which stretches of speech are the same voice, when nobody says how many voices there are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

# Similarities are kept as a square matrix: this many rows are 9 MB; more segments are joined block by block.
_BLOCK = 1500
_NEVER = np.float32(-9.0)


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """When two stretches of speech are the same voice."""

    # Cosine of two voices' means from which they are one, where both have been heard for ever.
    same_voice: float = 0.955
    # The mean over t seconds is off by noise, which lowers its cosines by
    # sqrt(1 + noise_seconds / (t + window_seconds)); this is put right. Even a single window hears more than its share.
    noise_seconds: float = 0.65
    window_seconds: float = 0.0


def agglomerate(sums: Vectors, seconds: NDArray[np.float64], settings: ClusterSettings) -> NDArray[np.intp]:
    """Join stretches bottom-up until no two clusters are one voice; returns a cluster for each row, shape (n,).

    `sums` are the sums of each stretch's embeddings, shape (n, d), `seconds` how long each is. Centroid linkage on
    cosines, each set right for the noise of short stretches, so that one threshold serves for all lengths (the idea of
    a length-dependent PLDA score without a trained model). Above some thousand rows blocks of neighbours are joined
    first and their clusters after, so memory is bounded: the matrix never has more than 1500 rows a block.
    """
    n = len(sums)
    if n <= _BLOCK:
        return _join(sums, seconds, settings)
    labels = np.zeros(n, np.intp)
    offset = 0
    for block in np.array_split(np.arange(n), -(-n // _BLOCK)):
        labels[block] = offset + _join(sums[block], seconds[block], settings)
        offset = int(labels[block].max()) + 1
    if offset >= n:
        return labels
    joined = agglomerate(total(sums, labels), np.bincount(labels, seconds).astype(np.float64), settings)
    return joined[labels]


def _join(sums: Vectors, seconds: NDArray[np.float64], settings: ClusterSettings) -> NDArray[np.intp]:
    sums, seconds = sums.astype(np.float32), seconds.astype(np.float64)
    n = len(sums)
    labels = np.arange(n)
    alive = np.ones(n, bool)
    trust = _trust(seconds, settings)
    centroids = unit(sums)
    alike = centroids @ centroids.T * trust * trust[:, None]
    np.fill_diagonal(alike, _NEVER)
    for _ in range(n - 1):
        kept, gone = divmod(int(alike.argmax()), n)
        if alike[kept, gone] < settings.same_voice:
            break
        sums[kept] += sums[gone]
        seconds[kept] += seconds[gone]
        labels[labels == gone] = kept
        alive[gone] = False
        alike[gone] = alike[:, gone] = _NEVER
        centroids[kept] = unit(sums[kept])
        trust[kept] = _trust(seconds[kept : kept + 1], settings)[0]
        row = np.where(alive, centroids @ centroids[kept] * trust * trust[kept], _NEVER)
        row[kept] = _NEVER
        alike[kept] = alike[:, kept] = row
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


def _trust(seconds: NDArray[np.float64], settings: ClusterSettings) -> NDArray[np.float32]:
    """What a cosine of each stretch's mean is multiplied by (twice for a pair: once for either), shape (n,)."""
    heard = np.maximum(seconds + settings.window_seconds, 0.1)
    return np.sqrt(1 + settings.noise_seconds / heard).astype(np.float32)


def best_path(scores: NDArray[np.float32], switch_costs: NDArray[np.float32]) -> NDArray[np.intp]:
    """The states that together score best, shape (n,), when a change of state before step i costs switch_costs[i].

    `scores` has shape (n, states). Viterbi's algorithm; all changes cost the same, so a step is linear in the states.
    """
    n, states = scores.shape
    if n == 0 or states <= 1:
        return np.zeros(n, np.intp)
    stay = np.arange(states, dtype=np.int16)
    origin = np.zeros((n, states), np.int16)
    best = scores[0].astype(np.float64)
    for step in range(1, n):
        leader = int(best.argmax())
        changed = best[leader] - float(switch_costs[step])
        staying = best >= changed
        origin[step] = np.where(staying, stay, leader)
        best = np.where(staying, best, changed) + scores[step]
    path = np.zeros(n, np.intp)
    path[-1] = best.argmax()
    for step in range(n - 1, 0, -1):
        path[step - 1] = origin[step, path[step]]
    return path


def total(rows: NDArray[np.floating], labels: NDArray[np.intp], weights: Vectors | None = None) -> Vectors:
    """Sum of the rows of each label 0..k-1, each times its weight, shape (k, d)."""
    sums = np.zeros((int(labels.max()) + 1, rows.shape[1]), np.float32)
    for first in range(0, len(rows), _BLOCK):
        block = slice(first, first + _BLOCK)
        exact = rows[block].astype(np.float32)
        np.add.at(sums, labels[block], exact if weights is None else exact * weights[block, None])
    return sums


def cosines(rows: NDArray[np.floating], centroids: Vectors) -> Vectors:
    """Cosine of each row to each centroid, all of unit length, shape (n, k)."""
    found = np.empty((len(rows), len(centroids)), np.float32)
    for first in range(0, len(rows), _BLOCK):
        found[first : first + _BLOCK] = rows[first : first + _BLOCK].astype(np.float32) @ centroids.T
    return found


def unit(vectors: NDArray[np.float32]) -> Vectors:
    """The same directions, of length one (a zero vector stays zero)."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)

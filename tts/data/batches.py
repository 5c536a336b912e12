"""Which clips are learned from together, and in which order: the same after a kill, on any number of GPUs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Clips of like length are batched together, out of pools of so many batches.
_POOL = 16


def epoch_batches(lengths: NDArray[np.int64], most_frames: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Batches of clip numbers for one pass over all clips, decided by `seed` and `epoch` alone.

    `lengths` are frames of each clip; with padding a batch has at most `most_frames`, but for a single longer clip.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    pool = max(1, int(_POOL * most_frames / max(float(np.mean(lengths)), 1.0)))
    batches: list[NDArray[np.int64]] = []
    for first in range(0, len(order), pool):
        some = order[first : first + pool]
        batches.extend(_packed(some[np.argsort(lengths[some], kind="stable")], lengths, most_frames))
    return [batches[place] for place in random.permutation(len(batches))]


def endless(
    lengths: NDArray[np.int64], most_frames: int, seed: int, start: int = 0, rank: int = 0, world: int = 1
) -> Iterator[NDArray[np.int64]]:
    """The batches of one of `world` processes, pass after pass, beginning with the `start`-th batch of them all."""
    number = 0
    for epoch in _counted():
        batches = epoch_batches(lengths, most_frames, seed, epoch)
        # Every process takes as many steps: a pass ends with whole rounds, and at least one.
        rounds = max(len(batches) // world, 1)
        whole = [batches[place % len(batches)] for place in range(rounds * world)]
        if number + len(whole) <= start:
            number += len(whole)
            continue
        for place in range(max(0, start - number) // world * world + rank, len(whole), world):
            yield whole[place]
        number += len(whole)


def _packed(order: NDArray[np.int64], lengths: NDArray[np.int64], most_frames: int) -> Iterator[NDArray[np.int64]]:
    batch: list[int] = []
    for number in order.tolist():
        # In ascending order, so the last one is the longest.
        if batch and (len(batch) + 1) * int(lengths[number]) > most_frames:
            yield np.array(batch, np.int64)
            batch = []
        batch.append(number)
    if batch:
        yield np.array(batch, np.int64)


def _counted() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1

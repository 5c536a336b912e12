"""Clusters: how many voices comes from the voices, not from the caller."""

import itertools

import numpy as np

from transforms import clustering
from transforms.clustering import ClusterSettings, agglomerate, best_path, total, unit

DIMENSION = 64


def stretches(
    voices: np.ndarray, order: list[int], windows: int, spread: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of `windows` noisy unit vectors around the voices named by `order`, and seconds (half a second a window)."""
    rng = np.random.default_rng(seed)
    sums = [unit(voices[i] + rng.normal(0, spread, (windows, DIMENSION)).astype(np.float32)).sum(axis=0) for i in order]
    return np.array(sums, np.float32), np.full(len(order), windows * 0.5)


def voices(count: int, alike: float, seed: int = 1) -> np.ndarray:
    """Unit vectors whose cosines are about `alike`."""
    own = unit(np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32))
    shared = np.zeros(DIMENSION, np.float32)
    shared[0] = 1.0
    own[:, 0] = 0.0
    return unit(np.sqrt(alike) * shared + np.sqrt(1 - alike) * unit(own))


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    return len(set(zip(one, other, strict=True))) == len(set(one)) == len(set(other))


def test_the_number_of_voices_is_found() -> None:
    for count in (1, 2, 5):
        order = [i % count for i in range(20)]
        sums, seconds = stretches(voices(count, 0.6), order, windows=8, spread=0.05)
        assert same_partition(agglomerate(sums, seconds, ClusterSettings()), np.array(order))


def test_one_threshold_serves_short_and_long_stretches() -> None:
    # The mean of two windows is further from the voice than that of forty; the lengths put that right.
    both = voices(2, 0.7)
    short, short_seconds = stretches(both, [0, 1, 0, 1, 0, 1], windows=2, spread=0.07)
    long, long_seconds = stretches(both, [0, 1], windows=40, spread=0.07, seed=5)
    sums, seconds = np.concatenate([short, long]), np.concatenate([short_seconds, long_seconds])
    found = agglomerate(sums, seconds, ClusterSettings())
    assert same_partition(found, np.array([0, 1, 0, 1, 0, 1, 0, 1]))
    untreated = agglomerate(sums, seconds, ClusterSettings(noise_seconds=0.0))
    assert len(set(untreated)) > 2


def test_more_stretches_than_a_block_are_joined_all_the_same(monkeypatch: object) -> None:
    order = [i * 7 % 4 for i in range(130)]
    sums, seconds = stretches(voices(4, 0.6), order, windows=8, spread=0.05)
    whole = agglomerate(sums, seconds, ClusterSettings())
    monkeypatch.setattr(clustering, "_BLOCK", 32)  # type: ignore[attr-defined]
    assert same_partition(agglomerate(sums, seconds, ClusterSettings()), whole)
    assert same_partition(whole, np.array(order))


def test_blocks_that_can_not_be_joined_end() -> None:
    sums = np.eye(DIMENSION, dtype=np.float32)
    assert len(set(agglomerate(sums, np.ones(DIMENSION), ClusterSettings()))) == DIMENSION


def test_nothing_and_one() -> None:
    assert agglomerate(np.zeros((0, 8), np.float32), np.zeros(0), ClusterSettings()).shape == (0,)
    assert agglomerate(np.ones((1, 8), np.float32), np.ones(1), ClusterSettings()).tolist() == [0]


def test_best_path_is_the_best_of_all_paths() -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        scores = rng.normal(size=(6, 3)).astype(np.float32)
        costs = rng.uniform(0, 2, 6).astype(np.float32)

        def worth(path: tuple[int, ...], scores: np.ndarray = scores, costs: np.ndarray = costs) -> float:
            changes = sum(float(costs[i]) for i in range(1, 6) if path[i] != path[i - 1])
            return sum(float(scores[i, state]) for i, state in enumerate(path)) - changes

        best = max(itertools.product(range(3), repeat=6), key=worth)
        assert tuple(best_path(scores, costs).tolist()) == best


def test_a_dear_change_smooths_and_a_cheap_one_follows() -> None:
    scores = np.array([[1, 0], [0.4, 0.6], [1, 0]], np.float32)
    assert best_path(scores, np.full(3, 0.5, np.float32)).tolist() == [0, 0, 0]
    assert best_path(scores, np.full(3, 0.05, np.float32)).tolist() == [0, 1, 0]


def test_best_path_of_nothing_and_of_one_state() -> None:
    assert best_path(np.zeros((0, 2), np.float32), np.zeros(0, np.float32)).shape == (0,)
    assert best_path(np.zeros((3, 1), np.float32), np.zeros(3, np.float32)).tolist() == [0, 0, 0]


def test_total_adds_rows_of_a_label() -> None:
    rows = np.array([[1, 0], [0, 1], [2, 2]], np.float32)
    assert total(rows, np.array([0, 1, 0])).tolist() == [[3, 2], [0, 1]]

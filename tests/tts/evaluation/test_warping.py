"""The path of least distance, against the textbook's recursion and on sequences whose path is known."""

import numpy as np
import pytest

from tts.evaluation.warping import warp


def textbook_cost(first: np.ndarray, second: np.ndarray) -> float:
    """The cost of the best path, cell by cell."""
    distances = np.linalg.norm(first[:, None] - second[None], axis=-1)
    costs = np.full((len(first) + 1, len(second) + 1), np.inf)
    costs[0, 0] = 0.0
    for n in range(len(first)):
        for m in range(len(second)):
            costs[n + 1, m + 1] = distances[n, m] + min(costs[n, m], costs[n, m + 1], costs[n + 1, m])
    return float(costs[-1, -1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 9), (20, 31), (31, 20)])
def test_no_path_is_cheaper(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(shape[0])
    first, second = (random.normal(size=(length, 3)) for length in shape)
    there, here = warp(first, second)
    assert np.linalg.norm(first[there] - second[here], axis=1).sum() == pytest.approx(textbook_cost(first, second))


def test_a_path_goes_from_end_to_end_by_single_steps() -> None:
    random = np.random.default_rng(0)
    there, here = warp(random.normal(size=(15, 2)), random.normal(size=(22, 2)))
    assert (there[0], here[0], there[-1], here[-1]) == (0, 0, 14, 21)
    steps = np.stack([np.diff(there), np.diff(here)])
    assert steps.min() >= 0
    assert steps.max() == 1
    assert steps.sum(axis=0).min() >= 1


def test_a_slower_copy_is_followed_exactly() -> None:
    frames = np.random.default_rng(3).normal(size=(10, 4))
    there, here = warp(frames, np.repeat(frames, 3, axis=0))
    assert np.array_equal(there, np.repeat(np.arange(10), 3))
    assert np.array_equal(here, np.arange(30))


def test_nothing_cannot_be_warped() -> None:
    with pytest.raises(ValueError, match="no frames"):
        warp(np.zeros((0, 2)), np.zeros((3, 2)))

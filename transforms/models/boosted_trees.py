"""Boosted decision trees, evaluated: what was learnt elsewhere, kept as plain numbers in JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tree:
    """Nodes by number, the root first: left where feature <= threshold; with feature -1 it's a leaf and has a value."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]

    def values(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The leaf's value of each row, shape (n,)."""
        at = np.zeros(len(rows), np.int64)
        while (inner := np.flatnonzero(self.feature[at] >= 0)).size:
            node = at[inner]
            is_left = rows[inner, self.feature[node]] <= self.threshold[node]
            at[inner] = np.where(is_left, self.left[node], self.right[node])
        return np.asarray(self.value[at])


@dataclass(frozen=True)
class BoostedTrees:
    """The log-odds of a row are `start` and the sum of its trees' values."""

    start: float
    trees: tuple[Tree, ...]

    def log_odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of rows of features, shape (n, features) -> (n,)."""
        return np.asarray(self.start + np.sum([tree.values(rows) for tree in self.trees], axis=0))


def read_trees(path: Path, features: tuple[str, ...]) -> BoostedTrees:
    """Trees from a file; raises ValueError where they were grown on other features."""
    plain: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    if tuple(plain["features"]) != features:
        raise ValueError(f"{path} was learnt from other features; learn it again")
    return trees_of(plain)


def trees_of(plain: dict[str, Any]) -> BoostedTrees:
    """Trees from plain numbers, as a file has them."""
    return BoostedTrees(plain["start"], tuple(_tree(tree) for tree in plain["trees"]))


def _tree(plain: dict[str, list[float]]) -> Tree:
    return Tree(
        feature=np.array(plain["feature"], np.int64),
        threshold=np.array(plain["threshold"], np.float64),
        left=np.array(plain["left"], np.int64),
        right=np.array(plain["right"], np.int64),
        value=np.array(plain["value"], np.float64),
    )

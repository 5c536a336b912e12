"""Splits words and their pronunciations into graphones: pieces of one or two letters with the phones they stand for.

Method: joint-sequence models (Bisani and Ney, 2008) with many-to-many alignment by expectation maximisation
(Jiampojamarn et al., 2007). Only sums, products and quotients in a fixed order: every machine gets the same answer.
Needed for training only.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LETTERS = "'abcdefghijklmnopqrstuvwxyz"
# (letters, phones) of a graphone. No piece without letters: a decoder could go on for ever.
_MOVES = ((1, 0), (1, 1), (1, 2), (2, 1))

Graphone = tuple[str, tuple[str, ...]]
_Pieces = list[tuple[int, int, int, int]]  # letters, phones, where its letters start, where its phones start


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of the dictionary and one of its pronunciations."""

    word: str
    phones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Entries of one shape: letters (n, words), phones (m, words), as codes."""

    entries: tuple[int, ...]
    letters: NDArray[np.int64]
    phones: NDArray[np.int64]


class GraphoneAligner:
    """Learns which letters stand for which phones, then splits entries accordingly."""

    def __init__(self, entries: Sequence[Entry], iterations: int = 10) -> None:
        self._entries = tuple(entries)
        self._phones = sorted({phone for entry in entries for phone in entry.phones})
        self._phone_chunks = 1 + len(self._phones) + len(self._phones) ** 2
        self._groups = self._grouped()
        self._weights = np.ones(len(LETTERS) * (len(LETTERS) + 1) * self._phone_chunks)
        for _ in range(iterations):
            counts = np.zeros_like(self._weights)
            for group in self._groups:
                self._count(group, counts)
            self._weights = counts / counts.sum()

    def graphones(self) -> list[tuple[Graphone, ...]]:
        """The most likely split of each entry, in their order; () for an entry that these graphones can't spell."""
        splits: list[tuple[Graphone, ...]] = [()] * len(self._entries)
        for group in self._groups:
            for position, pieces in zip(group.entries, self._best(group), strict=True):
                entry = self._entries[position]
                splits[position] = tuple(
                    (entry.word[i : i + letters], entry.phones[j : j + phones]) for letters, phones, i, j in pieces
                )
        return splits

    def _grouped(self) -> list[_Group]:
        letter_codes = {letter: code for code, letter in enumerate(LETTERS)}
        phone_codes = {phone: code for code, phone in enumerate(self._phones)}
        shapes: dict[tuple[int, int], list[int]] = defaultdict(list)
        for position, entry in enumerate(self._entries):
            if 0 < len(entry.phones) <= 2 * len(entry.word):
                shapes[len(entry.word), len(entry.phones)].append(position)
        groups = []
        for _, members in sorted(shapes.items()):
            letters = np.array([[letter_codes[c] for c in self._entries[k].word] for k in members]).T
            phones = np.array([[phone_codes[p] for p in self._entries[k].phones] for k in members]).T
            groups.append(_Group(tuple(members), letters, phones))
        return groups

    def _codes(self, group: _Group, move: tuple[int, int], i: int, j: int) -> NDArray[np.int64]:
        """Codes, shape (words,), of the piece that starts at letter i and phone j."""
        letters = group.letters[i]
        if move[0] == 2:
            letters = len(LETTERS) * (1 + letters) + group.letters[i + 1]
        phones = np.zeros_like(letters)
        if move[1]:
            phones = 1 + group.phones[j]
        if move[1] == 2:
            phones = len(self._phones) * phones + 1 + group.phones[j + 1]
        return letters * self._phone_chunks + phones

    def _arrivals(self, group: _Group, i: int, j: int) -> list[tuple[tuple[int, int], int, int]]:
        return [(move, i - move[0], j - move[1]) for move in _MOVES if i >= move[0] and j >= move[1]]

    def _count(self, group: _Group, counts: NDArray[np.float64]) -> None:
        """Add the expected number of times each piece is used (the E step)."""
        n, m, words = len(group.letters), len(group.phones), len(group.entries)
        forward = np.zeros((n + 1, m + 1, words))
        forward[0, 0] = 1.0
        for i in range(1, n + 1):
            for j in range(m + 1):
                for move, a, b in self._arrivals(group, i, j):
                    forward[i, j] += forward[a, b] * self._weights[self._codes(group, move, a, b)]
        total = forward[n, m]
        possible = total > 0
        backward = np.zeros_like(forward)
        backward[n, m, possible] = 1.0 / total[possible]
        for i in range(n, 0, -1):
            for j in range(m, -1, -1):
                for move, a, b in self._arrivals(group, i, j):
                    codes = self._codes(group, move, a, b)
                    through = self._weights[codes] * backward[i, j]
                    backward[a, b] += through
                    np.add.at(counts, codes, forward[a, b] * through)

    def _best(self, group: _Group) -> list[_Pieces]:
        n, m, words = len(group.letters), len(group.phones), len(group.entries)
        score = np.zeros((n + 1, m + 1, words))
        score[0, 0] = 1.0
        choice = np.full((n + 1, m + 1, words), -1)
        for i in range(1, n + 1):
            for j in range(m + 1):
                for move, a, b in self._arrivals(group, i, j):
                    candidate = score[a, b] * self._weights[self._codes(group, move, a, b)]
                    better = candidate > score[i, j]
                    score[i, j, better] = candidate[better]
                    choice[i, j, better] = _MOVES.index(move)
        return [self._trace(choice[:, :, word], n, m) for word in range(words)]

    def _trace(self, choice: NDArray[np.int64], i: int, j: int) -> _Pieces:
        pieces: _Pieces = []
        while i > 0:
            if choice[i, j] < 0:
                return []
            letters, phones = _MOVES[choice[i, j]]
            i, j = i - letters, j - phones
            pieces.append((letters, phones, i, j))
        return pieces[::-1]

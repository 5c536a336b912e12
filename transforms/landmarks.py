"""Landmarks of many fingerprints at once, as numpy arrays: which clips meet in a bucket, which may be the same audio.

The same as `transforms.fingerprint` says of one fingerprint and of two, for 100,000 of them in seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.fingerprint import bucket_codes, codes_alike, least_alike

_DIGITS = 12
_LANDMARK = np.dtype([("time", ">u2"), ("code", ">u4")])
# Codes compared at once: 4 bytes each.
_AT_ONCE = 4_000_000

Pairs = NDArray[np.int64]
"""Positions of two fingerprints a row, shape (pairs, 2)."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The codes of all fingerprints one after another, and where each one's begin, shape (fingerprints + 1,)."""

    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, fingerprints: Sequence[str]) -> "Landmarks":
        """Of fingerprints as text; raises ValueError where one is none."""
        whole = [text[: len(text) // _DIGITS * _DIGITS] for text in fingerprints]
        codes = np.frombuffer(bytes.fromhex("".join(whole)), _LANDMARK)["code"].astype(np.uint32)
        counts = np.array([len(text) // _DIGITS for text in whole], np.int64)
        return cls(codes, np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Landmarks of each fingerprint."""
        return np.diff(self.starts)

    def buckets(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys of all buckets, as numbers, and beside each the position of a fingerprint that is in it."""
        owners = np.repeat(np.arange(len(self.starts) - 1), self.counts)
        kept = [(keys, owners[where]) for keys, where in bucket_codes(self.codes)]
        return np.concatenate([keys for keys, _ in kept]), np.concatenate([owner for _, owner in kept])

    def may_be_same(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Whether two fingerprints have enough codes alike, at whatever times: what has not is not the same audio."""
        found = np.zeros(len(pairs), np.bool_)
        longest = self.counts[pairs].max(axis=1, initial=0)
        order = np.argsort(longest, kind="stable")
        for part in _parts(longest[order]):
            chosen = order[part]
            a, b = self._padded(pairs[chosen, 0]), self._padded(pairs[chosen, 1])
            alike = (
                codes_alike(a.codes[:, :, None], b.codes[:, None, :]) & a.is_code[:, :, None] & b.is_code[:, None, :]
            )
            most = np.minimum(alike.any(axis=2).sum(axis=1), alike.any(axis=1).sum(axis=1))
            found[chosen] = most >= least_alike(self.counts[pairs[chosen]].min(axis=1))
        return found

    def _padded(self, positions: NDArray[np.int64]) -> "_Padded":
        counts = self.counts[positions]
        offsets = np.arange(counts.max(initial=0))
        is_code = offsets < counts[:, None]
        at = np.where(is_code, self.starts[positions][:, None] + offsets, 0)
        return _Padded(self.codes[at], is_code)


@dataclass(frozen=True, eq=False)
class _Padded:
    """Codes of some fingerprints, shape (fingerprints, most landmarks), and which of them are any."""

    codes: NDArray[np.uint32]
    is_code: NDArray[np.bool_]


def _parts(longest: NDArray[np.int64]) -> Iterator[slice]:
    """Parts of pairs, by the ascending length of the longer, that are compared at once."""
    start = 0
    while start < len(longest):
        # The last pair of a part is the longest, and all are padded to it.
        guess = min(len(longest), start + max(1, _AT_ONCE // max(1, int(longest[start])) ** 2))
        end = min(guess, start + max(1, _AT_ONCE // max(1, int(longest[guess - 1])) ** 2))
        yield slice(start, end)
        start = end


def groups(keys: NDArray[np.int64], owners: NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
    """The owners of each key that has several, ascending; each set of owners once."""
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    edges = np.flatnonzero(np.diff(keys)) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(keys)]])
    several = ends - starts > 1
    seen: set[tuple[int, ...]] = set()
    for start, end in zip(starts[several].tolist(), ends[several].tolist(), strict=True):
        members = tuple(sorted(set(owners[start:end].tolist())))
        if len(members) > 1 and members not in seen:
            seen.add(members)
            yield members

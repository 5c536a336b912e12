"""Which clips a person should hear: a random sample, the worst of each score, those nearest to each limit.

Each is a short list of the smallest ranks, so the lists of two parts of a dataset make the list of both.
"""

import hashlib
from collections.abc import Mapping, Sequence
from heapq import nsmallest

import numpy as np
from numpy.typing import NDArray

from schemas.verdict import sides

RANDOM, WORST, NEAREST = "random", "worst", "nearest"
#: Clips of the random sample: no fault in so many proves, with 95 % confidence, that fewer than 4.9 % are faulty.
SAMPLE = 60
_SEED = "realtalk sample 1"
_WORST, _NEAREST = 3, 2
_KEPT, _LEFT_OUT = "kept", "left out"

Pick = tuple[float, str, str]
"""Rank (the smaller, the sooner), clip id, episode id."""
Picks = Mapping[str, tuple[Pick, ...]]
"""Picks by why they are heard: "random", "worst:COLUMN", "nearest:COLUMN:SIDE:kept", in the order of their ranks."""


def random_picks(ids: Sequence[str], episodes: Sequence[str]) -> Picks:
    """Of kept clips: the same ones whatever the order, as if drawn by a seed."""
    return {RANDOM: _smallest(_drawn(ids), ids, episodes, SAMPLE)}


def worst_picks(column: str, values: NDArray[np.float64], ids: Sequence[str], episodes: Sequence[str]) -> Picks:
    """Of kept clips with these values (NaN: no score): the worst of a column that has a bad end."""
    side = sides().get(column)
    if side not in ("least", "most"):
        return {}
    # What has none of a bad thing is not bad at all.
    ranks = values if side == "least" else np.where(values > 0, -values, np.nan)
    return {f"{WORST}:{column}": _smallest(ranks, ids, episodes, _WORST)}


def nearest_picks(
    column: str,
    side: str,
    limit: float,
    values: NDArray[np.float64],
    is_kept: NDArray[np.bool_],
    is_only_this: NDArray[np.bool_],
    ids: Sequence[str],
    episodes: Sequence[str],
) -> Picks:
    """On both sides of a limit: kept clips, and those that nothing but this limit leaves out."""
    beyond = (values < limit) if side == "least" else (values > limit)
    distance = np.abs(values - limit)
    return {
        f"{NEAREST}:{column}:{side}:{which}": _smallest(np.where(mask, distance, np.nan), ids, episodes, _NEAREST)
        for which, mask in ((_KEPT, is_kept), (_LEFT_OUT, is_only_this & beyond))
    }


def merge_picks(one: Picks, other: Picks) -> Picks:
    """Of the clips of both."""
    return {
        why: tuple(sorted({*one.get(why, ()), *other.get(why, ())})[: _most(why)]) for why in sorted({*one, *other})
    }


def reasons_to_hear(picks: Picks) -> dict[tuple[str, str], list[str]]:
    """{(episode id, clip id): why}, the random sample first; a clip may be there for several reasons."""
    found: dict[tuple[str, str], list[str]] = {}
    for why, picked in sorted(picks.items(), key=lambda item: ((RANDOM, WORST, NEAREST).index(_kind(item[0])), item)):
        told = ":".join(why.split(":")[:2])
        for _, clip, episode in picked:
            reasons = found.setdefault((episode, clip), [])
            if told not in reasons:
                reasons.append(told)
    return found


def _kind(why: str) -> str:
    return why.partition(":")[0]


def _most(why: str) -> int:
    return {RANDOM: SAMPLE, WORST: _WORST, NEAREST: _NEAREST}[_kind(why)]


def _smallest(ranks: NDArray[np.float64], ids: Sequence[str], episodes: Sequence[str], count: int) -> tuple[Pick, ...]:
    """The `count` smallest ranks that are numbers, of equal ones the smaller ids."""
    known = np.flatnonzero(~np.isnan(ranks))
    if len(known) > count:
        most = np.partition(ranks[known], count - 1)[count - 1]
        below, equal = known[ranks[known] < most].tolist(), known[ranks[known] == most].tolist()
        # Most clips of a dataset have none of a bad thing: they are all equal.
        chosen = below + nsmallest(count - len(below), equal, key=lambda row: (ids[row], episodes[row]))
    else:
        chosen = known.tolist()
    return tuple(sorted((float(ranks[row]), ids[row], episodes[row]) for row in chosen))


def _drawn(ids: Sequence[str]) -> NDArray[np.float64]:
    """Numbers in 0..1, each of which a clip's id alone decides."""
    hashes = b"".join(hashlib.sha256(f"{_SEED} {clip}".encode()).digest()[:8] for clip in ids)
    # As many bits as a float holds exactly.
    return (np.frombuffer(hashes, ">u8") >> np.uint64(12)) / 2.0**52

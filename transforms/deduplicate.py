"""The same audio in two places: one download in two feeds, an advertisement in many episodes, a jingle.

Clips are compared only within buckets: groups that share a landmark of their fingerprints (transforms.fingerprint), or
a stretch of one recording. A clip is a mapping with FINGERPRINT_COLUMNS and `episode_id`, `published` and
`recording_sha256`; it holds no audio.

The original is the earliest clip (published, episode, start), but one with a publisher's words comes before all whose
words are a recogniser's: those fail the default gates, and their better twin would be lost with them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.fingerprint import buckets, same_audio
from transforms.landmarks import Landmarks, groups

#: Columns of candidate_schema that finding duplicates needs.
FINGERPRINT_COLUMNS = ("id", "fingerprint", "duration", "start", "end", "transcript_source")
# A bucket compares its clips with this many different ones at most: one that holds more is a code of silence or noise.
MAX_REPRESENTATIVES = 100
# The shorter of two copies is at least this share of the longer: a jingle doesn't take the sentence after it along.
_LEAST_DURATION_RATIO = 0.5
# Clips of one recording are the same where they share more than this much of the shorter.
_LEAST_OVERLAP = 0.5
_CELL_SECONDS = 30.0
# Above all keys of audio.
_CELL_KEYS = 1 << 62
# Of a bucket with more clips not all pairs are looked at beforehand.
_ALL_PAIRS = 32
_NO_DATE = "~"

Clip = Mapping[str, Any]
Order = tuple[bool, str, str, float, str]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A clip that is the same audio as an earlier one, both by `clip_key`; `order` is the earlier one's place."""

    duplicate: str
    original: str
    order: Order


def clip_key(episode_id: str, clip_id: str) -> str:
    """What names a clip here. Its id alone doesn't: one recording under two guids gives clips of one id twice."""
    return f"{episode_id}/{clip_id}"


def order_of(clip: Clip) -> Order:
    """The place of a clip among all: of two that are the same, the lower is the original."""
    recognised = (clip.get("transcript_source") or "").startswith("recognised:")
    return recognised, clip.get("published") or _NO_DATE, clip["episode_id"], float(clip["start"]), clip["id"]


def bucket_keys(clip: Clip) -> tuple[str, ...]:
    """The buckets that a clip is compared in: about seven a second of speech, and one or two of its recording."""
    keys = [f"audio:{key}" for key in buckets(clip.get("fingerprint") or "")]
    recording = clip.get("recording_sha256")
    if recording:
        first, last = int(clip["start"] // _CELL_SECONDS), int(clip["end"] // _CELL_SECONDS)
        keys += [f"recording:{recording}:{cell}" for cell in range(first, last + 1)]
    return tuple(keys)


def is_same(a: Clip, b: Clip) -> bool:
    """Whether two clips are the same audio: by where they are in one recording, else by their fingerprints."""
    recording = a.get("recording_sha256")
    if recording and recording == b.get("recording_sha256") and a["episode_id"] != b["episode_id"]:
        shared = min(a["end"], b["end"]) - max(a["start"], b["start"])
        if shared > _LEAST_OVERLAP * min(a["end"] - a["start"], b["end"] - b["start"]):
            return True
    shorter, longer = sorted((a["duration"], b["duration"]))
    return shorter >= _LEAST_DURATION_RATIO * longer and same_audio(
        a.get("fingerprint") or "", b.get("fingerprint") or ""
    )


def duplicates_in_bucket(clips: Iterable[Clip], same: Callable[[Clip, Clip], bool] = is_same) -> list[Duplicate]:
    """The duplicates among the clips of one bucket, in whatever order they come.

    Each is compared with the first clip of each audio only, so an advertisement in 10,000 episodes costs 10,000
    comparisons; beyond MAX_REPRESENTATIVES different ones the rest are compared with these.
    """
    ordered = sorted(clips, key=order_of)
    representatives: list[Clip] = []
    found = []
    for clip in ordered:
        original = next((other for other in representatives if same(other, clip)), None)
        if original is not None:
            found.append(Duplicate(_key(clip), _key(original), order_of(original)))
        elif len(representatives) < MAX_REPRESENTATIVES:
            representatives.append(clip)
    return found


def resolve(duplicates: Iterable[Duplicate]) -> dict[str, str]:
    """{clip_key of a duplicate: id of the clip that is kept for it}, from the duplicates of all buckets in any order.

    Of several originals the earliest counts, and an original that is itself a duplicate leads to its own.
    """
    earliest: dict[str, Duplicate] = {}
    for found in duplicates:
        known = earliest.get(found.duplicate)
        if known is None or found.order < known.order:
            earliest[found.duplicate] = found

    def kept(key: str) -> str:
        # Originals are always earlier, so the chain ends.
        while key in earliest:
            key = earliest[key].original
        return key.rpartition("/")[2]

    return {key: kept(key) for key in sorted(earliest)}


def find_duplicates(clips: Iterable[Clip]) -> dict[str, str]:
    """{clip_key of a duplicate: id of the clip that is kept for it} of all clips of a dataset, in one process.

    The same as the buckets on many workers: `resolve` of `duplicates_in_bucket` of every bucket of `bucket_keys`.
    """
    every = list(clips)

    @cache
    def same(a: int, b: int) -> bool:
        return is_same(every[a], every[b])

    position = {id(clip): index for index, clip in enumerate(every)}
    found: list[Duplicate] = []
    for members in _buckets_to_compare(every):
        bucket = [every[index] for index in members]
        found += duplicates_in_bucket(bucket, lambda a, b: same(position[id(a)], position[id(b)]))
    return resolve(found)


def _key(clip: Clip) -> str:
    return clip_key(clip["episode_id"], clip["id"])


def _buckets_to_compare(clips: Sequence[Clip]) -> list[tuple[int, ...]]:
    """Positions of the clips of every bucket that may hold a duplicate, each set of clips once.

    Most clips that meet have little in common: a small bucket is left out where none of its pairs can be the same.
    """
    if not clips:
        return []
    landmarks = Landmarks.of([clip.get("fingerprint") or "" for clip in clips])
    spans = _Spans.of(clips)
    (audio, audio_owners), (cells, cell_owners) = landmarks.buckets(), spans.cells()
    buckets = list(groups(np.concatenate([audio, cells]), np.concatenate([audio_owners, cell_owners])))
    small = [members for members in buckets if len(members) <= _ALL_PAIRS]
    pairs = _pairs(small, len(clips))
    near = pairs[spans.may_be_same(pairs)]
    other = pairs[~spans.may_be_same(pairs) & spans.are_as_long(pairs)]
    possible = np.concatenate([near, other[landmarks.may_be_same(other)]])
    wanted = set((possible[:, 0] * len(clips) + possible[:, 1]).tolist())

    def may_hold(members: tuple[int, ...]) -> bool:
        return len(members) > _ALL_PAIRS or any(a * len(clips) + b in wanted for a, b in combinations(members, 2))

    return [members for members in buckets if may_hold(members)]


def _pairs(buckets: Iterable[tuple[int, ...]], clips: int) -> NDArray[np.int64]:
    """All pairs of positions inside of buckets, ascending, each once, shape (pairs, 2)."""
    by_size: dict[int, list[tuple[int, ...]]] = {}
    for members in buckets:
        by_size.setdefault(len(members), []).append(members)
    found = [np.empty(0, np.int64)]
    for size, same_size in by_size.items():
        first, second = np.triu_indices(size, 1)
        table = np.array(same_size, np.int64)
        found.append((table[:, first] * clips + table[:, second]).ravel())
    return np.stack(np.divmod(np.unique(np.concatenate(found)), clips), axis=1)


@dataclass(frozen=True, eq=False)
class _Spans:
    """Where in which recording all clips are; numbers stand for recordings (-1 for none) and episodes."""

    recordings: NDArray[np.int64]
    episodes: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    durations: NDArray[np.float64]

    @classmethod
    def of(cls, clips: Sequence[Clip]) -> "_Spans":
        recordings = _numbered([clip.get("recording_sha256") or "" for clip in clips])
        episodes = _numbered([clip["episode_id"] for clip in clips])
        times = ([float(clip[name]) for clip in clips] for name in ("start", "end", "duration"))
        return cls(recordings, episodes, *(np.array(values) for values in times))

    def cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys of the stretches of recordings that clips are in, and whose they are."""
        first = np.floor_divide(self.starts, _CELL_SECONDS).astype(np.int64)
        last = np.floor_divide(self.ends, _CELL_SECONDS).astype(np.int64)
        keys, owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for step in range(int((last - first).max(initial=0)) + 1):
            where = np.flatnonzero((self.recordings >= 0) & (first + step <= last))
            keys.append(_CELL_KEYS | self.recordings[where] << 32 | first[where] + step)
            owners.append(where)
        return np.concatenate(keys), np.concatenate(owners)

    def may_be_same(self, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Pairs from one recording under two guids, whose times decide."""
        a, b = pairs[:, 0], pairs[:, 1]
        is_one = (self.recordings[a] >= 0) & (self.recordings[a] == self.recordings[b])
        answer: NDArray[np.bool_] = is_one & (self.episodes[a] != self.episodes[b])
        return answer

    def are_as_long(self, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Pairs of which neither is too long for the other."""
        lengths = self.durations[pairs]
        answer: NDArray[np.bool_] = lengths.min(axis=1) >= _LEAST_DURATION_RATIO * lengths.max(axis=1)
        return answer


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    """A number for each name; -1 for "" ."""
    known: dict[str, int] = {"": -1}
    return np.array([known.setdefault(name, len(known) - 1) for name in names], np.int64)

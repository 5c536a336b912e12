"""The same audio in two places: one download in two feeds, an advertisement in many episodes, a jingle.

Clips are compared only within buckets: groups that share a landmark of their fingerprints (transforms.fingerprint), or
a stretch of one recording. A clip is a mapping with FINGERPRINT_COLUMNS and `episode_id`, `published` and
`recording_sha256`; it holds no audio.

The original is the earliest clip (published, episode, start), but one with a publisher's words comes before all whose
words are a recogniser's: those fail the default gates, and their better twin would be lost with them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from transforms.fingerprint import buckets, same_audio

#: Columns of candidate_schema that finding duplicates needs.
FINGERPRINT_COLUMNS = ("id", "fingerprint", "duration", "start", "end", "transcript_source")
# A bucket compares its clips with this many different ones at most: one that holds more is a code of silence or noise.
MAX_REPRESENTATIVES = 100
# The shorter of two copies is at least this share of the longer: a jingle doesn't take the sentence after it along.
_LEAST_DURATION_RATIO = 0.5
# Clips of one recording are the same where they share more than this much of the shorter.
_LEAST_OVERLAP = 0.5
_CELL_SECONDS = 30.0
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
    for members in _shared_buckets(every):
        bucket = [every[index] for index in members]
        found += duplicates_in_bucket(bucket, lambda a, b: same(position[id(a)], position[id(b)]))
    return resolve(found)


def _key(clip: Clip) -> str:
    return clip_key(clip["episode_id"], clip["id"])


def _shared_buckets(clips: Sequence[Clip]) -> Iterator[tuple[int, ...]]:
    """Positions of the clips of every bucket that holds several, each set of clips once.

    Keys are hashed and sorted as numbers: 16 bytes each, where a dictionary of lists would take hundreds.
    """
    hashes: list[Any] = []
    owners: list[Any] = []
    for index, clip in enumerate(clips):
        keys = {_hash(key) for key in bucket_keys(clip)}
        hashes.append(np.fromiter(keys, np.int64, len(keys)))
        owners.append(np.full(len(keys), index, np.int64))
    if not clips:
        return
    key, owner = np.concatenate(hashes), np.concatenate(owners)
    order = np.lexsort((owner, key))
    key, owner = key[order], owner[order]
    edges = np.flatnonzero(np.diff(key)) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(key)]])
    several = ends - starts > 1
    seen = set()
    for start, end in zip(starts[several].tolist(), ends[several].tolist(), strict=True):
        members = tuple(owner[start:end].tolist())
        if members not in seen:
            seen.add(members)
            yield members


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)

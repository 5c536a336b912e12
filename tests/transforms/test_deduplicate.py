"""Duplicates: on real fingerprints of sounds made here, in any order, bounded, and the same in buckets as at once."""

import random
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest

import transforms.deduplicate as deduplicate
from transforms.deduplicate import (
    FINGERPRINT_COLUMNS,
    MAX_REPRESENTATIVES,
    Duplicate,
    bucket_keys,
    duplicates_in_bucket,
    find_duplicates,
    is_same,
    order_of,
    resolve,
)
from transforms.fingerprint import fingerprint

RATE = 16_000


@cache
def babble(seed: int, seconds: float = 4.0, gain: float = 0.3, skip: float = 0.0) -> str:
    """Fingerprint of syllables of noise in bands that wander: like speech, another for every seed."""
    rng = np.random.default_rng(seed)
    parts = []
    while sum(len(part) for part in parts) < seconds * RATE:
        time = np.arange(int(rng.uniform(0.08, 0.25) * RATE)) / RATE
        pitch = rng.uniform(90, 250) * (1 + rng.uniform(-0.3, 0.3) * time)
        voice = sum(
            rng.uniform(0.1, 1) * np.sin(2 * np.pi * np.cumsum(pitch * harmonic) / RATE) for harmonic in range(1, 14)
        )
        parts += [voice * np.hanning(len(time)) ** 0.5, np.zeros(int(rng.uniform(0.01, 0.12) * RATE))]
    samples = np.concatenate(parts)[: round(seconds * RATE)][round(skip * RATE) :]
    return fingerprint((gain * samples / np.abs(samples).max()).astype(np.float32), RATE)


def clip(name: str, seed: int, episode: str = "e1", start: float = 0.0, **changes: Any) -> dict[str, Any]:
    row = {
        "id": name,
        "fingerprint": babble(seed),
        "duration": 4.0,
        "start": start,
        "end": start + 4.0,
        "transcript_source": "publisher:vtt",
        "episode_id": episode,
        "published": "2024-01-01",
        "recording_sha256": f"recording of {episode}",
    }
    return {**row, **changes}


def ids(found: dict[str, str]) -> dict[str, str]:
    """{id of a duplicate: id of its original}."""
    return {key.partition("/")[2]: original for key, original in found.items()}


def in_buckets(clips: list[dict[str, Any]]) -> dict[str, str]:
    """As workers do it: group by key, compare in each bucket, follow the pairs of all."""
    groups = defaultdict(list)
    for one in clips:
        for key in bucket_keys(one):
            groups[key].append(one)
    return resolve([pair for group in groups.values() for pair in duplicates_in_bucket(group)])


def test_the_columns_are_what_a_comparison_needs() -> None:
    beside = {"episode_id", "published", "recording_sha256"}
    assert set(clip("a", 1)) == {*FINGERPRINT_COLUMNS, *beside}


def test_the_same_audio_in_another_episode_is_a_duplicate_of_the_earliest() -> None:
    clips = [
        clip("late", 1, "e3", 9.0, published="2024-03-01"),
        clip("first", 1, "e2", 5.0, published="2024-01-01"),
        clip("again", 1, "e2", 60.0, published="2024-01-01"),
        clip("other", 2, "e2", 30.0, published="2024-01-01"),
    ]
    assert find_duplicates(clips) == {"e2/again": "first", "e3/late": "first"}


def test_another_gain_and_another_cut_are_the_same_audio() -> None:
    quiet = clip("quiet", 3, "e2", fingerprint=babble(3, gain=0.05, skip=0.13), duration=3.87)
    assert ids(find_duplicates([clip("loud", 3), quiet])) == {"quiet": "loud"}


def test_other_audio_is_no_duplicate() -> None:
    assert find_duplicates([clip(f"c{seed}", seed, f"e{seed}") for seed in range(20)]) == {}


def test_a_jingle_does_not_take_the_sentence_after_it_along() -> None:
    sentence = clip("sentence", 4, "e2", fingerprint=babble(4, seconds=12.0), duration=12.0, end=12.0)
    assert is_same(clip("jingle", 4), {**sentence, "duration": 4.0}), "it does hold the jingle"
    assert find_duplicates([clip("jingle", 4), sentence]) == {}


def test_one_recording_under_two_guids_is_found_by_its_times_even_if_cut_elsewhere() -> None:
    same = {"recording_sha256": "the same"}
    clips = [
        clip("a", 5, "e1", 28.0, **same),
        clip("b", 6, "e2", 29.5, **same),
        clip("beside", 7, "e2", 32.0, **same),
        clip("elsewhere", 8, "e2", 29.5, recording_sha256="another"),
    ]
    assert ids(find_duplicates(clips)) == {"b": "a"}


def test_one_recording_under_two_guids_stays_once_though_its_clips_have_the_same_ids() -> None:
    """A clip's id is of its recording and span, so both episodes hold a clip of each id."""
    clips = [
        clip(f"c{n}", n, episode, 10.0 * n, recording_sha256="the same") for n in range(4) for episode in ("e1", "e2")
    ]
    assert find_duplicates(clips) == {f"e2/c{n}": f"c{n}" for n in range(4)}
    assert in_buckets(clips) == find_duplicates(clips)


def test_clips_of_one_episode_are_never_the_same_by_their_times() -> None:
    assert find_duplicates([clip("a", 5, start=10.0), clip("b", 6, start=10.5)]) == {}


def test_a_publishers_words_win_over_a_recognisers_that_came_first() -> None:
    recognised = clip("early", 1, "e1", transcript_source="recognised:pocketsphinx", published="2020-01-01")
    assert ids(find_duplicates([recognised, clip("late", 1, "e2")])) == {"early": "late"}


def test_an_episode_without_a_date_is_later_than_any() -> None:
    assert ids(find_duplicates([clip("undated", 1, "e1", published=None), clip("dated", 1, "e2")])) == {
        "undated": "dated"
    }


@pytest.mark.parametrize("missing", ["", None])
def test_clips_without_a_fingerprint_are_left_alone(missing: str | None) -> None:
    clips = [clip(name, 1, name, fingerprint=missing, recording_sha256=missing) for name in ("a", "b")]
    assert [bucket_keys(one) for one in clips] == [(), ()]
    assert find_duplicates(clips) == {}
    assert find_duplicates([]) == {}


def test_any_order_and_any_grouping_give_the_same() -> None:
    rng = random.Random(0)
    clips = [
        clip(f"c{n:02d}", rng.randrange(12), f"e{n % 7}", 10.0 * n, published=f"2024-01-{n % 5 + 1:02d}")
        for n in range(40)
    ]
    expected = find_duplicates(clips)
    assert len(expected) == 28, "each of 12 sounds stays once"
    assert len({c["id"] for c in clips} - set(ids(expected))) == 12
    assert set(ids(expected)).isdisjoint(expected.values())
    for _ in range(5):
        rng.shuffle(clips)
        assert find_duplicates(clips) == expected
        assert in_buckets(clips) == expected


def test_fingerprints_of_all_lengths_and_kinds_give_what_their_buckets_give() -> None:
    """Half of a sound, a few of its bits changed, of one recording under two guids, or a crowd of forty in a bucket."""
    rng, clips = random.Random(1), []
    for n in range(300):
        whole = (
            babble(rng.randrange(25)) if n % 6 else "0005c0ffee000a" + "".join(rng.choices("0123456789abcdef", k=70))
        )
        half, flipped = rng.random() < 0.3, rng.random() < 0.3
        text = whole[: len(whole) // 24 * 12] if half else whole
        if flipped:
            text = "".join(
                text[i : i + 4] + f"{int(text[i + 4 : i + 12], 16) ^ 5:08x}" for i in range(0, len(text) - 11, 12)
            )
        start = rng.uniform(0, 200)
        changes = {"fingerprint": text, "duration": rng.choice([1.5, 4.0]), "end": start + 4.0}
        recording = rng.choice([None, "", *(f"recording {n % 5}" for _ in range(3))])
        clips.append(clip(f"c{n:03d}", 0, f"e{n % 11}", start, recording_sha256=recording, **changes))
    found = find_duplicates(clips)
    assert len(found) > 100
    assert found == in_buckets(clips)


def test_an_advertisement_in_many_episodes_is_compared_with_itself_only() -> None:
    calls = []

    def same(a: Any, b: Any) -> bool:
        calls.append((a["id"], b["id"]))
        return True

    clips = [clip(f"c{n:05d}", 1, f"e{n:05d}") for n in range(10_000)]
    found = duplicates_in_bucket(clips, same)
    assert len(found) == len(calls) == 9_999
    assert {one.original for one in found} == {"e00000/c00000"}


def test_a_bucket_of_different_clips_is_bounded() -> None:
    calls = []

    def same(a: Any, b: Any) -> bool:
        calls.append(1)
        return False

    clips = [clip(f"c{n:04d}", 1, f"e{n:04d}") for n in range(1_000)]
    assert duplicates_in_bucket(clips, same) == []
    assert len(calls) <= 1_000 * MAX_REPRESENTATIVES


def test_at_once_no_pair_is_compared_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = []

    def counting(a: Any, b: Any) -> bool:
        pairs.append((a["id"], b["id"]))
        return is_same(a, b)

    monkeypatch.setattr(deduplicate, "is_same", counting)
    clips = [clip(f"c{n}", 1, f"e{n}") for n in range(8)]
    assert len(bucket_keys(clips[0])) > 10, "they meet in many buckets"
    assert len(find_duplicates(clips)) == 7
    assert len(pairs) == len(set(pairs)) == 7


def pair(duplicate: str, original: str, date: str) -> Duplicate:
    return Duplicate(f"e/{duplicate}", f"e/{original}", (False, date, "e", 0.0, original))


def test_chains_lead_to_the_clip_that_stays_in_any_order() -> None:
    pairs = [pair("d", "c", "3"), pair("c", "b", "2"), pair("b", "a", "1"), pair("d", "b", "2"), pair("z", "y", "5")]
    for seed in range(10):
        random.Random(seed).shuffle(pairs)
        assert resolve(pairs) == {"e/b": "a", "e/c": "a", "e/d": "a", "e/z": "y"}
        assert list(resolve(pairs)) == ["e/b", "e/c", "e/d", "e/z"]


def test_of_several_originals_the_earliest_counts() -> None:
    assert resolve([pair("x", "late", "2"), pair("x", "early", "1")]) == {"e/x": "early"}


def test_the_order_is_total() -> None:
    clips = [clip("b", 1), clip("a", 1), clip("c", 1, start=-1.0), clip("d", 1, "e0"), clip("e", 1, published="2023")]
    assert [c["id"] for c in sorted(clips, key=order_of)] == ["e", "d", "c", "a", "b"]

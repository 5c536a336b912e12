"""The numbers at the end of a build: right for one episode, the same in every order and grouping."""

import itertools
import json
import math
import pickle
import random
from functools import reduce
from typing import Any

import pyarrow as pa
import pytest

from schemas.clip import candidate_schema
from schemas.tables import EPISODE_SCHEMA
from transforms.summarize import CANDIDATE_COLUMNS, STAGES, Summary, merge

EPISODE: dict[str, Any] = {
    "episode_id": "e1",
    "state": "done",
    "seconds": 600.0,
    "speech_seconds": 500.0,
    "target_seconds": 300.0,
    "aligned_seconds": 250.0,
    "candidate_seconds": 99.0,
    "kept_seconds": 99.0,
}
KEPT = {"duration": 4.0, "verdict": "kept", "split": "train", "tier": "strict", "reasons": []}
LOW = {
    "duration": 2.5,
    "verdict": "rejected",
    "split": "train",
    "tier": "",
    "reasons": ["snr_db 1.0 < 2.0", "dnsmos_ovrl 1.00 < 2.10", "dnsmos_ovrl 1.00 < 2.10"],
}
DULL = {**LOW, "duration": 3.0, "reasons": ["dnsmos_ovrl 1.50 < 2.10"]}
FAILED = {
    "episode_id": "e2",
    "state": "failed",
    "failed_stage": "download",
    "error": "http-404",
    "seconds": None,
    "speech_seconds": math.nan,
}


def funnel(summary: Summary) -> dict[str, tuple[int, int | None, float]]:
    return {row["stage"]: (row["episodes"], row["clips"], row["seconds"]) for row in summary.to_dict()["funnel"]}


def test_what_it_reads_is_in_the_tables() -> None:
    assert set(CANDIDATE_COLUMNS) <= set(candidate_schema().names)
    assert set(EPISODE) <= set(EPISODE_SCHEMA.names)


def test_hours_go_through_the_stages() -> None:
    summary = Summary.of_episode(EPISODE, [KEPT, KEPT, LOW, DULL])
    assert tuple(funnel(summary)) == STAGES
    assert funnel(summary) == {
        "in": (1, None, 600.0),
        "downloaded": (1, None, 600.0),
        "speech": (1, None, 500.0),
        "target": (1, None, 300.0),
        "aligned": (1, None, 250.0),
        "candidates": (1, 4, 13.5),
        "kept": (1, 2, 8.0),
    }


def test_a_clip_counts_once_under_its_first_reason_and_under_any() -> None:
    reasons = Summary.of_episode(EPISODE, [KEPT, LOW, DULL, DULL]).to_dict()["reasons"]
    assert reasons == [
        {"code": "dnsmos_ovrl", "clips": 2, "seconds": 6.0, "any_clips": 3, "any_seconds": 8.5},
        {"code": "snr_db", "clips": 1, "seconds": 2.5, "any_clips": 1, "any_seconds": 2.5},
    ]
    assert sum(row["clips"] for row in reasons) == 3, "the first reasons add up to the clips that went"


def test_a_failed_episode_is_counted_where_it_failed() -> None:
    failed = Summary.of_episode(FAILED, announced_seconds=1800.0)
    assert failed.to_dict()["failures"] == [{"stage": "download", "code": "http-404", "episodes": 1}]
    assert failed.to_dict()["states"] == {"failed": 1}
    assert funnel(failed)["in"] == (1, None, 1800.0)
    assert funnel(failed)["downloaded"] == (0, None, 0.0)
    assert Summary.of_episode(EPISODE).to_dict()["failures"] == []


def test_the_recordings_own_length_counts_before_the_announced_one() -> None:
    assert funnel(Summary.of_episode(EPISODE, announced_seconds=1.0))["in"] == (1, None, 600.0)


def test_kept_clips_count_under_split_and_tier() -> None:
    other = {**KEPT, "split": "test", "tier": "default", "duration": 1.25}
    plain = Summary.of_episode(EPISODE, [KEPT, other, LOW]).to_dict()
    assert plain["splits"] == {"test": {"clips": 1, "seconds": 1.25}, "train": {"clips": 1, "seconds": 4.0}}
    assert plain["tiers"] == {"default": {"clips": 1, "seconds": 1.25}, "strict": {"clips": 1, "seconds": 4.0}}


def test_a_table_counts_as_its_rows_do() -> None:
    table = pa.Table.from_pylist([KEPT, LOW, DULL], schema=candidate_schema())
    assert Summary.of_episode(EPISODE, table) == Summary.of_episode(EPISODE, [KEPT, LOW, DULL])


def some_summaries() -> list[Summary]:
    rng = random.Random(0)
    summaries = [Summary.of_episode(FAILED), Summary()]
    for _ in range(30):
        clips = [{**rng.choice([KEPT, LOW, DULL]), "duration": rng.uniform(0.5, 15)} for _ in range(rng.randrange(9))]
        episode = {**EPISODE, "seconds": rng.uniform(60, 6000), "speech_seconds": rng.uniform(1, 60)}
        summaries.append(Summary.of_episode(episode, clips))
    return summaries


def test_any_order_and_any_grouping_give_the_same_bytes() -> None:
    summaries = some_summaries()
    expected = json.dumps(reduce(merge, summaries).to_dict())
    rng = random.Random(1)
    for _ in range(10):
        rng.shuffle(summaries)
        groups = [summaries[:7], summaries[7:8], summaries[8:]]
        merged = reduce(merge, [reduce(merge, group, Summary()) for group in groups])
        assert json.dumps(merged.to_dict()) == expected


def test_merging_is_associative_with_a_zero_and_changes_nothing() -> None:
    for a, b, c in itertools.islice(itertools.permutations(some_summaries(), 3), 50):
        before = pickle.dumps(a)
        assert merge(merge(a, b), c) == merge(a, merge(b, c))
        assert merge(a, b) == merge(b, a)
        assert merge(a, Summary()) == a == pickle.loads(before)


def test_nothing_at_all_is_a_table_of_zeros() -> None:
    plain = Summary().to_dict()
    assert [row["seconds"] for row in plain["funnel"]] == [0.0] * len(STAGES)
    assert plain["reasons"] == plain["failures"] == []


@pytest.mark.parametrize("reasons", [None, []])
def test_a_rejected_clip_without_reasons_is_not_lost(reasons: list[str] | None) -> None:
    summary = Summary.of_episode(EPISODE, [{**LOW, "reasons": reasons}])
    assert funnel(summary)["candidates"] == (1, 1, 2.5)
    assert funnel(summary)["kept"] == (0, 0, 0.0)

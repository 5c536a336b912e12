"""Choosing over a table says the same as judging row by row, and quickly."""

import math
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clip import candidate_schema
from schemas.verdict import DEFAULT, PROFILES, STRICT, Thresholds, judge, thresholds_from
from transforms.select import judge_table, kept, select, with_duplicates, with_split

LIMITS = {
    "speaker_similarity": (0.4, 1.0),
    "speaker_purity": (0.4, 1.0),
    "overlap": (0.0, 0.2),
    "alignment_score": (-9.0, 0.0),
    "text_score": (0.0, 1.0),
    "coverage": (0.5, 1.0),
    "chars_per_second": (2.0, 32.0),
    "snr_db": (-10.0, 40.0),
    "dnsmos_ovrl": (1.0, 4.0),
    "dnsmos_sig": (1.0, 4.0),
    "dnsmos_bak": (1.0, 4.0),
    "loudness_lufs": (-60.0, 0.0),
    "clipped": (0.0, 0.02),
    "bandwidth_hz": (2000.0, 12_000.0),
    "duration": (0.2, 35.0),
    "leading_silence": (0.0, 2.0),
    "trailing_silence": (0.0, 2.0),
}
# Values on the gates themselves, and none at all, are where two implementations part.
EDGES = [2.1, 2.5, 2.2, 3.0, 0.7, 0.02, 0.6, 1.0, 20.0, -45.0, 0.001, 5000.0, math.nan, math.inf, -math.inf, 0.0]


def number(low: float, high: float) -> st.SearchStrategy[float | None]:
    return st.one_of(
        st.none(), st.sampled_from(EDGES), st.floats(low, high), st.floats(low, high).map(lambda x: round(x, 2))
    )


ROWS = st.fixed_dictionaries(
    {
        **{name: number(*limits) for name, limits in LIMITS.items()},
        "duplicate_of": st.sampled_from([None, "", "", "", "0123"]),
        "transcript_source": st.sampled_from([None, "", "publisher:vtt", "publisher:srt", "recognised:pocketsphinx"]),
        "upsampled": st.sampled_from([None, True, False]),
        "text_score": st.sampled_from([None, 0.2, 0.9]),
        "models": st.sampled_from([None, "{}", '{"verifier": "v"}']),
    }
)
SELECTIONS = st.one_of(
    st.sampled_from(list(PROFILES.values())),
    st.builds(
        lambda profile, score, limit, duration: thresholds_from(
            {"profile": profile, "alignment_score": score, "dnsmos_ovrl": limit, "duration": duration}
        ),
        st.sampled_from(list(PROFILES)),
        st.one_of(st.none(), st.floats(-9, 0)),
        st.one_of(st.none(), st.sampled_from([2.805, 3.0, 1 / 3])),
        st.sampled_from([None, [None, 9.0], [2, None], [3, 3]]),
    ),
)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=candidate_schema())


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, max_size=12), SELECTIONS)
def test_a_table_is_judged_as_its_rows_are(rows: list[dict[str, Any]], thresholds: Thresholds) -> None:
    verdict, tier, reasons = judge_table(table_of(rows), thresholds)
    expected = [judge(row, thresholds) for row in rows]
    assert verdict.to_pylist() == [one.name for one in expected]
    assert tier.to_pylist() == [one.tier for one in expected]
    assert reasons.to_pylist() == [list(one.reasons) for one in expected]


@pytest.mark.parametrize("absent", ["snr_db", "upsampled", "transcript_source", "duplicate_of"])
def test_an_absent_column_is_judged_as_in_a_row(absent: str) -> None:
    row = {name: limits[1] for name, limits in LIMITS.items()} | {"transcript_source": "publisher:vtt"}
    row |= {"upsampled": False, "duplicate_of": ""}
    del row[absent]
    table = table_of([row, row]).drop_columns([absent])
    assert judge_table(table, STRICT)[2].to_pylist() == [list(judge(row, STRICT).reasons)] * 2


def test_columns_of_other_types_are_judged_as_in_a_row() -> None:
    rows = [{"snr_db": 30, "dnsmos_ovrl": "3.9", "clipped": False}]
    table = pa.table({name: [rows[0][name]] for name in rows[0]})
    assert judge_table(table, DEFAULT)[2].to_pylist() == [list(judge(rows[0], DEFAULT).reasons)]


def test_a_table_in_chunks_and_an_empty_one() -> None:
    good = {name: sum(limits) / 2 for name, limits in LIMITS.items()} | {"transcript_source": "x", "upsampled": False}
    chunked = pa.concat_tables([table_of([good]), table_of([]), table_of([{**good, "snr_db": -20.0}, good])])
    columns = judge_table(chunked, DEFAULT)
    assert [row[-1:] for row in columns[2].to_pylist()] == [
        row[-1:] for row in judge_table(chunked.combine_chunks(), DEFAULT)[2].to_pylist()
    ]
    assert len(columns[0]) == 3
    assert [len(column) for column in judge_table(table_of([]), DEFAULT)] == [0, 0, 0]


def some_candidates(count: int) -> pa.Table:
    rng = np.random.default_rng(0)
    columns: dict[str, pa.Array] = {
        name: pa.array(rng.uniform(low, high, count)) for name, (low, high) in LIMITS.items()
    }
    columns["id"] = pa.array([f"{n:016x}" for n in range(count)])
    columns["transcript_source"] = pa.array(rng.choice(["publisher:vtt", "recognised:pocketsphinx"], count))
    columns["upsampled"] = pa.array(rng.random(count) < 0.5)
    schema = candidate_schema()
    return pa.table({f.name: columns.get(f.name, pa.nulls(count, f.type)) for f in schema}, schema=schema)


def test_selecting_changes_the_verdict_and_nothing_else() -> None:
    before = some_candidates(50)
    after = select(select(before, STRICT), DEFAULT)
    assert after.schema == candidate_schema()
    changed = [name for name in before.column_names if not after[name].equals(before[name])]
    assert changed == ["tier", "verdict", "reasons"]
    assert after.equals(select(before, DEFAULT)), "choosing anew forgets the choice before"


def test_kept_are_those_without_a_reason() -> None:
    judged = select(some_candidates(5000), thresholds_from("permissive"))
    chosen = kept(judged)
    assert 0 < chosen.num_rows < 5000
    assert chosen["id"].to_pylist() == [r["id"] for r in judged.to_pylist() if not r["reasons"]]


def test_duplicates_and_splits_are_written_into_their_columns() -> None:
    table = some_candidates(3)
    table = table.set_column(table.schema.get_field_index("episode_id"), "episode_id", pa.array(["e1"] * 3))
    ids = table["id"].to_pylist()
    marked = with_split(with_duplicates(table, {f"e1/{ids[1]}": ids[0], f"e2/{ids[2]}": ids[0]}), "test")
    assert marked["duplicate_of"].to_pylist() == ["", ids[0], ""]
    assert marked["split"].to_pylist() == ["test"] * 3
    assert marked.schema == candidate_schema()
    assert select(marked, DEFAULT)["reasons"].to_pylist()[1][0] == f"duplicate_of {ids[0]} != none"


def test_a_hundred_thousand_candidates_take_a_moment() -> None:
    table = some_candidates(100_000)
    start = time.process_time()
    verdict, _, reasons = judge_table(table, DEFAULT)
    spent = time.process_time() - start
    assert len(reasons.flatten()) > 400_000, "the worst case: every clip has many reasons"
    assert len(verdict) == 100_000
    assert spent < 4.0, f"{spent:.2f} CPU s"

"""What another threshold would give is exactly what choosing with it gives."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipeline.report.statistics import Statistics, merge, statistics_of
from pipeline.report.told import report_of
from schemas.clip import candidate_schema
from schemas.verdict import DEFAULT, PROFILES, Thresholds
from transforms.select import select

GOOD = {
    "transcript_source": "publisher:vtt", "duplicate_of": "", "upsampled": False, "text": "A b.", "spoken": "a b",
    "speaker_purity": 0.8, "coverage": 1.0, "chars_per_second": 15.0, "loudness_lufs": -20.0, "clipped": 0.0,
    "bandwidth_hz": 9000.0, "leading_silence": 0.1, "trailing_silence": 0.1, "snr_db": 30.0, "dnsmos_sig": 3.4,
    "dnsmos_bak": 3.9, "license": "cc0-1.0", "license_source": "feed",
}  # fmt: skip


def candidates(count: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    rows = [
        {
            **GOOD,
            "id": f"{seed:04x}{number:012x}",
            "episode_id": f"e{seed}",
            "duration": round(float(rng.uniform(0.5, 18.0)), 3),
            # On edges too, which is where two ways of counting part.
            "speaker_similarity": round(float(rng.uniform(0.5, 1.0)), 2),
            "dnsmos_ovrl": None if rng.random() < 0.1 else round(float(rng.uniform(1.5, 4.5)), 2),
            "overlap": round(float(rng.choice([0.0, 0.02, 0.04, 0.3])), 2),
            "phones": [{"symbol": symbol, "start": 0.0, "end": 0.1} for symbol in ("AH", "B")],
        }
        for number in range(count)
    ]
    return pa.Table.from_pylist(rows, schema=candidate_schema())


def judged(table: pa.Table, thresholds: Thresholds) -> pa.Table:
    return select(table, thresholds)


def kept_of(table: pa.Table) -> tuple[int, float]:
    rows = [row["duration"] for row in table.to_pylist() if row["verdict"] == "kept"]
    return len(rows), sum(rows)


@pytest.mark.parametrize("profile", list(PROFILES))
def test_what_if_is_what_select_gives(profile: str) -> None:
    limits = PROFILES[profile]
    table = candidates(300)
    report = report_of(statistics_of(judged(table, limits), limits), limits)
    tried = 0
    for distribution in report["distributions"]:
        for one in distribution["what_if"]:
            column, given = distribution["column"], getattr(limits, distribution["column"])
            changed = one["limit"] if not isinstance(given, tuple) else (
                (one["limit"], given[1]) if one["side"] == "least" else (given[0], one["limit"])
            )  # fmt: skip
            clips, seconds = kept_of(judged(table, replace(limits, **{column: changed})))
            assert (one["clips"], one["seconds"]) == (clips, pytest.approx(seconds, abs=1e-3)), (column, one)
            tried += 1
    assert tried > 100


def test_statistics_of_parts_add_up_to_those_of_the_whole_in_any_order() -> None:
    parts = [judged(candidates(40, seed), DEFAULT) for seed in range(4)]
    whole = report_of(statistics_of(pa.concat_tables(parts), DEFAULT), DEFAULT)
    each = [statistics_of(part, DEFAULT) for part in parts]
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        merged = Statistics.nothing(DEFAULT)
        for number in order:
            merged = merge(merged, each[number])
        assert report_of(merged, DEFAULT) == whole


def test_the_sample_is_seeded_and_says_what_no_fault_in_it_proves() -> None:
    table = judged(candidates(400), DEFAULT)
    report = report_of(statistics_of(table, DEFAULT), DEFAULT)
    assert report["sample"]["size"] == 60
    assert report == report_of(statistics_of(table, DEFAULT), DEFAULT)
    kept = {row["id"] for row in table.to_pylist() if row["verdict"] == "kept"}
    assert set(report["sample"]["clips"]) <= kept
    assert report["sample"]["most_faulty_share"] == pytest.approx(1 - 0.05 ** (1 / 60), abs=1e-4)


def test_reasons_words_and_phones_are_counted() -> None:
    table = judged(candidates(50), DEFAULT)
    report = report_of(statistics_of(table, DEFAULT), DEFAULT)
    rows = table.to_pylist()
    for code in report["reasons"]:
        concerned = [row for row in rows if any(reason.startswith(f"{code['code']} ") for reason in row["reasons"])]
        assert code["clips"] == len(concerned)
        assert code["seconds"] == pytest.approx(sum(row["duration"] for row in concerned), abs=1e-3)
    kept, seconds = kept_of(table)
    coverage = report["coverage"]
    assert coverage["words"] == 2 * kept
    assert coverage["vocabulary"] == 2
    assert coverage["phones"] == {"AH": kept, "B": kept}
    assert coverage["diphones"] == {"AH B": kept}
    assert coverage["seconds"] == pytest.approx(seconds, abs=1e-3)
    assert report["rights"]["licenses"] == [
        {"license": "cc0-1.0", "source": "feed", "clips": kept, "seconds": pytest.approx(seconds, abs=1e-3)}
    ]


def test_nothing_at_all_is_a_report_too() -> None:
    report = report_of(Statistics.nothing(DEFAULT), DEFAULT)
    assert report["sample"]["size"] == 0
    assert report["sample"]["most_faulty_share"] == 1.0
    assert all(sum(one["all_clips"]) == 0 for one in report["distributions"])

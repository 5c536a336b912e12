"""Verdicts: which gate fails a clip, and what it says."""

import math
from dataclasses import fields, replace
from typing import Any

import pytest

from schemas.clip import candidate_schema
from schemas.errors import ConfigurationError
from schemas.verdict import (
    DEFAULT,
    OPTIONAL,
    PERMISSIVE,
    PROFILES,
    STRICT,
    Thresholds,
    intervals,
    judge,
    reason_code,
    thresholds_from,
)

GOOD: dict[str, Any] = {
    "duplicate_of": "",
    "transcript_source": "publisher:vtt",
    "upsampled": False,
    "speaker_similarity": 0.9,
    "speaker_purity": 0.85,
    "overlap": 0.0,
    "alignment_score": -2.0,
    "text_score": 0.95,
    "coverage": 0.97,
    "chars_per_second": 15.0,
    "snr_db": 35.0,
    "dnsmos_ovrl": 3.3,
    "dnsmos_sig": 3.6,
    "dnsmos_bak": 4.0,
    "loudness_lufs": -20.0,
    "clipped": 0.0,
    "bandwidth_hz": 10_000.0,
    "duration": 6.0,
    "leading_silence": 0.1,
    "trailing_silence": 0.1,
}


def test_a_good_clip_is_kept_with_the_best_tier_and_no_reason() -> None:
    verdict = judge(GOOD, DEFAULT)
    assert (verdict.kept, verdict.tier, verdict.reasons) == (True, "strict", ())
    assert verdict.name == "kept"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("duplicate_of", "0123abcd", "duplicate_of 0123abcd != none"),
        ("transcript_source", "recognised:pocketsphinx", "transcript_source recognised:pocketsphinx != publisher"),
        ("speaker_similarity", 0.55, "speaker_similarity 0.55 < 0.70"),
        ("speaker_purity", 0.06, "speaker_purity 0.06 < 0.10"),
        ("overlap", 0.4, "overlap 0.40 > 0.02"),
        ("coverage", 0.5, "coverage 0.50 < 0.80"),
        ("chars_per_second", 2.0, "chars_per_second 2.0 < 5.0"),
        ("chars_per_second", 40.0, "chars_per_second 40.0 > 25.0"),
        ("loudness_lufs", -70.0, "loudness_lufs -70.0 < -45.0"),
        ("loudness_lufs", -math.inf, "loudness_lufs -inf < -45.0"),
        ("loudness_lufs", -1.0, "loudness_lufs -1.0 > -8.0"),
        ("clipped", 0.25, "clipped 0.2500 > 0.0010"),
        ("bandwidth_hz", 3400.0, "bandwidth_hz 3400 < 5000"),
        ("duration", 0.4, "duration 0.40 < 1.00"),
        ("duration", 33.0, "duration 33.00 > 20.00"),
        ("leading_silence", 2.0, "leading_silence 2.00 > 0.60"),
        ("trailing_silence", 2.0, "trailing_silence 2.00 > 0.60"),
    ],
)
def test_each_gate_fails_for_its_own_reason(column: str, value: object, reason: str) -> None:
    verdict = judge({**GOOD, column: value}, DEFAULT)
    assert verdict.reasons == (reason,)
    assert not verdict.kept
    assert verdict.name == "rejected"
    assert reason_code(reason) == column


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("snr_db", -3.0, "snr_db -3.0 < 15.0"),
        ("dnsmos_ovrl", 1.414, "dnsmos_ovrl 1.41 < 3.00"),
        ("dnsmos_sig", 2.0, "dnsmos_sig 2.00 < 3.30"),
        ("dnsmos_bak", 1.0, "dnsmos_bak 1.00 < 3.50"),
    ],
)
def test_how_it_sounds_is_a_gate_of_the_strict_profile_only(column: str, value: float, reason: str) -> None:
    row = {**GOOD, column: value}
    assert judge(row, STRICT).reasons == (reason,)
    verdict = judge(row, DEFAULT)
    assert (verdict.kept, verdict.tier) == (True, "default")


def test_upsampled_audio_fails_where_it_is_not_allowed() -> None:
    upsampled = {**GOOD, "upsampled": True}
    assert judge(upsampled, DEFAULT).kept
    assert judge(upsampled, STRICT).reasons == ("upsampled true != false",)


@pytest.mark.parametrize("value", [None, math.nan, "3.3", True])
def test_a_score_that_is_no_number_fails(value: object) -> None:
    verdict = judge({**GOOD, "coverage": value}, DEFAULT)
    assert verdict.reasons == ("coverage missing",)
    assert verdict.tier == ""


def test_a_row_without_scores_fails_every_gate_once() -> None:
    reasons = judge({}, STRICT).reasons
    codes = [reason_code(reason) for reason in reasons]
    assert all(reason.endswith(" missing") for reason in reasons)
    needed = [interval.column for interval in intervals(STRICT) if interval.column not in OPTIONAL]
    assert codes == ["transcript_source", "upsampled", *needed]


def test_a_limit_is_still_good() -> None:
    row = {**GOOD, "coverage": 0.8, "overlap": 0.02, "duration": 20.0, "leading_silence": 0.6}
    assert judge(row, DEFAULT).kept


def test_without_a_limit_nothing_is_asked() -> None:
    free = replace(STRICT, dnsmos_ovrl=None, duration=(None, None))
    row = {**GOOD, "dnsmos_ovrl": math.nan, "duration": 500.0}
    assert judge(row, free).kept
    assert judge({**GOOD, "duration": 0.1}, replace(DEFAULT, duration=(None, 9.0))).kept
    assert not judge({**GOOD, "duration": 9.1}, replace(DEFAULT, duration=(None, 9.0))).kept


def test_the_first_reason_is_the_cause_and_the_order_is_fixed() -> None:
    row = {**GOOD, "duration": 0.1, "clipped": 0.5, "speaker_similarity": 0.1, "transcript_source": "recognised:x"}
    codes = [reason_code(reason) for reason in judge(dict(reversed(row.items())), DEFAULT).reasons]
    assert codes == ["transcript_source", "speaker_similarity", "clipped", "duration"]


def test_a_reason_shows_the_difference_however_small() -> None:
    (reason,) = judge({**GOOD, "coverage": 0.79999999}, DEFAULT).reasons
    assert reason == "coverage 0.79999999 < 0.80"
    (reason,) = judge(GOOD, replace(DEFAULT, dnsmos_ovrl=3.305)).reasons
    assert reason == "dnsmos_ovrl 3.300 < 3.305"


def test_the_tier_is_the_strictest_profile_passed_whatever_was_asked() -> None:
    default, permissive = {**GOOD, "coverage": 0.85}, {**GOOD, "coverage": 0.7}
    for thresholds in PROFILES.values():
        assert judge(GOOD, thresholds).tier == "strict"
        assert judge(default, thresholds).tier == "default"
        assert judge(permissive, thresholds).tier == "permissive"
        assert judge({**GOOD, "coverage": 0.5}, thresholds).tier == ""
    rejected = judge(GOOD, replace(DEFAULT, dnsmos_ovrl=4.5))
    assert (rejected.kept, rejected.tier) == (False, "strict")


def test_a_recognised_transcript_is_for_the_permissive_only() -> None:
    row = {**GOOD, "transcript_source": "recognised:pocketsphinx"}
    assert judge(row, DEFAULT).tier == "permissive"
    assert judge(row, PERMISSIVE).kept


def test_a_transcript_with_evidence_is_judged_by_that() -> None:
    heard = {"no_speech": 0.02, "log_probability": -0.2, "disagreement": 0.0, "silent_words": 0.1, "stock_words": 0.0}
    row = {**GOOD, "transcript_source": "recognised:whisper", **heard}
    assert judge(row, DEFAULT).kept
    assert judge({**row, "log_probability": -1.2}, DEFAULT).reasons == ("log_probability -1.20 < -1.00",)
    assert judge({**row, "stock_words": 0.9}, DEFAULT).reasons == ("stock_words 0.90 > 0.50",)


@pytest.mark.parametrize("thresholds", PROFILES.values(), ids=PROFILES)
def test_a_duplicate_passes_nowhere(thresholds: Thresholds) -> None:
    verdict = judge({**GOOD, "duplicate_of": "abc"}, thresholds)
    assert (verdict.kept, verdict.tier) == (False, "")


def test_each_profile_lets_through_all_that_a_stricter_one_does() -> None:
    for strict, loose in ((STRICT, DEFAULT), (DEFAULT, PERMISSIVE)):
        assert loose.allow_recognised >= strict.allow_recognised
        assert loose.allow_upsampled >= strict.allow_upsampled
        tight = {interval.column: interval for interval in intervals(strict)}
        for interval in intervals(loose):
            stricter = tight[interval.column]
            if interval.least is not None:
                assert stricter.least is not None
                assert stricter.least >= interval.least, interval.column
            if interval.most is not None:
                assert stricter.most is not None
                assert stricter.most <= interval.most, interval.column


def test_every_threshold_judges_a_column_that_candidates_have() -> None:
    columns = candidate_schema().names
    names = [field.name for field in fields(Thresholds)]
    assert [name for name in names if not name.startswith("allow_") and name not in columns] == []
    everything = Thresholds(
        **{  # type: ignore[arg-type]
            name: (0.0, 1.0) if isinstance(getattr(DEFAULT, name), tuple) else 0.5
            for name in names
            if not name.startswith("allow_")
        }
    )
    assert [interval.column for interval in intervals(everything)] == [n for n in names if not n.startswith("allow_")]


def test_thresholds_come_from_a_name_or_from_changes_to_one() -> None:
    assert thresholds_from("strict") == STRICT
    assert thresholds_from({}) == DEFAULT
    assert thresholds_from({"dnsmos_ovrl": 3, "duration": [2, None]}) == replace(
        DEFAULT, dnsmos_ovrl=3.0, duration=(2.0, None)
    )
    changed = thresholds_from({"profile": "strict", "allow_upsampled": True, "snr_db": None, "loudness_lufs": None})
    assert changed == replace(STRICT, allow_upsampled=True, snr_db=None, loudness_lufs=(None, None))


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("strickt", "no profile called 'strickt'; did you mean 'strict'"),
        ("zzz", "there are strict, default, permissive"),
        ({"profile": 3}, "no profile called 3"),
        ({"dnsmos_ovr": 3.0}, "no threshold called 'dnsmos_ovr'; did you mean 'dnsmos_ovrl'"),
        ({"xyzzy": 3.0}, "no threshold called 'xyzzy'; there are allow_recognised"),
        ({"dnsmos_ovrl": "3.0"}, "dnsmos_ovrl is a number"),
        ({"dnsmos_ovrl": True}, "dnsmos_ovrl is a number"),
        ({"dnsmos_ovrl": math.nan}, "dnsmos_ovrl is a number"),
        ({"dnsmos_ovrl": [1, 2]}, "dnsmos_ovrl is a number"),
        ({"allow_upsampled": 1}, "allow_upsampled is true or false"),
        ({"duration": 3}, r"duration is a range \[least, most\]"),
        ({"duration": [1, 2, 3]}, "duration is a range"),
        ({"duration": [1, "2"]}, "duration is a range"),
        ({"duration": [5, 2]}, "5 is more than 2"),
    ],
)
def test_wrong_thresholds_are_one_clear_line(selection: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        thresholds_from(selection)
    assert "\n" not in str(caught.value)


def test_text_that_was_not_verified_passes_and_text_that_failed_does_not() -> None:
    limited = replace(DEFAULT, text_score=0.6)
    assert judge({**GOOD, "text_score": None}, limited).kept
    assert judge({**GOOD, "text_score": 0.41}, limited).reasons == ("text_score 0.41 < 0.60",)

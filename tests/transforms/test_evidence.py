"""Texts of the kinds that recognisers invent, and what their clips are rejected for."""

from dataclasses import replace

import pytest

from schemas.clip import Cut
from schemas.text import Evidence, Word
from schemas.verdict import DEFAULT, EVIDENCE, judge
from transforms.measure import evidence_columns

SURE = Evidence(0.02, -0.2, "en", 0.99)
WELL_HEARD = "Printing as we know it, um, differs from most of the other arts."


def clip(text: str, evidence: Evidence | None = SURE, source: str = "recognised:whisper", doubted: int = 0) -> Cut:
    words = tuple(
        Word(written, k * 0.3, k * 0.3 + 0.3, -0.2, written.lower().strip(".,!"), k < doubted)
        for k, written in enumerate(text.split())
    )
    spoken = " ".join(word.spoken for word in words)
    return Cut(0.0, 9.0, text, spoken, words, (), source, -0.2, 1.0, silent_words=0.1, evidence=evidence)


def reasons(cut: Cut) -> list[str]:
    """The reasons of the default profile that are about evidence."""
    return [reason for reason in judge(evidence_columns(cut), DEFAULT).reasons if reason.split()[0] in EVIDENCE]


def codes(cut: Cut) -> list[str]:
    return [reason.split()[0] for reason in reasons(cut)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WELL_HEARD, []),
        ("Thanks for watching!", ["stock_words"]),
        ("Subtitles by the Amara.org community", ["stock_words"]),
        ("I don't know what to say. " * 12, ["compression_ratio", "repeated_words"]),
        ("Продолжение следует", ["other_script"]),
    ],
)
def test_a_text_that_is_invented_has_its_reasons(text: str, expected: list[str]) -> None:
    assert codes(clip(text)) == expected


@pytest.mark.parametrize(
    ("evidence", "doubted", "code"),
    [
        (Evidence(0.9, -0.2, "en", 0.99), 0, "no_speech"),
        (Evidence(0.02, -1.4, "en", 0.99), 0, "log_probability"),
        (Evidence(0.02, -0.2, "en", 0.1), 0, "language_probability"),
        (SURE, 7, "disagreement"),
    ],
)
def test_what_the_recogniser_says_against_it_is_a_reason(evidence: Evidence, doubted: int, code: str) -> None:
    assert codes(clip(WELL_HEARD, evidence, doubted=doubted)) == [code]


def test_words_where_nobody_speaks_are_a_reason() -> None:
    assert reasons(replace(clip(WELL_HEARD), silent_words=0.8)) == ["silent_words 0.80 > 0.50"]


def test_a_model_of_one_language_has_no_probability_of_it() -> None:
    columns = evidence_columns(clip(WELL_HEARD, Evidence(0.02, -0.2, "en", None)))
    assert columns["language_probability"] is None
    assert codes(clip(WELL_HEARD, Evidence(0.02, -0.2, "en", None))) == []


def test_a_publishers_text_is_judged_by_what_was_heard_and_only_where_something_listened() -> None:
    heard = evidence_columns(clip("Thanks for watching!", SURE, "publisher:vtt", doubted=1))
    assert heard["disagreement"] == pytest.approx(1 / 3, abs=1e-3)
    assert heard["stock_words"] is heard["compression_ratio"] is heard["other_script"] is None
    assert set(evidence_columns(clip(WELL_HEARD, None, "publisher:vtt")).values()) == {None}

"""The card of a voice: whose it is, what it may not be used for, and how good it is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_voice import ORIGIN, write_small_voice

from tts.voice import VoiceFacts, read_facts
from tts.voice_card import PROHIBITED, card

INTERVAL = {"value": 0.1392, "low": 0.104, "high": 0.177, "n": 40}
EVALUATION = {
    "clips": 40,
    "words": 589,
    "split": "test",
    "device": "cpu",
    "models": {"recogniser": "pocketsphinx:5.1.1"},
    "word_error_rate": {"original": INTERVAL, "synthesised": INTERVAL},
    "speaker_similarity": {"synthesised": {"value": None, "low": None, "high": None, "n": 0}},
    "speed": {"cpu_a_second": 0.0284},
}


@pytest.fixture
def facts(tmp_path: Path) -> VoiceFacts:
    return read_facts(write_small_voice(tmp_path / "voice"))


def with_origin(facts: VoiceFacts, **changes: Any) -> VoiceFacts:
    return replace(facts, origin=replace(facts.origin, **changes))


def test_it_names_the_consent_its_scope_and_what_is_prohibited(facts: VoiceFacts) -> None:
    text = card(with_origin(facts, expiry="2030-03-01"))
    assert f"Consent `{ORIGIN.consent_id}`" in text
    assert "its scope: research, tts-training, until 2030-03-01" in text
    assert all(one in text for one in PROHIBITED)


def test_a_voice_without_consent_says_so_with_the_reason(facts: VoiceFacts) -> None:
    text = card(with_origin(facts, consent_id="", without_consent="a test | of *words*"))
    assert r"**NO CONSENT ON RECORD.** It was trained without one, for this reason: a test \| of \*words\*" in text


def test_figures_have_their_intervals_and_gaps_stay_empty(facts: VoiceFacts) -> None:
    text = card(replace(facts, figures={"evaluation": EVALUATION}))
    assert "| wrong words, % | 13.9 (10.4 to 17.7) |  | 13.9 (10.4 to 17.7) |" in text
    assert "| likeness to the speaker, cosine |  |  |  |" in text
    assert "40 held-out clips (589 words, test split" in text
    assert "0.028 CPU seconds" in text
    assert "Not evaluated yet" in card(facts)

"""The limit on speaker_similarity is the embedder's, unless the configuration gives one."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.config import Config, parse_config
from pipeline.planning import with_gate
from schemas.verdict import PROFILES
from transforms.identity import ChoiceSettings
from transforms.models.pyannote_embedder import PYANNOTE_SCALE
from transforms.models.voice_scale import GE2E_SCALE
from transforms.target import TargetSettings


def configuration(select: Any) -> Config:
    text = f"name: x\nsources: [{{files: a.mp3}}]\nspeaker: {{name: Host, auto: true}}\nselect: {select}\n"
    return parse_config(text, "dataset.yaml", ())


@pytest.mark.parametrize("profile", ["strict", "default", "permissive"])
def test_ge2e_has_the_limits_of_the_profiles(profile: str) -> None:
    config = configuration(profile)
    assert with_gate(config, GE2E_SCALE) is config
    assert getattr(GE2E_SCALE, f"gate_{profile}") == PROFILES[profile].speaker_similarity


def test_another_embedder_has_its_own_and_the_resolved_configuration_says_so() -> None:
    gated = with_gate(configuration("strict"), PYANNOTE_SCALE)
    assert gated.select.thresholds == replace(PROFILES["strict"], speaker_similarity=PYANNOTE_SCALE.gate_strict)
    assert "speaker_similarity: 0.55" in gated.resolved_yaml()
    assert gated.hash != configuration("strict").hash


def test_a_limit_that_is_given_stands() -> None:
    config = configuration("{profile: strict, speaker_similarity: 0.9}")
    assert with_gate(config, PYANNOTE_SCALE) is config


def test_the_settings_of_ge2e_are_the_defaults() -> None:
    assert TargetSettings.of(GE2E_SCALE) == TargetSettings()
    assert ChoiceSettings.of(GE2E_SCALE) == ChoiceSettings()


def test_the_settings_of_another_embedder_are_its_own() -> None:
    assert TargetSettings.of(PYANNOTE_SCALE, fine_turns=True).nobody == PYANNOTE_SCALE.nobody
    assert ChoiceSettings.of(PYANNOTE_SCALE).linked == PYANNOTE_SCALE.linked

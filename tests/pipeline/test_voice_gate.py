"""The limit on speaker_similarity is the embedder's, unless the configuration gives one."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.config import Config, parse_config
from pipeline.reselect import new_selection, resolved_configuration
from schemas.verdict import PROFILES
from transforms.identity import ChoiceSettings
from transforms.models.choice import MODELS
from transforms.models.voice_scale import GE2E_SCALE, PYANNOTE_SCALE, SCALES
from transforms.target import TargetSettings


def configuration(select: Any, diarizer: str = "ge2e") -> Config:
    text = f"name: x\nsources: [{{files: a.mp3}}]\nspeaker: {{name: Host, auto: true}}\nselect: {select}\n"
    return parse_config(f"{text}models: {{diarizer: {diarizer}}}\n", "dataset.yaml", ())


def test_every_diarizer_has_a_scale() -> None:
    assert SCALES.keys() == MODELS["diarizer"].keys()


@pytest.mark.parametrize("profile", ["strict", "default", "permissive"])
def test_ge2e_has_the_limits_of_the_profiles(profile: str) -> None:
    config = configuration(profile)
    assert config.selection.thresholds == PROFILES[profile]
    assert config.profiles == PROFILES
    assert list(config.profiles) == list(PROFILES), "the strictest first"


def test_another_embedder_has_its_own_and_the_resolved_configuration_says_so() -> None:
    config = configuration("strict", "pyannote")
    assert config.selection.thresholds == replace(PROFILES["strict"], speaker_similarity=PYANNOTE_SCALE.gate_strict)
    assert config.profiles["permissive"].speaker_similarity == PYANNOTE_SCALE.gate_permissive
    assert f"speaker_similarity: {PYANNOTE_SCALE.gate_strict}" in config.resolved_yaml()


def test_a_limit_that_is_given_stands() -> None:
    config = configuration("{profile: strict, speaker_similarity: 0.9}", "pyannote")
    assert config.selection.thresholds.speaker_similarity == 0.9


def test_choosing_anew_keeps_to_the_scale_of_the_dataset() -> None:
    built = resolved_configuration(configuration("default", "pyannote").resolved_yaml().encode(), "dataset.yaml")
    assert built.selection.thresholds.speaker_similarity == PYANNOTE_SCALE.gate_default
    changed = built.model_copy(update={"select": new_selection(built.selection, None, ["coverage=0.5"])})
    assert changed.selection.thresholds == replace(built.selection.thresholds, coverage=0.5)
    anew = built.model_copy(update={"select": new_selection(built.selection, "permissive", [])})
    assert anew.selection.thresholds.speaker_similarity == PYANNOTE_SCALE.gate_permissive
    assert anew.profiles == built.profiles
    assert anew.hash == configuration("permissive", "pyannote").hash, "as a build with it would have it"


def test_the_settings_of_ge2e_are_the_defaults() -> None:
    assert TargetSettings.of(GE2E_SCALE) == TargetSettings()
    assert ChoiceSettings.of(GE2E_SCALE) == ChoiceSettings()


def test_the_settings_of_another_embedder_are_its_own() -> None:
    assert TargetSettings.of(PYANNOTE_SCALE, fine_turns=True).nobody == PYANNOTE_SCALE.nobody
    assert ChoiceSettings.of(PYANNOTE_SCALE).linked == PYANNOTE_SCALE.linked

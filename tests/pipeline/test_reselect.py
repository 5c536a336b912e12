"""Choosing anew: what the options of `realtalk select` mean."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config_sections import Selection
from pipeline.reselect import current_configuration, new_selection
from schemas.errors import ConfigurationError, RealtalkError
from schemas.verdict import PROFILES

CURRENT = Selection.model_validate({"profile": "strict", "snr_db": 3.0})
YAML = "name: a\nsources: [{files: x}]\nspeaker: {name: H, auto: true}\nselect: {profile: strict, snr_db: 3.0}\n"


def fault(*arguments) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        new_selection(*arguments)
    return str(caught.value).splitlines()


def test_limits_change_what_the_dataset_was_chosen_by() -> None:
    thresholds = new_selection(CURRENT, None, ["dnsmos_ovrl=2.9", "select.duration=[1, 9]"]).thresholds
    assert (thresholds.snr_db, thresholds.dnsmos_ovrl, thresholds.duration) == (3.0, 2.9, (1.0, 9.0))
    assert thresholds.coverage == PROFILES["strict"].coverage


def test_a_profile_forgets_what_the_dataset_was_chosen_by() -> None:
    assert new_selection(CURRENT, "permissive", []).thresholds == PROFILES["permissive"]
    assert new_selection(CURRENT, "default", ["snr_db=null"]).thresholds.snr_db is None


@pytest.mark.parametrize("override", ["profile=permissive", "select.profile=permissive"])
def test_a_profile_among_the_limits_is_a_profile(override: str) -> None:
    assert new_selection(CURRENT, None, [override]).thresholds == PROFILES["permissive"]
    changed = new_selection(CURRENT, None, ["dnsmos_ovrl=3.3", override]).thresholds
    assert changed == replace(PROFILES["permissive"], dnsmos_ovrl=3.3)


def test_mistakes_are_a_line_each() -> None:
    assert fault(CURRENT, None, []) == ["say what to choose by: --profile strict, or --set dnsmos_ovrl=3.0"]
    (line,) = fault(CURRENT, "strct", [])
    assert line.startswith("--profile: ")
    assert "did you mean 'strict'?" in line
    lines = fault(CURRENT, "default", ["dnsmos_over=3", "snr_db=x", "foo"])
    assert [line.split(": ")[0] for line in lines] == ["--set foo", "--set dnsmos_over=3", "--set snr_db=x"]
    assert "did you mean 'dnsmos_ovrl'?" in lines[1]


def test_the_configuration_of_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(RealtalkError, match="no such folder"):
        current_configuration(str(tmp_path / "none"))
    (tmp_path / "episodes").mkdir()
    with pytest.raises(RealtalkError, match=r"dataset\.yaml: can't be read"):
        current_configuration(str(tmp_path))
    (tmp_path / "dataset.yaml").write_text(YAML)
    assert current_configuration(str(tmp_path)).select.thresholds == CURRENT.thresholds


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [1", "not YAML: "),
        (b"- x\n", ":1: expected keys with values"),
        (b"name: x\n", ": sources: missing; "),
        (b"", ": is empty; "),
        (b"\xff\xfe", ": not UTF-8 text (byte 1)"),
        (b"[" * 100_000, "nested too deep"),
        (YAML.encode() + b"clips: {max_secs: 3}\n", ":5: max_secs: unknown key in clips; did you mean max_seconds?"),
    ],
)
def test_a_damaged_configuration_of_a_dataset_is_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "episodes").mkdir()
    (tmp_path / "dataset.yaml").write_bytes(content)
    with pytest.raises(RealtalkError) as caught:
        current_configuration(str(tmp_path))
    line = str(caught.value)
    assert line.startswith(f"{tmp_path}/dataset.yaml")
    assert said in line
    assert line.endswith("; restore it, or run realtalk build to write it anew")
    assert "\n" not in line

"""Choosing anew: what the options of `realtalk select` mean."""

from pathlib import Path

import pytest

from pipeline.reselect import current_configuration, new_selection
from schemas.errors import ConfigurationError, RealtalkError
from schemas.verdict import PROFILES

CURRENT = "name: a\nselect: {profile: strict, snr_db: 3.0}\n"


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


def test_mistakes_are_a_line_each() -> None:
    assert fault(CURRENT, None, []) == ["say what to choose by: --profile strict, or --set dnsmos_ovrl=3.0"]
    (line,) = fault(CURRENT, "strct", [])
    assert line.startswith("--profile: ")
    assert "did you mean 'strict'?" in line
    lines = fault("", "default", ["dnsmos_over=3", "snr_db=x", "foo"])
    assert [line.split(": ")[0] for line in lines] == ["--set foo", "--set dnsmos_over=3", "--set snr_db=x"]
    assert "did you mean 'dnsmos_ovrl'?" in lines[1]


def test_the_configuration_of_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(RealtalkError, match="no such folder"):
        current_configuration(str(tmp_path / "none"))
    (tmp_path / "episodes").mkdir()
    with pytest.raises(RealtalkError, match=r"dataset\.yaml: can't be read"):
        current_configuration(str(tmp_path))
    (tmp_path / "dataset.yaml").write_text(CURRENT)
    assert current_configuration(str(tmp_path)) == CURRENT

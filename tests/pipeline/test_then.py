"""What follows a build: which command, for which version, how often."""

import sys
from pathlib import Path

import pytest
from ready_dataset import commit_version

from pipeline.cli import main
from pipeline.config import Config, load_config
from pipeline.then import run_then, then_target, training_command
from schemas.errors import ConfigurationError

YAML = "name: readings\nsources: [{files: x}]\nspeaker: {name: H, auto: true}\n"


def config_of(tmp_path: Path, *overrides: str) -> Config:
    path = tmp_path / "dataset.yaml"
    path.write_text(YAML)
    return load_config(path, overrides)


def test_training_is_told_what_the_configuration_says_and_each_version_has_a_voice(tmp_path: Path) -> None:
    bare = training_command(config_of(tmp_path))
    start = (sys.executable, "-m", "pipeline.cli", "train", "{dataset}", "--out")
    assert bare == (*start, f"{tmp_path}/readings-voices/{{version}}")
    full = training_command(
        config_of(tmp_path, "train.preset=gpu", "train.max_minutes=20", "train.tier=strict", "train.out=./v")
    )
    assert full == (
        *start, f"{tmp_path}/v/{{version}}", "--preset", "gpu", "--max-minutes", "20.0", "--tier", "strict",
    )  # fmt: skip


def test_the_voice_of_a_dataset_in_a_bucket_lies_beside_the_configuration(tmp_path: Path) -> None:
    command = training_command(config_of(tmp_path, "output=gs://bucket/readings"))
    assert command[-1] == f"{tmp_path}/readings-voices/{{version}}"


def test_what_is_trained_is_no_part_of_the_dataset(tmp_path: Path) -> None:
    plain, other = config_of(tmp_path), config_of(tmp_path, "train.preset=gpu")
    assert (plain.hash, plain.resolved_yaml()) == (other.hash, other.resolved_yaml())


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("train.preset=big", "train.preset"),
        ("train.max_minutes=0", "train.max_minutes"),
        ("train.out=gs://bucket/v", "a voice is trained in a folder of this machine"),
        ("train.presets=cpu", "preset"),
    ],
)
def test_a_mistake_in_the_section_is_named(tmp_path: Path, override: str, line: str) -> None:
    with pytest.raises(ConfigurationError, match=line):
        config_of(tmp_path, override)


@pytest.mark.parametrize(("then", "line"), [("  ", "expected train"), ("a 'b", "mind the quotes")])
def test_what_is_no_command_is_named(tmp_path: Path, then: str, line: str) -> None:
    with pytest.raises(ConfigurationError, match=line):
        then_target(config_of(tmp_path), then)


def test_a_program_that_is_not_there_ends_a_build_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_of(tmp_path)
    assert main(["build", str(tmp_path / "dataset.yaml"), "--then", "no-such-program now"]) == 2
    assert "no-such-program: there is no such program" in capsys.readouterr().err
    assert not (tmp_path / "readings").exists()


def test_it_is_done_once_for_a_version_and_after_a_failure_once_more_with_the_next_build(tmp_path: Path) -> None:
    dataset, trace = tmp_path / "readings", tmp_path / "trace"
    first = commit_version(dataset, "one")
    fails = then_target(config_of(tmp_path), f"sh -c 'echo failed >>{trace}; exit 1'")
    works = then_target(config_of(tmp_path), f"sh -c 'echo $0 >>{trace}' {{version}}")
    assert not run_then(str(dataset), fails)
    assert not run_then(str(dataset), fails)
    assert run_then(str(dataset), works)
    assert run_then(str(dataset), works)
    second = commit_version(dataset, "two")
    assert run_then(str(dataset), works)
    assert trace.read_text().split() == ["failed", "failed", first, second]

"""Training on record: what a run says of it, and how it is stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from run_processes import wait_until
from small_dataset import SHARD, write_dataset

from schemas.errors import RealtalkError
from tts.run_records import RunState, list_runs, metrics_of
from tts.training.on_record import devices_of, train_on_record
from tts.training.options import TrainOptions

# Builds and trainings in processes of their own: minutes of them.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("on_record") / "dataset")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REALTALK_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def options(dataset: Path, tmp_path: Path, **others: object) -> TrainOptions:
    known = {"steps": 1, "parts": ("acoustic",), "without_consent": "a test", "cache": tmp_path / "features", **others}
    return TrainOptions(dataset=str(dataset), out=tmp_path / "voice", device="cpu", **known)  # type: ignore[arg-type]


def test_a_training_leaves_a_run_that_says_of_what_how_and_how_it_went(
    dataset: Path, tmp_path: Path, root: Path
) -> None:
    train_on_record(options(dataset, tmp_path), print)
    (record,) = list_runs(root)
    version = json.loads((dataset / "manifest.json").read_text())["version"]
    assert (record.state, record.kind, record.out) == (RunState.COMPLETED, "train", str(tmp_path / "voice"))
    asked = record.parameters
    assert (asked["dataset_version"], asked["preset"], asked["steps"]) == (version, "cpu", 1)
    assert record.configuration["acoustic"]["width"] > 0
    assert record.facts["steps"] == {"acoustic": 1}
    assert metrics_of(root / record.id, record)["acoustic.step"] == 1
    assert "acoustic: done after 1 steps" in (root / record.id / "log.txt").read_text()


def test_a_refusal_is_a_failed_run(dataset: Path, tmp_path: Path, root: Path) -> None:
    copy = shutil.copytree(dataset, tmp_path / "copy", ignore=shutil.ignore_patterns("work"))
    with open(copy / SHARD, "ab") as file:
        file.write(b"more")
    with pytest.raises(RealtalkError, match="its SHA-256 differs"):
        train_on_record(options(copy, tmp_path), print)
    (record,) = list_runs(root)
    assert record.state is RunState.FAILED
    assert "its SHA-256 differs" in record.error


def test_a_training_that_a_run_has_started_is_part_of_it(
    dataset: Path, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALTALK_RUN", "20260101-000000-abcd")
    train_on_record(options(dataset, tmp_path), print)
    assert list_runs(root) == []


def test_a_signal_ends_both_processes_of_a_training_and_the_run_is_stopped(
    dataset: Path, tmp_path: Path, root: Path
) -> None:
    command = [sys.executable, "-m", "tts", "train", str(dataset), "--out", str(tmp_path / "voice"), "--max-minutes"]
    command += ["30", "--without-consent", "a test", "--cache", str(tmp_path / "features")]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: (tmp_path / "voice" / "voice.json").exists(), 60)
        process.send_signal(signal.SIGTERM)
        # Its pipe closes when both processes have ended.
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "run the same command again to go on" in said
    assert list_runs(root)[0].state is RunState.STOPPED


def test_a_training_takes_all_devices_of_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices_of("cpu") == ("cpu",)
    assert devices_of("cuda") == ("cuda:0",)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert devices_of("cuda") == ("cuda:0", "cuda:1")

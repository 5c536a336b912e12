"""Whole builds whose worker processes die: of a crash in one episode, killed from outside, with the build itself."""

import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import pipeline.build
from pipeline.build import run_build
from pipeline.config import Config, load_config
from pipeline.demo.__main__ import QuietHandler, configuration, serving
from pipeline.demo.podcast import write_podcast
from pipeline.demo.script import EPISODES
from pipeline.graph import Plan
from pipeline.planning import make_plan
from schemas.state import EpisodeState, Speech
from transforms.store import Store
from transforms.voice_stages import DetectSpeech

# Builds and trainings in processes of their own: minutes of them.
pytestmark = pytest.mark.slow

pytest.importorskip("espeakng_loader", reason="eSpeak NG (the extra demo) speaks the podcast of these tests")

SCRIPT = (
    *((title, lines[:4]) for title, lines in EPISODES),
    ("What was left out", EPISODES[0][1][6:10]),
)


class CrashingSpeech(DetectSpeech):
    """Reads address 0 on the second episode, as a native library with a bug in it does."""

    def work(self, state: EpisodeState, key: str, store: Store) -> Speech:
        if state.episode.guid == "workshop-2":
            ctypes.string_at(0)
        return super().work(state, key, store)


def plan_that_crashes(config: Config, store: Store) -> Plan:
    plan = make_plan(config, store)
    stages = tuple(
        CrashingSpeech(stage.detector, stage.settings) if isinstance(stage, DetectSpeech) else stage
        for stage in plan.until_voices
    )
    return dataclasses.replace(plan, until_voices=stages)


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("deaths") / "podcast"
    folder.mkdir()
    with serving(folder, 0, QuietHandler) as base_url:
        write_podcast(folder, base_url, SCRIPT)
        path = folder.parent / "dataset.yaml"
        path.write_text(configuration(base_url))
        yield path


@pytest.fixture(scope="module")
def whole(config_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build without any death gives."""
    output = tmp_path_factory.mktemp("whole") / "dataset"
    run_build(load_config(config_file, [f"output={output}"]), workers=2)
    return output


def bytes_of(folder: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    relative = ((path.relative_to(folder), path) for path in paths)
    return {str(name): path.read_bytes() for name, path in relative if name.parts[0] not in ("work", "versions")}


def workers_of(process: int) -> list[int]:
    """Processes that work for a build."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            command = path.joinpath("cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == process and b"transforms.worker_process" in command:
            found.append(int(path.name))
    return found


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def until(true: Callable[[], object], seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(true())


def has_begun(output: Path, stage: str) -> bool:
    events = output.joinpath("work", "progress").glob("*.jsonl")
    return any(f'"event": "started", "stage": "{stage}"' in path.read_text() for path in events)


def test_a_crash_costs_its_episode_and_no_other(
    config_file: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(config_file, [f"output={tmp_path / 'dataset'}"])
    with monkeypatch.context() as patched:
        patched.setattr(pipeline.build, "make_plan", plan_that_crashes)
        result = run_build(config, workers=2)
    rows = {row["guid"]: row for row in pq.read_table(f"{result.output}/episodes").to_pylist()}
    crashed = rows["workshop-2"]
    assert (crashed["state"], crashed["failed_stage"], crashed["error"]) == ("failed", "speech", "worker-died")
    assert "killed by signal 11 (Segmentation fault), 2 times in a row" in crashed["error_detail"]
    assert result.summary["failures"] == [{"stage": "speech", "code": "worker-died", "episodes": 1}]
    assert "Segmentation fault" in (tmp_path / "dataset" / "work" / "build.log").read_text(), "and where it crashed"
    before = {row["guid"]: row for row in pq.read_table(f"{whole}/episodes").to_pylist()}
    for guid in ("workshop-1", "workshop-3"):
        assert rows[guid]["state"] == "done"
        assert rows[guid]["candidates"] == before[guid]["candidates"] > 0
    mended = run_build(config)
    assert mended.manifest.totals.failed_episodes == 0, "the crash was not kept"
    assert bytes_of(tmp_path / "dataset") == bytes_of(whole)


def test_a_worker_killed_from_outside_changes_nothing(config_file: Path, whole: Path, tmp_path: Path) -> None:
    output = tmp_path / "dataset"
    killed: list[int] = []

    def kill() -> None:
        if until(lambda: has_begun(output, "diarization") and workers_of(os.getpid())):
            killed.append(workers_of(os.getpid())[0])
            os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    result = run_build(load_config(config_file, [f"output={output}"]), workers=1)
    killer.join()
    assert killed
    assert result.manifest.totals.failed_episodes == 0
    assert bytes_of(output) == bytes_of(whole)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_build(config_file: Path, tmp_path: Path, signal_number: int) -> None:
    output = tmp_path / "dataset"
    command = [sys.executable, "-m", "pipeline.cli", "build", str(config_file), "--set", f"output={output}"]
    build = subprocess.Popen([*command, "--workers", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert until(lambda: has_begun(output, "speech"))
    workers = workers_of(build.pid)
    assert workers
    build.send_signal(signal_number)
    _, told = build.communicate(timeout=20)
    assert until(lambda: not any(map(is_running, workers)), seconds=20)
    if signal_number == signal.SIGINT:
        assert build.returncode == 130
        assert "stopped; what is done is kept" in told
        assert "failed" not in told, "no episode failed: the build was stopped"

"""Runs as real processes leave them: finished, failed, killed, stopped, waiting for each other."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from run_processes import run_process, said, wait_until

from schemas.errors import RealtalkError
from tts.code_identity import code_identity
from tts.run_devices import device_name
from tts.run_records import (
    RunRecord,
    RunState,
    ask_to_stop,
    find_run,
    list_runs,
    metrics_of,
    remove_run,
    runs_root,
    samples_of,
)
from tts.runs import recorded


def only(root: Path) -> RunRecord:
    (record,) = list_runs(root)
    return record


def test_a_run_that_ends_is_completed_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    root, out = tmp_path / "runs", tmp_path / "voice"
    with run_process(root, "first", out) as process:
        assert said(process).startswith("running ")
        assert process.wait(20) == 0
    record = only(root)
    assert (record.state, record.kind, record.out) == (RunState.COMPLETED, "train", str(out))
    assert record.parameters == {"name": "first", "preset": "cpu"}
    assert record.devices == ("cpu",)
    assert record.code == code_identity()
    assert record.seconds is not None
    assert record.seconds >= 0
    assert record.command[1:] == ("first", str(out), "finish")
    folder = root / record.id
    assert metrics_of(folder, record)["mel"] == 0.25
    first = json.loads((folder / "metrics.jsonl").read_text().splitlines()[0])
    assert (first["step"], first["mel"], first["nothing"]) == (1, 0.5, None)
    assert samples_of(folder, record) == [folder / "samples" / "first.wav"]


def test_a_run_that_raises_has_failed_with_the_reason_and_the_traceback_in_its_log(tmp_path: Path) -> None:
    with run_process(tmp_path / "runs", "first", tmp_path / "voice", "fail") as process:
        assert process.wait(20) == 1
    record = only(tmp_path / "runs")
    assert (record.state, record.error) == (RunState.FAILED, "no clip was found")
    log = (tmp_path / "runs" / record.id / "log.txt").read_text()
    assert "Traceback" in log
    assert "RealtalkError: no clip was found" in log


def test_a_killed_run_has_failed_though_it_could_say_nothing(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    with run_process(root, "first", tmp_path / "voice", "wait") as process:
        assert said(process).startswith("running ")
        assert only(root).state is RunState.RUNNING
        process.kill()
        process.wait()
    record = only(root)
    assert record.state is RunState.FAILED
    assert "its process died" in record.error
    assert json.loads((root / record.id / "run.json").read_text())["state"] == "running"


def test_a_run_that_was_killed_because_somebody_stopped_it_is_stopped(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    with run_process(root, "first", tmp_path / "voice", "wait") as process:
        said(process)
        ask_to_stop(root / only(root).id)
    assert only(root).state is RunState.STOPPED


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_run(tmp_path: Path, with_signal: signal.Signals) -> None:
    with run_process(tmp_path / "runs", "first", tmp_path / "voice", "wait") as process:
        said(process)
        process.send_signal(with_signal)
        assert process.wait(20) == 130
    assert only(tmp_path / "runs").state is RunState.STOPPED


def test_runs_wait_for_their_device_in_the_order_they_came(tmp_path: Path) -> None:
    root, out = tmp_path / "runs", tmp_path / "voice"

    def states() -> list[str]:
        return [str(record.state) for record in list_runs(root)]

    with run_process(root, "a", out, "wait") as first:
        number = said(first).removeprefix("running ")
        with run_process(root, "b", out, "wait") as second:
            assert said(second) == f"waits for cpu: {number} is on it"
            with run_process(root, "c", out) as third:
                assert said(third) == f"waits for cpu: {number} is on it"
                assert states() == ["running", "queued", "queued"]
                first.kill()
                first.wait()
                assert said(second).startswith("running ")
                wait_until(lambda: states() == ["failed", "running", "queued"])
                second.terminate()
                while not (line := said(third)).startswith("running "):
                    assert line.startswith("waits for cpu: ")
                assert third.wait(20) == 0
    assert states() == ["failed", "stopped", "completed"]


def test_a_queued_run_can_be_stopped(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    with run_process(root, "a", tmp_path, "wait") as first:
        said(first)
        with run_process(root, "b", tmp_path) as second:
            assert said(second).startswith("waits for ")
            second.terminate()
            assert second.wait(20) == 130
    record = list_runs(root)[1]
    assert (record.state, record.started) == (RunState.STOPPED, "")


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALTALK_RUNS", str(tmp_path))
    for _ in range(2):
        with recorded("train", {}, tmp_path / "voice") as run:
            assert run.state is RunState.RUNNING
    names = [record.id for record in list_runs(tmp_path)]
    assert find_run(tmp_path, names[0]) == tmp_path / names[0]
    assert find_run(tmp_path, "last").name in names
    with pytest.raises(RealtalkError, match="2 runs begin so"):
        find_run(tmp_path, names[0][:4])
    with pytest.raises(RealtalkError, match="no run has this id"):
        find_run(tmp_path, "1999")


def test_a_running_run_is_not_removed_and_its_voice_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALTALK_RUNS", str(tmp_path / "runs"))
    with recorded("train", {}, tmp_path / "voice") as run:
        (tmp_path / "voice").mkdir()
        with pytest.raises(RealtalkError, match="has not ended"):
            remove_run(run.folder)
    remove_run(run.folder)
    assert not run.folder.exists()
    assert (tmp_path / "voice").exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REALTALK_RUNS", str(tmp_path / "file"))
    with pytest.raises(RealtalkError, match="set REALTALK_RUNS to a folder of yours"), recorded("train", {}, tmp_path):
        pass


def test_the_folder_of_runs_is_that_of_the_environment_else_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REALTALK_RUNS", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert runs_root() == Path.home() / ".local/state/realtalk/runs"
    monkeypatch.setenv("REALTALK_RUNS", "/somewhere")
    assert runs_root() == Path("/somewhere")


def test_a_device_has_the_name_of_the_machine_not_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert [device_name(one) for one in ("cpu", "cuda", "cuda:1")] == ["cpu", "gpu-2", "gpu-3"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert device_name("cuda:1") == "gpu-1"


def test_code_has_another_identity_when_it_was_changed(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=n@example.org"]
    (tmp_path / "tts").mkdir()
    (tmp_path / "tts" / "a.py").write_text("1\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *arguments], check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    clean = code_identity(tmp_path)
    assert (len(clean["commit"]), clean["diff"]) == (40, "")
    (tmp_path / "tts" / "b.py").write_text("2\n")
    new = code_identity(tmp_path)
    (tmp_path / "tts" / "a.py").write_text("3\n")
    assert len({clean["diff"], new["diff"], code_identity(tmp_path)["diff"]}) == 3
    assert new["commit"] == clean["commit"]


def test_what_training_wrote_beside_its_voice_is_kept_of_this_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALTALK_RUNS", str(tmp_path / "runs"))
    metrics = tmp_path / "voice" / "metrics.jsonl"
    metrics.parent.mkdir()
    metrics.write_text('{"part": "vocoder", "step": 9, "stft": 3.0}\n')
    with recorded("train", {}, tmp_path / "voice") as run, open(metrics, "a") as file:
        for part in ("acoustic", "vocoder"):
            file.write(json.dumps({"part": part, "step": 20, "mel": 0.5}) + "\n")
        file.write('{"part": "acoustic", "ste')
        file.flush()
        assert metrics_of(run.folder, run.record)["acoustic.step"] == 20
    metrics.unlink()
    record = only(tmp_path / "runs")
    assert record.state is RunState.COMPLETED
    assert metrics_of(run.folder, record) == {
        "acoustic.step": 20, "acoustic.mel": 0.5, "vocoder.step": 20, "vocoder.mel": 0.5,
    }  # fmt: skip

"""The commands over runs that real processes made."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from run_processes import run_process, said

from pipeline.cli import main
from tts.run_records import list_runs
from tts.runs import recorded


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REALTALK_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def two(root: Path, tmp_path: Path) -> list[str]:
    """Two runs that have ended; the second one failed."""
    for preset, mel in (("cpu", 0.5), ("gpu", 0.25)):
        parameters = {"preset": preset, "dataset_version": "ab" * 8, "seed": 0}
        try:
            with recorded("train", parameters, tmp_path / preset / ("ab" * 8)) as run:
                run.tell(f"training {preset}")
                run.metric(10, {"mel": mel})
                if preset == "gpu":
                    raise RuntimeError("out of\nmemory")
        except RuntimeError:
            pass
    return [one.id for one in list_runs(root)]


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_runs_are_listed_with_their_state_voice_version_and_metrics(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[:5] for line in lines if line] == [
        [two[0], "completed", f"cpu/{'ab' * 8}", "ab" * 8, "cpu"],
        [two[1], "failed", f"gpu/{'ab' * 8}", "ab" * 8, "gpu"],
    ]
    assert "mel 0.25" in lines[1]
    found = answer(capsys, "runs", "--state", "failed")["runs"]
    assert [(one["id"], one["error"]) for one in found] == [(two[1], "out of memory")]


def test_no_runs_are_no_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    assert "No run is kept" in capsys.readouterr().out
    assert answer(capsys, "runs") == {"folder": str(root), "runs": []}


def test_a_run_is_shown_whole(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    shown = answer(capsys, "runs", "show", two[0])
    assert (shown["state"], shown["parameters"]["preset"], shown["metrics"]["mel"]) == ("completed", "cpu", 0.5)
    assert main(["runs", "show", "last"]) == 0
    out = capsys.readouterr().out
    for part in ("failed", "out of memory", "preset", "last metrics", "version"):
        assert part in out


def test_a_comparison_says_what_differs_and_the_metrics(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "runs", "compare", *two)["differences"]
    assert found["parameters.preset"] == ["cpu", "gpu"]
    assert found["metrics.mel"] == [0.5, 0.25]
    assert found["metrics.step"] == [10, 10]
    assert "parameters.seed" not in found, "it is the same"
    assert main(["runs", "compare", *two]) == 0
    assert "metrics.mel" in capsys.readouterr().out


def test_logs_are_printed(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "logs", two[1]]) == 0
    out = capsys.readouterr().out
    assert "training gpu" in out
    assert "RuntimeError: out of" in out


def test_logs_are_followed_to_the_end_of_a_run_that_is_stopped(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_process(root, "a", tmp_path / "voice", "wait") as process:
        said(process)
        assert main(["runs", "stop", "last"]) == 0
        assert capsys.readouterr().out == f"{list_runs(root)[0].id} stopped\n"
        assert process.wait(20) == 130
        assert main(["runs", "logs", "last", "--follow"]) == 0
        assert "running " in capsys.readouterr().out
        assert main(["runs", "stop", "last"]) == 0, "of a run that has ended nothing is to do"


def test_a_run_that_does_not_listen_is_killed_and_was_stopped(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_process(root, "a", tmp_path / "voice", "wait") as process:
        said(process)
        process.send_signal(signal.SIGSTOP)
        assert main(["runs", "stop", "last", "--kill"]) == 0
        assert process.wait(20) == -signal.SIGKILL
    assert list_runs(root)[0].state == "stopped"


def test_a_run_is_removed_when_it_has_ended(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with run_process(root, "a", tmp_path / "voice", "wait") as process:
        said(process)
        assert main(["runs", "remove", "last"]) == 1
        assert "has not ended; realtalk runs stop" in capsys.readouterr().err
    assert main(["runs", "remove", "last"]) == 0
    assert list_runs(root) == []
    assert (tmp_path / "voice").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["runs", "show", "1999"], 1, "no run has this id"),
        (["runs", "--state", "done"], 2, "there is no 'done'"),
        (["runs", "shwo", "x"], 2, "no such command"),
    ],
)
def test_wrong_use_is_one_line(
    root: Path, arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1

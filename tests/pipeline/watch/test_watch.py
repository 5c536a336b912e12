"""A command for each version, exactly once: with real watchers that are killed, doubled, and stopped."""

import json
import os
import signal
from pathlib import Path

import pytest
from ready_dataset import SHARD, commit_version
from watch_processes import ended, lines, said_until, shell, until, wait_until, watcher

from pipeline.cli import main
from pipeline.watch.ledger import State, ledger_of


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return tmp_path / "readings"


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


def noting(trace: Path, more: str = "") -> list[str]:
    return shell(f'echo "$REALTALK_VERSION $REALTALK_START" >>{trace}; {more}')


def state(dataset: Path, version: str) -> State:
    entry = ledger_of(str(dataset)).entry(version)
    assert entry is not None
    return entry.state


def test_a_version_is_run_once_however_often_it_is_looked_at(dataset: Path, trace: Path) -> None:
    version = commit_version(dataset, "one")
    for _ in range(2):
        with watcher(dataset, "--once", command=noting(trace)) as process:
            code, said = ended(process)
        assert code == 0
    assert lines(trace) == [f"{version} 1"]
    assert said == f"{version}: done before\n"
    assert state(dataset, version) is State.FINISHED


def test_the_command_is_told_of_the_dataset_in_words_and_environment(dataset: Path, trace: Path) -> None:
    version = commit_version(dataset, "one")
    script = 'echo "$0 $1 $REALTALK_DATASET {}" >>' + str(trace)
    with watcher(dataset, "--once", command=[*shell(script), "{dataset}", "v={version}"]) as process:
        assert ended(process)[0] == 0
    assert lines(trace) == [f"{dataset} v={version} {dataset} {{}}"]


def test_versions_that_come_before_and_while_the_command_runs_are_run_in_turn(dataset: Path, trace: Path) -> None:
    go = trace.with_name("go")
    with watcher(dataset, command=noting(trace, until(go))) as process:
        said_until(process, "no dataset is ready here")
        first = commit_version(dataset, "one")
        wait_until(lambda: lines(trace))
        second = commit_version(dataset, "two")
        go.touch()
        wait_until(lambda: len(lines(trace)) == 2)
        wait_until(lambda: state(dataset, second) is State.FINISHED)
    assert lines(trace) == [f"{first} 1", f"{second} 1"]
    assert state(dataset, first) is State.FINISHED


def test_a_killed_watcher_leaves_the_command_to_its_end_and_the_next_one_learns_of_it(
    dataset: Path, trace: Path
) -> None:
    version, go = commit_version(dataset, "one"), trace.with_name("go")
    command = noting(trace, until(go))
    with watcher(dataset, command=command) as process:
        wait_until(lambda: lines(trace))
        process.kill()
        process.wait()
    assert state(dataset, version) is State.STARTED
    with watcher(dataset, "--once", command=command) as process:
        said_until(process, "another watcher is at work")
        assert lines(trace) == [f"{version} 1"]
        go.touch()
        code, said = ended(process)
    assert code == 0
    assert f"{version}: finished, ended with code 0" in said
    assert lines(trace) == [f"{version} 1"]


def test_a_command_that_died_with_its_watcher_is_started_again(dataset: Path, trace: Path) -> None:
    version, go = commit_version(dataset, "one"), trace.with_name("go")
    command = noting(trace, f"echo $PPID >{go}.pid; {until(go)}")
    with watcher(dataset, command=command) as process:
        wait_until(lambda: lines(Path(f"{go}.pid")))
        # The shell around the command leads the command's group.
        group = int(lines(Path(f"{go}.pid"))[0])
        process.kill()
        process.wait()
        os.killpg(group, signal.SIGKILL)
    go.touch()
    with watcher(dataset, "--once", command=command) as process:
        assert ended(process)[0] == 0
    assert lines(trace) == [f"{version} 1", f"{version} 2"]


def test_two_watchers_run_a_version_once(dataset: Path, trace: Path) -> None:
    command = noting(trace, "sleep 0.5")
    with watcher(dataset, command=command), watcher(dataset, command=command):
        for content in ("one", "two"):
            version = commit_version(dataset, content)
            wait_until(lambda: ledger_of(str(dataset)).entry(version) is not None)  # noqa: B023
            wait_until(lambda: state(dataset, version) is State.FINISHED)  # noqa: B023
    assert len(lines(trace)) == len(set(lines(trace))) == 2


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_too_and_the_next_watcher_starts_it_again(
    dataset: Path, trace: Path, which: signal.Signals
) -> None:
    version = commit_version(dataset, "one")
    # sleep is a child of the command: the whole group gets the signal.
    command = noting(trace, f"trap 'echo ended >>{trace}; exit 1' TERM; sleep 60 & wait")
    with watcher(dataset, command=command) as process:
        wait_until(lambda: lines(trace))
        process.send_signal(which)
        code, said = ended(process)
    assert code == 130
    assert f"{version}: interrupted" in said
    assert lines(trace) == [f"{version} 1", "ended"]
    with watcher(dataset, "--once", command=noting(trace)) as process:
        assert ended(process)[0] == 0
    assert lines(trace)[2:] == [f"{version} 2"]


def test_what_fails_is_tried_again_as_often_as_was_said_and_then_given_up(dataset: Path, trace: Path) -> None:
    version = commit_version(dataset, "one")
    with watcher(dataset, "--once", "--retries", "1", command=noting(trace, "exit 7")) as process:
        code, said = ended(process)
    assert code == 1
    assert said.count(f"{version}: failed, the command ended with code 7") == 2
    assert f"{version}: given up, it failed too often or was stopped" in said
    with watcher(dataset, "--once", "--retries", "1", command=noting(trace)) as process:
        assert ended(process)[0] == 1
    with watcher(dataset, "--once", "--again", command=noting(trace)) as process:
        assert ended(process)[0] == 0
    assert lines(trace) == [f"{version} {start}" for start in (1, 2, 3)]


def test_what_somebody_stops_is_not_started_again_unless_that_is_asked_for(dataset: Path, trace: Path) -> None:
    version = commit_version(dataset, "one")
    for more, code in (([], 1), ([], 1), (["--again"], 1), (["--again"], 1)):
        with watcher(dataset, "--once", *more, command=noting(trace, "exit 130")) as process:
            assert ended(process)[0] == code
    assert state(dataset, version) is State.STOPPED
    assert lines(trace) == [f"{version} {start}" for start in (1, 2, 3)]


def test_each_task_has_its_own_turn_at_a_version_and_a_state_elsewhere_is_kept_there(
    dataset: Path, trace: Path
) -> None:
    commit_version(dataset, "one")
    for more in (["--task", "a"], ["--task", "b"], ["--task", "a"], ["--task", "a", "--state", f"{trace}-state"]):
        with watcher(dataset, "--once", *more, command=noting(trace)) as process:
            assert ended(process)[0] == 0
    assert len(lines(trace)) == 3
    assert sorted(path.name for path in (dataset / "work/watch").iterdir()) == ["a", "b"]
    assert list(Path(f"{trace}-state").rglob("*.json"))


def test_a_copy_whose_shards_are_not_there_yet_is_waited_for(dataset: Path, trace: Path) -> None:
    version = commit_version(dataset, "one")
    (dataset / SHARD).write_text("o")
    with watcher(dataset, command=noting(trace)) as process:
        said_until(process, "is missing or not whole yet")
        assert not lines(trace)
        (dataset / SHARD).write_text("one")
        wait_until(lambda: lines(trace) == [f"{version} 1"])


def test_a_version_that_does_not_stay_is_left_out(dataset: Path, trace: Path) -> None:
    commit_version(dataset, "one")
    with watcher(dataset, "--settle", "1.5", command=noting(trace)):
        wait_until(lambda: (dataset / SHARD).exists())
        second = commit_version(dataset, "two")
        wait_until(lambda: lines(trace))
    assert lines(trace) == [f"{second} 1"]


def test_a_damaged_entry_is_named_with_its_mend(dataset: Path, trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = commit_version(dataset, "one")
    entry = dataset / "work/watch/train" / f"{version}.json"
    entry.parent.mkdir(parents=True)
    entry.write_text(json.dumps({"state": "sleeping"}))
    assert main(["watch", str(dataset), "--once", "--", "true"]) == 1
    assert f"{entry}: is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "no command is given"),
        (["--", "no-such-program"], "no-such-program: there is no such program"),
        (["--task", "../x", "--", "true"], "--task: expected letters"),
        (["--webhook", "ftp://x"], "--webhook: expected an address"),
        (["--webhook", "http://x", "--", "true"], "--webhook: takes no command"),
        (["--webhook", "http://x", "--vertex", "a/b"], "--webhook and --vertex: name one"),
        (["--vertex", "a"], "--vertex: say which container"),
        (["--vertex", "a", "--container", "i"], "--vertex: expected PROJECT/REGION"),
        (["--vertex", "a/b", "--container", "i", "--accelerator", "l4"], "--accelerator: expected a type"),
        (["--vertex", "a/b", "--container", "i", "--", "x"], "a job of Vertex AI can't read it"),
        (["--accelerator", "L4", "--", "true"], "are of a job of Vertex AI"),
    ],
)
def test_wrong_use_is_one_line_before_anything_is_waited_for(
    dataset: Path, arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", str(dataset), *arguments]) == 2
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1


def test_once_without_a_dataset_fails(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(dataset), "--once", "--", "true"]) == 1
    assert "no dataset is ready here" in capsys.readouterr().err

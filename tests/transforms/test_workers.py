"""Worker processes: they keep what they loaded, die alone, and end with the process that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import EpisodeError
from transforms.workers import PoolClosedError, WorkerDiedError, WorkerPool


class Loaded:
    """Takes its time to load, once in a process."""

    def __init__(self) -> None:
        self.loads = 0

    def __call__(self, number: int) -> tuple[int, int, int]:
        self.loads += not self.loads
        return os.getpid(), self.loads, number


def spin(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def sleep_as(folder: str, name: str, seconds: float) -> int:
    Path(folder, name).write_text(str(os.getpid()))
    time.sleep(seconds)
    return os.getpid()


def crash() -> None:
    ctypes.string_at(0)


def leave(code: int) -> None:
    os._exit(code)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(text: str) -> None:
    raise EpisodeError(text)


class UnloadableError(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def fail_oddly() -> None:
    raise UnloadableError("odd", "error")


def talk() -> str:
    os.write(1, b"a library prints\n")
    return sys.stdin.read()


def give_back(what: Any) -> Any:
    return what


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def test_work_is_done_elsewhere_and_what_is_loaded_stays() -> None:
    with WorkerPool() as pool:
        answers = [pool.run(Loaded(), number).value for number in range(3)]
    assert answers == [(answers[0][0], 1, number) for number in range(3)]
    assert answers[0][0] != os.getpid()


def test_cpu_seconds_are_those_of_the_work_alone() -> None:
    with WorkerPool() as pool:
        # What a process loads for its first piece of work is in the seconds of that.
        pool.run(spin, 0.0)
        before = time.process_time()
        done, more = pool.run(spin, 0.2), pool.run(spin, 0.8)
        here = time.process_time() - before
    assert 0.2 <= done.cpu_seconds <= done.wall_seconds + 0.01
    assert more.cpu_seconds > 2 * done.cpu_seconds
    assert here < done.cpu_seconds + more.cpu_seconds


def test_errors_arrive_with_the_traceback_of_where_they_were_raised() -> None:
    with WorkerPool() as pool:
        with pytest.raises(EpisodeError, match=r"^no-audio: x") as raised:
            pool.run(fail, "no-audio: x")
        assert "in fail" in raised.value.__notes__[0]
        with pytest.raises(RuntimeError, match=r"^UnloadableError: odd error"):
            pool.run(fail_oddly)
        assert len(pool.process_ids) == 1, "an error is no reason to end a process"


def test_what_libraries_print_does_not_disturb_the_answers() -> None:
    with WorkerPool() as pool:
        assert pool.run(talk).value == ""


def test_answers_of_any_size_travel() -> None:
    many = b"x" * 50_000_000
    with WorkerPool() as pool:
        assert pool.run(give_back, many).value == many


@pytest.mark.parametrize(
    ("work", "arguments", "told"),
    [
        (crash, (), r"killed by signal 11 \(Segmentation fault\), 2 times in a row; a native library crashed"),
        (leave, (3,), "ended by itself with exit code 3, 2 times in a row"),
        (
            os.kill,
            (0, signal.SIGKILL),
            r"killed by signal 9 \(Killed\), 2 times in a row; most often the memory ran out",
        ),
    ],
)
def test_a_process_that_dies_twice_is_told_of(work: Any, arguments: tuple[int, ...], told: str) -> None:
    with WorkerPool() as pool:
        with pytest.raises(WorkerDiedError, match=f"^worker-died: the process that did the work (was )?{told}"):
            pool.run(work, *arguments)
        assert pool.run(give_back, 1).value == 1, "the next one has a fresh process"


def test_work_of_a_process_killed_from_outside_is_done_by_another(tmp_path: Path) -> None:
    with WorkerPool() as pool, ThreadPoolExecutor() as threads:
        asked = threads.submit(pool.run, sleep_as, str(tmp_path), "at work", 1.0)
        assert until((tmp_path / "at work").exists)
        (first,) = pool.process_ids
        os.kill(first, signal.SIGKILL)
        assert asked.result().value != first


def test_a_process_killed_between_two_pieces_of_work_is_not_missed() -> None:
    with WorkerPool() as pool:
        pool.run(give_back, 1)
        (first,) = pool.process_ids
        os.kill(first, signal.SIGKILL)
        assert until(lambda: not is_running(first))
        with pytest.raises(WorkerDiedError, match=r"signal 11 .*, 2 times"):
            pool.run(crash)


def test_each_free_process_takes_the_next_piece_of_work(tmp_path: Path) -> None:
    with WorkerPool(2) as pool, ThreadPoolExecutor() as threads:
        long = threads.submit(pool.run, sleep_as, str(tmp_path), "long", 2.0)
        assert until((tmp_path / "long").exists)
        short = [threads.submit(pool.run, sleep_as, str(tmp_path), str(n), 0.1) for n in range(5)]
        assert len({one.result().value for one in short}) == 1
        assert not long.done(), "five short ones were done beside the long one"
        assert long.result().value != short[0].result().value


def test_closing_ends_processes_at_work_and_those_who_wait(tmp_path: Path) -> None:
    pool = WorkerPool()
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(pool.run, sleep_as, str(tmp_path), "busy", 60.0) for _ in range(3)]
        assert until((tmp_path / "busy").exists)
        (process,) = pool.process_ids
        pool.close()
        assert not is_running(process)
        for one in asked:
            with pytest.raises(PoolClosedError):
                one.result(timeout=10)


PARENT = """
import sys
from test_workers import sleep_as
from transforms.workers import WorkerPool
if __name__ == "__main__":
    with WorkerPool() as pool:
        pool.run(sleep_as, sys.argv[1], "pid", 60.0)
"""


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path, signal_number: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], env=environment, stderr=subprocess.DEVNULL)
    assert until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    child = int((tmp_path / "pid").read_text())
    assert is_running(child)
    parent.send_signal(signal_number)
    parent.wait(timeout=20)
    assert until(lambda: not is_running(child))

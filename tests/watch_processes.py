"""Starts watchers as processes of their own, and commands that leave traces."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The file system of the test is known where its module is imported.
_COMMAND = "import sys, folder_filesystem; from pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
_PLAIN = "import sys; from pipeline.cli import main; sys.exit(main(sys.argv[1:]))"


def shell(script: str) -> list[str]:
    """A command that is a script of the shell."""
    return ["/bin/sh", "-c", script]


def until(path: Path) -> str:
    """A script that ends when a file appears, after some time also without it: it may have nobody to end it."""
    return f"n=0; while [ ! -e {path} ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done"


def said_until(process: "subprocess.Popen[str]", part: str) -> str:
    """What a process says up to the first line with some words."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if part in line:
            return said
    raise AssertionError(f"{part!r} was not said, but: {said}")


@contextmanager
def watcher(
    dataset: str | Path, *arguments: str, command: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """`realtalk watch` in a process that does not outlive the block. What it runs may."""
    code = _COMMAND if "://" in str(dataset) else _PLAIN
    more = ["--", *command] if command else []
    process = subprocess.Popen(
        [sys.executable, "-c", code, "watch", str(dataset), "--interval", "0.1", *arguments, *more],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", **(environment or {})},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        # A command that outlives its watcher holds the other ends of its pipes: nobody waits for them to close.
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def ended(process: "subprocess.Popen[str]", seconds: float = 30.0) -> tuple[int, str]:
    """Exit code and what was said, of a process that ends by itself."""
    said = process.communicate(timeout=seconds)[1]
    return process.returncode, said


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something that has to come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def lines(path: Path) -> list[str]:
    """The lines of a file that commands write to; [] before the first did."""
    return path.read_text().splitlines() if path.exists() else []

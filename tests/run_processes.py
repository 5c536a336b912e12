"""Starts real processes that are runs, and waits for what they say."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(__file__).with_name("recorded_run.py")


@contextmanager
def run_process(root: Path, name: str, out: Path, how: str = "finish") -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, which does not outlive the block."""
    environment = {**os.environ, "REALTALK_RUNS": str(root), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(SCRIPT), name, str(out), how]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def said(process: subprocess.Popen[str]) -> str:
    """The next line of a process."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something that has to come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)

"""What can be done to runs: stop one, follow its log."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from schemas.errors import RealtalkError
from tts.run_records import LOG_NAME, UNFINISHED, RunRecord, ask_to_stop, is_alive, process_started, read_record

GRACE_SECONDS = 60.0
_POLL_SECONDS = 0.2
_LINE_BYTES = 1 << 16


def stop_run(folder: Path, host: str, kill: bool = False, seconds: float = GRACE_SECONDS) -> RunRecord:
    """Let a run end by SIGTERM, with `kill` by SIGKILL, and wait for that; returns how it stands then.

    Raises RealtalkError where it is another machine's, or does not end in time.
    """
    record = read_record(folder)
    if record.state not in UNFINISHED:
        return record
    if record.host != host:
        raise RealtalkError(f"{record.id}: runs on {record.host}; stop it there")
    ask_to_stop(folder)
    # Its lock is held, but by a child of it that has outlived it: the number may be somebody else's by now.
    if process_started(record.pid) == record.process_started:
        try:
            os.kill(record.pid, signal.SIGKILL if kill else signal.SIGTERM)
        except ProcessLookupError:
            pass
        except PermissionError:
            raise RealtalkError(f"{record.id}: its process {record.pid} is another user's; let them stop it") from None
    end = time.monotonic() + seconds
    while is_alive(folder):
        if time.monotonic() > end:
            raise RealtalkError(f"{record.id}: has not ended yet; wait, or end it at once by --kill")
        time.sleep(_POLL_SECONDS)
    return read_record(folder)


def log_lines(folder: Path, follow: bool, sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """The lines of a run's log; with `follow` also those to come, until the run has ended."""
    path = folder / LOG_NAME
    while not path.exists():
        if not follow or not is_alive(folder):
            return
        sleep(_POLL_SECONDS)
    with open(path, encoding="utf-8", errors="replace") as file:
        while True:
            # Asked before reading: what was written until the end is read after it.
            goes_on = follow and is_alive(folder)
            for line in iter(lambda: file.readline(_LINE_BYTES), ""):
                yield line.rstrip("\n")
            if not goes_on:
                return
            sleep(_POLL_SECONDS)

"""Runs are recorded: what was asked, of which code, on which device, how it went, and how it ended.

    with recorded("train", parameters, out, devices=("cuda:0",), tell=say) as run:
        run.tell("a line for the log and for the terminal")
        run.metric(step, {"mel": 0.41})

What the block writes to metrics.jsonl and samples/ of `out` is taken for the run's: `metric` is for what has none.
A run waits for its device while another one has it. `realtalk runs` reads what is written here.
"""

import json
import math
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.errors import RealtalkError
from tts.code_identity import code_identity
from tts.files import write_whole
from tts.run_devices import device_name, held_devices
from tts.run_records import (
    LOG_NAME,
    METRICS_NAME,
    SAMPLES_NAME,
    RunRecord,
    RunState,
    bytes_after,
    held_alive,
    now,
    process_started,
    runs_root,
    write_record,
)

#: The id of the run that a process is part of, in its environment.
RUN_VARIABLE = "REALTALK_RUN"


class Run:
    """A run of this process. What can't be written of it is told once, and does not end it."""

    def __init__(self, folder: Path, record: RunRecord, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.record = record
        self._tell = tell
        self._in_trouble = False

    @property
    def id(self) -> str:
        """Its id."""
        return self.record.id

    @property
    def state(self) -> RunState:
        """Where it stands."""
        return self.record.state

    @property
    def log_path(self) -> Path:
        """The file that `tell` writes to."""
        return self.folder / LOG_NAME

    def tell(self, line: str) -> None:
        """Write a line to the log, and tell it."""
        self._log(line)
        self._tell(line)

    def metric(self, step: int, values: Mapping[str, Any]) -> None:
        """Note what was measured after a step; a number that is not finite is null."""
        line = {"step": step, "time": round(time.time(), 3), **{name: _finite(one) for name, one in values.items()}}
        self._append(self.folder / METRICS_NAME, json.dumps(line, default=str) + "\n")

    def note(self, **facts: Any) -> None:
        """Add facts that were found out on the way."""
        self._change(facts={**self.record.facts, **facts})

    def keep_samples(self) -> None:
        """Keep what the run has put into its voice's samples/: a later run may write others there."""
        source = Path(self.record.out) / SAMPLES_NAME
        # Some file systems count whole seconds.
        began = datetime.fromisoformat(self.record.started).timestamp() - 1.0
        with self._without_end():
            for path in sorted(source.rglob("*")):
                if path.is_file() and not path.name.startswith(".") and path.stat().st_mtime >= began:
                    target = self.folder / SAMPLES_NAME / path.relative_to(source)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, target)

    def keep_metrics(self) -> None:
        """Keep what the run has added to the metrics.jsonl of `out`, unless it has written metrics itself."""
        path = self.folder / METRICS_NAME
        if not path.exists():
            content = bytes_after(Path(self.record.out) / METRICS_NAME, self.record.metrics_from)
            with self._without_end():
                write_whole(path, content)

    def _begin(self) -> None:
        before = Path(self.record.out) / METRICS_NAME
        self._change(
            state=RunState.RUNNING, started=now(), metrics_from=before.stat().st_size if before.exists() else 0
        )

    def _end(self, state: RunState, error: str = "") -> None:
        if self.record.started:
            self.keep_samples()
            self.keep_metrics()
        self._change(state=state, ended=now(), error=error)

    def _log(self, text: str) -> None:
        self._append(self.log_path, f"{now()[:19]}Z {text.rstrip()}\n")

    def _change(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        with self._without_end():
            write_record(self.folder, self.record)

    def _append(self, path: Path, text: str) -> None:
        with self._without_end(), open(path, "a", encoding="utf-8") as file:
            file.write(text)

    @contextmanager
    def _without_end(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._in_trouble:
                self._in_trouble = True
                self._tell(f"{self.folder}: the run's record can't be written ({error.strerror}); the run goes on")


@contextmanager
def recorded(
    kind: str,
    parameters: Mapping[str, Any],
    out: str | Path,
    *,
    configuration: Mapping[str, Any] | None = None,
    devices: Sequence[str] = ("cpu",),
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[Run]:
    """Record what happens in the block as a run of a kind ("train") that makes `out`.

    `devices` are names of torch devices; the block begins when no other run has one of them. SIGTERM becomes a
    KeyboardInterrupt, and a run that ends by that is stopped; one that ends by an error has failed, with the traceback
    in its log. Of several processes that train together one records; see `belongs_to_run`. Raises RealtalkError where
    runs can't be kept.
    """
    root = runs_root()
    run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    folder = root / run_id
    record = RunRecord(
        id=run_id,
        kind=kind,
        state=RunState.QUEUED,
        out=str(Path(out).absolute()),
        parameters=dict(parameters),
        configuration=dict(configuration or {}),
        devices=tuple(device_name(device) for device in devices),
        code=code_identity(),
        command=tuple(sys.argv),
        host=socket.gethostname(),
        pid=os.getpid(),
        process_started=process_started(os.getpid()),
        created=now(),
    )
    run = Run(folder, record, tell)
    try:
        folder.mkdir(parents=True)
        alive = held_alive(folder)
    except OSError as error:
        raise RealtalkError(
            f"{root}: runs can't be kept there ({error.strerror}); set REALTALK_RUNS to a folder of yours"
        ) from None
    with alive, terminable(), _told_to_children(run_id):
        run._change()
        try:
            with held_devices(root, record, run.tell):
                run._begin()
                yield run
        except (KeyboardInterrupt, SystemExit):
            run._end(RunState.STOPPED, "stopped")
            raise
        except BaseException as error:
            run._log("".join(traceback.format_exception(error)))
            run._end(RunState.FAILED, " ".join(str(error).split())[:300] or type(error).__name__)
            raise
        run._end(RunState.COMPLETED)


def belongs_to_run() -> bool:
    """Whether this process was started by a run, and so is part of it: it neither records nor waits for a device."""
    return RUN_VARIABLE in os.environ


@contextmanager
def _told_to_children(run_id: str) -> Iterator[None]:
    os.environ[RUN_VARIABLE] = run_id
    try:
        yield
    finally:
        del os.environ[RUN_VARIABLE]


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does; only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _finite(value: Any) -> Any:
    return value if not isinstance(value, float) or math.isfinite(value) else None

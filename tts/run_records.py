"""Runs as they are kept: a folder each, with run.json, log.txt, metrics.jsonl and samples/.

The process of a run holds a lock on the file `alive` of its folder. The system lets go of it when the process ends,
however it ends: no run is shown as running whose process is dead.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from schemas.errors import RealtalkError
from tts.files import write_whole

RUNS_VARIABLE = "REALTALK_RUNS"
RECORD_NAME, LOG_NAME, METRICS_NAME, SAMPLES_NAME = "run.json", "log.txt", "metrics.jsonl", "samples"
_ALIVE_NAME, _STOP_NAME = "alive", "stop"
_TAIL_BYTES = 1 << 16
_DIED = "its process died: killed, out of memory, or the machine went down"


class RunState(StrEnum):
    """Where a run stands. A queued one waits for its device."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


UNFINISHED = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """run.json. Times are ISO 8601 in UTC, "" where it has not come to that; `out` is what the run makes, a folder.

    `parameters` are what was asked for (of training: dataset, dataset_version, preset, max_minutes, ...),
    `configuration` all settings in force, `facts` what was found out on the way, `code` as `code_identity` says.
    `process_started` tells the process from a later one of the same number, "" where the system does not say.
    `metrics_from` is how long the metrics.jsonl of `out` was, in bytes, when the run began.
    """

    id: str
    kind: str
    state: RunState
    out: str
    parameters: Mapping[str, Any]
    configuration: Mapping[str, Any]
    devices: tuple[str, ...]
    code: Mapping[str, str]
    command: tuple[str, ...]
    host: str
    pid: int
    process_started: str
    created: str
    started: str = ""
    ended: str = ""
    error: str = ""
    metrics_from: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran; None before that, and of a process that died."""
        if not self.started or (not self.ended and self.state is not RunState.RUNNING):
            return None
        end = datetime.fromisoformat(self.ended) if self.ended else datetime.now(UTC)
        return (end - datetime.fromisoformat(self.started)).total_seconds()


def now() -> str:
    """The time as records have it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def runs_root() -> Path:
    """The folder of all runs: REALTALK_RUNS, else ~/.local/state/realtalk/runs (XDG_STATE_HOME is heeded)."""
    given = os.environ.get(RUNS_VARIABLE)
    if given:
        return Path(given).expanduser().absolute()
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "realtalk" / "runs"


def write_record(folder: Path, record: RunRecord) -> None:
    """Write run.json, at once."""
    text = json.dumps(asdict(record), ensure_ascii=False, indent=2, default=str)
    write_whole(folder / RECORD_NAME, f"{text}\n".encode())


def read_record(folder: Path) -> RunRecord:
    """A run as it stands; one whose process has died without a word has failed, or was stopped where that was asked.

    Raises RealtalkError where there is none, or it is damaged.
    """
    path = folder / RECORD_NAME
    try:
        # The lock first: a process that ends after that has written its end before.
        alive = is_alive(folder)
        document = json.loads(path.read_text(encoding="utf-8"))
        for name in ("devices", "command"):
            document[name] = tuple(document[name])
        record = RunRecord(**{**document, "state": RunState(document["state"])})
    except FileNotFoundError:
        raise RealtalkError(f"{folder}: no run is here; realtalk runs lists them") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = " ".join(str(error).split())
        raise RealtalkError(f"{path}: is damaged ({why}); remove its folder") from None
    if alive or record.state not in UNFINISHED:
        return record
    if (folder / _STOP_NAME).exists():
        return replace(record, state=RunState.STOPPED, error="stopped by realtalk runs stop")
    return replace(record, state=RunState.FAILED, error=_DIED)


def list_runs(root: Path) -> list[RunRecord]:
    """All runs, the oldest first; a damaged one is left out (`realtalk runs show` says what is wrong with it)."""
    found = []
    for path in sorted(root.glob(f"*/{RECORD_NAME}")):
        try:
            found.append(read_record(path.parent))
        except RealtalkError:
            continue
    return sorted(found, key=lambda record: (record.created, record.id))


def find_run(root: Path, wanted: str) -> Path:
    """The folder of a run by its id or the beginning of it, or "last"; raises RealtalkError unless it is one."""
    if wanted == "last" and (runs := list_runs(root)):
        return root / runs[-1].id
    names = sorted(path.parent.name for path in root.glob(f"*/{RECORD_NAME}"))
    found = [name for name in names if name.startswith(wanted)] if wanted else []
    if wanted in found:
        return root / wanted
    if len(found) == 1:
        return root / found[0]
    if not found:
        raise RealtalkError(f"{wanted}: no run has this id in {root}; realtalk runs lists them")
    raise RealtalkError(f"{wanted}: {len(found)} runs begin so ({', '.join(found[:3])}); give more of the id")


def metrics_of(folder: Path, record: RunRecord) -> dict[str, Any]:
    """The last value of each metric, "acoustic.mel" where a line is of a part; {} where nothing was measured yet.

    They are read from what the run has kept, else from the metrics.jsonl of `out`.
    """
    kept = folder / METRICS_NAME
    lines = _tail(kept) if kept.exists() else _tail(Path(record.out) / METRICS_NAME, record.metrics_from)
    found: dict[str, Any] = {}
    for line in lines:
        part = line.pop("part", "")
        line.pop("time", None)
        found |= {f"{part}.{name}" if part else name: value for name, value in line.items() if value is not None}
    return found


def samples_of(folder: Path, record: RunRecord) -> list[Path]:
    """The audio of its checkpoints, the oldest first: what the run has kept, else what lies with the voice."""
    for place in (folder / SAMPLES_NAME, Path(record.out) / SAMPLES_NAME):
        found = [path for path in place.rglob("*") if path.is_file() and not path.name.startswith(".")]
        if found:
            return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))
    return []


def is_alive(folder: Path) -> bool:
    """Whether the process of a run holds its lock."""
    try:
        with open(folder / _ALIVE_NAME, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def held_alive(folder: Path) -> Iterator[None]:
    """Be the process of a run."""
    with open(folder / _ALIVE_NAME, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ask_to_stop(folder: Path) -> None:
    """Note that a run was stopped by somebody, whatever its process may say."""
    (folder / _STOP_NAME).touch()


def remove_run(folder: Path) -> None:
    """Delete a run's record, log, metrics and kept audio; raises RealtalkError of one that has not ended.

    The voice it made stays.
    """
    if is_alive(folder):
        raise RealtalkError(f"{folder.name}: has not ended; realtalk runs stop {folder.name} stops it")
    shutil.rmtree(folder)


def process_started(pid: int) -> str:
    """When a process began, as its system counts; "" where there is none or the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    # The name before it may hold blanks and brackets.
    return f"{boot}/{stat.rpartition(')')[2].split()[19]}"


def bytes_after(path: Path, start: int, most: int | None = None) -> bytes:
    """What a file holds after its first `start` bytes, of that at most the last `most`; b"" without a file.

    A file that is shorter was made anew, and is read from its beginning.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            first = start if start <= size else 0
            file.seek(first if most is None else max(first, size - most))
            return file.read()
    except OSError:
        return b""


def _tail(path: Path, start: int = 0) -> Iterator[dict[str, Any]]:
    # The first line may have lost its beginning, the last may be half written.
    for line in bytes_after(path, start, _TAIL_BYTES).splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value

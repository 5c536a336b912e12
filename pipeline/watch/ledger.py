"""The ledger of a task: which version was started, finished, or has failed. It outlives every watcher."""

import json
import os
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from pipeline.ready import store_of
from schemas.errors import ConfigurationError, RealtalkError
from schemas.ids import digest
from transforms.store import Store

#: The task of training; `build --then` and `watch` share it unless something else is said.
TRAINING = "train"
_FOLDER = ("work", "watch")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class State(StrEnum):
    """Where a version stands.

    A started one is at work, unless nobody holds the task's turn. An interrupted one was stopped with its watcher, and
    is started again by the next; a stopped one was stopped by itself, and is not.
    """

    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a version. `starts` counts from 1, `failures` those of them that failed.

    `changed` is when this was written, in seconds since 1970; `detail` how it ended, "" while it has not.
    """

    version: str
    state: State
    starts: int
    failures: int
    target: str
    host: str
    changed: float
    detail: str = ""

    def ended(self, state: State, detail: str, now: float) -> "Entry":
        """The same after its end."""
        failed = state is State.FAILED
        return replace(self, state=state, failures=self.failures + failed, detail=detail, changed=now)


@dataclass(frozen=True)
class Ledger:
    """The entries of a task on one dataset: a small file for each version below a folder of a store."""

    store: Store
    folder: tuple[str, ...]

    def entry(self, version: str) -> Entry | None:
        """The entry of a version; None before its first start. Raises RealtalkError where it is damaged."""
        path = self._path(version)
        text = self.store.read_text(path)
        if text is None:
            return None
        try:
            values = json.loads(text)
            return Entry(**{**values, "state": State(values["state"])})
        except (ValueError, TypeError, KeyError) as error:
            why = " ".join(str(error).split())
            raise RealtalkError(f"{path}: is damaged ({why}); remove it, and the version is started again") from None

    def write(self, entry: Entry) -> None:
        """Write an entry, at once."""
        try:
            self.store.write_text(self._path(entry.version), json.dumps(asdict(entry), indent=2) + "\n")
        except OSError as error:
            raise self.not_writable(error) from None

    def local_folder(self) -> Path:
        """A folder of this machine for its locks: that of the entries, where it is one."""
        if self.store.is_local:
            return Path(self.store.path(*self.folder))
        base = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
        return base / "realtalk" / "watch" / digest(self.store.root, self.folder)

    def not_writable(self, error: OSError) -> RealtalkError:
        """What is raised where the ledger can't be kept."""
        where = self.store.path(*self.folder)
        return RealtalkError(
            f"{where}: what was started can't be noted there ({error.strerror}); name another folder by --state"
        )

    def _path(self, version: str) -> str:
        return self.store.path(*self.folder, f"{version}.json")


def ledger_of(dataset: str, task: str = TRAINING, state: str | None = None) -> Ledger:
    """The ledger of a task on a dataset: in its work/watch/, or below the folder or URI `state`.

    Raises ConfigurationError where the task's name can't be one of a file.
    """
    if not task or task.startswith(".") or not set(task) <= _NAME_CHARACTERS:
        raise ConfigurationError(f"--task: expected letters, digits, '.', '_' and '-', got {task!r}")
    store = store_of(dataset)
    if state is None:
        return Ledger(store, (*_FOLDER, task))
    return Ledger(store_of(state), (digest("dataset", store.root), task))

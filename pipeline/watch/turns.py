"""Whose turn it is: of all watchers of a task on a dataset one works at a time.

On one machine a lock (flock) says so. A command holds it too while it lasts: after its watcher was killed no other one
starts anything before the command has ended. On a bucket there is a claim besides, see `claims`.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.watch.claims import claimed
from pipeline.watch.ledger import Ledger

_LOCK_NAME = "lock"


@dataclass(frozen=True)
class Turn:
    """The right to work. `folder` is a local one to note ends in, `lock` the file whose lock is the right."""

    folder: Path
    lock: IO[bytes]

    def exit_path(self, version: str, start: int) -> Path:
        """Where a command notes its exit code, also when nobody waits for it any more."""
        return self.folder / f"{version}-{start}.exit"

    def exit_code(self, version: str, start: int) -> int | None:
        """The exit code that a command has noted; None where it has not ended by itself."""
        try:
            return int(self.exit_path(version, start).read_text())
        except (FileNotFoundError, ValueError):
            return None


@contextmanager
def turn_of(ledger: Ledger, tell: Callable[[str], None]) -> Iterator[Turn | None]:
    """The turn of this process for the block; None where another one has it. Raises RealtalkError."""
    folder = ledger.local_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / _LOCK_NAME, "ab")  # noqa: SIM115 - held by the block below
    except OSError as error:
        raise ledger.not_writable(error) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        turn = Turn(folder, lock)
        if ledger.store.is_local:
            yield turn
            return
        with claimed(ledger.store, (*ledger.folder, "claims"), folder, tell) as mine:
            yield turn if mine else None

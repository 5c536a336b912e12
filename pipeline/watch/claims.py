"""Claims: how watchers on several machines agree by a bucket, whose objects can't be made by one of them alone.

Each writes an object of its own, then lists all of them. Who sees no other has the turn; who sees one takes its own
away and tries again later. Listing shows every object whose writing has ended (Cloud Storage, S3): of two that write,
the later one sees the other, so never do both have the turn. A claim ends by itself when it isn't renewed for
LEASE_SECONDS: its machine has gone, or has stood still for so long; then another one starts what that one may still
be doing. Clocks have to agree to a minute.
"""

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.store import Store

LEASE_SECONDS = 240.0
_RENEWALS = 4
_OWNER_NAME = "owner"


@dataclass(frozen=True)
class Claims:
    """All claims in a folder of a store; `owner` makes those of this machine."""

    store: Store
    folder: tuple[str, ...]
    owner: str
    clock: Callable[[], float] = time.time

    def take(self) -> bool:
        """Claim the turn; whether it is ours. A claim of our own from before is a dead process's: it is taken over."""
        self.renew()
        if not self._others():
            return True
        self.give_back()
        return False

    def renew(self) -> None:
        """Let the claim last from now on."""
        content = {"host": socket.gethostname(), "until": self.clock() + LEASE_SECONDS}
        self.store.write_text(self._path(self.owner), json.dumps(content))

    def give_back(self) -> None:
        """Take the claim away."""
        self.store.remove(self._path(self.owner))

    def _others(self) -> list[str]:
        """Owners of claims that have not ended."""
        found = [name.removesuffix(".json") for name in self.store.names("/".join(self.folder))]
        return [name for name in found if name != self.owner and self._lasts(name)]

    def _lasts(self, owner: str) -> bool:
        path = self._path(owner)
        try:
            text = self.store.read_text(path)
        except Exception:  # noqa: BLE001 - a file system of any kind; its owner may have taken it away meanwhile
            return self.store.exists(path)
        if text is None:
            return False
        try:
            return bool(json.loads(text)["until"] > self.clock())
        except (ValueError, KeyError, TypeError):
            # Nobody knows when it ends; it is safe to wait for a person.
            return True

    def _path(self, owner: str) -> str:
        return self.store.path(*self.folder, f"{owner}.json")


@contextmanager
def claimed(store: Store, folder: tuple[str, ...], local: Path, tell: Callable[[str], None]) -> Iterator[bool]:
    """Claim the turn for the block and keep it; False where another machine has it."""
    claims = Claims(store, folder, _owner(local))
    if not claims.take():
        yield False
        return
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(claims, over, tell), daemon=True)
    keeper.start()
    try:
        yield True
    finally:
        over.set()
        keeper.join()
        claims.give_back()


def _keep(claims: Claims, over: threading.Event, tell: Callable[[str], None]) -> None:
    while not over.wait(LEASE_SECONDS / _RENEWALS):
        try:
            claims.renew()
        except Exception as error:  # noqa: BLE001 - a file system of any kind; the next renewal may succeed
            why: Any = " ".join(str(error).split()) or type(error).__name__
            tell(f"{claims.store.root}: the claim on the turn can't be renewed ({why}); trying again")


def _owner(local: Path) -> str:
    """A name for this machine's user that no other has, and that stays: hosts may have the same name."""
    path = local / _OWNER_NAME
    if not path.exists():
        path.write_text(secrets.token_hex(8))
    return path.read_text().strip()

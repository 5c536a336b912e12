"""SHA-256 of files that lie still, worked out once.

A file is known again by its inode, size and time of change, as git's index knows it: what is written anew or changed in
place is read again. What a disk loses without being written to isn't seen here; `realtalk audit` reads every byte.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from schemas.ids import file_sha256
from transforms.store import Store

_PLACE = ("work", "checksums.json")
# Clocks of file systems tick as slowly as this: two changes inside of one tick have one time.
_TICK_NANOSECONDS = 2_000_000_000
_KNOWN = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Checksums:
    """What is known of the files of a store in a folder; of a remote one nothing is kept."""

    store: Store
    known: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> "Checksums":
        """With what `keep` left in work/; with nothing where that is damaged or gone."""
        content = store.read_bytes(store.path(*_PLACE)) if store.is_local else None
        try:
            return cls(store, _KNOWN.validate_json(content) if content is not None else {})
        except ValidationError:
            return cls(store)

    def sha256(self, path: str) -> str:
        """SHA-256 (hexadecimal) of a file of this machine; raises OSError where there is none."""
        status = os.stat(path)
        identity = _identity(status)
        found = self.used.get(identity) or self.known.get(identity) or file_sha256(path)
        self._note(status, found)
        return found

    def learn(self, path: str, sha256: str) -> None:
        """Note what a file holds that was just written, or read."""
        if self.store.is_local:
            with suppress(FileNotFoundError):
                self._note(os.stat(path), sha256)

    def _note(self, status: os.stat_result, sha256: str) -> None:
        if self.store.is_local and status.st_mtime_ns < time.time_ns() - _TICK_NANOSECONDS:
            self.used[_identity(status)] = sha256

    def keep(self) -> None:
        """Write down what was asked for or learned, and nothing of files that nobody asks for any more."""
        if self.store.is_local and self.used != self.known:
            content = json.dumps(dict(sorted(self.used.items())), indent=0)
            self.store.write_text(self.store.path(*_PLACE), content + "\n")


def _identity(status: os.stat_result) -> str:
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"

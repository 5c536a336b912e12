"""How many connections to one host are open at once, over all processes of this machine."""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import EpisodeError
from schemas.ids import digest

_FIRST_WAIT_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 0.5


def default_slot_folder() -> Path:
    """The folder that all of one user's processes share."""
    return Path(tempfile.gettempdir()) / f"realtalk-{os.getuid()}" / "connections"


class HostSlots:
    """`per_host` slots for each host, each a file with an advisory lock (flock) on it.

    The kernel drops the lock with the process that holds it, however that process ends, so nothing has to be cleaned
    up after one that was killed. A lock belongs to the open file: threads of one process wait for each other as well.
    """

    def __init__(self, per_host: int, folder: Path | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._per_host = per_host
        self._folder = folder or default_slot_folder()
        self._sleep = sleep

    @contextmanager
    def hold(self, host: str) -> Iterator[None]:
        """Hold one of the host's slots, waiting for one to come free; raises EpisodeError where locks can't be made."""
        wait = _FIRST_WAIT_SECONDS
        while (descriptor := self._free(host)) is None:
            self._sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        try:
            yield
        finally:
            os.close(descriptor)

    def _free(self, host: str) -> int | None:
        """A slot that is nobody's, locked; None where all are taken."""
        name = digest("host", host)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            locks = (self._lock(self._folder / f"{name}.{slot}") for slot in range(self._per_host))
            return next((descriptor for descriptor in locks if descriptor is not None), None)
        except OSError as error:
            why = f"{error.strerror}; connections to a host are counted there: make it writable"
            raise EpisodeError(f"disk-error: {error.filename or self._folder}: {why}") from error

    @staticmethod
    def _lock(path: Path) -> int | None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

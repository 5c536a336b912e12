"""One process at a time writes to a dataset."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import RealtalkError
from transforms.store import Store


@contextmanager
def one_build_at_a_time(store: Store) -> Iterator[None]:
    """Hold the output for this process; a lock of a process that died is gone with it."""
    if not store.is_local:
        yield
        return
    path = Path(store.path("work", "lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - held until the build ends
    except OSError as error:
        raise RealtalkError(f"{store.root}: can't be written to ({error.strerror}); choose another output") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RealtalkError(
                f"{store.root}: another build (process {file.read().strip() or '?'}) is writing here; wait for its end"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield

"""What libraries log: into a file while a build runs, and nothing below an error onto the terminal."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from transforms.store import Store

_STDERR = 2
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def only_errors() -> None:
    """Keep warnings of libraries off the terminal; Beam warns of extras that nobody asked for when it is imported."""
    logging.getLogger().setLevel(logging.ERROR)


def log_path(store: Store) -> str:
    """Where the log of a build goes."""
    return store.path("work", "build.log")


@contextmanager
def logged_to(path: Path | None) -> Iterator[TextIO]:
    """Send what libraries and worker processes write to stderr into a file while the block runs; gives the terminal.

    Below Python, because native libraries and the processes of Beam's local runner write to the descriptor itself.
    With `path` None nothing is redirected.
    """
    if path is None:
        yield sys.stderr
        return
    sys.stderr.flush()
    kept = os.dup(_STDERR)
    with open(path, "w", encoding="utf-8", buffering=1) as log, os.fdopen(kept, "w", encoding="utf-8") as terminal:
        os.dup2(log.fileno(), _STDERR)
        try:
            with _warnings_into(log):
                yield terminal
        finally:
            terminal.flush()
            os.dup2(terminal.fileno(), _STDERR)


class _Handler(logging.StreamHandler[TextIO]):
    """Loses what the disk has no room for: the build itself says that it is full."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass


@contextmanager
def _warnings_into(log: TextIO) -> Iterator[None]:
    root = logging.getLogger()
    handler = _Handler(log)
    handler.setFormatter(logging.Formatter(_FORMAT))
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)

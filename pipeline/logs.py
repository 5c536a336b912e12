"""What libraries log: into a file while a build runs, and nothing below an error onto the terminal."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def only_errors() -> None:
    """Keep warnings of libraries off the terminal; Beam warns of extras that nobody asked for when it is imported."""
    logging.getLogger().setLevel(logging.ERROR)


@contextmanager
def logged_to(path: Path | None) -> Iterator[None]:
    """Send warnings and errors of libraries to a file while the block runs; to stderr where `path` is None."""
    root = logging.getLogger()
    handler: logging.Handler = (
        logging.FileHandler(path, mode="w", encoding="utf-8") if path is not None else logging.StreamHandler()
    )
    handler.setFormatter(logging.Formatter(_FORMAT))
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        handler.close()

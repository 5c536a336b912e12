"""Tar files that depend on their content alone: no time, no owner."""

import io
import json
import math
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.export.unit import creating


@contextmanager
def tar_file(path: Path) -> Iterator[tarfile.TarFile]:
    """A tar to append to, which is at `path` when the block ends without an error."""
    with creating(path) as partial, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        yield tar


def append(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Append a file."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def as_json(row: Mapping[str, Any]) -> bytes:
    """Columns as a line of JSON; a null, or a number that is none, is left out."""
    return (json.dumps(known(row), ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def known(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns, and of words and phones the fields, that JSON can hold: no null, no number without an end."""
    return {
        name: [known(item) for item in value] if isinstance(value, list) else value
        for name, value in row.items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }

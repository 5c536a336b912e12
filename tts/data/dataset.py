"""A dataset as a trainer reads it: through pyarrow, from a folder or any URI, without unpacking it.

It needs no more than pyarrow: a machine that trains has neither Beam nor pydantic.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow.fs as pafs
import pyarrow.parquet as pq

from schemas.errors import RealtalkError

MANIFEST_NAME = "manifest.json"
CONSENTED = "consented"
_FORMAT = 1
_BLOCK = 1 << 22
# Rows in memory at a time: a clip of 15 s takes half a megabyte.
_ROWS = 64


@dataclass(frozen=True, slots=True)
class Shard:
    """A file of chosen clips, as the manifest has it."""

    name: str
    split: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """A dataset that is ready. `location` is a folder or a URI, `document` its manifest."""

    location: str
    document: Mapping[str, Any]
    shards: tuple[Shard, ...]
    files: pafs.FileSystem = field(compare=False, repr=False)
    root: str = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return str(self.document["name"])

    @property
    def version(self) -> str:
        """Hash of all that the manifest says."""
        return str(self.document["version"])

    @property
    def sampling_rate(self) -> int:
        """Hz of its clips."""
        return int(self.document["sampling_rate"])

    @property
    def consent_id(self) -> str:
        """Id of the speaker's consent, "" where none is on record."""
        return str(self.document["consent_id"]) if self.document.get("consent") == CONSENTED else ""

    def of(self, split: str) -> tuple[Shard, ...]:
        """The shards of a split."""
        return tuple(shard for shard in self.shards if shard.split == split)

    def rows(self, shard: Shard, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The rows of a shard, a few in memory at a time.

        Raises RealtalkError where the shard is missing, or is not the one of the manifest.
        """
        where = f"{self.location}/{shard.name}"
        try:
            path = self._place(shard, where)
            with self.files.open_input_file(path) as source, pq.ParquetFile(source) as file:
                for batch in file.iter_batches(_ROWS, columns=list(columns)):
                    yield from batch.to_pylist()
        except FileNotFoundError:
            raise RealtalkError(f"{where}: is missing; run realtalk audit on the dataset") from None
        except (OSError, ValueError) as error:
            raise RealtalkError(
                f"{where}: can't be read ({_line(error)}); run realtalk audit on the dataset"
            ) from error

    def _place(self, shard: Shard, where: str) -> str:
        """Where the shard of this very version is: a build or select that ran meanwhile keeps it in versions/."""
        found = False
        # As schemas.versions.kept_name has it, which needs pydantic.
        for path in (f"{self.root}/{shard.name}", f"{self.root}/versions/{self.version}/{shard.name}"):
            try:
                if self._sha256(path) == shard.sha256:
                    return path
                found = True
            except FileNotFoundError:
                continue
        if not found:
            raise FileNotFoundError(where)
        raise RealtalkError(
            f"{where}: is not the file of version {self.version} of the dataset (its SHA-256 differs); "
            "if builds or selects ran meanwhile start again, else run realtalk audit"
        )

    def _sha256(self, path: str) -> str:
        seen = hashlib.sha256()
        with self.files.open_input_stream(path) as source:
            while block := source.read(_BLOCK):
                seen.update(block)
        return seen.hexdigest()


def open_dataset(location: str) -> Dataset:
    """The dataset in a folder or at a URI (gs://, s3://, or any that fsspec knows where it is installed).

    Raises RealtalkError where none is ready, or its manifest is damaged.
    """
    files, root = file_system(location)
    place = f"{location.rstrip('/')}/{MANIFEST_NAME}"
    try:
        with files.open_input_stream(f"{root}/{MANIFEST_NAME}") as source:
            content = source.read()
    except (FileNotFoundError, NotADirectoryError):
        raise RealtalkError(
            f"{location}: no dataset is ready here, {MANIFEST_NAME} is missing; run realtalk build to its end"
        ) from None
    except OSError as error:
        raise RealtalkError(f"{place}: can't be read ({_line(error)})") from error
    try:
        document = json.loads(content)
        if document["format"] != _FORMAT:
            raise RealtalkError(f"{place}: has format {document['format']!r}, this realtalk reads format {_FORMAT}")
        shards = tuple(
            Shard(str(one["name"]), str(one["split"]), int(one["rows"]), int(one["bytes"]), str(one["sha256"]))
            for one in document["shards"]
        )
        dataset = Dataset(location.rstrip("/"), document, shards, files, root)
        _ = (dataset.name, dataset.version, dataset.sampling_rate, dataset.consent_id)
    except (ValueError, KeyError, TypeError) as error:
        raise RealtalkError(f"{place}: is damaged ({_line(error)}); build the dataset anew") from None
    return dataset


def file_system(location: str) -> tuple[pafs.FileSystem, str]:
    """The file system of a folder or URI, and the path in it, without a slash at its end."""
    if "://" not in location:
        return pafs.LocalFileSystem(), os.path.abspath(location)
    try:
        files, path = pafs.FileSystem.from_uri(location)
    except (ValueError, NotImplementedError):
        # pyarrow does not know the scheme.
        files, path = _by_fsspec(location)
    except OSError as error:
        raise RealtalkError(f"{location}: can't be read ({_line(error)})") from error
    return files, path.rstrip("/")


def _by_fsspec(location: str) -> tuple[pafs.FileSystem, str]:
    scheme = location.partition("://")[0]
    try:
        import fsspec  # type: ignore[import-untyped]
    except ImportError:
        raise RealtalkError(f"{location}: to read {scheme}:// install fsspec and its package for that") from None
    try:
        files, path = fsspec.core.url_to_fs(location)
    except (ImportError, ValueError) as error:
        raise RealtalkError(f"{location}: can't be read ({_line(error)})") from None
    return pafs.PyFileSystem(pafs.FSSpecHandler(files)), path


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

"""The chosen clips of one version of a dataset, read shard by shard: memory holds a row group, whatever its size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.inspect import Dataset
from pipeline.ready import not_ready
from schemas.errors import RealtalkError
from schemas.manifest import MANIFEST_NAME, FileRecord, Manifest, ShardRecord, parse_manifest
from schemas.versions import open_record

_ROWS_PER_BATCH = 16


class RefusedError(Exception):
    """A clip that a format can't hold; its text says why."""


@dataclass(frozen=True)
class Clip:
    """A chosen clip: its columns (schemas.clip.clip_schema) without the audio, and its audio as FLAC."""

    row: Mapping[str, Any]
    flac: bytes

    def __getitem__(self, column: str) -> Any:
        return self.row[column]

    @property
    def id(self) -> str:
        """The clip's id, which is also a name that any file system takes."""
        return str(self.row["id"])

    @property
    def text(self) -> str:
        """The text as written; raises RefusedError where there is none."""
        if not self.row["text"]:
            raise RefusedError("it has no text")
        return str(self.row["text"])


@dataclass(frozen=True)
class Version(Dataset):
    """A dataset as `manifest` has it: its files are read as they were then, also while the next version is written."""

    manifest: Manifest

    def open(self, name: str) -> Any:
        """Raises OSError, and RealtalkError where the file is of another version, and this one's is there no more."""
        records: list[FileRecord | ShardRecord] = [*self.manifest.shards, *self.manifest.files]
        record = next((one for one in records if one.name == name), None)
        return open_record(self.filesystem, self.root, self.manifest, record) if record else super().open(name)


def ready_version(dataset: Dataset) -> Version:
    """The version of a dataset that is ready; raises RealtalkError where none is, or its manifest is damaged."""
    place = f"{dataset.location}/{MANIFEST_NAME}"
    try:
        with dataset.filesystem.open_input_stream(f"{dataset.root}/{MANIFEST_NAME}") as file:
            content: bytes = file.read()
    except FileNotFoundError:
        raise not_ready(dataset.location) from None
    except OSError as error:
        raise RealtalkError(f"{place}: can't be read ({error.strerror or error}); check its permissions") from None
    return Version(dataset.location, dataset.filesystem, dataset.root, parse_manifest(content, place))


def read_clips(dataset: Dataset, name: str) -> Iterator[Clip]:
    """The clips of one shard ("data/train-00000-of-00001.parquet") in its order."""
    try:
        with dataset.open(name) as source:
            file = pq.ParquetFile(source, pre_buffer=False)
            for batch in file.iter_batches(batch_size=_ROWS_PER_BATCH):
                for row in batch.to_pylist():
                    audio = row.pop("audio")
                    yield Clip(row, audio["bytes"])
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(dataset, name, error) from None


def read_rows(dataset: Dataset, name: str, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a table of the dataset ("turns/EPISODE.parquet")."""
    try:
        with dataset.open(name) as source:
            rows: list[dict[str, Any]] = pq.read_table(source, columns=columns).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(dataset, name, error) from None
    return rows


def _unreadable(dataset: Dataset, name: str, error: Exception) -> RealtalkError:
    why = " ".join(str(error).split())
    return RealtalkError(f"{dataset.location}/{name}: can't be read ({why}); run realtalk build to make it anew")

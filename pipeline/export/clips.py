"""The chosen clips of a dataset, read shard by shard: memory holds a row group, whatever the size of the dataset."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.inspect import Dataset
from schemas.errors import RealtalkError
from schemas.manifest import MANIFEST_NAME, Manifest, parse_manifest

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


def read_manifest_of(dataset: Dataset) -> Manifest:
    """The manifest of a dataset, wherever it is; raises RealtalkError where it isn't ready or is damaged."""
    place = f"{dataset.location}/{MANIFEST_NAME}"
    try:
        with dataset.filesystem.open_input_stream(f"{dataset.root}/{MANIFEST_NAME}") as file:
            content: bytes = file.read()
    except OSError:
        raise RealtalkError(
            f"{place}: is missing, so the dataset is not ready; run realtalk build to its end"
        ) from None
    return parse_manifest(content, place)


def read_clips(dataset: Dataset, name: str) -> Iterator[Clip]:
    """The clips of one shard ("data/train-00000-of-00001.parquet") in its order."""
    try:
        with dataset.filesystem.open_input_file(f"{dataset.root}/{name}") as source:
            file = pq.ParquetFile(source, pre_buffer=False)
            for batch in file.iter_batches(batch_size=_ROWS_PER_BATCH):
                for row in batch.to_pylist():
                    audio = row.pop("audio")
                    yield Clip(row, audio["bytes"])
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise RealtalkError(
            f"{dataset.location}/{name}: can't be read ({why}); run realtalk build to make it anew"
        ) from None

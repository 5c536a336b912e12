"""Going through the clips of a dataset's shards: every row looked at, every clip decoded, a few rows at a time.

What has to be remembered of a clip is some numbers: 17 bytes for its id, its audio and its split, and 8 for each
column that a gate asks for. The rest is forgotten with its rows, so memory holds about one row group.
"""

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.clip import clip_schema
from schemas.manifest import SPLITS, Manifest, ShardRecord
from transforms.check_clip import audio_fault

# Rows in memory at a time: a clip of 15 s takes half a megabyte.
_ROWS = 8
_COLUMNS = (
    "id", "audio", "duration", "sampling_rate", "split", "episode_id", "recording_sha256", "source_url",
    "license", "consent_id", "config_hash", "transcript_source",
)  # fmt: skip

#: Tells of a fault: the check that it is one of, and a line on it.
Tell = Callable[[str, str], None]


@dataclass
class Clips:
    """What is remembered of the clips that were gone through, in their order. `ids` and `audio` are 8-byte hashes."""

    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    audio: "array[int]" = field(default_factory=lambda: array("Q"))
    splits: "array[int]" = field(default_factory=lambda: array("B"))
    numbers: dict[str, "array[float]"] = field(default_factory=dict)
    #: Rows by shard, clips and seconds by split.
    rows: Counter[str] = field(default_factory=Counter)
    clips: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    #: The split that an episode or a recording was first seen in, and the clips that are in another one.
    homes: dict[str, str] = field(default_factory=dict)
    astray: set[int] = field(default_factory=set)
    episodes: set[str] = field(default_factory=set)
    without_consent: int = 0
    without_license: int = 0
    recognised: int = 0


def schema_fault(schema: pa.Schema, sampling_rate: int) -> str:
    """How a shard's schema differs from that of clips, in words; "" where it doesn't."""
    wanted = clip_schema(sampling_rate)
    missing = [name for name in wanted.names if name not in schema.names]
    more = [name for name in schema.names if name not in wanted.names]
    if missing or more:
        told = [
            f"{', '.join(names[:3])}{' ...' * (len(names) > 3)} {what}"
            for names, what in ((missing, "missing"), (more, "unknown"))
            if names
        ]
        return f"columns: {'; '.join(told)}"
    wrong = next((name for name in wanted.names if schema.field(name).type != wanted.field(name).type), None)
    if wrong is not None:
        return f"column {wrong} is {schema.field(wrong).type}, not {wanted.field(wrong).type}"
    if schema.names != wanted.names:
        return "its columns are in another order"
    if (schema.metadata or {}).get(b"huggingface") != (wanted.metadata or {}).get(b"huggingface"):
        return f"it doesn't say that its audio has {sampling_rate} samples a second"
    return ""


def go_through(path: str, record: ShardRecord, manifest: Manifest, found: Clips, tell: Tell) -> None:
    """Look at every row of the shard at a local `path`, add it to `found`, and tell of every fault."""
    try:
        with pq.ParquetFile(path, pre_buffer=False, memory_map=False) as file:
            rows = file.metadata.num_rows
            if rows != record.rows:
                tell("rows", f"{record.name} has {rows} rows, the manifest says {record.rows}")
            fault = schema_fault(file.schema_arrow, manifest.sampling_rate)
            if fault:
                tell("schema", f"{record.name}: {fault}")
            wanted = clip_schema(manifest.sampling_rate)
            lacking = [
                name
                for name in (*_COLUMNS, *found.numbers)
                if name not in file.schema_arrow.names or file.schema_arrow.field(name).type != wanted.field(name).type
            ]
            if lacking:
                tell("clips", f"{record.name}: its clips can't be looked at for want of {', '.join(lacking)}")
                return
            for batch in file.iter_batches(_ROWS, columns=[*_COLUMNS, *found.numbers], use_threads=False):
                _look_at(batch, record, manifest, found, tell)
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        tell("clips", f"{record.name}: can't be read to its end ({' '.join(str(error).split())})")


def _look_at(batch: pa.RecordBatch, record: ShardRecord, manifest: Manifest, found: Clips, tell: Tell) -> None:
    columns = {name: batch.column(name).to_pylist() for name in _COLUMNS if name != "audio"}
    for number, audio in enumerate(batch.column("audio")):
        row = {name: values[number] for name, values in columns.items()}
        content = (audio.as_py() or {}).get("bytes")
        _look_at_clip(row, content, record, manifest, found, tell)
    for name, values in found.numbers.items():
        column = batch.column(name).cast(pa.float64())
        values.extend(column.fill_null(math.nan).to_pylist())


def _look_at_clip(
    row: Mapping[str, Any], content: bytes | None, record: ShardRecord, manifest: Manifest, found: Clips, tell: Tell
) -> None:
    where = f"{record.name}: clip {row['id'] or 'without an id'}"
    if not row["id"]:
        tell("ids", f"{record.name}: row {found.rows[record.name]} has no id")
    fault = audio_fault(content, row["duration"], row["sampling_rate"])
    if fault:
        tell("clips", f"{where} {fault}")
    if row["split"] != record.split:
        tell("splits", f"{where} says it is of {row['split']}, its shard is of {record.split}")
    for fault in _rights_faults(row, manifest):
        tell("rights", f"{where} {fault}")
    position = len(found.ids)
    for kind in ("episode_id", "recording_sha256"):
        if row[kind] and found.homes.setdefault(f"{kind} {row[kind]}", record.split) != record.split:
            found.astray.add(position)
    found.ids.append(_hash((row["id"] or "").encode()))
    found.audio.append(_hash(content or b""))
    found.splits.append(SPLITS.index(record.split) if record.split in SPLITS else len(SPLITS))
    found.rows[record.name] += 1
    found.clips[record.split] += 1
    found.seconds[record.split] = found.seconds.get(record.split, 0.0) + (row["duration"] or 0.0)
    found.episodes.add(row["episode_id"] or "")
    found.without_consent += not row["consent_id"]
    found.without_license += not row["license"]
    found.recognised += (row["transcript_source"] or "").startswith("recognised:")


def _rights_faults(row: Mapping[str, Any], manifest: Manifest) -> Iterator[str]:
    if (row["consent_id"] or "") != manifest.consent_id:
        said = row["consent_id"] or "none"
        yield f"has consent {said}, the manifest says {manifest.consent_id or 'none'}"
    if row["config_hash"] != manifest.config_hash:
        yield f"was made by configuration {row['config_hash']}, the manifest says {manifest.config_hash}"
    for name in ("source_url", "recording_sha256"):
        if not row[name]:
            yield f"has no {name}: nobody can tell where it is from"


def repeated(hashes: Sequence[int]) -> NDArray[np.int64]:
    """Positions of all that come a second time, ascending."""
    values = np.frombuffer(hashes, np.uint64) if len(hashes) else np.empty(0, np.uint64)  # type: ignore[call-overload]
    order = np.argsort(values, kind="stable")
    again = np.flatnonzero(np.diff(values[order]) == 0) + 1
    positions: NDArray[np.int64] = np.sort(order[again])
    return positions


def in_several_splits(found: Clips) -> NDArray[np.int64]:
    """Positions of the clips whose episode, recording or audio is in another split too, but for the first's split."""
    astray = set(found.astray)
    if found.audio:
        values, splits = np.frombuffer(found.audio, np.uint64), np.frombuffer(found.splits, np.uint8)
        order = np.argsort(values, kind="stable")
        starts = np.concatenate([[True], np.diff(values[order]) != 0])
        first = order[np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))]
        astray.update(order[splits[order] != splits[first]].tolist())
    return np.array(sorted(astray), np.int64)


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")

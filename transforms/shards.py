"""Shards: the chosen clips with their audio as Parquet files that Hugging Face `datasets` plays.

Splits are by hash of what was recorded; names, order and bytes depend on the clips alone. Audio is copied by reference,
a row group at a time: memory holds about one row group, whatever the size of the dataset.
"""

import hashlib
import os
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby, repeat, takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.clip import audio_schema, clip_schema
from schemas.errors import RealtalkError
from schemas.ids import file_sha256
from schemas.manifest import SPLITS, FileRecord, ShardRecord
from schemas.verdict import KEPT
from transforms.store import Store

RATIOS = (0.9, 0.05, 0.05)
TARGET_BYTES = 384 << 20
# Rows of a row group: the viewer of the Hub reads one whole group to show a page of 100.
ROWS_PER_GROUP = 100
# Rows between two looks at the size of a page: few, so that a page holds about 1 MiB of audio and not a whole group.
_ROWS_PER_BATCH = 8
# Clips read at once: their audio stays in the processor's cache, which makes reading twice as fast.
_ROWS_AT_ONCE = 32
# What FLAC makes of a sample of 16-bit speech, on average (podcasts at 24 kHz: 1.0 to 1.3).
_FLAC_BYTES_PER_SAMPLE = 1.15
# Parquet's physical type of text, which repeats itself where numbers seldom do.
_TEXT = "BYTE_ARRAY"
_AUDIO_COLUMNS = ("audio.bytes", "audio.path")
#: Columns of candidate_schema that references are made of.
REFERENCE_COLUMNS = ("id", "episode_id", "start", "split", "verdict", "duration", "sampling_rate")
# An episode without a date comes after all that have one.
_NO_DATE = "~"

#: Where the file of an episode is: a folder that holds `<episode_id>.parquet`, or a function of the episode's id.
Files = str | Path | Callable[[str], str | Path]


# A tuple, because all of a dataset travel together: it is pickled and hashed many times faster than a dataclass.
class ClipReference(NamedTuple):
    """A chosen clip without its audio, ordered as in the shards. `bytes` is an estimate of its audio's size."""

    published: str
    episode_id: str
    start: float
    id: str
    split: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """A shard to be written: `name` is its path below the dataset's folder."""

    name: str
    split: str
    clips: tuple[ClipReference, ...]


def split_key(episode_id: str, recording_sha256: str | None) -> str:
    """What decides an episode's split: its recording, so that one recording under two guids stays in one split.

    An episode of which nothing was recorded is its own key.
    """
    return recording_sha256 or episode_id


def assign_split(key: str, ratios: Sequence[float] = RATIOS) -> str:
    """The split of a key: "train", "validation" or "test", with the probabilities `ratios` (which add up to 1).

    It depends on the key alone, so episodes that come later move none. The price: of a few episodes all may be in one
    split. `assign_splits` sees to it that it's "train".
    """
    if len(ratios) != len(SPLITS) or min(ratios) < 0 or abs(sum(ratios) - 1) > 1e-9:
        raise ValueError(f"ratios have to be three shares that add up to 1, not {tuple(ratios)}")
    point = int.from_bytes(hashlib.sha256(f"split:{key}".encode()).digest()[:8], "big") / 2**64
    bounds = list(accumulate(ratios))[:-1]
    return SPLITS[bisect_right(bounds, point)]


def assign_splits(keys: Iterable[str], ratios: Sequence[float] = RATIOS) -> dict[str, str]:
    """The split of every key of a dataset. Where no key falls into "train", all do: nothing could be trained else."""
    splits = {key: assign_split(key, ratios) for key in sorted(set(keys))}
    return splits if "train" in splits.values() else dict.fromkeys(splits, "train")


def references(candidates: pa.Table, published: str | None) -> list[ClipReference]:
    """The chosen clips of one episode's judged candidates, in order; `published` as the episode has it."""
    chosen = candidates.select(list(REFERENCE_COLUMNS)).filter(pc.equal(candidates["verdict"], KEPT))
    samples = pc.multiply(chosen["duration"], pc.cast(chosen["sampling_rate"], pa.float64())).to_numpy()
    columns = (chosen[name].to_pylist() for name in ("episode_id", "start", "id", "split"))
    sizes = np.round(samples * _FLAC_BYTES_PER_SAMPLE).astype(np.int64).tolist()
    dates = repeat(published or _NO_DATE, chosen.num_rows)
    return sorted(map(ClipReference, dates, *columns, sizes))


def plan_shards(clips: Iterable[ClipReference], target_bytes: int = TARGET_BYTES) -> tuple[ShardPlan, ...]:
    """Which clips go into which shard: each split evenly into as few as keep each at about `target_bytes`."""
    by_split: dict[str, list[ClipReference]] = {}
    for clip in clips:
        by_split.setdefault(clip.split, []).append(clip)
    unknown = sorted(set(by_split) - set(SPLITS))
    if unknown:
        raise ValueError(f"clips of the splits {unknown}; there are {SPLITS}")
    plans: list[ShardPlan] = []
    for split in SPLITS:
        parts = _even_parts(sorted(by_split.get(split, ())), target_bytes)
        for number, part in enumerate(parts):
            plans.append(ShardPlan(f"data/{split}-{number:05d}-of-{len(parts):05d}.parquet", split, part))
    return tuple(plans)


def write_shard(
    plan: ShardPlan, clip_files: Files, candidate_files: Files, out: str | Path, sampling_rate: int
) -> ShardRecord:
    """Write one shard to the local path `out`, whole or not at all.

    `clip_files` are clips/<episode>.parquet (audio_schema), `candidate_files` candidates/<episode>.parquet
    (candidate_schema); one episode's files are open at a time. `sampling_rate` (Hz) is what players are told.
    Raises RealtalkError where a planned clip is missing from either.
    """
    schema = clip_schema(sampling_rate)
    with _replacing(out) as partial, _audio_writer(partial, schema) as writer:
        batches = (
            batch for run in _episode_runs(plan) for batch in _clips_of(run, clip_files, candidate_files, schema)
        )
        for group in _regrouped(batches):
            writer.write_table(group.joined(schema), row_group_size=ROWS_PER_GROUP)
    return ShardRecord(plan.name, plan.split, len(plan.clips), os.path.getsize(out), file_sha256(out))


def write_clips(path: str | Path, clips: Iterable[tuple[str, bytes]], sampling_rate: int) -> int:
    """Write clips/<episode>.parquet from (clip id, FLAC bytes), whole or not at all; returns how many there were.

    `clips` may be a generator: about one row group is in memory at a time.
    """
    schema = audio_schema(sampling_rate)

    def batches() -> Iterator[_Batch]:
        for clip, audio in clips:
            row = {"id": clip, "audio": {"bytes": audio, "path": f"{clip}.flac"}}
            table = pa.Table.from_pylist([row], schema=schema)
            yield _Batch(table.select(["id"]), table["audio"])

    rows = 0
    with _replacing(path) as partial, _audio_writer(partial, schema) as writer:
        for group in _regrouped(batches()):
            writer.write_table(group.joined(schema), row_group_size=ROWS_PER_GROUP)
            rows += group.rows.num_rows
    return rows


def write_table(path: str | Path, table: pa.Table) -> None:
    """Write a table without audio as Parquet (zstd) at a local path, whole or not at all."""
    with _replacing(path) as partial:
        partial.write_bytes(as_parquet(table))


def keep_table(store: Store, path: str, table: pa.Table) -> None:
    """Let `path` of a store hold a table as `write_table` writes it; a file that holds it already stays as it is."""
    keep_content(store, path, as_parquet(table))


def keep_content(store: Store, path: str, content: bytes) -> None:
    """Let `path` of a store hold some bytes; a file that holds them already stays as it is."""
    if store.read_bytes(path) != content:
        with store.create(path) as partial:
            partial.write_bytes(content)


def as_parquet(table: pa.Table) -> bytes:
    """A table without audio as the bytes of a Parquet file (zstd), the same for the same table."""
    sink = pa.BufferOutputStream()
    texts = [path for path, kind in _leaf_columns(table.schema).items() if kind == _TEXT]
    pq.write_table(table, sink, compression="zstd", use_dictionary=texts, write_page_index=True)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def file_record(path: str, name: str, sha256_of: Callable[[str], str] = file_sha256) -> FileRecord:
    """The manifest's line for a Parquet file at `path` that is called `name` in the dataset."""
    return FileRecord(name, pq.read_metadata(path).num_rows, os.path.getsize(path), sha256_of(path))


def _even_parts(clips: Sequence[ClipReference], target_bytes: int) -> list[tuple[ClipReference, ...]]:
    """Consecutive parts of about the same size in bytes."""
    total = sum(clip.bytes for clip in clips)
    wanted = max(1, -(-total // target_bytes))
    before = accumulate((clip.bytes for clip in clips), initial=0)
    part_of = [offset * wanted // max(total, 1) for offset, _ in zip(before, clips, strict=False)]
    numbered = groupby(zip(part_of, clips, strict=True), key=lambda pair: pair[0])
    return [tuple(clip for _, clip in part) for _, part in numbered]


def _episode_runs(plan: ShardPlan) -> Iterator[list[ClipReference]]:
    for _, run in groupby(plan.clips, key=lambda clip: clip.episode_id):
        yield list(run)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Clips: their columns but the audio, and their audio, in pieces as they lie in memory (copying them is dear)."""

    rows: pa.Table
    audio: pa.ChunkedArray

    def slice(self, start: int, stop: int | None = None) -> "_Batch":
        length = None if stop is None else stop - start
        return _Batch(self.rows.slice(start, length), self.audio.slice(start, length))

    def joined(self, schema: pa.Schema) -> pa.Table:
        """As a table of a schema."""
        rows = self.rows.combine_chunks()
        columns = [self.audio if name == "audio" else rows[name] for name in schema.names]
        return pa.Table.from_arrays(columns, schema=schema)


def _clips_of(
    run: Sequence[ClipReference], clip_files: Files, candidate_files: Files, schema: pa.Schema
) -> Iterator[_Batch]:
    """The clips of one episode in the order of `run`, in batches of a row group at most."""
    episode = run[0].episode_id
    scores_path, audio_path = _file_of(candidate_files, episode), _file_of(clip_files, episode)
    scores = _read_scores(scores_path, schema)
    row_of = {clip: row for row, clip in enumerate(scores["id"].to_pylist())}
    order = [clip.id for clip in run]
    _require(set(order) - row_of.keys(), scores_path)
    rows = _taken(scores, [row_of[clip] for clip in order])
    done = 0
    waiting: dict[str, pa.ChunkedArray] = {}
    for ids, audio in _audio_of(audio_path, set(order)):
        # Files hold clips in the order of the plan, so nothing waits; one that doesn't costs memory, not order.
        if waiting or ids != order[done : done + len(ids)]:
            waiting |= {clip: audio.slice(row, 1) for row, clip in enumerate(ids)}
            ids = list(takewhile(waiting.__contains__, order[done:]))
            audio = _in_one([waiting.pop(clip) for clip in ids], audio.type)
        if ids:
            yield _Batch(rows.slice(done, len(ids)), audio)
        done += len(ids)
    _require(set(order[done:]) - waiting.keys(), audio_path)


def _in_one(parts: Iterable[pa.ChunkedArray], kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], kind)


def _taken(table: pa.Table, rows: Sequence[int]) -> pa.Table:
    """Some rows of a table: where they follow each other, without copying any."""
    first, length = rows[0], len(rows)
    return table.slice(first, length) if rows == list(range(first, first + length)) else table.take(rows)


def _read_scores(path: Path, schema: pa.Schema) -> pa.Table:
    columns = [name for name in schema.names if name != "audio"]
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            return file.read(columns=columns, use_threads=False).select(columns)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def _audio_of(path: Path, wanted: set[str]) -> Iterator[tuple[list[str], pa.ChunkedArray]]:
    """Ids and audio of the wanted clips, a few at a time; row groups without any aren't read."""
    try:
        with pq.ParquetFile(path, pre_buffer=False, memory_map=False) as file:
            ids = file.read(columns=["id"], use_threads=False)["id"].to_pylist()
            groups, left = [], []
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                its, ids = ids[:rows], ids[rows:]
                if not wanted.isdisjoint(its):
                    groups.append(group)
                    left += its
            for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=groups, columns=["audio"], use_threads=False):
                its, left = left[: batch.num_rows], left[batch.num_rows :]
                is_wanted = np.array([clip in wanted for clip in its], dtype=bool)
                # Where runs of wanted clips begin and end.
                edges = np.flatnonzero(np.diff(is_wanted, prepend=False, append=False)).reshape(-1, 2)
                audio = batch.column(0)
                runs = [audio.slice(first, end - first) for first, end in edges.tolist()]
                yield [clip for clip in its if clip in wanted], pa.chunked_array(runs, audio.type)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def _regrouped(batches: Iterable[_Batch]) -> Iterator[_Batch]:
    """The same clips in batches of ROWS_PER_GROUP, so that groups don't depend on where episodes end."""
    pending: list[_Batch] = []
    rows = 0
    for batch in batches:
        pending.append(batch)
        rows += batch.rows.num_rows
        while rows >= ROWS_PER_GROUP:
            whole = _concatenated(pending)
            yield whole.slice(0, ROWS_PER_GROUP)
            rows -= ROWS_PER_GROUP
            pending = [whole.slice(ROWS_PER_GROUP)]
    if rows:
        yield _concatenated(pending)


def _concatenated(batches: Sequence[_Batch]) -> _Batch:
    audio = _in_one((batch.audio for batch in batches), batches[0].audio.type)
    return _Batch(pa.concat_tables([batch.rows for batch in batches]), audio)


def _audio_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer that leaves audio as it is (FLAC compresses no further; statistics would hold whole clips).

    Of a hundredth of the bytes, all other columns, as little as possible is made: they would take as long as the audio.
    """
    leaves = {path: kind for path, kind in _leaf_columns(schema).items() if path not in _AUDIO_COLUMNS}
    compression: Mapping[str, Any] = {**dict.fromkeys(leaves, "snappy"), **dict.fromkeys(_AUDIO_COLUMNS, "none")}
    return pq.ParquetWriter(
        path,
        schema,
        compression=compression,
        use_dictionary=[path for path, kind in leaves.items() if kind == _TEXT],
        write_statistics=[path for path in leaves if "." not in path],
        write_page_index=True,
        write_batch_size=_ROWS_PER_BATCH,
    )


@lru_cache(maxsize=4)
def _leaf_columns(schema: pa.Schema) -> dict[str, str]:
    """Parquet's own paths of the leaf columns ("words.list.element.text"), and their physical types."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    found = pq.read_metadata(pa.BufferReader(sink.getvalue())).schema
    return {found.column(index).path: found.column(index).physical_type for index in range(len(found.names))}


def _file_of(files: Files, episode_id: str) -> Path:
    return Path(files(episode_id)) if callable(files) else Path(files) / f"{episode_id}.parquet"


def _require(missing: Iterable[str], path: Path) -> None:
    lost = sorted(missing)
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise RealtalkError(
            f"{path}: the clip {lost[0]}{more} is not in it, though it was chosen; run realtalk build to make it anew"
        )


def _unreadable(path: Path, error: Exception) -> RealtalkError:
    line = " ".join(str(error).split())
    return RealtalkError(f"{path}: can't be read ({line}); run realtalk build to make it anew")


@contextmanager
def _replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path` that takes its place when the block ends without an error."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}.partial{target.suffix}")
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)

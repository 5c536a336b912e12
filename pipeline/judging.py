"""The verdicts on one episode's candidates, and its chosen clips in shards: what a build and a choice do alike."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from schemas.clip import candidate_schema
from schemas.ids import digest, file_sha256
from schemas.manifest import ShardRecord
from schemas.verdict import KEPT, Thresholds, corrected_source
from transforms.corrections import Reviewed, with_corrections
from transforms.deduplicate import FINGERPRINT_COLUMNS
from transforms.select import select, with_duplicates, with_reviews, with_split
from transforms.shards import ShardPlan, as_parquet, keep_content, split_key, write_shard
from transforms.store import Store
from transforms.summarize import CANDIDATE_COLUMNS, Summary

# Raised when the same plan is written with other bytes than before.
_WRITER_VERSION = 2
_SHARD_RECORD = TypeAdapter(ShardRecord)


@dataclass(frozen=True)
class Scored:
    """The candidates of one episode: their scores, their audio, and the columns that the dataset adds to each row."""

    episode_id: str
    published: str | None
    recording_sha256: str
    scores_path: str
    audio_path: str
    columns: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """An episode's candidates with their verdicts. `sampling_rate` is the highest of the kept clips, 0 without any;
    `bytes` and `sha256` are of the file at `candidates_path`."""

    episode_id: str
    published: str | None
    split: str
    candidates_path: str
    audio_path: str
    rows: int
    seconds: float
    kept: int
    kept_seconds: float
    sampling_rate: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Outcome:
    """An episode's row of EPISODE_SCHEMA, and what it adds to the summary."""

    row: Mapping[str, Any]
    summary: Summary


@dataclass(frozen=True)
class WrittenShard:
    """A shard in work/, to be published under its name."""

    record: ShardRecord
    path: str


@dataclass(frozen=True)
class Rule:
    """What decides on a candidate beside its scores: limits, the profiles that tiers are of, what people found."""

    thresholds: Thresholds
    profiles: Mapping[str, Thresholds]
    reviewed: Reviewed


def read_fingerprints(scored: Scored, store: Store, reviewed: Reviewed) -> tuple[Scored, pa.Table]:
    """An episode with the columns that finding duplicates needs, and nothing more."""
    table = pq.read_table(store.fetch(scored.scores_path), columns=list(FINGERPRINT_COLUMNS), partitioning=None)
    return scored, _with_corrected_sources(table, reviewed)


def _with_corrected_sources(table: pa.Table, reviewed: Reviewed) -> pa.Table:
    if not reviewed.corrections:
        return table
    sources = [
        corrected_source(row["transcript_source"] or "") if reviewed.correction(row) else row["transcript_source"]
        for row in table.to_pylist()
    ]
    place = table.schema.get_field_index("transcript_source")
    return table.set_column(place, "transcript_source", pa.array(sources, pa.string()))


def rows_of(tables: Iterable[tuple[Scored, pa.Table]]) -> Iterator[dict[str, Any]]:
    """Clips as `find_duplicates` takes them."""
    for scored, table in tables:
        for row in table.to_pylist():
            yield {
                **row,
                "episode_id": scored.episode_id,
                "published": scored.published,
                "recording_sha256": scored.recording_sha256,
            }


def judge_episodes(
    some: Sequence[Scored], store: Store, rule: Rule, splits: Mapping[str, str], originals: Mapping[str, str] | None
) -> list[tuple[Judged, pa.Table]]:
    """Write the candidates of some episodes with verdicts into work/candidates/; what is there now, and the tables.

    `splits` are by `split_key`. `originals` are what `find_duplicates` gives; None where the candidates say of
    themselves what they duplicate. Judging those of one episode takes as long as those of several.
    """
    tables, left_out = [], []
    split_of = [splits[split_key(one.episode_id, one.recording_sha256)] for one in some]
    for scored, split in zip(some, split_of, strict=True):
        table, reviews = with_corrections(_read(store, scored), rule.reviewed)
        table = with_split(table, split)
        tables.append(table if originals is None else with_duplicates(table, originals))
        left_out.append(reviews)
    judged = select(pa.concat_tables(tables), rule.thresholds, rule.profiles)
    ends = accumulate(table.num_rows for table in tables)
    parts = (judged.slice(end - table.num_rows, table.num_rows) for end, table in zip(ends, tables, strict=True))
    return [
        _written(scored, store, split, with_reviews(part, reviews))
        for scored, split, part, reviews in zip(some, split_of, parts, left_out, strict=True)
    ]


def _read(store: Store, scored: Scored) -> pa.Table:
    with pq.ParquetFile(store.fetch(scored.scores_path), pre_buffer=False) as file:
        return with_columns(file.read(use_threads=False), scored.columns)


def _written(scored: Scored, store: Store, split: str, judged: pa.Table) -> tuple[Judged, pa.Table]:
    judged = judged.select(candidate_schema().names).cast(candidate_schema())
    content = as_parquet(judged)
    sha256 = hashlib.sha256(content).hexdigest()
    path = store.path("work", "candidates", f"{scored.episode_id}-{sha256[:16]}.parquet")
    keep_content(store, path, content)
    return as_judged(scored, split, path, judged, len(content), sha256), judged


def with_columns(table: pa.Table, columns: Mapping[str, str | None]) -> pa.Table:
    """The table with constant text columns set."""
    for name, value in columns.items():
        values = pa.repeat(pa.scalar(value, pa.string()), table.num_rows)
        position = table.schema.get_field_index(name)
        table = table.set_column(position, name, values) if position >= 0 else table.append_column(name, values)
    return table


def as_judged(scored: Scored, split: str, path: str, candidates: pa.Table, size: int, sha256: str) -> Judged:
    """What the dataset has to know of an episode's judged `candidates`, kept at `path` in `size` bytes."""
    chosen = candidates.select(["duration", "sampling_rate"]).filter(pc.equal(candidates["verdict"], KEPT))
    return Judged(
        episode_id=scored.episode_id,
        published=scored.published,
        split=split,
        candidates_path=path,
        audio_path=scored.audio_path,
        rows=candidates.num_rows,
        seconds=sum(candidates["duration"].to_pylist()),
        kept=chosen.num_rows,
        kept_seconds=sum(chosen["duration"].to_pylist()),
        sampling_rate=max(chosen["sampling_rate"].to_pylist(), default=0),
        bytes=size,
        sha256=sha256,
    )


def read_summed_up(judged: Judged, store: Store) -> pa.Table:
    """The columns of an episode's judged candidates that `with_verdicts` needs."""
    return pq.read_table(store.fetch(judged.candidates_path), columns=list(CANDIDATE_COLUMNS), partitioning=None)


def with_verdicts(
    row: Mapping[str, Any], judged: Judged | None, candidates: pa.Table | None, announced: float | None
) -> Outcome:
    """An episode's row with what became of its judged candidates (None: it has none), and its summary.

    `announced` is the length (s) that the feed gives.
    """
    if judged is not None:
        row = {
            **row,
            "split": judged.split,
            "candidates": judged.rows,
            "candidate_seconds": round(judged.seconds, 6),
            "kept": judged.kept,
            "kept_seconds": round(judged.kept_seconds, 6),
        }
    return Outcome(row, Summary.of_episode(row, candidates if candidates is not None else (), announced))


def write_or_find_shard(
    plan: ShardPlan,
    store: Store,
    files: Mapping[str, tuple[str, str]],
    rate: int,
    sha256_of: Callable[[str], str] = file_sha256,
) -> WrittenShard:
    """Write a shard into work/shards/, or find it there: it is named for all that its bytes depend on.

    `files` are the paths of an episode's audio and candidates in the store, by episode id. `rate` (Hz) is what players
    are told.
    """
    episodes = sorted({clip.episode_id for clip in plan.clips})
    key = digest("shard", plan, rate, [files[episode] for episode in episodes], _WRITER_VERSION)
    path = store.path("work", "shards", f"{key}.parquet")
    record_path = store.path("work", "shards", f"{key}.json")
    record = _known(store, record_path, path, sha256_of)
    if record is None:
        with store.create(path) as partial:
            record = write_shard(
                plan,
                clip_files=lambda episode: store.fetch(files[episode][0]),
                candidate_files=lambda episode: store.fetch(files[episode][1]),
                out=partial,
                sampling_rate=rate,
            )
        store.write_text(record_path, _SHARD_RECORD.dump_json(record).decode())
    return WrittenShard(record, path)


def read_shard_record(store: Store, path: str) -> ShardRecord | None:
    """The record beside a shard in work/shards/; None where it is damaged or gone."""
    content = store.read_bytes(path)
    try:
        return _SHARD_RECORD.validate_json(content) if content is not None else None
    except ValueError:
        return None


def _known(store: Store, record_path: str, path: str, sha256_of: Callable[[str], str]) -> ShardRecord | None:
    """The record of a shard that is there as it was written; None where it, or its record, is damaged or gone."""
    record = read_shard_record(store, record_path)
    if record is None or not store.exists(path):
        return None
    is_whole = store.size(path) == record.bytes and sha256_of(store.fetch(path)) == record.sha256
    return record if is_whole else None

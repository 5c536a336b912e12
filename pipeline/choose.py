"""From scores to shards: duplicates, verdicts, splits, shards. The same steps serve `build` and `select`.

    scored ─► duplicates (by fingerprint) ─┐
           ─► splits (by recording) ───────┴► judge ─► plan ─► shards

No audio travels: references to clips do, and the writer of a shard copies their audio from the files of their episodes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.pvalue import AsDict, AsSingleton
from pydantic import TypeAdapter

from schemas.clip import candidate_schema
from schemas.ids import digest, file_sha256
from schemas.manifest import ShardRecord
from schemas.verdict import KEPT, PROFILES, Thresholds, corrected_source
from transforms.corrections import NOTHING, Reviewed, with_corrections
from transforms.deduplicate import FINGERPRINT_COLUMNS, find_duplicates
from transforms.select import kept, select, with_duplicates, with_reviews, with_split
from transforms.shards import (
    REFERENCE_COLUMNS,
    ClipReference,
    ShardPlan,
    as_parquet,
    assign_splits,
    keep_content,
    plan_shards,
    references,
    split_key,
    write_shard,
)
from transforms.store import Store

# Raised when the same plan is written with other bytes than before.
_WRITER_VERSION = 1
SHARD_RECORD = TypeAdapter(ShardRecord)


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
class WrittenShard:
    """A shard in work/, to be published under its name."""

    record: ShardRecord
    path: str


@dataclass(frozen=True)
class Choice:
    """What `Choose` makes."""

    judged: beam.PCollection
    shards: beam.PCollection


class Choose(beam.PTransform):
    """Scored episodes in; a Choice (judged episodes, written shards) out.

    `reviewed` is what people who listened decided.
    """

    def __init__(
        self,
        store: Store,
        thresholds: Thresholds,
        ratios: tuple[float, float, float],
        rate: int,
        profiles: Mapping[str, Thresholds] = PROFILES,
        reviewed: Reviewed = NOTHING,
    ) -> None:
        super().__init__()
        self.judge = JudgeEpisode(store, thresholds, profiles, reviewed)
        self.reviewed = reviewed
        self.store = store
        self.ratios = ratios
        self.rate = rate

    def expand(self, scored: beam.PCollection) -> Any:
        # In one place: a clip has dozens of buckets, and moving its fingerprint into each costs more than comparing.
        originals = (
            scored
            | "Read fingerprints" >> beam.Map(read_fingerprints, self.store, self.reviewed)
            | "All fingerprints" >> beam.combiners.ToList()
            | "Find duplicates" >> beam.Map(lambda tables: find_duplicates(rows_of(tables)))
        )
        splits = (
            scored
            | "Split keys" >> beam.Map(lambda one: split_key(one.episode_id, one.recording_sha256))
            | "All keys" >> beam.combiners.ToList()
            | "Assign splits" >> beam.Map(assign_splits, self.ratios)
        )
        judged = scored | "Judge" >> beam.ParDo(
            self.judge, originals=AsSingleton(originals), splits=AsSingleton(splits)
        )
        rate = (
            judged
            | "Rates" >> beam.Map(lambda one: one.sampling_rate)
            | "Highest rate" >> beam.CombineGlobally(highest)
            | "Or as configured" >> beam.Map(lambda found, rate: found or rate, self.rate)
        )
        files = judged | "Files" >> beam.Map(lambda one: (one.episode_id, (one.audio_path, one.candidates_path)))
        shards = (
            judged
            | "References" >> beam.Map(read_references, self.store)
            | "All references" >> beam.combiners.ToList()
            | "Plan shards" >> beam.FlatMap(lambda tables: plan_shards(clips_of(tables)))
            | "Spread shards" >> beam.Reshuffle()
            | "Write shards" >> beam.ParDo(WriteShard(self.store), files=AsDict(files), rate=AsSingleton(rate))
        )
        return Choice(judged, shards)


def highest(rates: Iterable[int]) -> int:
    """The highest of some rates (Hz); 0 of none."""
    return max(rates, default=0)


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


class JudgeEpisode(beam.DoFn):
    """Writes an episode's candidates with their verdicts into work/candidates/."""

    def __init__(
        self,
        store: Store,
        thresholds: Thresholds,
        profiles: Mapping[str, Thresholds],
        reviewed: Reviewed,
    ) -> None:
        self.store = store
        self.reviewed = reviewed
        self.thresholds = thresholds
        self.profiles = dict(profiles)

    def process(self, scored: Scored, originals: Mapping[str, str], splits: Mapping[str, str]) -> Iterator[Judged]:
        split = splits[split_key(scored.episode_id, scored.recording_sha256)]
        table = pq.read_table(self.store.fetch(scored.scores_path), partitioning=None)
        table, left_out = with_corrections(with_columns(table, scored.columns), self.reviewed)
        table = with_split(table, split)
        judged = select(with_duplicates(table, originals), self.thresholds, self.profiles)
        judged = with_reviews(judged, left_out)
        judged = judged.select(candidate_schema().names).cast(candidate_schema())
        content = as_parquet(judged)
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.store.path("work", "candidates", f"{scored.episode_id}-{sha256[:16]}.parquet")
        keep_content(self.store, path, content)
        yield as_judged(scored, split, path, judged, len(content), sha256)


def with_columns(table: pa.Table, columns: Mapping[str, str | None]) -> pa.Table:
    """The table with constant text columns set."""
    for name, value in columns.items():
        values = pa.array([value] * table.num_rows, pa.string())
        position = table.schema.get_field_index(name)
        table = table.set_column(position, name, values) if position >= 0 else table.append_column(name, values)
    return table


def as_judged(scored: Scored, split: str, path: str, candidates: pa.Table, size: int, sha256: str) -> Judged:
    """What the dataset has to know of an episode's judged `candidates`, kept at `path` in `size` bytes."""
    chosen = candidates.filter(pc.equal(candidates["verdict"], KEPT))
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


def read_references(judged: Judged, store: Store) -> tuple[str | None, pa.Table]:
    """When an episode was published, and what `references` takes of its chosen clips (a table is one element)."""
    table = pq.read_table(store.fetch(judged.candidates_path), columns=list(REFERENCE_COLUMNS), partitioning=None)
    return judged.published, kept(table)


def clips_of(tables: Iterable[tuple[str | None, pa.Table]]) -> Iterator[ClipReference]:
    """The references of all tables of `read_references`."""
    for published, table in tables:
        yield from references(table, published)


class WriteShard(beam.DoFn):
    """Writes a shard into work/shards/, or finds it there: it is named for all that its bytes depend on."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def process(self, plan: ShardPlan, files: Mapping[str, tuple[str, str]], rate: int) -> Iterator[WrittenShard]:
        episodes = sorted({clip.episode_id for clip in plan.clips})
        key = digest("shard", plan, rate, [files[episode] for episode in episodes], _WRITER_VERSION)
        path = self.store.path("work", "shards", f"{key}.parquet")
        record_path = self.store.path("work", "shards", f"{key}.json")
        record = self._known(record_path, path)
        if record is None:
            with self.store.create(path) as partial:
                record = write_shard(
                    plan,
                    clip_files=lambda episode: self.store.fetch(files[episode][0]),
                    candidate_files=lambda episode: self.store.fetch(files[episode][1]),
                    out=partial,
                    sampling_rate=rate,
                )
            self.store.write_text(record_path, SHARD_RECORD.dump_json(record).decode())
        yield WrittenShard(record, path)

    def _known(self, record_path: str, path: str) -> ShardRecord | None:
        """The record of a shard that is there as it was written; None where it, or its record, is damaged or gone."""
        content = self.store.read_bytes(record_path)
        if content is None or not self.store.exists(path):
            return None
        try:
            record = SHARD_RECORD.validate_json(content)
        except ValueError:
            return None
        is_whole = self.store.size(path) == record.bytes and file_sha256(self.store.fetch(path)) == record.sha256
        return record if is_whole else None

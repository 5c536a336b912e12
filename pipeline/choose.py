"""From scores to shards, on any Beam runner: duplicates, verdicts, splits, shards. `select` does the same without Beam.

    scored ─► duplicates (by fingerprint) ─┐
           ─► splits (by recording) ───────┴► judge ─► plan ─► shards

No audio travels: references to clips do, and the writer of a shard copies their audio from the files of their episodes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.pvalue import AsDict, AsSingleton

from pipeline.judging import (
    Judged,
    Rule,
    Scored,
    judge_episodes,
    read_fingerprints,
    rows_of,
    write_or_find_shard,
)
from schemas.verdict import PROFILES, Thresholds
from transforms.corrections import NOTHING, Reviewed
from transforms.deduplicate import find_duplicates
from transforms.select import kept
from transforms.shards import (
    REFERENCE_COLUMNS,
    ClipReference,
    assign_splits,
    plan_shards,
    references,
    split_key,
)
from transforms.store import Store


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
        self.judge = JudgeEpisode(store, Rule(thresholds, dict(profiles), reviewed))
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
            | "Write shards" >> beam.Map(write_or_find_shard, self.store, files=AsDict(files), rate=AsSingleton(rate))
        )
        return Choice(judged, shards)


def highest(rates: Iterable[int]) -> int:
    """The highest of some rates (Hz); 0 of none."""
    return max(rates, default=0)


class JudgeEpisode(beam.DoFn):
    """Writes an episode's candidates with their verdicts into work/candidates/."""

    def __init__(self, store: Store, rule: Rule) -> None:
        self.store = store
        self.rule = rule

    def process(self, scored: Scored, originals: Mapping[str, str], splits: Mapping[str, str]) -> Iterator[Judged]:
        yield from (judged for judged, _ in judge_episodes([scored], self.store, self.rule, splits, originals))


def read_references(judged: Judged, store: Store) -> tuple[str | None, pa.Table]:
    """When an episode was published, and what `references` takes of its chosen clips (a table is one element)."""
    table = pq.read_table(store.fetch(judged.candidates_path), columns=list(REFERENCE_COLUMNS), partitioning=None)
    return judged.published, kept(table)


def clips_of(tables: Iterable[tuple[str | None, pa.Table]]) -> Iterator[ClipReference]:
    """The references of all tables of `read_references`."""
    for published, table in tables:
        yield from references(table, published)

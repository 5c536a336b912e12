"""Choosing anew: another profile or other limits over the scores that a dataset has. No model, download or decode.

What is chosen is what a build with the new limits would choose, byte for byte: `pipeline.choose` puts the same
functions of `pipeline.judging` on a Beam runner. Here threads call them, for Beam alone would take longer than they do.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, TextIO, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.commit import DatasetFacts, Parts, commit_dataset, damage, finish_commit
from pipeline.config import Config
from pipeline.config_sections import Selection
from pipeline.gates import DEFAULTS, columns_of
from pipeline.hold import one_build_at_a_time
from pipeline.judging import (
    Judged,
    Outcome,
    Rule,
    Scored,
    WrittenShard,
    judge_episodes,
    read_fingerprints,
    rows_of,
    with_verdicts,
    write_or_find_shard,
)
from pipeline.logs import log_path, logged_to
from pipeline.progress_line import Progress
from pipeline.ready import CONFIG_NAME, EPISODES_NAME, ready_manifest, store_of
from pipeline.report.statistics import Statistics, counted_columns, merge, statistics_of
from pipeline.reselect import resolved_configuration
from pipeline.result import BuildResult, keep_summary, read_result
from pipeline.review import reviewed
from pipeline.unfinished import Publication
from schemas.errors import RealtalkError
from schemas.manifest import Manifest
from transforms.checksums import Checksums
from transforms.deduplicate import find_duplicates
from transforms.shards import ClipReference, ShardPlan, assign_splits, plan_shards, references, split_key
from transforms.store import Store
from transforms.summarize import merge_all

Row = Mapping[str, Any]
Item = TypeVar("Item")
Made = TypeVar("Made")
# Episodes whose candidates are judged and counted together: those of one take as long.
_AT_ONCE = 16
# More than a disk keeps busy, and each has a row group of audio in memory.
_MOST_THREADS = 8


def run_select(dataset: str, selection: Selection) -> BuildResult:
    """Judge every candidate of a committed dataset anew and write its shards; what a build with it would have written.

    A commit that was killed is finished first. Raises RealtalkError where no dataset is ready, or it is not whole.
    """
    store = store_of(dataset)
    with one_build_at_a_time(store):
        finish_commit(store)
        before = ready_manifest(store)
        checksums = Checksums.of(store)
        require_whole(store, before, checksums)
        config = resolved_configuration(store.read_bytes(store.path(CONFIG_NAME)) or b"", store.path(CONFIG_NAME))
        config = config.model_copy(update={"select": selection})
        rows = pq.read_table(store.fetch(store.path(*EPISODES_NAME.split("/"))), partitioning=None).to_pylist()
        facts = DatasetFacts(
            name=before.name,
            config_hash=config.hash,
            models=before.models,
            consent_id=before.consent_id,
            consent_scope=before.consent_scope,
            consent_expiry=before.consent_expiry,
            config_yaml=config.resolved_yaml(),
            sampling_rate=config.clips.sampling_rate,
            speaker=config.speaker.name,
            thresholds=config.selection.thresholds,
            gates={**DEFAULTS, **config.gates.limits},
            from_version=before.version,
        )
        with logged_to(Path(log_path(store)) if store.is_local else None) as terminal:
            how = choose_anew(store, facts, config, rows, checksums, terminal)
    return read_result(store, unchanged=how == "unchanged")


def choose_anew(
    store: Store,
    facts: DatasetFacts,
    config: Config,
    rows: Sequence[Row],
    checksums: Checksums,
    terminal: TextIO,
) -> str:
    """Judge the candidates of the episodes `rows`, write shards, commit; returns what `commit` does.

    `checksums` know the files of the dataset, which have to be whole; the `terminal` is shown how far it is.
    """
    names = {name.removesuffix(".parquet") for name in store.names("candidates")}
    chosen_from = {row["episode_id"]: row for row in rows if row["episode_id"] in names}
    scored = [_scored(store, row, facts) for row in chosen_from.values()]
    parts = _judge(store, facts, config, scored, chosen_from, terminal)
    others = [with_verdicts(row, None, None, None) for row in rows if row["episode_id"] not in names]
    outcomes = [*(one for part in parts for one in part.outcomes), *others]
    keep_summary(merge_all(one.summary for one in outcomes), store)
    made = Parts(
        rows=[one.row for one in outcomes],
        judged=[one for part in parts for one in part.judged],
        shards=_write_shards(store, facts, parts, checksums, terminal),
        turns=[Publication(f"turns/{name}", store.path("turns", name)) for name in store.names("turns")],
        statistics=reduce(merge, (part.statistics for part in parts), _no_statistics(facts)),
    )
    return commit_dataset(store, facts, made, checksums)


@dataclass(frozen=True)
class _Part:
    """What the candidates of some episodes give."""

    judged: list[Judged]
    references: list[ClipReference]
    outcomes: list[Outcome]
    statistics: Statistics


def _judge(
    store: Store,
    facts: DatasetFacts,
    config: Config,
    scored: Sequence[Scored],
    row_of: Mapping[str, Row],
    terminal: TextIO,
) -> list[_Part]:
    rule = Rule(config.selection.thresholds, config.profiles, reviewed(store))
    splits = assign_splits((split_key(one.episode_id, one.recording_sha256) for one in scored), config.splits.shares)
    originals = _originals(scored, store, rule)

    def judge(some: Sequence[Scored]) -> _Part:
        found = judge_episodes(some, store, rule, splits, originals)
        told = list(zip(some, found, strict=True))
        counted = pa.concat_tables([table.select(counted_columns()) for _, table in found])
        return _Part(
            judged=[judged for judged, _ in found],
            references=[clip for one, (_, table) in told for clip in references(table, one.published)],
            outcomes=[with_verdicts(row_of[one.episode_id], *of_it, None) for one, of_it in told],
            statistics=statistics_of(counted, facts.thresholds, columns_of(facts.gates)),
        )

    parts = []
    with Progress(len(scored), "episodes judged", terminal) as progress:
        for part in _in_threads(judge, _batches(scored)):
            parts.append(part)
            progress.step(len(part.judged))
    return parts


def _write_shards(
    store: Store, facts: DatasetFacts, parts: Sequence[_Part], checksums: Checksums, terminal: TextIO
) -> list[WrittenShard]:
    plans = plan_shards(clip for part in parts for clip in part.references)
    judged = [one for part in parts for one in part.judged]
    files = {one.episode_id: (one.audio_path, one.candidates_path) for one in judged}
    rate = max((one.sampling_rate for one in judged), default=0) or facts.sampling_rate

    def write(plan: ShardPlan) -> WrittenShard:
        return write_or_find_shard(plan, store, files, rate, checksums.sha256)

    shards = []
    with Progress(len(plans), "shards written", terminal) as progress:
        for shard in _in_threads(write, plans):
            shards.append(shard)
            progress.step()
    return shards


def _no_statistics(facts: DatasetFacts) -> Statistics:
    return Statistics.nothing(facts.thresholds, columns_of(facts.gates))


def _originals(scored: Sequence[Scored], store: Store, rule: Rule) -> dict[str, str] | None:
    """As `find_duplicates`; None where no corrected text changes what a build has found.

    Of two that are the same audio, the one with a publisher's or a person's words is the original.
    """
    if not rule.reviewed.corrections:
        return None
    tables = _in_threads(lambda one: read_fingerprints(one, store, rule.reviewed), scored)
    return find_duplicates(rows_of(tables))


def _batches(scored: Sequence[Scored]) -> list[Sequence[Scored]]:
    return [scored[start : start + _AT_ONCE] for start in range(0, len(scored), _AT_ONCE)]


def _in_threads(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What `work` makes of every item, in order; a thread a core, for most of the time is spent outside of Python."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as threads:
        yield from threads.map(work, items)


def _scored(store: Store, row: Row, facts: DatasetFacts) -> Scored:
    name = f"{row['episode_id']}.parquet"
    return Scored(
        episode_id=row["episode_id"],
        published=row["published"],
        recording_sha256=row["recording_sha256"],
        scores_path=store.path("candidates", name),
        audio_path=store.path("clips", name),
        columns={"config_hash": facts.config_hash},
    )


def require_whole(store: Store, manifest: Manifest, checksums: Checksums) -> None:
    """Raises RealtalkError where a file to choose from is missing or damaged: its episode would be lost."""
    faults = []
    found = _in_threads(lambda record: damage(store, record, checksums), manifest.files)
    with Progress(len(manifest.files), "files found whole") as progress:
        for record, fault in zip(manifest.files, found, strict=True):
            if fault:
                faults.append((record.name, fault))
            progress.step()
    if faults:
        (name, fault), *more = faults
        also = f" (and {len(more)} more)" if more else ""
        raise RealtalkError(
            f"{store.root}: {name} is {fault}{also}, so nothing is chosen; run realtalk build to make it anew"
        )

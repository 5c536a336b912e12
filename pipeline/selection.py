"""Choosing anew: another profile or other limits over the scores that a dataset has. No model, download or decode."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow.parquet as pq
from apache_beam.pvalue import AsList, AsSingleton

from pipeline.build import BuildResult, log_path, one_build_at_a_time, read_result
from pipeline.choose import Choose, Scored
from pipeline.commit import (
    CommitDataset,
    DatasetFacts,
    damage,
    finish_commit,
)
from pipeline.config import Config
from pipeline.config_sections import Selection
from pipeline.gates import DEFAULTS, columns_of
from pipeline.graph import keep_summary, merge_all
from pipeline.logs import logged_to
from pipeline.outcome import JUDGED, STATE, Outcome, with_verdicts
from pipeline.progress import Tally
from pipeline.ready import CONFIG_NAME, EPISODES_NAME, ready_manifest, store_of
from pipeline.report.statistics import CountCandidates
from pipeline.reselect import resolved_configuration
from pipeline.review import reviewed
from pipeline.runners import choose_engine
from pipeline.unfinished import Publication
from schemas.errors import RealtalkError
from schemas.manifest import FileRecord, Manifest
from transforms.store import Store

Row = Mapping[str, Any]


def run_select(dataset: str, selection: Selection) -> BuildResult:
    """Judge every candidate of a committed dataset anew and write its shards; what a build with it would have written.

    A commit that was killed is finished first. Raises RealtalkError where no dataset is ready, or it is not whole.
    """
    store = store_of(dataset)
    with one_build_at_a_time(store):
        finish_commit(store)
        before = ready_manifest(store)
        require_whole(store, before)
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
        engine = choose_engine([], 1, store)
        with logged_to(Path(log_path(store)) if store.is_local else None):
            pipeline = beam.Pipeline(runner=engine.runner, options=engine.options)
            build_choice(pipeline, store, facts, config, rows, before.files)
            pipeline.run().wait_until_finish()
    unchanged = before.version == ready_manifest(store).version
    return read_result(store, Tally(result="unchanged" if unchanged else "written"))


def build_choice(
    root: beam.Pipeline,
    store: Store,
    facts: DatasetFacts,
    config: Config,
    rows: Sequence[Row],
    whole: Sequence[FileRecord],
) -> None:
    """Put the choice alone on a pipeline: the last part of a build, from what the dataset holds.

    `whole` are the files of it, of which `require_whole` made sure.
    """
    with_candidates = {name.removesuffix(".parquet") for name in store.names("candidates")}
    scored = [_scored(store, row, facts) for row in rows if row["episode_id"] in with_candidates]
    chosen = (
        root
        | "Scored" >> beam.Create(scored)
        | "Choose clips"
        >> Choose(
            store,
            config.selection.thresholds,
            config.splits.shares,
            facts.sampling_rate,
            config.profiles,
            reviewed(store),
        )
    )
    outcomes = (
        {
            STATE: root | "Rows" >> beam.Create([(row_key(row), row) for row in rows]),
            JUDGED: chosen.judged | "Judged by id" >> beam.Map(lambda one: (one.episode_id, one)),
        }
        | "Join" >> beam.CoGroupByKey()
        | "Outcomes" >> beam.FlatMap(_outcome, store)
    )
    _ = (
        outcomes
        | "Summaries" >> beam.Map(lambda one: one.summary)
        | "Sum up" >> beam.CombineGlobally(merge_all)
        | "Keep the summary" >> beam.Map(keep_summary, store)
    )
    turns = [Publication(f"turns/{name}", store.path("turns", name)) for name in store.names("turns")]
    _ = (
        root
        | "Trigger" >> beam.Create([None])
        | "Commit"
        >> beam.ParDo(
            CommitDataset(store, facts, whole),
            rows=AsList(outcomes | "All rows" >> beam.Map(lambda one: one.row)),
            judged=AsList(chosen.judged),
            shards=AsList(chosen.shards),
            turns=AsList(root | "Turns" >> beam.Create(turns)),
            statistics=AsSingleton(
                chosen.judged | "Statistics" >> CountCandidates(store, facts.thresholds, columns_of(facts.gates))
            ),
        )
    )


def row_key(row: Row) -> str:
    """A source that could not be read has no episode id, and there may be several."""
    return row["episode_id"] or f"{row['source_url']} {row['error_detail']}"


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


def _outcome(grouped: tuple[str, Mapping[str, Iterable[Any]]], store: Store) -> Iterator[Outcome]:
    for row in grouped[1][STATE]:
        yield with_verdicts(dict(row), grouped[1][JUDGED], store, None)


def require_whole(store: Store, manifest: Manifest) -> None:
    """Raises RealtalkError where a file to choose from is missing or damaged: its episode would be lost."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(partial(damage, store), manifest.files)
        faults = [(record.name, fault) for record, fault in zip(manifest.files, found, strict=True) if fault]
    if faults:
        (name, fault), *more = faults
        also = f" (and {len(more)} more)" if more else ""
        raise RealtalkError(
            f"{store.root}: {name} is {fault}{also}, so nothing is chosen; run realtalk build to make it anew"
        )

"""The end of a build: every file in its place, then the manifest, last and at once."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from pipeline.card import CARD_MARK, CARD_NAME, card
from pipeline.croissant import CROISSANT_NAME, croissant
from pipeline.description import describe
from pipeline.gates import AUDITED, Facts, Limit, judge_gates
from pipeline.judging import Judged, WrittenShard
from pipeline.keep_version import forget_version, keep_version, version_before
from pipeline.prune import prune
from pipeline.ready import CONFIG_NAME, EPISODES_NAME, committed_manifest
from pipeline.report.contents import REPORT_NAME, Files, Judgement, report_data
from pipeline.report.documents import PAGE_NAME, report_documents, write_report
from pipeline.report.in_place import report_in_place
from pipeline.report.statistics import SECOND, Statistics
from pipeline.unfinished import Publication, forget_commit, note_commit, unfinished_commit
from schemas.errors import RealtalkError
from schemas.ids import digest
from schemas.manifest import (
    CONSENTED,
    FOLDERS,
    MANIFEST_NAME,
    NO_CONSENT,
    FileRecord,
    Manifest,
    ShardRecord,
    SplitTotal,
    Totals,
    manifest_bytes,
)
from schemas.tables import EPISODE_SCHEMA
from schemas.verdict import Thresholds
from transforms.checksums import Checksums
from transforms.shards import file_record, keep_content, keep_table
from transforms.store import Store


@dataclass(frozen=True)
class DatasetFacts:
    """What a dataset is that its episodes don't say: whose, how it was made, with whose consent, how it is judged."""

    name: str
    config_hash: str
    models: Mapping[str, str]
    consent_id: str
    config_yaml: str
    sampling_rate: int
    speaker: str
    thresholds: Thresholds
    gates: Mapping[str, Limit]
    from_version: str = ""
    consent_scope: tuple[str, ...] = ()
    consent_expiry: str = ""

    @property
    def models_json(self) -> str:
        """The column `models` of every clip."""
        return json.dumps(dict(sorted(self.models.items())), separators=(",", ":"))


@dataclass(frozen=True)
class Parts:
    """What a dataset is put together from: rows of episodes/, verdicts, shards, turns, what was counted."""

    rows: Sequence[Mapping[str, Any]]
    judged: Sequence[Judged]
    shards: Sequence[WrittenShard]
    turns: Sequence[Publication]
    statistics: Statistics


def commit_dataset(store: Store, facts: DatasetFacts, parts: Parts, checksums: Checksums) -> str:
    """Publish everything that one build or choice made; returns what `commit` does.

    Raises RealtalkError where nothing could be taken this time, and a dataset is there that would be lost.
    """
    rows, judged = parts.rows, parts.judged
    shards = sorted(parts.shards, key=lambda shard: shard.record.name)
    tables = [*parts.turns, *episode_files(judged), _episodes(store, rows)]
    known = {
        one.candidates_path: FileRecord(f"candidates/{one.episode_id}.parquet", one.rows, one.bytes, one.sha256)
        for one in judged
    }
    records = sorted(
        (known.get(table.path) or _record(store, table, checksums) for table in tables), key=lambda record: record.name
    )
    manifest = make_manifest(facts, rows, judged, shards, records)
    _keep_from_loss(store, rows)
    published = [*tables, *(Publication(shard.record.name, shard.path) for shard in shards)]
    about = describe(manifest, rows, facts.speaker, facts.config_yaml)
    files = Files(
        candidates={one.episode_id: one.candidates_path for one in judged},
        clips={one.episode_id: one.audio_path for one in judged},
        turns={_stem(one.name): one.path for one in parts.turns},
    )

    def report(manifest: Manifest) -> Iterator[tuple[str, str | bytes]]:
        judgement = unaudited(manifest, facts.gates, rows, parts.statistics)
        data = report_data(
            store, manifest, facts.config_yaml, facts.thresholds, rows, parts.statistics, judgement, files
        )
        return report_documents(store, data, files)

    documents = {CARD_NAME: card(about), CROISSANT_NAME: croissant(about)}
    return commit(store, manifest, published, facts.config_yaml, documents, report, checksums)


def _keep_from_loss(store: Store, rows: Sequence[Mapping[str, Any]]) -> None:
    """A source that is down for a day, or a full disk, must not empty a dataset; raises RealtalkError."""
    failed = [row for row in rows if row["state"] == "failed"]
    if not failed or any(row["state"] == "done" for row in rows):
        return
    before = committed_manifest(store)
    if before is not None and before.totals.candidates:
        first = f"{failed[0]['error']}: {failed[0]['error_detail']}"
        raise RealtalkError(
            f"{store.root}: nothing could be taken this time ({len(failed)} failed, the first with {first}); "
            "the dataset that is here stays as it is"
        )


def _record(store: Store, publication: Publication, checksums: Checksums) -> FileRecord:
    return file_record(store.fetch(publication.path), publication.name, checksums.sha256)


def _episodes(store: Store, rows: Sequence[Mapping[str, Any]]) -> Publication:
    ordered = sorted(rows, key=lambda row: (row["published"] or "~", row["episode_id"], row["source_url"]))
    table = pa.Table.from_pylist([dict(row) for row in ordered], schema=EPISODE_SCHEMA)
    path = store.path("work", "episodes", f"{digest('episodes', table.to_pydict())}.parquet")
    keep_table(store, path, table)
    return Publication(EPISODES_NAME, path)


def unaudited(
    manifest: Manifest, limits: Mapping[str, Limit], rows: Sequence[Mapping[str, Any]], statistics: Statistics
) -> Judgement:
    """What is thought of a dataset before anybody has looked into its clips."""
    return Judgement(judge_gates(limits, facts_of(manifest, rows, statistics), AUDITED))


def facts_of(manifest: Manifest, rows: Sequence[Mapping[str, Any]], statistics: Statistics) -> Facts:
    """What gates ask of, as far as it is known without a look into the clips."""
    clips = statistics.kept[0]
    return Facts(
        clips={split: tally[0] for split, tally in statistics.splits.items()},
        seconds={split: tally[1] / SECOND for split, tally in statistics.splits.items()},
        episodes=sum(1 for row in rows if row["kept"]),
        failed_episodes=manifest.totals.failed_episodes,
        without_consent=0 if manifest.consent_id else clips,
        without_license=sum(tally[0] for (name, _), tally in statistics.licenses.items() if not name),
        recognised=statistics.recognised,
        numbers=statistics.numbers,
    )


def episode_files(judged: Sequence[Judged]) -> list[Publication]:
    """The candidates and the audio of every episode that has any."""
    return [
        publication
        for one in judged
        if one.rows
        for publication in (
            Publication(f"candidates/{one.episode_id}.parquet", one.candidates_path),
            Publication(f"clips/{one.episode_id}.parquet", one.audio_path),
        )
    ]


def make_manifest(
    facts: DatasetFacts,
    rows: Sequence[Mapping[str, Any]],
    judged: Sequence[Judged],
    shards: Sequence[WrittenShard],
    files: Sequence[FileRecord],
) -> Manifest:
    """The manifest of what a build made; the order that its parts come in does not count."""
    judged = sorted(judged, key=lambda one: one.episode_id)
    rows = sorted(rows, key=lambda row: (row["episode_id"], row["source_url"]))
    splits = {
        split: SplitTotal(
            clips=sum(one.kept for one in judged if one.split == split),
            seconds=exact(one.kept_seconds for one in judged if one.split == split),
        )
        for split in sorted({one.split for one in judged if one.kept})
    }
    return Manifest(
        name=facts.name,
        sampling_rate=max((one.sampling_rate for one in judged), default=0) or facts.sampling_rate,
        shards=tuple(shard.record for shard in shards),
        files=tuple(files),
        totals=Totals(
            episodes=len(rows),
            failed_episodes=sum(row["state"] == "failed" for row in rows),
            seconds=_total(rows, "seconds"),
            speech_seconds=_total(rows, "speech_seconds"),
            candidates=sum(one.rows for one in judged),
            candidate_seconds=exact(one.seconds for one in judged),
            clips=sum(one.kept for one in judged),
            clip_seconds=exact(one.kept_seconds for one in judged),
            splits=splits,
        ),
        config_hash=facts.config_hash,
        models=dict(sorted(facts.models.items())),
        consent=CONSENTED if facts.consent_id else NO_CONSENT,
        consent_id=facts.consent_id,
        consent_scope=facts.consent_scope,
        consent_expiry=facts.consent_expiry,
        from_version=facts.from_version,
    )


def exact(seconds: Iterable[float]) -> float:
    """A sum that doesn't depend on the order, a float also of nothing."""
    return round(math.fsum(seconds), 6)


def _total(rows: Sequence[Mapping[str, Any]], column: str) -> float:
    return exact(row[column] or 0.0 for row in rows)


def commit(
    store: Store,
    manifest: Manifest,
    published: Sequence[Publication],
    config_yaml: str,
    documents: Mapping[str, str],
    report: Callable[[Manifest], Iterator[tuple[str, str | bytes]]],
    checksums: Checksums | None = None,
) -> str:
    """Put the files in place and the manifest last; returns "unchanged" where all was there already, else "written".

    What is in work/ is as the manifest says. `checksums` are what is known of files, from work/ where it is None.
    `documents` are texts by name that tell of the dataset, and no part of it; neither is the `report`, which is made
    only where it is written.
    """
    checksums = checksums or Checksums.of(store)
    before = version_before(store)
    if before is not None and before.version == manifest.version:
        # It is this one, wherever it was chosen from.
        manifest = replace(manifest, from_version=before.from_version)
    manifest_path, content = store.path(MANIFEST_NAME), manifest_bytes(manifest)
    if store.read_bytes(manifest_path) == content and _in_place(store, manifest, published, checksums):
        # The gates are in it too, which no file of the dataset depends on.
        is_same_config = store.read_bytes(store.path(CONFIG_NAME)) == config_yaml.encode("utf-8")
        if not is_same_config:
            keep_content(store, store.path(CONFIG_NAME), config_yaml.encode("utf-8"))
        # One that is there stays: its owner may have added to it since.
        _write_documents(
            store, {name: text for name, text in documents.items() if not store.exists(_place(store, name))}
        )
        if not is_same_config or not all(store.exists(_place(store, name)) for name in (REPORT_NAME, PAGE_NAME)):
            write_report(store, report(manifest))
        _keep_checksums(store, manifest, checksums)
        return "unchanged"
    if before is not None and before.version != manifest.version:
        keep_version(store, before, following=manifest.version)
    note_commit(store, manifest, published, config_yaml, documents)
    store.remove(manifest_path)
    for publication in published:
        store.publish(publication.path, _place(store, publication.name))
    wanted = {publication.name for publication in published}
    for folder in FOLDERS:
        for name in store.names(folder):
            if f"{folder}/{name}" not in wanted:
                store.remove(store.path(folder, name))
    keep_content(store, store.path(CONFIG_NAME), config_yaml.encode("utf-8"))
    _write_documents(store, documents)
    write_report(store, report(manifest))
    store.write_text(manifest_path, content.decode("utf-8"))
    forget_commit(store)
    # What was kept of it is the dataset's own again.
    forget_version(store, manifest.version)
    _keep_checksums(store, manifest, checksums)
    prune(store, manifest)
    return "written"


def finish_commit(store: Store) -> None:
    """Put in place what a run that was killed had begun to; nothing where a dataset is ready, or that can't be done."""
    left = unfinished_commit(store) if committed_manifest(store) is None else None
    if left is not None:
        commit(
            store,
            left.manifest,
            left.published,
            left.config_yaml,
            left.documents,
            lambda one: report_in_place(store, one, partial(unaudited, one)),
        )


def _write_documents(store: Store, documents: Mapping[str, str]) -> None:
    for name, text in documents.items():
        there = store.read_bytes(_place(store, name)) if name == CARD_NAME else None
        # A README that somebody else wrote is not a build's to replace.
        if there is None or CARD_MARK.encode() in there:
            keep_content(store, _place(store, name), text.encode("utf-8"))


def _in_place(store: Store, manifest: Manifest, published: Sequence[Publication], checksums: Checksums) -> bool:
    """Whether every file of the manifest is there as it was written, and nothing else is."""
    found = {f"{folder}/{name}" for folder in FOLDERS for name in store.names(folder)}
    linked = {one.name for one in published if one.name in found and store.is_same(one.path, _place(store, one.name))}
    return found == {record.name for record in manifest.records} and not any(
        damage(store, record, checksums) for record in manifest.records if record.name not in linked
    )


def _keep_checksums(store: Store, manifest: Manifest, checksums: Checksums) -> None:
    """Of the files of a version that is in place: the next choice needn't read them to know that they are whole."""
    for record in manifest.records:
        checksums.learn(_place(store, record.name), record.sha256)
    checksums.keep()


def damage(store: Store, record: FileRecord | ShardRecord, checksums: Checksums) -> str:
    """What is wrong with a file of a dataset, as its manifest has it: "missing", "damaged", or "" for nothing."""
    path = _place(store, record.name)
    if not store.exists(path):
        return "missing"
    is_whole = store.size(path) == record.bytes and checksums.sha256(store.fetch(path)) == record.sha256
    return "" if is_whole else "damaged"


def _stem(name: str) -> str:
    """The id of the episode whose file in turns/ it is."""
    return name.rpartition("/")[2].removesuffix(".parquet")


def _place(store: Store, name: str) -> str:
    return store.path(*name.split("/"))

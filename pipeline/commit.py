"""The end of a build: every file in its place, then the manifest, last and at once."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipeline.card import CARD_MARK, CARD_NAME, card
from pipeline.choose import Judged, WrittenShard
from pipeline.croissant import CROISSANT_NAME, croissant
from pipeline.description import describe
from pipeline.report.contents import REPORT_NAME, report_json
from schemas.errors import RealtalkError
from schemas.ids import digest, file_sha256
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
    parse_manifest,
)
from schemas.tables import EPISODE_SCHEMA
from transforms.shards import file_record, keep_table
from transforms.store import Store

EPISODES_NAME = "episodes/episodes.parquet"
CONFIG_NAME = "dataset.yaml"


@dataclass(frozen=True)
class DatasetFacts:
    """What the manifest says that the episodes don't: who it is of, how it was made, with whose consent."""

    name: str
    config_hash: str
    models: Mapping[str, str]
    consent_id: str
    config_yaml: str
    sampling_rate: int
    speaker: str

    @property
    def models_json(self) -> str:
        """The column `models` of every clip."""
        return json.dumps(dict(sorted(self.models.items())), separators=(",", ":"))


@dataclass(frozen=True)
class Publication:
    """A file in work/ and its name in the dataset."""

    name: str
    path: str


class CommitDataset(beam.DoFn):
    """Publishes everything that one build made. The only element it gets is a trigger; the rest are side inputs."""

    def __init__(self, store: Store, facts: DatasetFacts, known: Sequence[FileRecord] = ()) -> None:
        """`known` are files of the dataset that were found whole in their places: they aren't hashed again."""
        self.store = store
        self.facts = facts
        self.known = {self.store.path(*record.name.split("/")): record for record in known}

    def process(
        self,
        _: Any,
        rows: Sequence[Mapping[str, Any]],
        judged: Sequence[Judged],
        shards: Sequence[WrittenShard],
        turns: Sequence[Publication],
        statistics: Mapping[str, Any],
    ) -> Iterator[str]:
        shards = sorted(shards, key=lambda shard: shard.record.name)
        tables = [*turns, *episode_files(judged), self._episodes(rows)]
        known = self.known | {
            one.candidates_path: FileRecord(f"candidates/{one.episode_id}.parquet", one.rows, one.bytes, one.sha256)
            for one in judged
        }
        records = sorted(
            (known.get(table.path) or self._record(table) for table in tables), key=lambda record: record.name
        )
        manifest = make_manifest(self.facts, rows, judged, shards, records)
        self._keep_from_loss(rows)
        published = [*tables, *(Publication(shard.record.name, shard.path) for shard in shards)]
        about = describe(manifest, rows, self.facts.speaker, self.facts.config_yaml)
        documents = {
            CARD_NAME: card(about),
            CROISSANT_NAME: croissant(about),
            REPORT_NAME: report_json(told_of(manifest), rows, statistics),
        }
        yield commit(self.store, manifest, published, self.facts.config_yaml, documents)

    def _keep_from_loss(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """A source that is down for a day, or a full disk, must not empty a dataset; raises RealtalkError."""
        failed = [row for row in rows if row["state"] == "failed"]
        if not failed or any(row["state"] == "done" for row in rows):
            return
        before = committed_manifest(self.store)
        if before is not None and before.totals.candidates:
            first = f"{failed[0]['error']}: {failed[0]['error_detail']}"
            raise RealtalkError(
                f"{self.store.root}: nothing could be taken this time ({len(failed)} failed, the first with {first}); "
                "the dataset that is here stays as it is"
            )

    def _record(self, publication: Publication) -> FileRecord:
        return file_record(self.store.fetch(publication.path), publication.name)

    def _episodes(self, rows: Sequence[Mapping[str, Any]]) -> Publication:
        ordered = sorted(rows, key=lambda row: (row["published"] or "~", row["episode_id"], row["source_url"]))
        table = pa.Table.from_pylist([dict(row) for row in ordered], schema=EPISODE_SCHEMA)
        path = self.store.path("work", "episodes", f"{digest('episodes', table.to_pydict())}.parquet")
        keep_table(self.store, path, table)
        return Publication(EPISODES_NAME, path)


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
    )


def exact(seconds: Iterable[float]) -> float:
    """A sum that doesn't depend on the order, a float also of nothing."""
    return round(math.fsum(seconds), 6)


def _total(rows: Sequence[Mapping[str, Any]], column: str) -> float:
    return exact(row[column] or 0.0 for row in rows)


def committed_manifest(store: Store) -> Manifest | None:
    """The manifest of the dataset that is ready in a store; None without one. Raises RealtalkError for damage."""
    path = store.path(MANIFEST_NAME)
    content = store.read_bytes(path)
    return None if content is None else parse_manifest(content, path)


def told_of(manifest: Manifest) -> dict[str, Any]:
    """What the report says of the dataset that it is of."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "config_hash": manifest.config_hash,
        "consent": manifest.consent,
        "consent_id": manifest.consent_id,
        "models": dict(manifest.models),
        "sampling_rate": manifest.sampling_rate,
    }


def commit(
    store: Store,
    manifest: Manifest,
    published: Sequence[Publication],
    config_yaml: str,
    documents: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Put the files in place and the manifest last; returns "unchanged" where all was there already, else "written".

    What is in work/ is as the manifest says. `documents` are texts by name that tell of the dataset, and no part of it.
    """
    manifest_path, content = store.path(MANIFEST_NAME), manifest_bytes(manifest)
    if store.read_bytes(manifest_path) == content and _in_place(store, manifest, published):
        # The gates are in it too, which no file of the dataset depends on.
        if store.read_bytes(store.path(CONFIG_NAME)) != config_yaml.encode("utf-8"):
            store.write_text(store.path(CONFIG_NAME), config_yaml)
        # One that is there stays: its owner may have added to it since.
        _write_documents(
            store, {name: text for name, text in documents.items() if not store.exists(_place(store, name))}
        )
        return "unchanged"
    store.remove(manifest_path)
    for publication in published:
        store.publish(publication.path, _place(store, publication.name))
    wanted = {publication.name for publication in published}
    for folder in FOLDERS:
        for name in store.names(folder):
            if f"{folder}/{name}" not in wanted:
                store.remove(store.path(folder, name))
    store.write_text(store.path(CONFIG_NAME), config_yaml)
    _write_documents(store, documents)
    store.write_text(manifest_path, content.decode("utf-8"))
    return "written"


def _write_documents(store: Store, documents: Mapping[str, str]) -> None:
    for name, text in documents.items():
        there = store.read_bytes(_place(store, name)) if name == CARD_NAME else None
        # A README that somebody else wrote is not a build's to replace.
        if there is None or CARD_MARK.encode() in there:
            store.write_text(_place(store, name), text)


def _in_place(store: Store, manifest: Manifest, published: Sequence[Publication]) -> bool:
    """Whether every file of the manifest is there as it was written, and nothing else is."""
    found = {f"{folder}/{name}" for folder in FOLDERS for name in store.names(folder)}
    linked = {one.name for one in published if one.name in found and store.is_same(one.path, _place(store, one.name))}
    records: list[FileRecord | ShardRecord] = [*manifest.files, *manifest.shards]
    return found == {record.name for record in records} and not any(
        damage(store, record) for record in records if record.name not in linked
    )


def damage(store: Store, record: FileRecord | ShardRecord) -> str:
    """What is wrong with a file of a dataset, as its manifest has it: "missing", "damaged", or "" for nothing."""
    path = _place(store, record.name)
    if not store.exists(path):
        return "missing"
    is_whole = store.size(path) == record.bytes and file_sha256(store.fetch(path)) == record.sha256
    return "" if is_whole else "damaged"


def _place(store: Store, name: str) -> str:
    return store.path(*name.split("/"))

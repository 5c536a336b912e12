"""What went wrong in a dataset, episode by episode: the lines that a person reads under the table of a build."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from pipeline.ready import EPISODES_NAME
from transforms.store import Store

_DAMAGED = "damaged"
# Read from the rows of EPISODE_SCHEMA.
_COLUMNS = ("episode_id", "guid", "title", "source_url", "state", "failed_stage", "error", "error_detail", "damage")


@dataclass(frozen=True)
class Trouble:
    """An episode or source that gave nothing, or less than it holds: where on its way, a short code, one line."""

    episode_id: str
    name: str
    stage: str
    code: str
    why: str


def read_troubles(store: Store) -> tuple[Trouble, ...]:
    """The troubles of a committed dataset."""
    path = store.fetch(store.path(*EPISODES_NAME.split("/")))
    return troubles_of(pq.read_table(path, columns=list(_COLUMNS), partitioning=None).to_pylist())


def troubles_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Trouble, ...]:
    """What gave nothing first, then what was damaged. What a feed leaves out on purpose is no trouble."""
    lost = (_trouble(row, row["failed_stage"], row["error"], row["error_detail"]) for row in rows if _is_lost(row))
    damaged = (_trouble(row, "recording", _DAMAGED, row["damage"]) for row in _unharmed(rows) if row["damage"])
    return (*lost, *damaged)


def _is_lost(row: Mapping[str, Any]) -> bool:
    return bool(row["error"]) and row["state"] != "skipped"


def _unharmed(rows: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return (row for row in rows if not row["error"])


def _trouble(row: Mapping[str, Any], stage: str | None, code: str, why: str | None) -> Trouble:
    name = row["title"] or row["guid"] or row["source_url"] or ""
    return Trouble(row["episode_id"] or "", name, stage or "", code, why or "")

"""The clips that a person should hear, with all that is shown of them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.report.histograms import BINS
from pipeline.report.picks import Picks, reasons_to_hear
from transforms.store import Store

_TOLD = (
    "id", "episode_id", "text", "spoken", "start", "duration", "split", "tier", "verdict", "reasons",
    "transcript_source",
)  # fmt: skip


def listening_queue(store: Store, picks: Picks, candidates: Mapping[str, str]) -> list[dict[str, Any]]:
    """The queue of report.json: the random sample first. `candidates` are paths in the store by episode id."""
    wanted = reasons_to_hear(picks)
    rows = {
        (episode, row["id"]): row
        for episode in dict.fromkeys(episode for episode, _ in wanted)
        for row in _rows(store, candidates[episode], [clip for of, clip in wanted if of == episode])
    }
    return [_told(rows[key], why) for key, why in wanted.items()]


def queue_audio(store: Store, queue: list[dict[str, Any]], audio: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """(Clip id, its FLAC) for the clips of a queue; `audio` are paths of clips/ by episode id."""
    for episode in dict.fromkeys(clip["episode_id"] for clip in queue):
        wanted = pa.array([clip["id"] for clip in queue if clip["episode_id"] == episode])
        file = pq.ParquetFile(store.fetch(audio[episode]))
        for group in range(file.num_row_groups):
            ids = file.read_row_group(group, columns=["id"])["id"]
            if pc.any(pc.is_in(ids, value_set=wanted)).as_py():
                table = file.read_row_group(group, columns=["id", "audio"])
                for row in table.filter(pc.is_in(table["id"], value_set=wanted)).to_pylist():
                    yield row["id"], row["audio"]["bytes"]


def _rows(store: Store, path: str, ids: list[str]) -> list[dict[str, Any]]:
    columns = [*_TOLD, "words", *BINS]
    table = pq.read_table(store.fetch(path), columns=columns, filters=[("id", "in", ids)], partitioning=None)
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def _told(row: Mapping[str, Any], why: list[str]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _TOLD},
        "why": why,
        "words": [[word["text"], round(word["start"], 3), round(word["end"], 3)] for word in row["words"] or ()],
        "scores": {name: None if row[name] is None else round(row[name], 4) for name in BINS},
    }

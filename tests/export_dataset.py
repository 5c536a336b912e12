"""A small dataset as a build commits it, with texts that break formats, for the tests of exports."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from schemas.clip import candidate_schema, clip_schema
from schemas.ids import file_sha256
from schemas.manifest import FileRecord, Manifest, ShardRecord, SplitTotal, Totals, manifest_bytes
from schemas.tables import EPISODE_SCHEMA, TURN_SCHEMA

EPISODE = "ab12000000000001"
QUOTED, BAR, PLAIN = '"Hello", he said.', "Either | or.", "It cost $3.50."
PHONES = {"It": ["IH", "T"], "cost": ["K", "AO", "S", "T"], "$3.50.": ["TH", "R", "IY"]}


def samples(seconds: float, rate: int, tone: float = 220.0) -> np.ndarray:
    """A tone as 16-bit samples."""
    wave = 0.3 * np.sin(2 * np.pi * tone * np.arange(round(seconds * rate)) / rate)
    return np.rint(wave * 32767).astype(np.int16)


def flac(pcm: np.ndarray, rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def timed(text: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Words of 0.3 s from 0.1 s on, and their phones; [] where PHONES lacks a word."""
    words, phones, start = [], [], 0.1
    for word in text.split():
        words.append({"text": word, "start": start, "end": start + 0.3, "score": -3.5})
        symbols = PHONES.get(word, [])
        step = 0.3 / max(len(symbols), 1)
        phones += [
            {"symbol": s, "start": start + i * step, "end": start + (i + 1) * step} for i, s in enumerate(symbols)
        ]
        start += 0.3
    return words, phones


def clip(identity: str, text: str = PLAIN, rate: int = 24_000, seconds: float = 1.5, **columns: Any) -> dict[str, Any]:
    words, phones = timed(text)
    return {
        "id": identity,
        "audio": {"bytes": flac(samples(seconds, rate), rate), "path": f"{identity}.flac"},
        "text": text,
        "spoken": "it cost three dollars",
        "words": words,
        "phones": phones,
        "duration": seconds,
        "sampling_rate": rate,
        "tier": "default",
        "episode_id": EPISODE,
        "start": 10.0,
        "end": 10.0 + seconds,
        "speaker": "Host",
        "license": "cc-by-4.0",
        "consent_id": "c0ffee0000000000",
        "snr_db": 31.5,
        **columns,
    }


def write_dataset(root: Path, shards: Sequence[tuple[str, list[dict[str, Any]]]], consent: bool = True) -> Path:
    """A ready dataset of (split, rows); returns its folder."""
    (root / "data").mkdir(parents=True)
    schema = clip_schema(24_000)
    records, totals = [], {}
    for split, rows in shards:
        count = sum(one == split for one, _ in shards)
        number = sum(record.split == split for record in records)
        name = f"data/{split}-{number:05d}-of-{count:05d}.parquet"
        whole = [{column: row.get(column) for column in schema.names} | {"split": split} for row in rows]
        pq.write_table(pa.Table.from_pylist(whole, schema=schema), root / name)
        path = root / name
        records.append(ShardRecord(name, split, len(rows), path.stat().st_size, file_sha256(path)))
        before = totals.get(split, SplitTotal(0, 0.0))
        seconds = before.seconds + sum(row["duration"] for row in rows)
        totals[split] = SplitTotal(before.clips + len(rows), seconds)
    write_table(root / "episodes" / "episodes.parquet", EPISODES, EPISODE_SCHEMA)
    turns = root / "turns" / f"{EPISODE}.parquet"
    write_table(turns, TURNS, TURN_SCHEMA)
    candidates = [{**row, "verdict": "kept"} for _, rows in shards for row in rows]
    write_table(root / "candidates" / f"{EPISODE}.parquet", [*candidates, REJECTED], candidate_schema())
    clips, length = sum(one.clips for one in totals.values()), sum(one.seconds for one in totals.values())
    manifest = Manifest(
        name="readings",
        sampling_rate=24_000,
        shards=tuple(records),
        files=(FileRecord(f"turns/{turns.name}", len(TURNS), turns.stat().st_size, file_sha256(turns)),),
        totals=Totals(1, 0, 60.0, 50.0, clips, length, clips, length, totals),
        config_hash="0" * 16,
        models={"aligner": "sphinx"},
        **({"consent": "consented", "consent_id": "c0ffee0000000000"} if consent else {}),
    )
    (root / "manifest.json").write_bytes(manifest_bytes(manifest))
    return root


EPISODES = [
    {"episode_id": EPISODE, "guid": "one", "title": "One", "state": "done", "seconds": 60.0, "license": "cc-by-4.0"}
]
TURNS = [
    {"episode_id": EPISODE, "start": 9.0, "end": 15.25, "speaker": "S0", "is_target": True, "similarity": 0.9},
    {"episode_id": EPISODE, "start": 2.0, "end": 9.0, "speaker": "S1", "is_target": False, "similarity": 0.5},
]
REJECTED = {
    "id": "zz99", "episode_id": EPISODE, "start": 1.0, "end": 2.5, "text": "And so.", "verdict": "rejected",
    "reasons": ["snr_db 3.0 < 10.0", "overlap 0.20 > 0.05"],
}  # fmt: skip


def write_table(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = [{name: row.get(name) for name in schema.names} for row in rows]
    pq.write_table(pa.Table.from_pylist(whole, schema=schema), path)


def usual_shards() -> list[tuple[str, list[dict[str, Any]]]]:
    """Two shards of train, one of validation, one of test; a clip of another rate among them."""
    return [
        ("train", [clip("aa01"), clip("aa02", QUOTED), clip("aa03", BAR)]),
        ("train", [clip("bb01", rate=16_000), clip("bb02", "One\ntwo.")]),
        ("validation", [clip("cc01", 'He said "no".')]),
        ("test", [clip("dd01", "Ça ira, “déjà”.")]),
    ]

"""A report.json as builds write it, of made-up candidates, with any text in all places that come from outside."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from small_dataset import RATE, SECONDS, candidate, flac, noise_bursts

from pipeline.gates import Result
from pipeline.report.clip_media import QueueClip, as_media
from pipeline.report.contents import Files, Judgement, as_json, report_data
from pipeline.report.statistics import statistics_of
from schemas.clip import candidate_schema
from schemas.manifest import CONSENTED, FileRecord, Manifest, ShardRecord, Totals
from schemas.tables import EPISODE_SCHEMA, TURN_SCHEMA
from schemas.verdict import DEFAULT, judge
from transforms.store import Store

CLIPS = 4
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u2028 &lt; \"'"


def example(text: str = "What is said.", episodes: int = 2) -> dict[str, Any]:
    """report.json of `episodes`; CLIPS candidates in each of two, one of them left out. Foreign texts are `text`."""
    rows = [_candidate(episode, clip, text) for episode in range(min(episodes, 2)) for clip in range(CLIPS)]
    with tempfile.TemporaryDirectory() as folder:
        named = [f"e{number}" for number in range(min(episodes, 2))]
        files = Files(
            candidates={one: _written(folder, "candidates", one, rows, candidate_schema()) for one in named},
            clips={},
            turns={one: _written(folder, "turns", one, _turns(one, text), TURN_SCHEMA) for one in named},
        )
        gates = (
            Result("clips", 6, 100.0, False, text),
            Result("loudness_lufs_p50", -20.0, (-30.0, None), True, text),
            Result("split_leakage", None, 0.0, None, text),
        )
        checks = ({"name": "files", "means": text, "faults": 1, "examples": [text], "passed": False},)
        report = report_data(
            Store(folder),
            _manifest(text),
            f"name: {text}\n",
            DEFAULT,
            [_episode(number, text) for number in range(episodes)],
            statistics_of(pa.Table.from_pylist(rows, schema=candidate_schema()), DEFAULT),
            Judgement(gates, checks),
            files,
        )
    as_read: dict[str, Any] = json.loads(as_json(report))
    # In an order, and for reasons, that tests can lean on.
    as_read["queue"].sort(key=lambda clip: clip["id"])
    for clip in as_read["queue"]:
        is_first = clip["episode_id"] == "e0"
        clip["why"] = ["random"] if is_first else ["worst:speaker_similarity", "nearest:snr_db"]
    return as_read


def media_of(report: Mapping[str, Any]) -> dict[str, QueueClip]:
    """Every clip of the queue, embedded: noise of three seconds, another one for each."""
    return {one["id"]: as_media(flac(noise_bursts(number))).embedded() for number, one in enumerate(report["queue"])}


def _candidate(episode: int, clip: int, text: str) -> dict[str, Any]:
    row = {
        **candidate(f"e{episode}-{clip}", 5.0 * clip, f"{episode}{clip}", clip),
        "episode_id": f"e{episode}",
        "text": text,
        "spoken": text,
        "words": [
            {"text": word, "start": at, "end": at + 0.7, "score": -1.0}
            for word, at in ((text, 0.0), ("follows", 0.7), ("after", 1.4))
        ],
        "license": text,
        "license_source": text,
        "speaker_similarity": 0.95 - 0.1 * clip + 0.01 * episode,
        "split": "train",
        "phones": [{"symbol": text, "start": 0.1, "end": 0.2}] * 2,
    }
    verdict = judge(row, DEFAULT)
    return {**row, "verdict": verdict.name, "reasons": list(verdict.reasons), "tier": verdict.tier}


def _episode(number: int, text: str) -> dict[str, Any]:
    failed = number == 1
    return {
        **dict.fromkeys(EPISODE_SCHEMA.names),
        "episode_id": f"e{number}",
        "guid": f"guid-{number}",
        "title": f"{number} {text}",
        "published": f"2026-06-{number % 28 + 1:02d}T08:00:00Z",
        "source_url": text,
        "state": "failed" if failed else "done",
        "error": "download_failed" if failed else None,
        "error_detail": text if failed else None,
        "seconds": 60.0 + number,
        "speech_seconds": 50.0,
        "target_seconds": 20.0,
        "candidate_seconds": CLIPS * SECONDS,
        "kept_seconds": (CLIPS - 1) * SECONDS,
        "target_similarity": 0.8,
        "persons": [{"name": text, "role": "guest"}],
        "kept": CLIPS - 1,
    }


def _turns(episode: str, text: str) -> list[dict[str, Any]]:
    return [
        {
            **dict.fromkeys(TURN_SCHEMA.names),
            "episode_id": episode,
            "start": float(at),
            "end": at + 4.0,
            "speaker": text if at // 5 % 2 else "Host",
            "is_target": at // 5 % 2 == 0,
        }
        for at in range(0, 55, 5)
    ]


def _written(folder: str, kind: str, episode: str, rows: list[dict[str, Any]], schema: pa.Schema) -> str:
    path = Path(folder, kind, f"{episode}.parquet")
    path.parent.mkdir(exist_ok=True)
    own = [row for row in rows if row["episode_id"] == episode]
    pq.write_table(pa.Table.from_pylist(own, schema=schema), path)
    return str(path)


def _manifest(text: str) -> Manifest:
    return Manifest(
        name=text,
        sampling_rate=RATE,
        shards=(ShardRecord(text, "train", 6, 12345, "ab" * 32),),
        files=(FileRecord(text, 6, 12345, "cd" * 32),),
        totals=Totals(2, 1, 120.0, 100.0, 8, 24.0, 6, 18.0),
        config_hash="2494c363be8523e9",
        models={"speech": text},
        consent=CONSENTED,
        consent_id=text,
    )

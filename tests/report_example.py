"""A report.json as builds write it, of made-up candidates, with any text in all places that come from outside."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from small_dataset import RATE, SECONDS, candidate, flac, noise_bursts

from pipeline.report.clip_media import QueueClip, as_media
from pipeline.report.contents import report_json
from pipeline.report.histograms import BINS
from pipeline.report.statistics import report_of, statistics_of
from schemas.clip import candidate_schema
from schemas.tables import EPISODE_SCHEMA
from schemas.verdict import DEFAULT, judge

CLIPS = 4
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u2028 &lt; \"'"


def example(text: str = "What is said.", episodes: int = 2) -> dict[str, Any]:
    """report.json of `episodes`; CLIPS candidates in each of two, one of them left out. Foreign texts are `text`."""
    rows = [_candidate(episode, clip, text) for episode in range(min(episodes, 2)) for clip in range(CLIPS)]
    table = pa.Table.from_pylist(rows, schema=candidate_schema())
    about = {
        "name": text,
        "version": "2a035e515a16741c",
        "config_hash": "2494c363be8523e9",
        "consent": "consented",
        "consent_id": "c0" * 8,
        "models": {"speech": text},
        "sampling_rate": RATE,
    }
    written = report_json(
        about, [_episode(number, text) for number in range(episodes)], report_of(statistics_of(table, DEFAULT), DEFAULT)
    )
    report: dict[str, Any] = json.loads(written)
    for number, one in enumerate(report["episodes"]):
        one.update(_more_of_episode(number, text))
    report["verdict"] = {"passed": False, "audited": True, "text": text}
    report["gates"] = [
        {"name": "clips", "observed": 6, "threshold": 100, "passed": False, "text": text},
        {"name": "loudness_lufs_p50", "observed": -20.0, "threshold": [-30, None], "passed": True, "text": text},
        {"name": "split_leakage", "observed": None, "threshold": 0, "passed": None, "text": text},
    ]
    report["checks"] = [{"name": "files", "means": text, "faults": 1, "examples": [text], "passed": False}]
    report["queue"] = [_queued(row, text) for row in rows]
    report["configuration"] = f"name: {text}\n"
    report["shards"] = [{"name": text, "split": "train", "rows": 6, "bytes": 12345, "sha256": "ab" * 32}]
    report["files"] = [{"name": text, "rows": 6, "bytes": 12345, "sha256": "cd" * 32}]
    report["rights"]["consent"] = {"consent": text, "consent_id": text}
    report["rights"]["missing"] = [text]
    return report


def media_of(report: Mapping[str, Any]) -> dict[str, QueueClip]:
    """Every clip of the queue, embedded: noise of three seconds, another one for each."""
    return {one["id"]: as_media(flac(noise_bursts(number))).embedded() for number, one in enumerate(report["queue"])}


def _candidate(episode: int, clip: int, text: str) -> dict[str, Any]:
    row = {
        **candidate(f"e{episode}-{clip}", 5.0 * clip, f"{episode}{clip}", clip),
        "text": text,
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
        "kept": CLIPS - 1,
    }


def _more_of_episode(number: int, text: str) -> dict[str, Any]:
    spans: Sequence[Sequence[float]] = [[float(at), at + 4.0, at // 5 % 2, 1 - at // 5 % 2] for at in range(0, 55, 5)]
    return {
        "loudness_lufs": -20.0 - number % 7,
        "snr_db": 30.0,
        "dnsmos_ovrl": None,
        "similarity": 0.8,
        "others": [{"speaker": text, "seconds": 20.0}],
        "timeline": spans,
        "speaker_names": ["Host", text],
    }


def _queued(row: Mapping[str, Any], text: str) -> dict[str, Any]:
    why = ["random"] if row["id"].startswith("e0") else ["worst:speaker_similarity", "nearest:snr_db"]
    words = [[text, 0.0, 0.7], ["follows", 0.7, 1.4], ["after", 1.4, SECONDS]]
    return {
        **{key: row[key] for key in ("id", "text", "start", "duration", "split", "tier", "verdict", "reasons")},
        "why": why,
        "episode_id": row["id"].split("-")[0],
        "spoken": text,
        "words": words,
        "scores": {column: _score(row[column]) for column in BINS},
    }


def _score(value: Any) -> float | None:
    return None if value is None else round(float(np.float64(value)), 6)

"""A small dataset of made-up clips, committed as a build commits it, and ways to change it without a build."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from apache_beam.pvalue import AsList, AsSingleton
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.choose import Choose
from pipeline.commit import DatasetFacts
from pipeline.commit_step import CommitDataset
from pipeline.config import parse_config
from pipeline.gates import DEFAULTS
from pipeline.judging import Scored
from pipeline.report.count import CountCandidates
from schemas.clip import candidate_schema
from schemas.ids import file_sha256
from schemas.manifest import ShardRecord, manifest_bytes, read_manifest
from schemas.tables import EPISODE_SCHEMA
from transforms.fingerprint import fingerprint
from transforms.shards import write_clips, write_table
from transforms.store import Store

RATE = 24_000
SECONDS = 3.0
YAML = "name: readings\nsources: [{files: x}]\nspeaker: {name: Host, auto: true}\n"
SHARD = "data/train-00000-of-00001.parquet"


def noise_bursts(seed: int) -> np.ndarray:
    """Something with onsets, another one for every seed."""
    random = np.random.default_rng(seed)
    time = np.arange(int(SECONDS * RATE)) / RATE
    samples = np.zeros_like(time)
    for start in np.sort(random.uniform(0, SECONDS - 0.2, 14)):
        burst = np.exp(-12 * np.clip(time - start, 0, None)) * (time >= start)
        samples += burst * np.sin(2 * np.pi * random.uniform(150, 3000) * time)
    return (0.2 * samples / np.abs(samples).max()).astype(np.float32)


def flac(samples: np.ndarray, rate: int = RATE) -> bytes:
    """Samples, shape (n,) or (n, channels), as FLAC of 16 bits."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def candidate(clip: str, start: float, audio: str, number: int) -> dict[str, Any]:
    """A row that every profile's gates on the default scores let through."""
    spoken = "what is said"
    return {
        **dict.fromkeys(candidate_schema().names),
        "id": clip,
        "text": "What is said.",
        "spoken": spoken,
        "words": [
            {"text": word, "start": 0.5 * n, "end": 0.5 * n + 0.4, "score": -1.0}
            for n, word in enumerate(spoken.split())
        ],
        "phones": [{"symbol": "W", "start": 0.1, "end": 0.2}],
        "duration": SECONDS,
        "sampling_rate": RATE,
        "start": start,
        "end": start + SECONDS,
        "speaker": "Host",
        "speaker_similarity": 0.9 - 0.01 * number,
        "speaker_purity": 1.0,
        "overlap": 0.0,
        "transcript_source": "vtt",
        "alignment_score": -1.0,
        "snr_db": 30.0,
        "dnsmos_ovrl": 3.5,
        "dnsmos_sig": 3.8,
        "dnsmos_bak": 4.0,
        "loudness_lufs": -20.0,
        "peak_db": -3.0,
        "clipped": 0.0,
        "bandwidth_hz": 11_000.0,
        "upsampled": False,
        "leading_silence": 0.1,
        "trailing_silence": 0.1,
        "chars_per_second": 14.0,
        "f0_median_hz": 120.0,
        "coverage": 1.0,
        "fingerprint": audio,
    }


def write_dataset(
    folder: Path,
    yaml: str = YAML,
    clips: int = 3,
    episodes: int = 2,
    consent: str = "c0" * 8,
    audio: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Path:
    """Commit a dataset of `episodes` with `clips` each to a folder; clip ids are eN-M.

    `audio` holds samples of SECONDS at RATE by clip id, for those that shall not be noise.
    """
    store, config = Store(str(folder)), parse_config(yaml, "dataset.yaml")
    facts = DatasetFacts(
        name=config.name,
        config_hash=config.hash,
        models={"speech": "webrtc"},
        consent_id=consent,
        config_yaml=config.resolved_yaml(),
        sampling_rate=RATE,
        speaker="Host",
        thresholds=config.selection.thresholds,
        gates={**DEFAULTS, **config.gates.limits},
    )
    scored = [_scored(store, facts, number, clips, audio) for number in range(episodes)]
    rows = [
        {
            **dict.fromkeys(EPISODE_SCHEMA.names),
            "episode_id": one.episode_id,
            "source_url": f"https://example.org/{one.episode_id}.mp3",
            "recording_sha256": one.recording_sha256,
            "published": one.published,
            "state": "done",
            "seconds": 60.0,
        }
        for one in scored
    ]
    with beam.Pipeline(FnApiRunner()) as pipeline:
        choice = (
            pipeline
            | "Scored" >> beam.Create(scored)
            | "Choose" >> Choose(store, config.selection.thresholds, config.splits.shares, RATE, config.profiles)
        )
        _ = (
            pipeline
            | "Trigger" >> beam.Create([None])
            | "Commit"
            >> beam.ParDo(
                CommitDataset(store, facts),
                rows=AsList(pipeline | "Rows" >> beam.Create(rows)),
                judged=AsList(choice.judged),
                shards=AsList(choice.shards),
                turns=AsList(pipeline | "No turns" >> beam.Create([])),
                statistics=AsSingleton(
                    choice.judged | "Statistics" >> CountCandidates(store, config.selection.thresholds)
                ),
            )
        )
    return folder


def _scored(store: Store, facts: DatasetFacts, number: int, clips: int, given: Mapping[str, np.ndarray]) -> Scored:
    name, audio, rows = f"e{number}", [], []
    for clip in range(clips):
        samples = given.get(f"{name}-{clip}", noise_bursts(100 * number + clip))
        audio.append((f"{name}-{clip}", flac(samples)))
        rows.append(candidate(f"{name}-{clip}", clip * 5.0, fingerprint(samples, RATE), clip))
    audio_path = store.path("work", "clips", f"{name}.parquet")
    scores_path = store.path("work", "speaker", f"{name}.parquet")
    write_clips(audio_path, audio, RATE)
    write_table(scores_path, pa.Table.from_pylist(rows, schema=candidate_schema()))
    columns = {
        "episode_id": name,
        "episode_guid": f"guid-{name}",
        "source_url": f"https://example.org/{name}.mp3",
        "recording_sha256": f"sha-{name}",
        "speaker": facts.speaker,
        "license": "cc-by-4.0",
        "license_source": "item podcast:license",
        "consent_id": facts.consent_id,
        "config_hash": facts.config_hash,
        "models": facts.models_json,
    }
    return Scored(name, f"2026-06-0{number + 1}", f"sha-{name}", scores_path, audio_path, columns)


def change_clips(folder: Path, change: Callable[[list[dict[str, Any]]], None], name: str = SHARD) -> None:
    """Change rows of a shard and write its hash, size and rows into the manifest, as if a build had written it so."""
    table = pq.read_table(folder / name, partitioning=None)
    rows = table.to_pylist()
    change(rows)
    write_shard_table(folder, pa.Table.from_pylist(rows, schema=table.schema), name)


def write_shard_table(folder: Path, table: pa.Table, name: str = SHARD) -> None:
    """Let a shard hold a table, and the manifest know its hash, size and rows."""
    path = folder / name
    path.unlink()
    pq.write_table(table, path)
    manifest = read_manifest(folder)
    shards = tuple(
        ShardRecord(name, one.split, table.num_rows, path.stat().st_size, file_sha256(path))
        if one.name == name
        else one
        for one in manifest.shards
    )
    (folder / "manifest.json").write_bytes(manifest_bytes(replace(manifest, shards=shards)))


def change_manifest(folder: Path, **changes: Any) -> None:
    """Write a manifest with other facts and the version that goes with them."""
    (folder / "manifest.json").write_bytes(manifest_bytes(replace(read_manifest(folder), **changes)))

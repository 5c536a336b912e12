"""The manifest: whole or not there, the same bytes for the same dataset, damage said in one line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import RealtalkError
from schemas.manifest import (
    CONSENTED,
    NO_CONSENT,
    FileRecord,
    Manifest,
    ShardRecord,
    SplitTotal,
    Totals,
    manifest_bytes,
    read_manifest,
)

MANIFEST = Manifest(
    name="readings",
    sampling_rate=24_000,
    shards=(ShardRecord("data/train-00000-of-00001.parquet", "train", 120, 5_000_000, "ab" * 32),),
    files=(FileRecord("episodes/episodes.parquet", 2, 900, "cd" * 32),),
    totals=Totals(
        episodes=2,
        failed_episodes=0,
        seconds=600.25,
        speech_seconds=500.5,
        candidates=150,
        candidate_seconds=400.0,
        clips=120,
        clip_seconds=333.3,
        splits={"train": SplitTotal(100, 300.0), "test": SplitTotal(20, 33.3)},
    ),
    config_hash="0123",
    models={"speech": "webrtcvad", "aligner": "pocketsphinx 5.1 – en"},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(manifest_bytes(MANIFEST))
    assert read_manifest(tmp_path) == MANIFEST
    assert read_manifest(tmp_path).version == MANIFEST.version


def test_the_same_dataset_has_the_same_bytes(tmp_path: Path) -> None:
    turned = replace(
        MANIFEST,
        models=dict(reversed(MANIFEST.models.items())),
        totals=replace(MANIFEST.totals, splits=dict(reversed(MANIFEST.totals.splits.items()))),
    )
    assert manifest_bytes(turned) == manifest_bytes(MANIFEST)
    assert str(tmp_path).encode() not in manifest_bytes(MANIFEST)


def test_every_change_is_another_version() -> None:
    others = [
        replace(MANIFEST, name="other"),
        replace(MANIFEST, config_hash="4567"),
        replace(MANIFEST, shards=(replace(MANIFEST.shards[0], sha256="00" * 32),)),
        replace(MANIFEST, files=()),
        replace(MANIFEST, consent=CONSENTED, consent_id="c1"),
        replace(MANIFEST, totals=replace(MANIFEST.totals, clips=119)),
    ]
    assert len({MANIFEST.version, *(one.version for one in others)}) == 7


def test_without_consent_it_says_so() -> None:
    assert json.loads(manifest_bytes(MANIFEST))["consent"] == NO_CONSENT == "NO CONSENT ON RECORD"
    with pytest.raises(ValueError, match="consent_id"):
        replace(MANIFEST, consent=CONSENTED)
    with pytest.raises(ValueError, match="consent_id"):
        replace(MANIFEST, consent_id="c1")
    with pytest.raises(ValueError, match="neither"):
        replace(MANIFEST, consent="maybe")


def test_a_folder_without_a_manifest_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(RealtalkError, match="no dataset is ready here"):
        read_manifest(tmp_path)


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(manifest_bytes(MANIFEST)), **changes}).encode()


def without(name: str) -> bytes:
    document = json.loads(manifest_bytes(MANIFEST))
    del document[name]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (manifest_bytes(MANIFEST)[:200], "not readable as JSON"),
        (b"", "not readable as JSON"),
        (b"\xff\xfe\x00", "not readable as JSON"),
        (b"[]", "it holds a JSON list"),
        (b"[" * 100_000, "not readable as JSON"),
        (changed(format=2), "has format 2, this realtalk reads format 1"),
        (without("format"), "has format None"),
        (without("shards"), "shards: Field required"),
        (changed(sampling_rate="24000"), "sampling_rate: Input should be a valid integer"),
        (changed(shards=[{"name": "x"}]), r"shards\.0\.split: Field required"),
        (changed(consent=CONSENTED), "consent_id"),
        (changed(name="renamed"), "its content does not fit its version"),
        (without("version"), "its content does not fit its version None"),
    ],
)
def test_damage_is_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(RealtalkError, match=message) as caught:
        read_manifest(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)

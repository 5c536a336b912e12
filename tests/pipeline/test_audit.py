"""The audit: a whole dataset passes; everything that is wrong with one is found, named, and costs exit code 3."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from folder_filesystem import PREFIX
from small_dataset import (
    RATE,
    SHARD,
    YAML,
    change_clips,
    change_manifest,
    flac,
    noise_bursts,
    write_dataset,
    write_shard_table,
)

from pipeline.audit import CHECKS, Audit, audit
from pipeline.cli import main
from schemas.errors import RealtalkError
from schemas.ids import file_sha256
from schemas.manifest import SplitTotal, read_manifest
from transforms.check_clip import audio_fault

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("audit") / "whole")


@pytest.fixture
def dataset(committed: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(committed, tmp_path / "dataset", ignore=shutil.ignore_patterns("work"))
    return tmp_path / "dataset"


def faults(found: Audit) -> dict[str, tuple[int, str]]:
    """Of every check that failed: how many, and the first line."""
    return {check.name: (check.faults, check.examples[0]) for check in found.checks if not check.passed}


def test_a_whole_dataset_passes(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(committed)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("passed") == len(CHECKS) + 4
    assert "FAILED" not in out
    assert "6 clips, 18 s, of 2 episodes" in out


def test_the_findings_as_json(committed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(committed), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    assert found["failed"] == []
    assert (found["clips"], found["seconds"]) == (6, 18.0)
    assert found["version"] == read_manifest(committed).version
    assert [check["name"] for check in found["checks"]] == list(CHECKS)
    assert {"name", "observed", "threshold", "passed", "text"} == set(found["gates"][0])


def test_it_changes_nothing(committed: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in committed.rglob("*")}
    audit(str(committed))
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in committed.rglob("*")} == before


@pytest.mark.parametrize("name", [SHARD, "candidates/e0.parquet", "clips/e1.parquet", "episodes/episodes.parquet"])
def test_a_flipped_byte_is_found(dataset: Path, name: str) -> None:
    path = dataset / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.unlink()
    path.write_bytes(content)
    assert faults(audit(str(dataset)))["files"] == (1, f"{name} is damaged: its SHA-256 is not the manifest's")


def test_a_truncated_a_missing_and_an_unknown_file_are_found(dataset: Path) -> None:
    shard = dataset / SHARD
    content = shard.read_bytes()
    shard.unlink()
    shard.write_bytes(content[:-100])
    found = faults(audit(str(dataset)))
    assert found["files"] == (1, f"{SHARD} has {len(content) - 100} bytes, the manifest says {len(content)}")
    assert found["clips"][1].startswith(f"{SHARD}: can't be read to its end (")
    assert found["rows"][1].startswith("train has 0 clips of 0.000 s, the manifest's totals say 6 of 18.000 s")
    shard.unlink()
    (dataset / "data" / "train-00001-of-00002.parquet").write_bytes(b"x")
    check = next(check for check in audit(str(dataset)).checks if check.name == "files")
    assert sorted(check.examples) == [
        "data/train-00000-of-00001.parquet is missing",
        "data/train-00001-of-00002.parquet is there, the manifest doesn't know it",
    ]


def test_exit_code_3_says_what_failed(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / "candidates" / "e0.parquet").unlink()
    assert main(["audit", str(dataset), "--format", "json"]) == 3
    out, err = capsys.readouterr()
    assert err == "realtalk: check files failed: candidates/e0.parquet is missing\n"
    assert json.loads(out)["failed"] == ["files"]
    assert main(["audit", str(dataset)]) == 3
    assert "candidates/e0.parquet is missing" in capsys.readouterr().out


def set_first(**values: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[0].update(values)


def with_audio(content: bytes | None) -> Callable[[Rows], None]:
    return set_first(audio=None if content is None else {"bytes": content, "path": "x.flac"})


def second_is_first(rows: Rows) -> None:
    rows[1]["id"] = rows[0]["id"]


TWO_CHANNELS = flac(np.zeros((RATE * 3, 2), np.float32))


@pytest.mark.parametrize(
    ("change", "check", "line"),
    [
        (with_audio(b"no audio"), "clips", "clip e0-0 does not decode ("),
        (with_audio(None), "clips", "clip e0-0 holds no audio"),
        (with_audio(TWO_CHANNELS), "clips", "clip e0-0 has 2 channels, not one"),
        (
            with_audio(flac(noise_bursts(0), 16_000)),
            "clips",
            "clip e0-0 has 16000 samples a second, its row says 24000",
        ),
        (with_audio(flac(noise_bursts(0)[:-2400])), "clips", "clip e0-0 lasts 2.900 s, its row says 3.000 s"),
        (set_first(sampling_rate=None), "clips", "its row says None"),
        (set_first(duration=None), "clips", "clip e0-0 lasts 3.000 s, its row says nothing"),
        (set_first(duration=float("nan")), "clips", "clip e0-0 lasts 3.000 s, its row says nan s"),
        (set_first(id=""), "ids", "row 0 has no id"),
        (second_is_first, "ids", "clip e0-0 is in more than once"),
        (set_first(split="test"), "splits", "clip e0-0 says it is of test, its shard is of train"),
        (set_first(consent_id="ff"), "rights", "clip e0-0 has consent ff, the manifest says c0c0c0c0c0c0c0c0"),
        (set_first(consent_id=None), "rights", "clip e0-0 has consent none, the manifest says c0c0c0c0c0c0c0c0"),
        (set_first(config_hash="ff"), "rights", "clip e0-0 was made by configuration ff, the manifest says "),
        (set_first(source_url=None), "rights", "clip e0-0 has no source_url: nobody can tell where it is from"),
        (set_first(recording_sha256=""), "rights", "clip e0-0 has no recording_sha256"),
    ],
)
def test_a_fault_that_the_hashes_know_nothing_of(
    dataset: Path, change: Callable[[Rows], None], check: str, line: str
) -> None:
    change_clips(dataset, change)
    found = audit(str(dataset))
    count, first = faults(found)[check]
    assert count == 1
    assert first.startswith(f"{SHARD}: ")
    assert line in first
    assert not found.passed


def test_samples_that_decode_to_others_are_found() -> None:
    content = bytearray(flac(noise_bursts(1)))
    assert audio_fault(bytes(content), 3.0, RATE) == ""
    content[30] ^= 1  # of the hash that the encoder left
    assert "not decode to the samples" in audio_fault(bytes(content), 3.0, RATE)
    content = bytearray(flac(noise_bursts(1)))
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    assert audio_fault(bytes(content), 3.0, RATE) != ""


def test_a_header_that_promises_hours_takes_no_memory() -> None:
    content = bytearray(flac(noise_bursts(1)))
    # STREAMINFO's 36 bits of "total samples" end at byte 26.
    content[22:26] = (0x7FFFFFFF).to_bytes(4, "big")
    assert "no clip lasts more than 120" in audio_fault(bytes(content), 0x7FFFFFFF / RATE, RATE)
    assert "its row says 3.000 s" in audio_fault(bytes(content), 3.0, RATE)


def test_one_audio_in_two_splits_is_leakage_and_a_duplicate(dataset: Path) -> None:
    """Half of the clips moved to a shard of another split, the first of them a copy."""
    table = pq.read_table(dataset / SHARD, partitioning=None)
    rows = table.to_pylist()
    moved = [row | {"split": "test"} for row in rows[3:]]
    moved[0]["audio"] = rows[0]["audio"]
    name = "data/test-00000-of-00001.parquet"
    shard = read_manifest(dataset).shards[0]
    totals = replace(read_manifest(dataset).totals, splits={"train": SplitTotal(3, 9.0), "test": SplitTotal(3, 9.0)})
    shutil.copy(dataset / SHARD, dataset / name)
    change_manifest(dataset, shards=(shard, replace(shard, name=name, split="test")), totals=totals)
    write_shard_table(dataset, table.slice(0, 3))
    change_clips(dataset, lambda old: old.__setitem__(slice(None), moved), name)
    found = audit(str(dataset), {"split_leakage": 0.0})
    assert faults(found) == {
        "splits": (1, f"{name}: clip e1-0: its episode, recording or audio is in another split too")
    }
    assert {gate.name: gate.observed for gate in found.gates if not gate.passed} == {
        "duplicates": 1,
        "split_leakage": 1,
    }
    change_clips(dataset, lambda old: [row.update(recording_sha256="sha-e0") for row in old] and None, name)
    assert faults(audit(str(dataset)))["splits"][0] == 3


def test_a_shard_of_other_columns_is_found(dataset: Path) -> None:
    table = pq.read_table(dataset / SHARD, partitioning=None)
    write_shard_table(dataset, table.drop_columns(["f0_median_hz"]))
    assert faults(audit(str(dataset))) == {"schema": (1, f"{SHARD}: columns: f0_median_hz missing")}
    write_shard_table(dataset, table.set_column(0, "id", table["duration"]))
    found = faults(audit(str(dataset)))
    assert found["schema"] == (1, f"{SHARD}: column id is double, not string")
    assert found["clips"] == (1, f"{SHARD}: its clips can't be looked at for want of id")
    write_shard_table(dataset, table.replace_schema_metadata(None))
    assert faults(audit(str(dataset)))["schema"][1].endswith("doesn't say that its audio has 24000 samples a second")


def test_a_manifest_may_lead_nowhere_else(dataset: Path) -> None:
    shard = read_manifest(dataset).shards[0]
    change_manifest(dataset, shards=(shard, replace(shard, name="data/../../secret.parquet")))
    found = faults(audit(str(dataset)))
    assert found == {"files": (1, "data/../../secret.parquet: no place of a dataset's file, so it isn't looked at")}
    change_manifest(dataset, shards=(shard, shard))
    assert faults(audit(str(dataset)))["files"] == (1, f"{SHARD} is in the manifest more than once")


def test_what_is_no_dataset_is_one_line(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RealtalkError, match="no dataset is ready here"):
        audit(str(tmp_path / "none"))
    (dataset / "manifest.json").write_text("{")
    assert main(["audit", str(dataset)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "not readable as JSON" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_shard_that_may_not_be_read_is_a_fault(dataset: Path) -> None:
    (dataset / SHARD).chmod(0)
    assert faults(audit(str(dataset)))["files"] == (1, f"{SHARD}: can't be read (Permission denied)")


def test_a_dataset_in_a_bucket_is_audited_as_one_in_a_folder(dataset: Path) -> None:
    assert audit(f"{PREFIX}{dataset}").passed
    (dataset / SHARD).unlink()
    assert faults(audit(f"{PREFIX}{dataset}/"))["files"] == (1, f"{SHARD} is missing")
    with pytest.raises(RealtalkError, match="no dataset is ready here"):
        audit(f"{PREFIX}{dataset}/none")


def test_no_damage_to_a_shard_passes_or_ends_the_audit(dataset: Path) -> None:
    """Bytes anywhere in the file, with a manifest that knows the hash of what came out."""
    shard, random = dataset / SHARD, np.random.default_rng(7)
    whole, manifest = shard.read_bytes(), read_manifest(dataset)
    for _ in range(30):
        content = bytearray(whole)
        start = int(random.integers(0, len(content) - 16))
        content[start : start + 16] = random.bytes(16)
        shard.unlink()
        shard.write_bytes(content)
        record = replace(manifest.shards[0], bytes=len(content), sha256=file_sha256(shard))
        assert "files" in faults(audit(str(dataset)))
        change_manifest(dataset, shards=(record,))
        assert isinstance(audit(str(dataset)), Audit)
        change_manifest(dataset, shards=manifest.shards)


def test_a_dataset_that_changes_meanwhile_is_audited_again(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import audit as module

    def and_rebuilt(*arguments: Any) -> None:
        (dataset / "manifest.json").unlink()

    monkeypatch.setattr(module, "_compare_totals", and_rebuilt)
    with pytest.raises(RealtalkError, match="was changed while it was audited"):
        audit(str(dataset))


def test_a_damaged_configuration_is_a_fault_of_the_files(dataset: Path) -> None:
    (dataset / "dataset.yaml").unlink()
    assert faults(audit(str(dataset))) == {"files": (1, "dataset.yaml is missing, and with it the dataset's own gates")}
    (dataset / "dataset.yaml").write_text(YAML + "gates: {clisp: 1}\n")
    count, line = faults(audit(str(dataset)))["files"]
    assert count == 1
    assert "'clisp' is no gate; did you mean clips?" in line

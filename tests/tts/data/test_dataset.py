"""A dataset as a trainer reads it, wherever it lies."""

import json
import shutil
from pathlib import Path

import pytest
from small_dataset import SHARD, write_dataset

from schemas.errors import RealtalkError
from schemas.manifest import read_manifest
from tts.data.dataset import open_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("opened") / "dataset")


def test_it_is_what_the_manifest_says(dataset: Path) -> None:
    opened, manifest = open_dataset(str(dataset)), read_manifest(dataset)
    assert (opened.name, opened.version, opened.sampling_rate) == (
        manifest.name,
        manifest.version,
        manifest.sampling_rate,
    )
    assert opened.consent_id == manifest.consent_id
    (shard,) = opened.of("train")
    assert len(list(opened.rows(shard, ["id"]))) == shard.rows


def test_a_uri_gives_the_same(dataset: Path) -> None:
    here, there = open_dataset(str(dataset)), open_dataset(dataset.as_uri())
    assert there.shards == here.shards
    assert list(there.rows(there.shards[0], ["id"])) == list(here.rows(here.shards[0], ["id"]))


def test_whatever_fsspec_knows_is_read(dataset: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec reads other file systems")
    memory = fsspec.filesystem("memory")
    memory.put(str(dataset / "manifest.json"), "/bucket/manifest.json")
    memory.put(str(dataset / SHARD), f"/bucket/{SHARD}")
    there = open_dataset("memory://bucket")
    assert len(list(there.rows(there.shards[0], ["id"]))) == there.shards[0].rows
    with pytest.raises(RealtalkError, match="nothing: no dataset is ready here"):
        open_dataset("memory://nothing")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("{", r"manifest\.json: is damaged"),
        (json.dumps({"format": 9, "shards": []}), "has format 9, this realtalk reads format 1"),
        (json.dumps({"format": 1}), r"manifest\.json: is damaged"),
    ],
)
def test_damage_is_a_line(tmp_path: Path, content: str, line: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(RealtalkError, match=line):
        open_dataset(str(tmp_path))


def test_where_nothing_is_ready_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RealtalkError, match=r"no dataset is ready here, manifest\.json is missing; run realtalk build"):
        open_dataset(str(tmp_path))
    with pytest.raises(RealtalkError, match=r"(to read nowhere://)|(can.t be read)"):
        open_dataset("nowhere://bucket/x")


def test_a_shard_of_the_version_before_is_found_where_it_is_kept(dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "dataset", ignore=shutil.ignore_patterns("work"))
    opened = open_dataset(str(tmp_path / "dataset"))
    kept = tmp_path / "dataset" / "versions" / opened.version / SHARD
    kept.parent.mkdir(parents=True)
    (tmp_path / "dataset" / SHARD).rename(kept)
    assert len(list(opened.rows(opened.shards[0], ["id"]))) == opened.shards[0].rows
    (tmp_path / "dataset" / SHARD).write_bytes(b"another version's")
    assert len(list(opened.rows(opened.shards[0], ["id"]))) == opened.shards[0].rows


def test_a_shard_that_is_gone_is_named(dataset: Path) -> None:
    opened, path = open_dataset(str(dataset)), dataset / SHARD
    content = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(RealtalkError, match=f"{SHARD}: is missing; run realtalk audit"):
            list(opened.rows(opened.shards[0], ["id"]))
    finally:
        path.write_bytes(content)

"""Versions: who reads the one before the current is not broken, and a commit that was killed is mended."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from folder_filesystem import PREFIX
from pyarrow import fs
from small_dataset import SHARD, write_dataset

from pipeline.audit import audit
from pipeline.cli import main
from pipeline.commit import commit, finish_commit
from pipeline.config_sections import Selection
from pipeline.export import run
from pipeline.export.clips import read_clips, ready_version
from pipeline.export.formats import ExportFormat
from pipeline.export.run import run_export
from pipeline.inspect import open_dataset
from pipeline.selection import run_select
from pipeline.unfinished import Publication
from schemas.errors import RealtalkError
from schemas.ids import file_sha256
from schemas.manifest import Manifest, manifest_bytes, read_manifest
from schemas.versions import open_record
from transforms.store import Store

DEFAULT = {"profile": "default"}
FEWER = {"profile": "default", "speaker_similarity": 0.90}
FEWEST = {"profile": "default", "speaker_similarity": 0.895}


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chosen once already, so that the same choice is the same version; without an earlier one."""
    folder = write_dataset(tmp_path_factory.mktemp("versions") / "whole")
    choose(folder, DEFAULT)
    shutil.rmtree(folder / "versions")
    manifest = replace(read_manifest(folder), from_version="")
    (folder / "manifest.json").write_bytes(manifest_bytes(manifest))
    return folder


@pytest.fixture
def dataset(committed: Path, tmp_path: Path) -> Path:
    shutil.copytree(committed, tmp_path / "dataset", ignore=shutil.ignore_patterns("work"))
    return tmp_path / "dataset"


def choose(dataset: Path | str, limits: dict[str, object]) -> Manifest:
    return run_select(str(dataset), Selection.model_validate(limits)).manifest


def files(folder: Path) -> dict[str, bytes]:
    """Everything but work/."""
    found = ((path.relative_to(folder), path) for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(name): path.read_bytes() for name, path in found if name.parts[0] != "work"}


def ids(path: Path) -> list[str]:
    return pq.read_table(path, columns=["id"], partitioning=None)["id"].to_pylist()


def test_a_reader_of_the_old_version_reads_it_to_its_end(dataset: Path) -> None:
    version = ready_version(open_dataset(str(dataset)))
    before = [clip.row for clip in read_clips(version, SHARD)]
    began = read_clips(version, SHARD)
    first = next(began)
    after = choose(dataset, FEWER)
    assert 0 < after.totals.clips < len(before)
    assert [first.row, *(clip.row for clip in began)] == before, "what was open is what it was"
    assert [clip.row for clip in read_clips(version, SHARD)] == before, "and so is what is opened now"
    assert len(list(read_clips(ready_version(open_dataset(str(dataset))), SHARD))) == after.totals.clips


def test_an_export_while_another_choice_is_made_is_of_one_version(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tmp_path / "dataset"
    shutil.copytree(two[0], dataset)
    version = read_manifest(dataset).version
    whole = run_export(str(dataset), ExportFormat.LJSPEECH, str(tmp_path / "alone"))
    do_units = run._do_units

    def meanwhile(*arguments: Any) -> Any:
        commit(Store(str(dataset)), *staged(Store(str(dataset)), two[1]), "", {}, no_report)
        return do_units(*arguments)

    monkeypatch.setattr(run, "_do_units", meanwhile)
    for number, to in enumerate((ExportFormat.LJSPEECH, ExportFormat.RTTM)):
        shutil.rmtree(dataset)
        shutil.copytree(two[0], dataset)
        result = run_export(str(dataset), to, str(tmp_path / f"beside{number}"))
        assert result.version == version != read_manifest(dataset).version
    assert files(tmp_path / "beside0").keys() == files(tmp_path / "alone").keys()
    done = json.loads((tmp_path / "beside0" / "export.json").read_text())
    assert (done["clips"], done["version"]) == (whole.count, version)


def test_the_version_before_is_a_folder_of_its_own(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard, before = (dataset / SHARD).read_bytes(), read_manifest(dataset)
    after = choose(dataset, FEWER)
    assert (after.from_version, before.from_version) == (before.version, "")
    old = dataset / "versions" / before.version
    assert (old / SHARD).read_bytes() == shard
    assert read_manifest(old) == before
    run_export(str(old), ExportFormat.LJSPEECH, str(tmp_path / "old"))
    assert run_export(str(old), ExportFormat.LJSPEECH, str(tmp_path / "old")).unchanged
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="the datasets library (the extra test) reads the dataset")
    (dataset / "README.md").unlink()
    loaded = datasets.load_dataset(str(dataset), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {"train": after.totals.clips}, (
        "not by the card alone"
    )
    assert audit(str(dataset)).passed, "an audit has no complaint about versions/"


def test_files_are_kept_of_one_version_and_manifests_of_all(dataset: Path) -> None:
    first = read_manifest(dataset)
    second = choose(dataset, FEWER)
    third = choose(dataset, FEWEST)
    assert len({first.version, second.version, third.version}) == 3
    kept = {str(path.parent.relative_to(dataset / "versions")) for path in (dataset / "versions").rglob("*.parquet")}
    assert kept == {f"{second.version}/{folder}" for folder in ("data", "episodes")}
    for one in (first, second):
        assert read_manifest(dataset / "versions" / one.version) == one
    with pytest.raises(RealtalkError, match=f"not that of version {first.version}, and versions/ has it no more"):
        open_record(fs.LocalFileSystem(), str(dataset), first, first.shards[0])


def test_work_holds_shards_and_verdicts_of_two_versions_and_no_more(dataset: Path) -> None:
    work = dataset / "work"
    (work / "shards").mkdir(parents=True)
    (work / "shards" / ".killed.1234abcd.partial.parquet").write_bytes(b"left")
    (work / "shards" / "damaged.json").write_bytes(b"{")
    first, second, third = choose(dataset, FEWER), choose(dataset, FEWEST), choose(dataset, DEFAULT)
    assert len({first.version, second.version, third.version}) == 3
    shards = {file_sha256(path) for path in (work / "shards").glob("*.parquet")}
    assert shards == {record.sha256 for version in (second, third) for record in version.shards}
    assert len(list((work / "shards").iterdir())) == 2 * len(shards), "each with its record"
    verdicts = {record.sha256 for version in (second, third) for record in version.files if "candidates" in record.name}
    assert {file_sha256(path) for path in (work / "candidates").iterdir()} == verdicts
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*.parquet")}
    assert choose(dataset, FEWEST).version == second.version
    again = {path: path.stat().st_mtime_ns for path in work.rglob("*.parquet")}
    assert {path: again.get(path) for path in before} == before, "nothing of the two is written again"


def test_choosing_as_before_gives_the_same_version_and_says_from_what(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = read_manifest(dataset)
    second = choose(dataset, FEWER)
    assert main(["select", str(dataset), "--profile", "default"]) == 0
    assert f"chosen anew from  {second.version}" in capsys.readouterr().out
    assert not (dataset / "versions" / first.version / "data").exists(), "its files are in data/ again"
    content = (dataset / "manifest.json").read_bytes()
    assert main(["select", str(dataset), "--profile", "default", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["from_version"]) == (first.version, second.version)
    assert (dataset / "manifest.json").read_bytes() == content, "a choice that changes nothing isn't from itself"


def test_what_is_at_its_place_without_a_manifest_is_told_by_its_hash(dataset: Path) -> None:
    manifest = read_manifest(dataset)
    (dataset / "manifest.json").unlink()
    with open_record(fs.LocalFileSystem(), str(dataset), manifest, manifest.shards[0]) as file:
        assert file.read() == (dataset / SHARD).read_bytes()
    with open(dataset / SHARD, "r+b") as changed:
        changed.seek(100)
        changed.write(b"\0" * 8)
    with pytest.raises(RealtalkError, match="is not that of version"):
        open_record(fs.LocalFileSystem(), str(dataset), manifest, manifest.shards[0])


class KilledError(BaseException):
    """Stands for the kill of a process."""


class Killing(Store):
    """A store in which the process dies before one of its changes."""

    def _die(self) -> None:
        countdown = Path(os.environ["TEST_CHANGES"])
        left = int(countdown.read_text())
        if not left:
            raise KilledError
        countdown.write_text(str(left - 1))

    def publish(self, source: str, path: str) -> None:
        self._die()
        super().publish(source, path)

    def write_text(self, path: str, text: str) -> None:
        self._die()
        super().write_text(path, text)

    def remove(self, path: str) -> None:
        self._die()
        super().remove(path)

    def remove_tree(self, folder: str) -> None:
        self._die()
        super().remove_tree(folder)


def staged(store: Store, dataset: Path) -> tuple[Manifest, list[Publication]]:
    """A dataset as a build has it in work/ of another one, before it commits."""
    manifest = read_manifest(dataset)
    published = []
    for record in (*manifest.files, *manifest.shards):
        path = store.path("work", manifest.version, record.name.replace("/", "-"))
        store.publish(str(dataset / record.name), path)
        published.append(Publication(record.name, path))
    return manifest, published


@pytest.fixture(scope="module")
def two(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two versions of one dataset, apart."""
    other = tmp_path_factory.mktemp("other") / "dataset"
    shutil.copytree(committed, other, ignore=shutil.ignore_patterns("work"))
    choose(other, FEWER)
    return committed, other


def locally(path: Path) -> str:
    return str(path)


def as_bucket(path: Path) -> str:
    return f"{PREFIX}{path}"


def no_report(*_: object) -> Iterator[tuple[str, str | bytes]]:
    return iter(())


@pytest.mark.parametrize("place", [locally, as_bucket])
def test_a_commit_that_is_killed_anywhere_leaves_the_old_version_and_is_mended(
    place: Callable[[Path], str], two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    countdown = tmp_path / "changes"
    monkeypatch.setenv("TEST_CHANGES", str(countdown))
    # Every change of the dataset itself is tried; pictures of clips would take minutes.
    monkeypatch.setattr("pipeline.commit.report_in_place", no_report)
    whole: dict[str, bytes] = {}
    for changes in range(100):
        root = tmp_path / f"{changes}"
        store = Store(place(root))
        old, new = staged(store, two[0]), staged(store, two[1])
        commit(store, *old, "yaml: 1\n", {}, no_report)
        countdown.write_text(str(changes))
        ended = True
        try:
            commit(Killing(store.root), *new, "yaml: 2\n", {}, no_report)
        except KilledError:
            ended = False
        # Who holds the old manifest finds its shards, whenever it was.
        for record in old[0].shards:
            with open_record(fs.LocalFileSystem(), str(root), old[0], record) as file:
                assert file.read() == (two[0] / record.name).read_bytes(), changes
        ready = (root / "manifest.json").exists()
        if ready:
            manifest = read_manifest(root)
            assert all(file_sha256(root / one.name) == one.sha256 for one in (*manifest.shards, *manifest.files))
        if ready or changes % 2:
            commit(store, *new, "yaml: 2\n", {}, no_report)
        else:
            finish_commit(store)
        whole = whole or files(root)
        assert files(root) == whole, changes
        assert {name.split("/")[1] for name in whole if name.startswith("versions/")} == {old[0].version}
        shutil.rmtree(root)
        if ended:
            break
    assert changes > 10


def test_after_a_killed_commit_the_old_choice_is_the_dataset_again(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("TEST_CHANGES", str(tmp_path / "changes"))
    store = Store(str(tmp_path / "dataset"))
    old, new = staged(store, two[0]), staged(store, two[1])
    commit(store, *old, "yaml: 1\n", {}, no_report)
    before = files(tmp_path / "dataset")
    (tmp_path / "changes").write_text("8")
    with pytest.raises(KilledError):
        commit(Killing(store.root), *new, "yaml: 2\n", {}, no_report)
    assert not (tmp_path / "dataset" / "manifest.json").exists()
    commit(store, *old, "yaml: 1\n", {}, no_report)
    after = files(tmp_path / "dataset")
    assert {name: content for name, content in after.items() if not name.startswith("versions/")} == before
    assert not [name for name in after if name.startswith("versions/") and name.endswith(".parquet")]

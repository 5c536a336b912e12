"""An export as a whole: resumable, never half-written, and its mistakes in a line."""

import io
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from export_dataset import clip, usual_shards, write_dataset

from pipeline.cli import main
from pipeline.export import run, unit
from pipeline.export.clips import read_clips
from pipeline.export.formats import ExportFormat
from pipeline.export.run import run_export
from pipeline.export.table import FORMATS
from pipeline.inspect import open_dataset
from pipeline.progress_line import Progress
from schemas.errors import ConfigurationError, RealtalkError


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "readings", usual_shards())


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fault(*arguments: object) -> str:
    with pytest.raises(RealtalkError) as caught:
        run_export(*arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_format_that_is_offered_is_made() -> None:
    assert FORMATS.keys() == set(ExportFormat)


@pytest.mark.parametrize("to", list(ExportFormat))
def test_a_second_run_does_nothing(to: ExportFormat, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run_export(str(dataset), to, str(out))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = run_export(str(dataset), to, str(out))
    assert (first.unchanged, again.unchanged) == (False, True)
    assert (again.count, again.seconds, again.refused) == (first.count, first.seconds, first.refused)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    assert not list(out.rglob(".*")), "nothing of the work is left"


@pytest.mark.parametrize("to", list(ExportFormat))
def test_a_stopped_export_goes_on_to_the_same_bytes(
    to: ExportFormat, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    run_export(str(dataset), to, str(out))
    whole = bytes_of(out)
    shutil.rmtree(out)
    marked = run.keep
    for units in range(len(whole)):
        left = [units]

        def stopping(made: unit.Made, path: Path, left: list[int] = left) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            marked(made, path)

        with monkeypatch.context() as patch:
            patch.setattr(run, "keep", stopping)
            try:
                run_export(str(dataset), to, str(out))
                break
            except KeyboardInterrupt:
                assert not (out / "export.json").exists()
                assert not list(out.glob("metadata*")) + list(out.glob("*_list.txt")), "lists come last"
    run_export(str(dataset), to, str(out))
    assert bytes_of(out) == whole


def test_what_is_done_is_not_done_again(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    written: list[str] = []
    write = unit.write_wav

    def failing(path: Path, flac: bytes, rate: int) -> None:
        if path.stem == "bb01" and "bb01" not in written:
            written.append("bb01")
            raise KeyboardInterrupt
        written.append(path.stem)
        write(path, flac, rate)

    monkeypatch.setattr(unit, "write_wav", failing)
    with pytest.raises(KeyboardInterrupt):
        run_export(str(dataset), ExportFormat.NEMO, str(out))
    read: list[str] = []
    monkeypatch.setattr("pipeline.export.table.read_clips", lambda d, name: (read.append(name), read_clips(d, name))[1])
    run_export(str(dataset), ExportFormat.NEMO, str(out))
    assert "data/train-00000-of-00002.parquet" not in read
    assert sorted(written) == ["aa01", "aa02", "aa03", "bb01", "bb01", "bb02", "cc01", "dd01"]


def test_a_mark_that_can_not_be_read_is_no_mark(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(run, "_write_lists", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_export(str(dataset), ExportFormat.NEMO, str(out))
    marks = sorted((out / ".export").glob("0*.json"))
    for mark, content in zip(marks, (b"", b"\xff", b"[]", b'{"lists": 1}'), strict=True):
        mark.write_bytes(content)
    assert run_export(str(dataset), ExportFormat.NEMO, str(out)).count == 7


def test_lines_of_one_unit_at_a_time_are_kept(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units: list[unit.Unit] = []
    made = run._units
    monkeypatch.setattr(run, "_units", lambda *given: ((units.append(one), (one, n))[1] for one, n in made(*given)))
    run_export(str(dataset), ExportFormat.NEMO, str(tmp_path / "out"))
    assert len(units) == 4
    assert not any(one.made.lists for one in units)


def test_a_disk_that_is_full_is_a_line(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, flac: bytes, rate: int) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(unit, "write_wav", full)
    line = fault(str(dataset), ExportFormat.NEMO, str(tmp_path / "out"))
    assert line.endswith(
        "aa01.wav: can't be written to: the disk is full; free some space and run the same command again to go on"
    )


def test_a_folder_that_holds_something_else_stays_as_it_is(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("mine")
    assert "is not empty, and holds no export" in fault(str(dataset), ExportFormat.NEMO, str(out))
    (out / "letter.txt").unlink()
    run_export(str(dataset), ExportFormat.NEMO, str(out))
    assert "holds another export (format nemo)" in fault(str(dataset), ExportFormat.LJSPEECH, str(out))
    assert "(sampling_rate 24000)" in fault(str(dataset), ExportFormat.NEMO, str(out), 16_000)
    newer = write_dataset(tmp_path / "newer", [("train", [clip("zz")])])
    assert "holds another export (version " in fault(str(newer), ExportFormat.NEMO, str(out))
    (out / "export.json").write_text("{")
    assert "export.json: is damaged" in fault(str(dataset), ExportFormat.NEMO, str(out))


def test_wrong_places(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="folder of this machine"):
        run_export(str(dataset), ExportFormat.NEMO, "gs://bucket/out")
    with pytest.raises(ConfigurationError, match="the dataset's own folder"):
        run_export(str(dataset), ExportFormat.NEMO, str(dataset / "nemo"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        run_export(str(dataset), ExportFormat.NEMO, str(tmp_path / "file"))


def test_a_dataset_that_is_not_ready_or_damaged(dataset: Path, tmp_path: Path) -> None:
    shard = dataset / "data" / "test-00000-of-00001.parquet"
    shard.write_bytes(b"no parquet")
    line = fault(str(dataset), ExportFormat.NEMO, str(tmp_path / "out"))
    assert "data/test-00000-of-00001.parquet: can't be read (" in line
    assert line.endswith("; run realtalk build to make it anew")
    (dataset / "manifest.json").unlink()
    assert "no dataset is ready here" in fault(str(dataset), ExportFormat.NEMO, str(tmp_path / "o"))


def test_two_exports_do_not_write_to_one_folder(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".export").mkdir(parents=True)
    with run._alone(out / ".export"):
        assert "another export is writing here" in fault(str(dataset), ExportFormat.NEMO, str(out))


def test_clips_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_dataset(tmp_path / "d", [("train", [clip(f"c{i:03d}", seconds=0.1) for i in range(100)])])
    sizes: list[int] = []
    batches = pq.ParquetFile.iter_batches

    def counted(file: pq.ParquetFile, **options: int) -> object:
        for batch in batches(file, **options):
            sizes.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    names = [one.id for one in read_clips(open_dataset(str(path)), "data/train-00000-of-00001.parquet")]
    assert names == [f"c{i:03d}" for i in range(100)]
    assert max(sizes) <= 16


def test_progress_of_a_long_export(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("pipeline.progress_line.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    with Progress(100, "clips", stream) as progress:
        progress.skip(20)
        for _ in range(22):
            now[0] += 1.0
            progress.step()
    assert stream.getvalue() == "  30 of 100 clips, 70 s left\n  40 of 100 clips, 60 s left\n"


class TestCommand:
    def test_a_table_and_who_was_left_out(self, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
        assert main(["export", str(dataset), "--to", "ljspeech", str(tmp_path / "out")]) == 0
        said = capsys.readouterr()
        assert "5, 8 s" in said.out
        lines = [line for line in said.err.splitlines() if "left out" in line]
        assert [line.split(": ")[1] for line in lines] == ["aa03", "bb02"]

    def test_json(self, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
        arguments = ["export", str(dataset), str(tmp_path / "out"), "--to", "nemo", "--format", "json"]
        assert main(arguments) == 0
        assert json.loads(capsys.readouterr().out)["clips"] == 7

    def test_rights_travel_along(self, dataset: Path, tmp_path: Path) -> None:
        assert main(["export", str(dataset), "--to", "nemo", str(tmp_path / "out")]) == 0
        done = json.loads((tmp_path / "out" / "export.json").read_text())
        assert (done["consent_id"], done["licenses"]) == ("c0ffee0000000000", ["cc-by-4.0"])

    def test_a_missing_consent_is_said(self, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
        path = write_dataset(tmp_path / "d", [("train", [clip("a")])], consent=False)
        assert main(["export", str(path), "--to", "nemo", str(tmp_path / "out")]) == 0
        assert "NO CONSENT ON RECORD: do not train" in capsys.readouterr().err

    def test_nothing_left_is_a_failure(self, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
        path = write_dataset(tmp_path / "d", [("train", [clip("a", "a|b")])])
        assert main(["export", str(path), "--to", "ljspeech", str(tmp_path / "out")]) == 1
        assert "nothing is in the export; the lines above say why" in capsys.readouterr().err

    @pytest.mark.parametrize("arguments", [["--to", "mp3", "out"], ["out"], ["--to", "nemo"]])
    def test_wrong_use_is_2(self, arguments: list[str], dataset: Path, capsys: pytest.CaptureFixture) -> None:
        assert main(["export", str(dataset), *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1

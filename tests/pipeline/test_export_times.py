"""TextGrid, RTTM and Audacity's labels, by the readers that people use where they are installed."""

import itertools
from pathlib import Path

import pytest
import soundfile
from export_dataset import EPISODE, PLAIN, QUOTED, clip, usual_shards, write_dataset

from pipeline.export.clips import RefusedError
from pipeline.export.formats import ExportFormat
from pipeline.export.run import run_export
from pipeline.export.textgrid import Interval, covering, textgrid


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("readings") / "readings", usual_shards())


class TestTextGrid:
    @pytest.fixture(scope="class")
    def folder(self, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        out = tmp_path_factory.mktemp("grids") / "out"
        run_export(str(dataset), ExportFormat.TEXTGRID, str(out))
        return out / "clips"

    def test_praatio_reads_it(self, folder: Path) -> None:
        praatio = pytest.importorskip("praatio.textgrid", reason="praatio reads TextGrids; pip install praatio")
        for name, text in (("aa01", PLAIN), ("aa02", QUOTED)):
            grid = praatio.openTextgrid(str(folder / f"{name}.TextGrid"), True, reportingMode="error")
            assert grid.maxTimestamp == soundfile.info(folder / f"{name}.wav").duration
            entries = grid.getTier("words").entries
            assert " ".join(entry.label for entry in entries if entry.label).replace('""', '"') == text
            assert all(a.end == b.start for a, b in itertools.pairwise(entries))
        grid = praatio.openTextgrid(str(folder / "aa01.TextGrid"), False)
        assert " ".join(entry.label for entry in grid.getTier("phones").entries) == "IH T K AO S T TH R IY"
        first = grid.getTier("words").entries[0]
        assert (first.start, first.end, first.label) == (0.1, 0.4, "It")

    def test_textgrid_reads_it(self, folder: Path) -> None:
        package = pytest.importorskip("textgrid", reason="the package textgrid reads TextGrids; pip install textgrid")
        for name, text in (("aa01", PLAIN), ("aa02", QUOTED), ("aa03", "Either | or."), ("cc01", 'He said "no".')):
            grid = package.TextGrid.fromFile(str(folder / f"{name}.TextGrid"))
            words = next(tier for tier in grid if tier.name == "words")
            assert " ".join(interval.mark for interval in words if interval.mark) == text
            assert grid.maxTime == 1.5
        assert [tier.name for tier in grid] == ["words"], "no tier of phones where there are none"

    def test_gaps_are_filled_and_overlaps_cut(self) -> None:
        found = covering(1.0, [Interval(0.1, 0.4, "a"), Interval(0.39, 0.6, "b"), Interval(0.6, 0.6, "—")])
        assert [(one.start, one.end, one.label) for one in found] == [
            (0.0, 0.1, ""),
            (0.1, 0.4, "a"),
            (0.4, 0.6, "b —"),
            (0.6, 1.0, ""),
        ]
        assert covering(1.0, [Interval(0.0, 1.000004, "a")]) == [Interval(0.0, 1.0, "a")]

    def test_what_it_can_not_hold(self) -> None:
        with pytest.raises(RefusedError, match="no words in time"):
            textgrid(1.0, [], [])
        with pytest.raises(RefusedError, match="line break"):
            textgrid(1.0, [{"text": "a\nb", "start": 0.0, "end": 0.5}], [])
        with pytest.raises(RefusedError, match="no length"):
            textgrid(1.0, [{"text": "a", "start": 0.0, "end": 0.0}], [])


class TestRttm:
    @pytest.fixture(scope="class")
    def path(self, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
        out = tmp_path_factory.mktemp("rttm") / "out"
        result = run_export(str(dataset), ExportFormat.RTTM, str(out))
        assert (result.noun, result.count, result.seconds) == ("episodes", 1, 13.25)
        return out / f"{EPISODE}.rttm"

    def test_its_lines(self, path: Path) -> None:
        assert path.read_text().splitlines() == [
            f"SPEAKER {EPISODE} 1 2.000 7.000 <NA> <NA> S1 <NA> <NA>",
            f"SPEAKER {EPISODE} 1 9.000 6.250 <NA> <NA> target <NA> <NA>",
        ]

    def test_pyannote_reads_it(self, path: Path) -> None:
        util = pytest.importorskip("pyannote.database.util", reason="pyannote.database reads RTTM")
        annotation = util.load_rttm(str(path))[EPISODE]
        turns = [(turn.start, turn.end, who) for turn, _, who in annotation.itertracks(yield_label=True)]
        assert turns == [(2.0, 9.0, "S1"), (9.0, 15.25, "target")]

    def test_lhotse_reads_it(self, path: Path) -> None:
        lhotse = pytest.importorskip("lhotse", reason="lhotse reads RTTM; pip install lhotse")
        found = lhotse.SupervisionSet.from_rttm(path)
        assert [(one.start, one.end, one.speaker) for one in found] == [(2.0, 9.0, "S1"), (9.0, 15.25, "target")]


def audacity(path: Path) -> list[tuple[float, float, str]]:
    """As Audacity's import of labels: two numbers and the rest of the line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(float(start), float(end), label) for start, end, label in (line.split("\t", 2) for line in lines)]


def test_audacity(dataset: Path, tmp_path: Path) -> None:
    result = run_export(str(dataset), ExportFormat.AUDACITY, str(tmp_path / "out"))
    assert [clip for clip, _ in result.refused] == ["bb02"]
    assert audacity(result.out / f"{EPISODE}.turns.txt") == [(2.0, 9.0, "S1"), (9.0, 15.25, "target")]
    clips = audacity(result.out / f"{EPISODE}.clips.txt")
    assert clips[0] == (1.0, 2.5, "zz99 rejected (snr_db 3.0 < 10.0; overlap 0.20 > 0.05): And so.")
    assert clips[1] == (10.0, 11.5, f"aa01 kept: {PLAIN}")
    assert len(clips) == 7


def test_an_episode_without_candidates(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "d", [("train", [clip("a")])])
    (path / "candidates" / f"{EPISODE}.parquet").unlink()
    result = run_export(str(path), ExportFormat.AUDACITY, str(tmp_path / "out"))
    assert (result.out / f"{EPISODE}.clips.txt").read_bytes() == b""

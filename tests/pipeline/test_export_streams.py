"""WebDataset and lhotse, by the real readers where they are installed."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from export_dataset import QUOTED, clip, flac, samples, usual_shards, write_dataset

from pipeline.export.formats import ExportFormat
from pipeline.export.run import run_export

TRAIN = ["aa01", "aa02", "aa03", "bb01", "bb02"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("readings") / "readings", usual_shards())


@pytest.fixture(scope="module")
def folders(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("out")
    formats = (ExportFormat.WEBDATASET, ExportFormat.LHOTSE, ExportFormat.LHOTSE_SHAR)
    results = [run_export(str(dataset), to, str(root / to)) for to in formats]
    assert all((one.count, one.refused) == (7, ()) for one in results), "they hold any text"
    return {one.format: one.out for one in results}


def test_webdataset_holds_the_audio_as_it_is_kept(folders: dict[str, Path]) -> None:
    assert sorted(path.name for path in folders["webdataset"].glob("*.tar")) == [
        "test-000000.tar",
        "train-000000.tar",
        "train-000001.tar",
        "validation-000000.tar",
    ]
    with tarfile.open(folders["webdataset"] / "train-000000.tar") as tar:
        assert tar.getnames()[:3] == ["aa01.flac", "aa01.txt", "aa01.json"]
        member = tar.extractfile("aa01.flac")
        assert member is not None
        assert member.read() == flac(samples(1.5, 24_000), 24_000)


def test_webdataset_reads_it(folders: dict[str, Path]) -> None:
    wds = pytest.importorskip("webdataset", reason="webdataset reads its tars; pip install webdataset")
    urls = [str(folders["webdataset"] / f"train-{number:06d}.tar") for number in range(2)]
    rows = list(wds.WebDataset(urls, shardshuffle=False).decode())
    assert [row["__key__"] for row in rows] == TRAIN
    assert rows[1]["txt"] == rows[1]["json"]["text"] == QUOTED
    assert rows[4]["txt"] == "One\ntwo."
    assert rows[0]["json"]["snr_db"] == 31.5
    assert rows[0]["json"]["words"][0] == {"text": "It", "start": 0.1, "end": 0.4, "score": -3.5}
    pcm, rate = soundfile.read(io.BytesIO(rows[3]["flac"]), dtype="int16")
    assert (rate, np.array_equal(pcm, samples(1.5, 16_000))) == (16_000, True)


def lhotse_reads(folder: Path, shar: bool) -> list:
    lhotse = pytest.importorskip("lhotse", reason="lhotse reads cuts; pip install lhotse")
    if shar:
        return list(lhotse.CutSet.from_shar(in_dir=folder / "train"))
    return list(lhotse.load_manifest_lazy(folder / "train_cuts.jsonl"))


@pytest.mark.parametrize("to", ["lhotse", "lhotse-shar"])
def test_lhotse_reads_cuts_and_shar(to: str, folders: dict[str, Path]) -> None:
    from_files = lhotse_reads(folders[to], to == "lhotse-shar")
    lhotse = pytest.importorskip("lhotse.qa", reason="lhotse checks cuts; pip install lhotse")
    assert [cut.id for cut in from_files] == TRAIN
    for cut in from_files:
        lhotse.validate(cut, read_data=True)
    first, resampled = from_files[0], from_files[3]
    (supervision,) = first.supervisions
    assert (supervision.text, supervision.speaker, supervision.custom["snr_db"]) == ("It cost $3.50.", "Host", 31.5)
    words = supervision.alignment["word"]
    assert next((w.symbol, w.start, w.duration) for w in words) == ("It", 0.1, 0.3)
    assert len(supervision.alignment["phone"]) == 9
    heard = np.rint(first.load_audio()[0] * 32768).astype(np.int16)
    assert np.array_equal(heard, samples(1.5, 24_000))
    assert (resampled.sampling_rate, resampled.load_audio().shape) == (16_000, (1, 24_000))
    assert from_files[4].supervisions[0].text == "One\ntwo."


@pytest.mark.parametrize("to", [ExportFormat.WEBDATASET, ExportFormat.LHOTSE, ExportFormat.LHOTSE_SHAR])
def test_numbers_without_an_end_are_left_out(to: ExportFormat, tmp_path: Path) -> None:
    """JSON has none: json.dumps writes "-Infinity", which other languages' readers refuse."""
    silent = clip("aa01", loudness_lufs=float("-inf"), peak_db=float("nan"))
    silent["words"][0]["score"] = float("nan")
    dataset = write_dataset(tmp_path / "readings", [("train", [silent])])
    run_export(str(dataset), to, str(tmp_path / "out"))
    told = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.*") if path.suffix != ".gz")
    told += b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "out").rglob("*.gz"))
    assert b'"snr_db"' in told
    assert b"Infinity" not in told
    assert b"NaN" not in told


def test_lines_of_cuts_are_json(folders: dict[str, Path]) -> None:
    lines = (folders["lhotse"] / "train_cuts.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == TRAIN
    assert (folders["lhotse"] / "validation_cuts.jsonl").exists()

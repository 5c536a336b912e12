"""Features that are kept are those of the clips; they are made once, and anew where anything is not as it was."""

from pathlib import Path

import numpy as np
import pytest
from small_dataset import SHARD, write_dataset

from schemas.errors import RealtalkError
from tts.data.cache import feature_file, tiers_of
from tts.data.dataset import open_dataset
from tts.data.features import COLUMNS, FeatureSettings, MelSpectrogram, example_of

SETTINGS = FeatureSettings()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("cache") / "dataset")


def made(dataset: Path, folder: Path, settings: FeatureSettings = SETTINGS) -> tuple[object, list[str]]:
    lines: list[str] = []
    opened = open_dataset(str(dataset))
    return feature_file(opened, opened.of("train")[0], folder, settings, lines.append), lines


def test_what_is_read_is_what_was_made_of_each_clip(dataset: Path, tmp_path: Path) -> None:
    file, _ = made(dataset, tmp_path)
    opened = open_dataset(str(dataset))
    rows = list(opened.rows(opened.of("train")[0], COLUMNS))
    assert list(file.ids) == [row["id"] for row in rows]
    reader, mel = file.reader(), MelSpectrogram(SETTINGS)
    for number, row in enumerate(rows):
        wanted, found = example_of(row, mel), reader.example(number)
        assert wanted is not None
        assert np.abs(wanted.mel - found.mel).max() < 0.01
        assert np.abs(wanted.samples - found.samples).max() < 1e-4
        for name in ("ids", "marks", "places"):
            assert (getattr(wanted.symbols, name) == getattr(found.symbols, name)).all()
        assert (wanted.durations == found.durations).all()
        assert np.allclose(wanted.pitch, found.pitch)


def test_pieces_of_a_clip_are_those_of_the_whole(dataset: Path, tmp_path: Path) -> None:
    reader = made(dataset, tmp_path)[0].reader()
    assert (reader.mel(1, 5, 20) == reader.mel(1)[5:25]).all()
    assert (reader.samples(1, 5, 20) == reader.samples(1)[5 * 256 : 25 * 256]).all()
    assert len(reader.mel(1, 100_000, 20)) == 0


def test_they_are_made_once_and_for_each_way_of_making_them(dataset: Path, tmp_path: Path) -> None:
    assert made(dataset, tmp_path)[1] == [f"{SHARD}: features of 6 clips are made"]
    assert made(dataset, tmp_path)[1] == []
    assert made(dataset, tmp_path, FeatureSettings(mels=40))[1] != []


def test_a_file_that_breaks_off_is_made_anew(dataset: Path, tmp_path: Path) -> None:
    file, _ = made(dataset, tmp_path)
    file.path.write_bytes(file.path.read_bytes()[:1000])
    again, lines = made(dataset, tmp_path)
    assert lines
    assert len(again.ids) == 6
    assert not list(tmp_path.glob(".*"))


def test_a_shard_that_is_not_the_manifests_is_refused(dataset: Path, tmp_path: Path) -> None:
    path = dataset / SHARD
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + b"x")
        with pytest.raises(RealtalkError, match=r"is not the file of version .* \(its SHA-256 differs\)"):
            made(dataset, tmp_path)
    finally:
        path.write_bytes(whole)
    assert not list(tmp_path.iterdir())


def test_tiers_take_the_stricter_ones_in() -> None:
    assert tiers_of("strict") == ("strict",)
    assert tiers_of("permissive") == ("strict", "default", "permissive")

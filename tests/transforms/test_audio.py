"""Reading spans and blocks: the same instant is the same sample, however it is read."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas.errors import EpisodeError
from transforms.audio import read_blocks, read_span, windows

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 44_101, 48_000]


def write_noise(path: Path, rate: int, seconds: float = 12.3) -> Path:
    samples = np.random.default_rng(0).normal(0, 0.1, round(rate * seconds))
    soundfile.write(path, samples, rate, format="FLAC", subtype="PCM_16")
    return path


@pytest.mark.parametrize("rate", RATES)
def test_a_span_is_the_same_as_in_the_whole(tmp_path: Path, rate: int) -> None:
    path = write_noise(tmp_path / "a.flac", rate)
    for wanted in (16_000, 24_000):
        whole = read_span(path, 0.0, 99.0, wanted)
        assert len(whole) == round(round(rate * 12.3) * wanted / rate)
        for start, end in ((0.0, 0.5), (1.234567, 5.4321), (7.00001, 7.01), (3.0, 3.0), (12.0, 50.0), (-1.0, 0.1)):
            first = max(0, round(start * wanted))
            expected = whole[first : round(start * wanted) + round((end - start) * wanted)]
            found = read_span(path, start, end, wanted)
            assert found.dtype == np.float32
            assert len(found) == len(expected)
            assert np.abs(found - expected).max(initial=0.0) < 1e-4


def test_a_span_outside_the_file_is_empty(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.flac", 44_100)
    assert len(read_span(path, 20.0, 30.0)) == 0
    assert len(read_span(path, 5.0, 4.0)) == 0


def test_sample_k_is_at_k_over_rate(tmp_path: Path) -> None:
    rate, at = 22_050, 7.123
    samples = np.exp(-(((np.arange(rate * 10) / rate - at) / 0.001) ** 2) / 2)
    soundfile.write(tmp_path / "a.flac", samples, rate)
    for start in (0.0, 3.333, 7.1):
        found = read_span(tmp_path / "a.flac", start, 10.0, 16_000)
        centre = np.sum(np.arange(len(found)) * found) / np.sum(found)
        assert (round(start * 16_000) + centre) / 16_000 == pytest.approx(at, abs=1e-5)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("block", [480, 16_000, 10**9])
def test_blocks_joined_are_the_whole_whatever_their_length(tmp_path: Path, rate: int, block: int) -> None:
    path = write_noise(tmp_path / "a.flac", rate)
    whole = read_span(path, 0.0, 99.0)
    blocks = list(read_blocks(path, block))
    assert all(len(part) == block for part in blocks[:-1])
    assert 0 < len(blocks[-1]) <= block
    joined = np.concatenate(blocks)
    assert len(joined) == len(whole)
    assert np.abs(joined - whole).max() < 1e-4


def test_windows_cover_the_duration_and_overlap() -> None:
    assert list(windows(25.0, 10.0, 2.0)) == [(0.0, 10.0), (8.0, 18.0), (16.0, 25.0)]
    assert list(windows(3.0, 10.0, 2.0)) == [(0.0, 3.0)]


def test_a_damaged_recording_is_said_in_one_line_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "k.flac"
    path.write_bytes(b"no sound at all")
    for read in (lambda: read_span(path, 0.0, 1.0), lambda: list(read_blocks(path, 100))):
        with pytest.raises(EpisodeError) as caught:
            read()
        assert str(caught.value).startswith(f"recording-unreadable: {path} can't be read (")
        assert str(caught.value).endswith("; remove it and build again, it is decoded anew")

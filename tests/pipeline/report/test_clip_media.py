"""Small audio and pictures of a clip."""

import io
import struct
import zlib

import numpy as np
import pytest
import soundfile
from small_dataset import flac

from pipeline.report.clip_media import as_media
from pipeline.report.pictures import COLUMNS, PEAKS, ROWS, peaks, spectrogram
from schemas.errors import RealtalkError


def tone(hertz: float, rate: int, seconds: float = 2.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def points_of(png: bytes) -> np.ndarray:
    """The indices of a PNG of 4 bits, read chunk by chunk with their checksums. Shape (rows, columns)."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(name + content),)
        chunks[name] = content
        at += 12 + length
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, kind) == (4, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not lines[:, 0].any()
    return np.stack([lines[:, 1:] >> 4, lines[:, 1:] & 15], axis=-1).reshape(height, -1)[:, :width]


@pytest.mark.parametrize(("rate", "most"), [(16_000, 36), (24_000, 36), (44_100, 44), (20_000, 36)])
def test_audio_is_a_small_mp3_of_the_same_length(rate, most):
    media = as_media(flac(tone(440, rate, 6.0), rate))
    samples, played = soundfile.read(io.BytesIO(media.mp3))
    assert samples.ndim == 1
    # A frame more than what is needed at most.
    assert len(samples) / played == pytest.approx(6.0 + media.delay, abs=0.05)
    assert len(media.mp3) * 8 / 6.0 < most * 1000


def test_the_tone_is_still_there():
    samples, rate = soundfile.read(io.BytesIO(as_media(flac(tone(440, 24_000))).mp3))
    loudest = np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples)
    assert loudest == pytest.approx(440, abs=2)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_the_delay_is_where_the_clip_begins(rate):
    silence = np.zeros(rate // 2, np.float32)
    media = as_media(flac(np.concatenate([silence, tone(1000, rate), silence]), rate))
    samples, played = soundfile.read(io.BytesIO(media.mp3))
    assert np.argmax(np.abs(samples) > 0.25) / played - media.delay == pytest.approx(0.5, abs=0.003)


def test_channels_are_mixed():
    stereo = np.column_stack([tone(440, 24_000), np.zeros(48_000, np.float32)])
    assert max(as_media(flac(stereo)).peaks) == pytest.approx(0.25, abs=0.01)


def test_peaks_are_where_it_is_loud():
    samples = np.concatenate([np.zeros(24_000, np.float32), tone(440, 24_000, 1.0)])
    found = peaks(samples)
    assert len(found) == PEAKS
    assert max(found[: PEAKS // 2 - 1]) == 0.0
    assert min(found[PEAKS // 2 + 1 :]) > 0.45
    assert peaks(np.zeros(0, np.float32)) == ()
    assert len(peaks(np.zeros(7, np.float32))) == 7


def test_a_spectrogram_is_light_where_the_tone_is():
    points = points_of(spectrogram(tone(6000, 24_000, 3.0), 24_000))
    assert points.shape == (ROWS, COLUMNS)
    # 6 kHz of 12: the middle, counted from above.
    assert abs(int(points[:, COLUMNS // 2].argmax()) - ROWS // 2) <= 1
    assert points[5, COLUMNS // 2] == 0


@pytest.mark.parametrize("length", [0, 1, 500])
def test_hardly_any_audio_still_has_a_picture(length):
    assert points_of(spectrogram(np.full(length, 0.1, np.float32), 24_000)).shape[0] == ROWS


def test_what_is_no_audio_is_told():
    with pytest.raises(RealtalkError, match="can't be read"):
        as_media(b"no audio")

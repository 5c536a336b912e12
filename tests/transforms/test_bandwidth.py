"""Bandwidth: where speech ends, whatever noise, codec or upsampling put above it."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr

from schemas.recording import Recording
from schemas.turn import Span
from transforms.bandwidth import bandwidth, speech_bandwidth

RATE = 44_100
CUTOFFS = [3_400, 4_000, 8_000, 11_000, 16_000]
STEP = 250


def lowpass(samples: np.ndarray, rate: int, cutoff: float) -> np.ndarray:
    """Zero everything above `cutoff`."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > cutoff] = 0
    return np.fft.irfft(spectrum, len(samples))


def white(level_db: float, count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 10 ** (level_db / 20), count)


def clip_of(path: Path) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(path)
    return 0.1 * samples / np.sqrt(np.mean(samples**2)), rate


@pytest.fixture(scope="module")
def full_band(recordings: Path) -> np.ndarray:
    """A reader at twice the speed: speech up to 22 kHz."""
    return clip_of(sorted((recordings / "ljspeech").rglob("LJ*.*"))[0])[0]


@pytest.fixture(scope="module")
def reader(recordings: Path) -> np.ndarray:
    """A reader recorded at 16 kHz, brought to 44.1 kHz."""
    samples, rate = clip_of(sorted((recordings / "guests").glob("*.flac"))[0])
    return soxr.resample(samples, rate, RATE)


def through_mp3(samples: np.ndarray, bit_rate: int) -> np.ndarray:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=RATE, layout="mono", bit_rate=bit_rate)
        for start in range(0, len(samples), 1152):
            block = np.ascontiguousarray(samples[None, start : start + 1152], np.float32)
            frame = av.AudioFrame.from_ndarray(block, "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


@pytest.mark.parametrize("cutoff", CUTOFFS)
@pytest.mark.parametrize("noise_db", [-200, -62])
def test_speech_ends_at_its_lowpass(full_band: np.ndarray, cutoff: int, noise_db: float) -> None:
    filtered = lowpass(full_band, RATE, cutoff) + white(noise_db, len(full_band))
    assert bandwidth(filtered.astype(np.float32), RATE) == pytest.approx(cutoff, abs=STEP)
    sixteen_bit = np.rint(filtered * 32_768) / 32_768
    assert bandwidth(sixteen_bit.astype(np.float32), RATE) == pytest.approx(cutoff, abs=STEP)


def test_full_band_speech_reaches_half_the_rate(full_band: np.ndarray) -> None:
    assert bandwidth(full_band.astype(np.float32), RATE) >= 21_000


@pytest.mark.parametrize("cutoff", CUTOFFS)
def test_steady_noise_ends_at_its_lowpass(cutoff: int) -> None:
    noise = lowpass(white(-20, 3 * RATE), RATE, cutoff).astype(np.float32)
    assert bandwidth(noise, RATE) == pytest.approx(cutoff, abs=STEP)


def test_steady_noise_without_a_cliff_is_full_band() -> None:
    assert bandwidth(white(-20, 2 * RATE).astype(np.float32), RATE) == RATE / 2


@pytest.mark.parametrize("bit_rate", [64_000, 128_000])
@pytest.mark.parametrize("noise_db", [-200, -62, -45])
def test_a_codec_that_gates_room_tone_does_not_pass_for_speech(
    reader: np.ndarray, bit_rate: int, noise_db: float
) -> None:
    coded = through_mp3(reader + white(noise_db, len(reader)), bit_rate)
    assert bandwidth(coded.astype(np.float32), RATE) == pytest.approx(8_000, abs=2 * STEP)


def test_a_telephone_brought_to_a_clips_rate_is_still_a_telephone(reader: np.ndarray) -> None:
    telephone = soxr.resample(reader, RATE, 8_000)
    for rate in (24_000, 44_100, 48_000):
        assert bandwidth(soxr.resample(telephone, 8_000, rate).astype(np.float32), rate) == pytest.approx(
            4_000, abs=STEP
        )


def test_silence_and_too_little_hold_nothing() -> None:
    assert bandwidth(np.zeros(RATE, np.float32), RATE) == 0.0
    assert bandwidth(np.ones(100, np.float32), RATE) == 0.0
    assert bandwidth(np.zeros(0, np.float32), RATE) == 0.0


def test_a_recording_has_the_bandwidth_of_its_speech_not_of_its_jingle(tmp_path: Path, reader: np.ndarray) -> None:
    music = 0.1 * np.sin(np.cumsum(np.linspace(0.05, 2.8, 4 * RATE))) * (np.arange(4 * RATE) % 20_000 < 9_000)
    track = np.concatenate([music, reader, reader, reader])
    soundfile.write(tmp_path / "a.flac", track, RATE)
    recording = Recording(str(tmp_path / "a.flac"), "", len(track) / RATE, RATE, RATE, 1)
    speech = [Span(0.0, 4.0), Span(4.0, len(track) / RATE)]
    assert speech_bandwidth(recording, speech) == pytest.approx(8_000, abs=STEP)
    assert speech_bandwidth(recording, ()) == 0.0

"""Clipping: found at any level and on either side, after resampling and MP3; speech that was never clipped has none."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from made_speech import through_mp3

from transforms.clipping import clipped_share


def speech_like(seed: int = 0, seconds: float = 5.0) -> np.ndarray:
    """Noise of a voice's spectrum under an envelope that comes and goes: its amplitudes thin out as speech's do."""
    rng, rate = np.random.default_rng(seed), 24_000
    count = round(seconds * rate)
    carrier = soxr.resample(rng.normal(0, 1, count // 12 + 1), 1, 12)[:count]
    envelope = np.abs(soxr.resample(rng.normal(0, 1, count // 4000 + 2), 1, 4000)[:count])
    samples = carrier * envelope
    return (0.9 * samples / np.abs(samples).max()).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_what_was_never_clipped_has_nothing_clipped(seed: int) -> None:
    assert clipped_share(speech_like(seed)) == 0.0


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_the_share_is_that_of_the_samples_at_the_ceiling_wherever_it_is(gain: float) -> None:
    clipped = np.clip(2.0 * speech_like(), -0.9, 0.9)
    true = np.mean(np.abs(clipped) >= 0.9)
    assert true > 0.001
    assert clipped_share(gain * clipped) == pytest.approx(true, rel=0.3)


def test_one_side_alone_is_found() -> None:
    clipped = np.minimum(2.5 * speech_like(), 0.6)
    true = np.mean(clipped >= 0.6)
    assert clipped_share(clipped) == pytest.approx(true, rel=0.4)


def test_silence_and_a_single_peak_are_not_clipped() -> None:
    assert clipped_share(np.zeros(0, np.float32)) == 0.0
    assert clipped_share(np.zeros(1000, np.float32)) == 0.0
    one = speech_like()
    one[1000:1004] = 0.95
    assert clipped_share(one) == 0.0


def test_real_speech_clipped_then_attenuated_encoded_and_resampled(recordings: Path) -> None:
    kept, found = [], []
    for path in sorted((recordings / "guests").glob("*.flac"))[:12]:
        speech, rate = soundfile.read(path, dtype="float32")
        speech = soxr.resample(speech, rate, 44_100)
        assert clipped_share(soxr.resample(speech, 44_100, 24_000)) < 1e-4
        clipped = 0.4 * np.clip(speech / np.abs(speech).max() * 10 ** (10 / 20), -1, 1)
        true = np.mean(np.abs(clipped) >= 0.4)
        if true > 0.005:
            kept.append(clipped_share(clipped) / true)
            found.append(clipped_share(soxr.resample(through_mp3(clipped, 44_100, 128_000), 44_100, 24_000)) > 1e-3)
    assert len(found) >= 6
    assert 0.5 < min(kept) < max(kept) < 1.5
    assert np.mean(found) >= 0.7

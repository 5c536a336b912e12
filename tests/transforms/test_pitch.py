"""Pitch: of harmonic sounds within a percent, without octave errors; nothing where nothing is periodic."""

import numpy as np
import pytest
from made_speech import RATE, noise, syllable

from transforms.pitch import f0_median, f0_track


@pytest.mark.parametrize("f0", [75, 110, 180, 260, 420])
@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
def test_a_voice_has_its_pitch(f0: float, rate: int) -> None:
    assert f0_median(syllable(0.6, f0, 600, rate), rate) == pytest.approx(f0, rel=0.01)


def test_the_fundamental_itself_may_be_missing() -> None:
    time = np.arange(RATE) / RATE
    telephone = sum(np.sin(2 * np.pi * 120 * harmonic * time) for harmonic in range(3, 12))
    assert f0_median((0.05 * telephone).astype(np.float32), RATE) == pytest.approx(120, rel=0.01)


def test_mains_hum_under_a_voice_is_not_its_pitch() -> None:
    hum = (0.01 * np.sin(2 * np.pi * 50 * np.arange(2 * RATE) / RATE)).astype(np.float32)
    voice = np.concatenate([syllable(0.5, 210, 500), np.zeros(RATE // 2, np.float32)] * 2)
    assert f0_median(voice + hum, RATE) == pytest.approx(210, rel=0.02)


def test_the_median_is_over_voiced_frames() -> None:
    samples = np.concatenate([syllable(1.0, 150, 500), noise(1.0, -25), np.zeros(RATE, np.float32)])
    assert f0_median(samples, RATE) == pytest.approx(150, rel=0.02)
    assert (f0_track(samples, RATE) > 0).mean() < 0.45


def test_noise_silence_and_next_to_nothing_have_no_pitch() -> None:
    assert np.mean(f0_track(noise(2.0, -20), RATE) > 0) < 0.05
    assert f0_median(np.zeros(RATE, np.float32), RATE) == 0.0
    assert f0_median(np.zeros(10, np.float32), RATE) == 0.0

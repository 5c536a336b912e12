"""F0 of made-up voices."""

import numpy as np
import pytest

from tts.pitch import f0

RATE, HOP = 24_000, 256


def voice(hertz: np.ndarray) -> np.ndarray:
    """A buzz with ten harmonics at a pitch a sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 11))).astype(np.float32)


@pytest.mark.parametrize("hertz", [80.0, 123.4, 210.0, 400.0])
def test_a_steady_pitch_is_found_to_half_a_percent(hertz: float) -> None:
    track = f0(voice(np.full(RATE, hertz)), RATE, HOP)
    assert len(track) == RATE // HOP
    assert np.abs(track[4:-4] / hertz - 1).max() < 0.005


def test_a_glide_is_followed_in_time() -> None:
    hertz = np.linspace(120, 240, 2 * RATE)
    track = f0(voice(hertz), RATE, HOP)
    middles = hertz[HOP // 2 :: HOP][: len(track)]
    assert np.abs(track[6:-6] / middles[6:-6] - 1).max() < 0.02


def test_noise_and_silence_are_not_voiced() -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    assert (f0(noise, RATE, HOP) > 0).mean() < 0.05
    assert not f0(np.zeros(RATE, np.float32), RATE, HOP).any()
    assert len(f0(np.zeros(10, np.float32), RATE, HOP)) == 0

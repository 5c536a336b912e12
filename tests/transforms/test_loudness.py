"""Loudness: the standard's own calibration, its gate, and clips shorter than its blocks."""

import numpy as np
import pytest
from made_speech import noise

from transforms.loudness import QUIETEST_LUFS, QUIETEST_PEAK_DB, loudness_lufs, peak_db


def tone(rate: int, seconds: float, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 997 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_a_full_scale_tone_of_997_hz_is_at_minus_3_01(rate: int) -> None:
    assert loudness_lufs(tone(rate, 3.0), rate) == pytest.approx(-3.01, abs=0.05)


def test_twice_the_level_is_six_decibels_more() -> None:
    quiet, loud = (loudness_lufs(tone(24_000, 2.0, level), 24_000) for level in (0.1, 0.2))
    assert loud - quiet == pytest.approx(6.02, abs=0.01)


def test_pauses_are_gated_out() -> None:
    voice = tone(24_000, 3.0, 0.1)
    paused = np.concatenate([voice, noise(3.0, -70)])
    assert loudness_lufs(paused, 24_000) == pytest.approx(loudness_lufs(voice, 24_000), abs=0.5)


@pytest.mark.parametrize("seconds", [0.3, 0.05, 1 / 24_000])
def test_clips_shorter_than_a_block_are_measured(seconds: float) -> None:
    loudness = loudness_lufs(tone(24_000, seconds), 24_000)
    assert QUIETEST_LUFS <= loudness < 0
    if seconds > 0.2:
        assert loudness == pytest.approx(-3.01, abs=0.1)


def test_silence_has_the_gate_for_its_loudness_and_a_peak() -> None:
    for samples in (np.zeros(24_000, np.float32), np.zeros(0, np.float32)):
        assert loudness_lufs(samples, 24_000) == QUIETEST_LUFS
        assert peak_db(samples) == QUIETEST_PEAK_DB


def test_the_peak_is_of_either_sign() -> None:
    assert peak_db(np.array([0.1, -0.5, 0.2], np.float32)) == pytest.approx(-6.02, abs=0.01)

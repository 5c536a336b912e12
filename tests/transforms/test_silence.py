"""Silence at the edges of a clip: measured against the clip's own floor and speech."""

import numpy as np
import pytest
from made_speech import RATE, noise, syllable

from transforms.silence import edge_silences, frame_levels


def clip(leading: float, trailing: float, floor_db: float) -> np.ndarray:
    parts = [np.zeros(round(leading * RATE), np.float32)]
    for f0 in (110, 120, 130, 140):
        parts += [syllable(0.25, f0, 500), np.zeros(round(0.15 * RATE), np.float32)]
    samples = np.concatenate([*parts[:-1], np.zeros(round(trailing * RATE), np.float32)])
    return samples + noise(len(samples) / RATE, floor_db)[: len(samples)]


@pytest.mark.parametrize("floor_db", [-90.0, -60.0, -40.0])
@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_silences_are_as_long_as_they_are_at_any_gain_and_floor(floor_db: float, gain: float) -> None:
    leading, trailing = edge_silences(gain * clip(0.2, 0.35, floor_db), RATE)
    assert leading == pytest.approx(0.2, abs=0.02)
    assert trailing == pytest.approx(0.35, abs=0.02)


def test_speech_at_the_edge_has_no_silence_before_it() -> None:
    leading, trailing = edge_silences(clip(0.0, 0.0, -70.0), RATE)
    assert leading <= 0.015
    assert trailing <= 0.015


def test_a_click_and_hum_are_not_speech() -> None:
    samples = clip(0.3, 0.3, -70.0)
    samples[2400:2500] += 0.3
    samples += (0.02 * np.sin(2 * np.pi * 50 * np.arange(len(samples)) / RATE)).astype(np.float32)
    leading, trailing = edge_silences(samples, RATE)
    assert leading == pytest.approx(0.3, abs=0.03)
    assert trailing == pytest.approx(0.3, abs=0.03)


def test_nothing_is_all_silence() -> None:
    assert edge_silences(np.zeros(RATE, np.float32), RATE) == (1.0, 1.0)
    assert edge_silences(np.zeros(10, np.float32), RATE) == (10 / RATE, 10 / RATE)


def test_levels_are_rms_in_decibels() -> None:
    levels = frame_levels(noise(1.0, -30.0), RATE)
    assert np.median(levels) == pytest.approx(-30.0, abs=1.0)

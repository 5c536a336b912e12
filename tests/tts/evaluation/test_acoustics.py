"""Distances of utterances whose difference is known by making."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE
from tts.evaluation.acoustics import Track, distance, distortion, mel_cepstra, track_of

Floats = NDArray[np.float32]


def vowels(pitch: float, seconds: float = 1.2, level: float = 0.3) -> Floats:
    """A buzz whose upper formant moves, with silence around it."""
    time = np.arange(round(seconds * MODEL_RATE)) / MODEL_RATE
    samples = np.zeros_like(time)
    for number in range(1, int(3800 / pitch)):
        formant = 900 + 1200 * time / seconds
        gain = np.exp(-(((number * pitch - 500) / 300) ** 2)) + np.exp(-(((number * pitch - formant) / 300) ** 2))
        samples += gain * np.sin(2 * np.pi * number * pitch * time)
    quiet = np.zeros(MODEL_RATE // 5)
    made = np.concatenate([quiet, samples / np.abs(samples).max(), quiet])
    return (level * (made + np.random.default_rng(0).normal(0, 1e-3, len(made)))).astype(np.float32)


def test_an_utterance_is_no_distance_from_itself() -> None:
    track = track_of(vowels(120.0))
    found = distance(track, track)
    assert (found.cepstral_db, found.pitch_cents, found.pitch_hz, found.voicing, found.duration) == (0, 0, 0, 0, 0)


def test_the_silence_around_it_is_no_part_of_an_utterance() -> None:
    samples = vowels(120.0)
    assert track_of(samples).seconds == pytest.approx(1.2, abs=0.06)
    padded = np.concatenate([np.zeros(MODEL_RATE, np.float32), samples])
    assert distance(track_of(samples), track_of(padded)).duration == pytest.approx(0, abs=0.02)


def test_a_higher_voice_is_as_many_cents_higher() -> None:
    found = distance(track_of(vowels(120.0)), track_of(vowels(120.0 * 2 ** (2 / 12))))
    assert found.pitch_cents == pytest.approx(200, abs=12)
    assert found.pitch_hz == pytest.approx(120 * (2 ** (2 / 12) - 1), abs=1.5)
    assert found.voicing < 0.05


def test_a_slower_utterance_is_as_much_longer_and_hardly_another() -> None:
    found = distance(track_of(vowels(120.0)), track_of(vowels(120.0, seconds=1.8)))
    assert found.duration == pytest.approx(0.5, abs=0.06)
    assert found.cepstral_db < 2.0


def test_loudness_is_no_distortion() -> None:
    loud, quiet = track_of(vowels(120.0)), track_of(vowels(120.0, level=0.15))
    assert distance(loud, quiet).cepstral_db < 0.8


def test_distortion_is_the_root_mean_square_of_the_spectra_in_decibels() -> None:
    """A ripple of known depth on the envelope: its root mean square is its amplitude over the root of two."""
    logs = np.zeros((1, 40))
    depth = 6.0 / (20 / np.log(10))
    ripple = depth * np.cos(3 * (np.arange(40) + 0.5) * np.pi / 40)[None]
    found = distortion(mel_cepstra(logs), mel_cepstra(logs + ripple))
    assert found[0] == pytest.approx(6.0 / math.sqrt(2))


def test_a_level_is_in_no_coefficient_that_is_compared() -> None:
    logs = np.random.default_rng(1).normal(size=(5, 40))
    assert distortion(mel_cepstra(logs), mel_cepstra(logs + 2.0)) == pytest.approx(np.zeros(5), abs=1e-9)


def test_nothing_has_no_distance() -> None:
    nothing = Track(np.zeros((0, 14)), np.zeros(0))
    assert math.isnan(distance(track_of(vowels(120.0)), nothing).cepstral_db)
    assert len(track_of(np.zeros(0, np.float32)).cepstra) == 0

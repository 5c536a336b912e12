"""Measuring: every score from one clip, each what it should be on a clip made to have it."""

import time
from dataclasses import asdict

import numpy as np
import pytest
import soxr
from made_speech import RATE, noise, spoken, utterance, words_of

from schemas.clip import Cut
from transforms.measure import MeasureSettings, chars_per_second, measure
from transforms.models.base import Quality, QualityScorer, Samples


class Ear(QualityScorer):
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []

    @property
    def identity(self) -> str:
        return "ear"

    def score(self, samples: Samples) -> Quality:
        self.heard.append(samples)
        return Quality(3.0, 3.5, 4.0)


WORDS = words_of("Ten thousand and one words, were said.", 0.2)


def clip_of(samples: np.ndarray) -> Cut:
    said = utterance(WORDS)
    return Cut(
        5.0, 5.0 + len(samples) / RATE, " ".join(w.text for w in said.words), " ".join(w.spoken for w in said.words),
        said.words, said.phones, "publisher:vtt", -3.0, 1.0,
    )  # fmt: skip


def test_every_score_is_there_and_finite_and_sensible() -> None:
    samples = spoken(WORDS, 2.6)
    ear = Ear()
    scores = measure(samples, RATE, clip_of(samples), ear, MeasureSettings())
    assert all(np.isfinite(value) for value in asdict(scores).values() if isinstance(value, float))
    assert (scores.dnsmos_ovrl, scores.dnsmos_sig, scores.dnsmos_bak) == (3.0, 3.5, 4.0)
    assert scores.snr_db > 15
    assert -30 < scores.loudness_lufs < -12
    assert scores.peak_db == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.01)
    assert scores.clipped == 0.0
    assert scores.leading_silence == pytest.approx(0.2, abs=0.02)
    assert scores.trailing_silence == pytest.approx(0.3, abs=0.02)
    assert 105 < scores.f0_median_hz < 145
    assert scores.fingerprint
    # The scorer hears 16 kHz whatever the clip's rate is.
    assert len(ear.heard[0]) == pytest.approx(2.6 * 16_000, abs=2)
    assert ear.heard[0].dtype == np.float32


def test_characters_are_those_said_from_the_first_word_to_the_last() -> None:
    cut = clip_of(spoken(WORDS, 2.6))
    assert chars_per_second(cut) == pytest.approx(len("tenthousandandonewordsweresaid") / 2.1)
    assert chars_per_second(Cut(0, 1, "", "", (), (), "publisher:vtt", 0.0, 1.0)) == 0.0


def test_upsampled_audio_is_said_to_be() -> None:
    # Fricatives: bursts of noise, a seventh of the time.
    bursts = np.repeat(np.tile([1.0] + [0.0] * 6, 5), round(0.1 * RATE))[: round(2.6 * RATE)]
    native = (spoken(WORDS, 2.6) + noise(2.6, -20) * bursts).astype(np.float32)
    once_16k = soxr.resample(soxr.resample(native, RATE, 16_000), 16_000, RATE).astype(np.float32)
    cut, settings = clip_of(native), MeasureSettings()
    assert not measure(native, RATE, cut, Ear(), settings).upsampled
    scores = measure(once_16k, RATE, cut, Ear(), settings)
    assert scores.upsampled
    assert scores.bandwidth_hz == pytest.approx(8000, abs=500)
    # A clip may hold nothing high though its source does.
    assert not measure(once_16k, RATE, cut, Ear(), settings, source_bandwidth_hz=11_500).upsampled


def test_silence_next_to_nothing_and_overdriven_samples_are_measured() -> None:
    for samples in (np.zeros(RATE, np.float32), np.zeros(100, np.float32), 3 * spoken(WORDS, 2.6)):
        scores = measure(samples, RATE, clip_of(samples), Ear(), MeasureSettings())
        assert all(np.isfinite(value) for value in asdict(scores).values() if isinstance(value, float))


def test_the_same_clip_has_the_same_scores() -> None:
    samples = spoken(WORDS, 2.6)
    first, second = (measure(samples.copy(), RATE, clip_of(samples), Ear(), MeasureSettings()) for _ in range(2))
    assert first == second


def test_everything_but_the_model_is_cheap() -> None:
    samples = np.concatenate([spoken(WORDS, 2.6)] * 4)
    cut = clip_of(samples)
    measure(samples, RATE, cut, Ear(), MeasureSettings())
    start = time.process_time()
    for _ in range(5):
        measure(samples, RATE, cut, Ear(), MeasureSettings())
    per_hour = (time.process_time() - start) / (5 * len(samples) / RATE) * 3600
    # 11 CPU s an audio hour here; the bound leaves room for busy machines.
    assert per_hour < 60

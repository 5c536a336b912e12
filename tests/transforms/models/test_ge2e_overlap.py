"""Two voices at once, on real readers; and how long speech is listened to in chunks."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from transforms.models.base import MODEL_RATE, Samples
from transforms.models.ge2e_overlap import Ge2eOverlapDetector


@pytest.fixture(scope="module")
def detector() -> Ge2eOverlapDetector:
    return Ge2eOverlapDetector()


def noise(seconds: float) -> Samples:
    return np.random.default_rng(0).normal(0, 0.05, round(seconds * MODEL_RATE)).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.0, 0.04, 0.6, 8.0, 8.1, 15.0, 23.0])
def test_every_frame_of_50_ms_has_a_score(detector: Ge2eOverlapDetector, seconds: float) -> None:
    scores = detector.log_odds(noise(seconds))
    assert scores.shape == (round(seconds * MODEL_RATE) // 800,)
    assert np.isfinite(scores).all()


def test_a_chunk_says_the_same_alone_and_before_others(detector: Ge2eOverlapDetector) -> None:
    samples = noise(22.0)
    alone, among = detector.log_odds(samples[: 8 * MODEL_RATE]), detector.log_odds(samples)
    # The second chunk begins at 7.5 s, and counts from a quarter of a second later.
    assert among[:150] == pytest.approx(alone[:150], abs=1e-4)


def test_a_detector_travels_without_its_network(detector: Ge2eOverlapDetector) -> None:
    scores = detector.log_odds(noise(1.0))
    assert len(pickle.dumps(detector)) < 10_000
    again = pickle.loads(pickle.dumps(detector))
    assert again.identity == detector.identity
    assert again.log_odds(noise(1.0)) == pytest.approx(scores, abs=1e-5)


def test_a_reader_who_talks_into_another_stands_out(detector: Ge2eOverlapDetector, recordings: Path) -> None:
    def said(reader: str, number: int) -> Samples:
        samples, _ = soundfile.read(sorted((recordings / "speech" / reader).glob("*.flac"))[number], dtype="float32")
        return np.asarray(samples * (0.1 / np.sqrt(np.mean(samples**2))), np.float32)

    host, guest = said("2033", 0)[: 8 * MODEL_RATE], said("3080", 0)
    first, length = 3 * MODEL_RATE, round(1.5 * MODEL_RATE)
    both = host.copy()
    both[first : first + length] += 0.7 * guest[MODEL_RATE : MODEL_RATE + length]
    alone, mixed = detector.log_odds(host), detector.log_odds(both)
    assert mixed[62:88].max() > alone.max() + 2
    assert mixed[:50] == pytest.approx(alone[:50], abs=1.0)

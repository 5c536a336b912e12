"""What sounds is told from echoes and from the noise of the place."""

import numpy as np
import pytest

from transforms.models.base import MODEL_RATE
from transforms.models.loud import echoes, loud_frames

BURST = 0.1 * np.sin(2 * np.pi * 200 * np.arange(MODEL_RATE // 2) / MODEL_RATE)


def shares(samples: np.ndarray) -> tuple[float, float]:
    """Share of loud frames inside of the burst (0.5 to 1.0 s), and outside of it."""
    loud = loud_frames(samples.astype(np.float32))
    inside = np.zeros(len(loud), bool)
    inside[50:100] = True
    return float(loud[inside].mean()), float(loud[~inside].mean())


def around(burst: np.ndarray) -> np.ndarray:
    silence = np.zeros(MODEL_RATE // 2)
    return np.concatenate([silence, burst, silence])


@pytest.mark.parametrize("noise_db", [-70.0, -40.0, -34.0])
def test_a_sound_is_told_from_the_noise_around_it(noise_db: float) -> None:
    noise = np.random.default_rng(0).normal(0, 10 ** (noise_db / 20), 3 * MODEL_RATE // 2)
    inside, outside = shares(around(BURST) + noise)
    assert inside > 0.9
    assert outside < 0.05


def test_a_tail_that_fades_is_an_echo() -> None:
    tail = np.random.default_rng(0).normal(0, 0.07, MODEL_RATE // 2) * 10 ** (-np.arange(MODEL_RATE // 2) / 16_000)
    samples = np.concatenate([np.zeros(MODEL_RATE // 2), BURST, 0.4 * tail])
    _, outside = shares(samples)
    assert outside < 0.1


def test_what_rises_again_is_no_echo() -> None:
    falls = np.concatenate([np.zeros(10), np.full(10, -9.0), np.full(10, -14.0)])
    assert not echoes(falls)[:10].any()
    assert echoes(falls)[10:].all()
    assert not echoes(np.concatenate([falls, np.full(10, -7.5)]))[30:].any()

"""The high-pass is the same however the audio is cut, and leaves voices alone."""

import numpy as np
import pytest

from transforms.rumble import RumbleFilter

RATE = 16_000


def response_db(hz: float) -> float:
    tone = np.sin(2 * np.pi * hz * np.arange(4 * RATE) / RATE).astype(np.float32)
    filtered = RumbleFilter(30.0, RATE)(tone)[2 * RATE :]
    return float(10 * np.log10(np.mean(filtered**2) / np.mean(tone[2 * RATE :] ** 2)))


@pytest.mark.parametrize(
    ("hz", "least", "most"), [(60, -0.4, 0.0), (100, -0.1, 0.0), (1000, -0.01, 0.01), (5, -40, -30)]
)
def test_what_it_takes(hz: float, least: float, most: float) -> None:
    assert least <= response_db(hz) <= most


def test_blocks_join_without_a_seam() -> None:
    samples = np.random.default_rng(0).normal(0.2, 0.1, RATE).astype(np.float32)
    whole = RumbleFilter(30.0, RATE)(samples)
    by_blocks = RumbleFilter(30.0, RATE)
    pieces = [by_blocks(samples[at : at + 777]) for at in range(0, RATE, 777)]
    assert np.array_equal(np.concatenate(pieces), whole)


def test_an_offset_makes_no_step_at_the_start() -> None:
    assert np.abs(RumbleFilter(30.0, RATE)(np.full(1000, 0.5, np.float32))).max() < 1e-6

"""WADA: the curve is the model's, and speech with noise at a known SNR is measured as such."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.special import digamma

from transforms.snr import HIGHEST_SNR_DB, LOWEST_SNR_DB, gamma_statistic, wada_snr


def mixture(snr_db: float, seed: int = 0, count: int = 400_000) -> np.ndarray:
    """Gamma-distributed "speech" with Gaussian noise, as the model has it."""
    rng = np.random.default_rng(seed)
    speech = rng.gamma(0.4, 1.0, count) * rng.choice([-1.0, 1.0], count)
    return (0.02 * (speech + rng.normal(0, np.sqrt(0.4 * 1.4) * 10 ** (-snr_db / 20), count))).astype(np.float32)


def test_the_curve_ends_where_the_distributions_are_known_in_closed_form() -> None:
    snr, statistic = gamma_statistic()
    assert (snr[0], snr[-1]) == (LOWEST_SNR_DB, HIGHEST_SNR_DB)
    assert np.all(np.diff(statistic[5:]) > 0)
    gaussian = np.log(np.sqrt(2 / np.pi)) - (np.log(2) + digamma(0.5)) / 2
    gamma = np.log(0.4) - digamma(0.4)
    assert statistic[0] == pytest.approx(gaussian, abs=0.001)
    assert statistic[-1] == pytest.approx(gamma, abs=0.03)


@pytest.mark.parametrize("snr_db", [-5, 0, 10, 20, 40])
def test_a_known_mixture_is_measured(snr_db: float) -> None:
    assert wada_snr(mixture(snr_db)) == pytest.approx(snr_db, abs=0.7)


def test_it_depends_on_no_gain() -> None:
    samples = mixture(15)
    assert wada_snr(samples * 0.5) == pytest.approx(wada_snr(samples), abs=0.1)


def test_silence_has_no_signal_and_digital_zeros_are_not_infinitely_quiet() -> None:
    assert wada_snr(np.zeros(1000, np.float32)) == LOWEST_SNR_DB
    assert wada_snr(np.zeros(0, np.float32)) == LOWEST_SNR_DB
    coarse = np.round(mixture(20) * 32768) / 32768
    assert wada_snr(coarse.astype(np.float32)) == pytest.approx(20, abs=1.5)


def test_real_speech_with_noise(recordings: Path) -> None:
    errors = []
    for number, path in enumerate(sorted((recordings / "ljspeech" / "wavs").glob("*.wav"))[:8]):
        speech, _ = soundfile.read(path, dtype="float32")
        for snr_db in (5, 10, 15):
            hiss = np.random.default_rng(number).normal(
                0, np.sqrt(np.mean(speech**2)) * 10 ** (-snr_db / 20), len(speech)
            )
            errors.append(wada_snr(speech + hiss.astype(np.float32)) - snr_db)
    assert abs(np.mean(errors)) < 2.0
    assert np.max(np.abs(errors)) < 5.0

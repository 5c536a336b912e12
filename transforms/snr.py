"""Signal-to-noise ratio of speech without a clean reference.

WADA: C. Kim, R. M. Stern: Robust signal-to-noise ratio estimation based on waveform amplitude distribution analysis,
Interspeech 2008. Speech amplitudes follow a gamma distribution of shape 0.4, noise is Gaussian; one statistic of the
mixture, G = ln E|z| - E ln|z|, then grows with the SNR alone, and its inverse tells the SNR.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import Samples

LOWEST_SNR_DB, HIGHEST_SNR_DB = -20.0, 100.0
_SHAPE = 0.4
# What |z| is taken for where a 16-bit sample is zero: the mean of ln|z| over the half step on both sides of it.
_ZERO = 0.5 / 32768 / np.e


def wada_snr(samples: Samples) -> float:
    """SNR (dB, -20..100) of speech samples of any rate, shape (n,). -20 where there is nothing."""
    magnitude = np.abs(samples.astype(np.float64))
    mean = float(magnitude.mean()) if len(magnitude) else 0.0
    if mean <= _ZERO:
        return LOWEST_SNR_DB
    statistic = np.log(mean) - float(np.log(np.maximum(magnitude, _ZERO)).mean())
    snr, expected = gamma_statistic()
    return float(np.interp(statistic, expected, snr))


@lru_cache(maxsize=1)
def gamma_statistic() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The model's curve: SNRs (dB, shape (121,)) and G = ln E|z| - E ln|z| at each, rising.

    z = x + v: |x| is gamma distributed (shape 0.4) with either sign, v Gaussian. For a given x, z is normal, and both
    expectations are known: the mean of a folded normal, and half the mean log of a non-central chi-square with one
    degree of freedom. What is left is one integral over x, taken numerically; no table is copied.
    """
    from scipy.special import erf

    # Over ln x the density has no pole at zero, and a plain sum converges quickly.
    log_x = np.linspace(-60.0, np.log(60.0), 4001)
    x = np.exp(log_x)
    weight = np.exp(_SHAPE * log_x - x)
    weight /= weight.sum()
    power = float((weight * x**2).sum())
    snr = np.linspace(LOWEST_SNR_DB, HIGHEST_SNR_DB, 121)
    expected = np.empty_like(snr)
    for i, decibels in enumerate(snr):
        sigma = np.sqrt(power * 10 ** (-decibels / 10))
        t = x / sigma
        folded = sigma * (np.sqrt(2 / np.pi) * np.exp(-(t**2) / 2) + t * erf(t / np.sqrt(2)))
        log_magnitude = np.log(sigma) + _mean_log_magnitude(t)
        expected[i] = np.log((weight * folded).sum()) - (weight * log_magnitude).sum()
    return snr, expected


def _mean_log_magnitude(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """E ln|t + n| for a standard normal n and each t >= 0."""
    from scipy.special import digamma, gammaln

    result = np.empty_like(t)
    far = t > 6.0
    result[far] = np.log(t[far]) - 0.5 / t[far] ** 2 - 0.75 / t[far] ** 4 - 2.5 / t[far] ** 6
    # Non-central chi-square as a Poisson mixture of central ones: E ln z^2 = ln 2 + sum_j P(j; t^2/2) digamma(1/2 + j).
    near_t = np.linspace(0.0, 6.0, 1201)
    half = np.maximum(near_t**2 / 2, 1e-300)[:, None]
    j = np.arange(120.0)[None, :]
    poisson = np.exp(j * np.log(half) - half - gammaln(j + 1))
    near = (np.log(2) + (poisson * digamma(0.5 + j)).sum(axis=1)) / 2
    result[~far] = np.interp(t[~far], near_t, near)
    return result

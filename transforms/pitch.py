"""The pitch of a voice: the median of its fundamental frequency.

Autocorrelation of windowed frames divided by the window's own: P. Boersma, Accurate short-term analysis of the
fundamental frequency and the harmonics-to-noise ratio of a sampled sound, IFA Proceedings 17, 1993.
"""

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import Samples

# Not as low as 60 Hz: mains hum is periodic too.
LOWEST_HZ, HIGHEST_HZ = 65.0, 500.0
# Nothing above 4 kHz helps to find the period.
_RATE = 8000
# Three periods of the lowest pitch.
_FRAME = round(3 * _RATE / LOWEST_HZ)
_HOP = _RATE // 50
_FFT = 1024
# Of two periods that fit about as well, the shorter: every multiple of a period is a period too.
_OCTAVE_COST = 0.1
_VOICED = 0.55
_QUIET_DB = 25.0


def f0_median(samples: Samples, rate: int) -> float:
    """Median F0 (Hz, 65..500) of the voiced frames of samples, shape (n,); 0.0 where nothing is voiced."""
    voiced = f0_track(samples, rate)
    voiced = voiced[voiced > 0]
    return float(np.median(voiced)) if len(voiced) else 0.0


def f0_track(samples: Samples, rate: int) -> NDArray[np.float64]:
    """F0 (Hz, 0.0 where unvoiced) of 46 ms frames every 20 ms."""
    import soxr

    low = soxr.resample(samples, rate, _RATE, quality="HQ") if rate != _RATE else samples
    if len(low) < _FRAME:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(low, _FRAME)[::_HOP].astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = (frames**2).mean(axis=1)
    heard = np.flatnonzero(power > max(np.percentile(power, 95) * 10 ** (-_QUIET_DB / 10), 1e-10))
    track = np.zeros(len(frames))
    if len(heard):
        track[heard] = _pitches(frames[heard])
    return track


def _pitches(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    window = np.hanning(_FRAME)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT)) ** 2)
    shortest, longest = int(_RATE / HIGHEST_HZ), int(_RATE / LOWEST_HZ)
    lags = np.arange(shortest - 1, longest + 2)
    spectrum = np.fft.rfft(frames * window, _FFT, axis=1)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, axis=1)
    strength = (correlation[:, lags] / np.maximum(correlation[:, :1], 1e-12)) / (own[lags] / own[0])
    inner = strength[:, 1:-1]
    peak = (inner > strength[:, :-2]) & (inner >= strength[:, 2:])
    merit = np.where(peak, inner - _OCTAVE_COST * np.log2(lags[1:-1] / shortest), -np.inf)
    best = merit.argmax(axis=1)
    rows = np.arange(len(frames))
    before, here, after = strength[rows, best], strength[rows, best + 1], strength[rows, best + 2]
    # A parabola through the peak and its neighbours: the period is finer than a sample.
    bend = before - 2 * here + after
    shift = np.where(bend < 0, (before - after) / (2 * np.where(bend < 0, bend, -1.0)), 0.0)
    voiced = np.isfinite(merit[rows, best]) & (here > _VOICED)
    return np.where(voiced, _RATE / (lags[best + 1] + shift), 0.0)

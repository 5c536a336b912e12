"""The fundamental frequency of a voice, frame by frame.

YIN: A. de Cheveigne and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111 (2002).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LEAST_HZ, _MOST_HZ = 60.0, 500.0
_THRESHOLD = 0.15
# Frames are twice as long as the longest period, rounded up to a power of two of samples.
_BLOCK = 2048
_SILENCE_DB = -60.0


def f0(samples: Floats, rate: int, hop: int) -> Floats:
    """F0 in Hz of each hop, shape (len(samples) // hop,); 0.0 where nothing is voiced. `samples` has shape (n,)."""
    frames = len(samples) // hop
    longest, shortest = int(np.ceil(rate / _LEAST_HZ)), int(rate / _MOST_HZ)
    window = 2 * longest
    # The middle of a frame's window is the middle of its hop.
    before = window // 2 - hop // 2
    padded = np.pad(samples, (max(before, 0), window + hop))
    starts = np.arange(frames) * hop
    found = np.zeros(frames, np.float32)
    for first in range(0, frames, _BLOCK):
        block = starts[first : first + _BLOCK]
        windows = np.lib.stride_tricks.sliding_window_view(padded, window)[block]
        found[first : first + len(block)] = _of_windows(windows, rate, shortest, longest)
    return _without_strays(found)


def _of_windows(windows: Floats, rate: int, shortest: int, longest: int) -> Floats:
    """F0 of each row of `windows`, shape (n, 2 * longest)."""
    normal = _normalised_difference(windows.astype(np.float64), longest)
    candidates = normal[:, shortest : longest + 1]
    is_low = candidates < _THRESHOLD
    # The first dip under the threshold, at its lowest point.
    first = np.where(is_low.any(axis=1), is_low.argmax(axis=1), candidates.argmin(axis=1))
    rows = np.arange(len(windows))
    for _ in range(candidates.shape[1]):
        following = np.minimum(first + 1, candidates.shape[1] - 1)
        falls = candidates[rows, following] < candidates[rows, first]
        if not falls.any():
            break
        first = np.where(falls, following, first)
    depth = candidates[rows, first]
    power = 10 * np.log10(np.mean(np.square(windows, dtype=np.float64), axis=1) + 1e-12)
    lag = _refined(normal, first + shortest)
    voiced = (depth < 2 * _THRESHOLD) & (power > max(_SILENCE_DB, float(power.max(initial=-120.0)) - 45.0))
    return np.where(voiced, rate / lag, 0.0).astype(np.float32)


def _normalised_difference(windows: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """YIN's cumulative mean normalised difference, shape (n, longest + 2), over windows of `longest` samples."""
    width = windows.shape[1] - longest
    size = 1 << int(np.ceil(np.log2(windows.shape[1] + width)))
    head = np.fft.rfft(windows[:, :width], size)
    whole = np.fft.rfft(windows, size)
    correlation = np.fft.irfft(whole * np.conj(head), size)[:, : longest + 1]
    squares = np.concatenate([np.zeros((len(windows), 1)), np.cumsum(windows**2, axis=1)], axis=1)
    energy = squares[:, width : width + longest + 1] - squares[:, : longest + 1]
    difference = np.maximum(energy[:, :1] + energy - 2 * correlation, 0.0)
    lags = np.arange(1, longest + 1)
    normal = np.ones((len(windows), longest + 2))
    normal[:, 1 : longest + 1] = difference[:, 1:] * lags / np.maximum(np.cumsum(difference[:, 1:], axis=1), 1e-12)
    return normal


def _refined(normal: NDArray[np.float64], lag: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lag at the bottom of the parabola through a lag and its neighbours."""
    rows = np.arange(len(normal))
    left, middle, right = (normal[rows, np.clip(lag + k, 0, normal.shape[1] - 1)] for k in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend > 1e-9, 0.5 * (left - right) / np.maximum(bend, 1e-9), 0.0)
    return lag + np.clip(shift, -0.5, 0.5)


def _without_strays(track: Floats) -> Floats:
    """Without voiced stretches of one frame, and without single frames that leap by more than a third."""
    cleaned = track.copy()
    if len(track) < 3:
        return cleaned
    left, right = np.r_[0.0, track[:-1]], np.r_[track[1:], 0.0]
    cleaned[(track > 0) & (left == 0) & (right == 0)] = 0.0
    between = (left > 0) & (right > 0) & (track > 0)
    mean = np.sqrt(np.maximum(left * right, 1e-9))
    leaps = between & (np.abs(np.log2(np.maximum(track, 1e-9) / np.maximum(mean, 1e-9))) > 0.415)
    cleaned[leaps] = mean[leaps]
    return cleaned.astype(np.float32)

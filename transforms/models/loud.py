"""Frames that are surely sounding, told from the echo of what sounded before."""

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, Samples

LOUD_FRAME_SECONDS = 0.01
# This far (dB) below the loudest tenth it is no longer speech, only its echo.
_LOUD_DB = 15.0
# Where the quietest frames are hardly below that, they are the noise of the place: speech is this much (dB) above them,
# as far as it can be told at all.
_FLOOR_PERCENTILE = 5.0
_ABOVE_FLOOR_DB = 5.0
_LEAST_LOUD_DB = 8.0
# A room's tail falls this far (dB) below what made it at once, fades, and never rises again as a syllable does.
_FALL_DB = 7.0
_RISE_DB = 6.0
_SMOOTHED_FRAMES = 5


def loud_frames(samples: Samples) -> NDArray[np.bool_]:
    """Which frames of 10 ms sound, shape (len(samples) // 160,): within 15 dB of the loudest tenth, above the noise of
    the place, and no echo."""
    size = round(LOUD_FRAME_SECONDS * MODEL_RATE)
    count = len(samples) // size
    if count == 0:
        return np.zeros(0, np.bool_)
    power = np.mean(samples[: count * size].reshape(count, size).astype(np.float64) ** 2, axis=1)
    level = 10 * np.log10(power + 1e-9)
    smooth = np.convolve(power, np.ones(_SMOOTHED_FRAMES) / _SMOOTHED_FRAMES, "same")
    loudest, floor = np.percentile(level, [90.0, _FLOOR_PERCENTILE])
    threshold = np.clip(floor + _ABOVE_FLOOR_DB, loudest - _LOUD_DB, loudest - _LEAST_LOUD_DB)
    return np.asarray((level > threshold) & ~echoes(10 * np.log10(smooth + 1e-9)), np.bool_)


def echoes(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of smoothed levels (dB, 10 ms frames) are an echo: well below the last peak, with no rise since."""
    found = np.zeros(len(levels), np.bool_)
    peak = lowest = -np.inf
    for place, level in enumerate(levels.tolist()):
        if level > peak or level >= lowest + _RISE_DB:
            peak = lowest = level
        lowest = min(lowest, level)
        found[place] = level < peak - _FALL_DB
    return found

"""Frames that are surely sounding, told from the echo of what sounded before."""

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, Samples

LOUD_FRAME_SECONDS = 0.01
# This far (dB) below the loudest tenth it is no longer speech, only its echo.
_LOUD_DB = 15.0


def loud_frames(samples: Samples) -> NDArray[np.bool_]:
    """Which frames of 10 ms are within 15 dB of the loudest tenth of the samples, shape (len(samples) // 160,)."""
    size = round(LOUD_FRAME_SECONDS * MODEL_RATE)
    count = len(samples) // size
    if count == 0:
        return np.zeros(0, np.bool_)
    power = np.mean(samples[: count * size].reshape(count, size).astype(np.float64) ** 2, axis=1)
    level = 10 * np.log10(power + 1e-9)
    return np.asarray(level > np.percentile(level, 90) - _LOUD_DB, np.bool_)

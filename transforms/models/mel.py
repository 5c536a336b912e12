"""Mel filters as networks were trained with them, without a library of a hundred megabytes for forty triangles."""

import numpy as np
from numpy.typing import NDArray

# M. Slaney, Auditory Toolbox: linear below 1 kHz, logarithmic above.
_LINEAR_HZ = 200 / 3
_BREAK_HZ = 1000.0
_LOGARITHMIC_STEP = np.log(6.4) / 27


def mel_filters(rate: int, fft: int, mels: int) -> NDArray[np.float32]:
    """Triangles of equal area on Slaney's mel scale from 0 Hz to rate / 2, shape (mels, fft // 2 + 1)."""
    edges = _hertz(np.linspace(0.0, _mels(rate / 2), mels + 2))
    ramps = np.subtract.outer(edges, np.fft.rfftfreq(fft, 1.0 / rate))
    widths = np.diff(edges)[:, None]
    filters = np.maximum(0.0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:])).astype(np.float32)
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return filters


def _mels(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ
    return float(_BREAK_HZ / _LINEAR_HZ + np.log(hertz / _BREAK_HZ) / _LOGARITHMIC_STEP)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = mels - _BREAK_HZ / _LINEAR_HZ
    return np.where(above < 0, mels * _LINEAR_HZ, _BREAK_HZ * np.exp(_LOGARITHMIC_STEP * above))

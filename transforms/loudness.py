"""Loudness as people hear it (ITU-R BS.1770-4, integrated) and the highest sample."""

import numpy as np

from transforms.models.base import Samples

#: What silence is said to be: the absolute gate of BS.1770 (LUFS), below which nothing is measured.
QUIETEST_LUFS = -70.0
#: dBFS of the smallest step of 16 bits, the least a peak can be.
QUIETEST_PEAK_DB = -96.0
# BS.1770 measures in blocks of this length.
_BLOCK_SECONDS = 0.4


def loudness_lufs(samples: Samples, rate: int) -> float:
    """Integrated loudness (LUFS, never below -70) of mono samples, shape (n,), at `rate` Hz.

    A clip shorter than one block (0.4 s) is measured as one block of its own length.
    """
    import pyloudnorm

    if not len(samples):
        return QUIETEST_LUFS
    duration = len(samples) / rate
    # The filters called "DeMan" are the ones that give the standard's coefficients at 48 kHz.
    meter = pyloudnorm.Meter(rate, filter_class="DeMan", block_size=min(_BLOCK_SECONDS, duration))
    loudness = float(meter.integrated_loudness(samples.astype(np.float64)))
    return max(loudness, QUIETEST_LUFS) if np.isfinite(loudness) else QUIETEST_LUFS


def peak_db(samples: Samples) -> float:
    """Highest magnitude of the samples, dBFS (sample peak, never below -96)."""
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    return max(20.0 * float(np.log10(peak)), QUIETEST_PEAK_DB) if peak > 0.0 else QUIETEST_PEAK_DB

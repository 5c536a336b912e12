"""Opus (RFC 6716) in Ogg knows five sampling rates: speech of another one is brought to the next above it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


def opus_rate(rate: int) -> int:
    """The rate (Hz) that speech of `rate` Hz is written with."""
    return min((one for one in RATES if one >= rate), default=RATES[-1])


class Resampler:
    """Brings samples from one rate to another as they come; of the same rate they stay as they are."""

    def __init__(self, rate: int, to: int) -> None:
        self._stream = None
        if rate != to:
            import soxr

            self._stream = soxr.ResampleStream(rate, to, 1, dtype="float32")

    def part(self, samples: Floats, last: bool = False) -> Floats:
        """What is known of the samples, shape (n,), that were given so far; with the last ones all the rest."""
        if self._stream is None:
            return samples
        found: Floats = self._stream.resample_chunk(samples, last=last)
        return found

"""Names the same audio in another place: after another encoder, at another gain, cut a little differently.

Landmarks, as in A. Wang, An industrial-strength audio search algorithm, ISMIR 2003: wherever the spectrum changes most,
a code of 32 bits says how it moves, each bit the sign of a difference of band energies over time and frequency (J.
Haitsma, T. Kalker, A highly robust audio fingerprinting system, ISMIR 2002). Landmarks stay where they are in the
audio wherever it is cut, so codes are compared at equal distances in time. Another reading of the same sentence has
other codes, at other distances.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import Samples

_RATE = 8000
_FRAME = 1024
_HOP = 64
HOP_SECONDS = _HOP / _RATE
_BANDS = 9
_LOWEST_HZ, _HIGHEST_HZ = 250.0, 3400.0
# Frames, counted from the landmark, between which the movement of the spectrum is coded.
_OFFSETS = np.array([-8, -3, 2, 7, 12])
_CHANGE_STEP = 2
# The fastest change within this many frames on either side is a landmark: about seven a second.
_APART = 4
_QUIET_DB = 30.0
_BITS = (_BANDS - 1) * (len(_OFFSETS) - 1)

# Two codes are alike with at most this many of their 32 bits different.
_ALIKE_BITS = 7
# Landmarks are found within this many frames of where they are in other copies.
_JITTER_FRAMES = 1
_FEWEST_ALIKE = 3
# Of so few landmarks, chance makes a large share alike.
_FEWEST_POSSIBLE = 6
_BITS_LEFT_OUT = 4
# One key of four is kept.
_KEPT_BELOW = 1 << 30
#: Share of landmarks alike, of those that both clips could hold, from which two clips are the same audio.
SAME_SHARE = 0.55


def fingerprint(samples: Samples, rate: int) -> str:
    """Fingerprint of samples, shape (n,): a landmark is 12 hexadecimal digits, 4 of time (8 ms steps) and 8 of code.

    About seven landmarks a second; "" where nothing is heard.
    """
    import soxr

    low = soxr.resample(samples, rate, _RATE, quality="HQ") if rate != _RATE else samples
    if len(low) < _FRAME:
        return ""
    bands, loudness = _band_levels(low)
    landmarks = _landmarks(bands, loudness)
    codes = _codes(bands, landmarks)
    return "".join(
        f"{landmark:04x}{code:08x}" for landmark, code in zip(landmarks.tolist(), codes.tolist(), strict=True)
    )


def same_audio(a: str, b: str) -> bool:
    """Whether two fingerprints are of the same audio, or of a part of it."""
    return similarity(a, b) >= SAME_SHARE


def similarity(a: str, b: str) -> float:
    """Share (0..1) of landmarks alike where two fingerprints overlap best."""
    times_a, codes_a = _parse(a)
    times_b, codes_b = _parse(b)
    if min(len(times_a), len(times_b)) < _FEWEST_ALIKE:
        return 0.0
    rows, columns = np.nonzero(codes_alike(codes_a[:, None], codes_b[None, :]))
    offsets = times_a[rows] - times_b[columns]
    best = 0.0
    for offset in _likely(offsets):
        near = np.abs(offsets - offset) <= _JITTER_FRAMES
        alike = min(len(np.unique(rows[near])), len(np.unique(columns[near])))
        if alike >= _FEWEST_ALIKE:
            best = max(best, alike / _possible(times_a, times_b + offset))
    return best


def buckets(text: str) -> tuple[str, ...]:
    """Keys that copies of the same audio share some of, and other clips seldom any: about fifteen a second of audio.

    A key is a code without four of its bits, so that a few bits may differ. Of all keys those with low hashes are kept,
    which are the same ones in every copy and in every part of it.
    """
    codes = _parse(text)[1]
    keys = {key for found, _ in bucket_codes(codes) for key in found.tolist()}
    return tuple(f"{key >> 32}{key & 0xFFFFFFFF:08x}" for key in sorted(keys))


def bucket_codes(codes: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The keys of codes, as numbers: for each way to leave bits out the keys that are kept, and whose they are."""
    for number, shift in enumerate(range(0, _BITS, _BITS_LEFT_OUT)):
        without = codes & np.uint32(0xFFFFFFFF ^ ((1 << _BITS_LEFT_OUT) - 1 << shift))
        keys = _mixed(without)
        kept = np.flatnonzero(keys < _KEPT_BELOW)
        yield keys[kept].astype(np.int64) | number << 32, kept


def codes_alike(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which codes say the same of the sound."""
    return np.bitwise_count(a ^ b) <= _ALIKE_BITS


def least_alike(landmarks: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many landmarks have to be alike at least, where the poorer of two clips has so many, to be the same audio."""
    # A little less, so that no rounding leaves out what `similarity` takes.
    least = SAME_SHARE * np.maximum(landmarks // 2, _FEWEST_POSSIBLE) - 1e-6
    return np.where(landmarks < _FEWEST_ALIKE, np.inf, np.maximum(least, _FEWEST_ALIKE))


def _mixed(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A bijection of 32 bits that spreads neighbours (Fibonacci hashing)."""
    return codes * np.uint32(2654435769)


def _likely(offsets: NDArray[np.int64]) -> list[int]:
    counts = Counter(offsets.tolist())
    return [offset for offset, _ in counts.most_common(5)]


def _possible(a: NDArray[np.int64], b: NDArray[np.int64]) -> int:
    """Landmarks of the poorer of two clips inside the time they share (at least half of the shorter clip)."""
    start, end = max(a[0], b[0]) - _JITTER_FRAMES, min(a[-1], b[-1]) + _JITTER_FRAMES
    shared = min(int(((a >= start) & (a <= end)).sum()), int(((b >= start) & (b <= end)).sum()))
    return max(shared, min(len(a), len(b)) // 2, _FEWEST_POSSIBLE)


def _parse(text: str) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    marks = [text[i : i + 12] for i in range(0, len(text) - 11, 12)]
    return np.array([int(m[:4], 16) for m in marks], np.int64), np.array([int(m[4:], 16) for m in marks], np.uint32)


def _band_levels(samples: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log energies of the bands, shape (frames, bands), and loudness (dB), shape (frames,)."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    spectrum = np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * _FRAME / _RATE
    bins = np.round(edges).astype(int)
    energy = np.add.reduceat(power, bins, axis=1)[:, :_BANDS]
    total = energy.sum(axis=1)
    # What is far below the clip's own speech is left to noise and encoders.
    floor = max(float(np.percentile(total, 95)) * 1e-4, 1e-12)
    return np.log(energy + floor / _BANDS), 10 * np.log10(total + floor)


def _landmarks(bands: NDArray[np.float64], loudness: NDArray[np.float64]) -> NDArray[np.int64]:
    """Frames at which the spectrum changes most, none quiet, none near another."""
    step = _CHANGE_STEP
    change = np.zeros(len(bands))
    change[step:-step] = np.abs(bands[2 * step :] - bands[: -2 * step]).sum(axis=1)
    change = np.convolve(change, np.hanning(7) / np.hanning(7).sum(), mode="same")
    padded = np.pad(change, _APART, constant_values=-1.0)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _APART + 1).max(axis=1)
    heard = loudness > np.percentile(loudness, 95) - _QUIET_DB
    first, last = -int(_OFFSETS[0]), len(bands) - int(_OFFSETS[-1])
    frames = np.flatnonzero((change == highest) & (change > 0) & heard)
    return frames[(frames >= first) & (frames < last)]


def _codes(bands: NDArray[np.float64], landmarks: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Code of each landmark: 32 signs of d(band) d(time) of the log energies."""
    around = bands[landmarks[:, None] + _OFFSETS[None, :]]
    bits = np.diff(np.diff(around, axis=2), axis=1).reshape(len(landmarks), _BITS) > 0
    return (bits.astype(np.uint64) << np.arange(_BITS, dtype=np.uint64)).sum(axis=1).astype(np.uint32)

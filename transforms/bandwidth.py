"""Bandwidth: the highest frequency that holds speech, whatever rate the samples have now."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.recording import Recording
from schemas.turn import Span
from transforms.audio import read_span
from transforms.models.base import Samples

_FRAME_SECONDS = 0.032
_BAND_HZ = 250.0
_SPEECH_BANDS_HZ = (250.0, 3_500.0)
# Speech has peaks: the 95th percentile of a band's level lies 6 to 20 dB above its 75th, even where a fricative now and
# then is all it holds. Noise has a ceiling 2 to 3 dB above, whether it is room tone or dither, also where a codec cuts
# it off at times.
_PEAK_DB = 5.0
# What lies this far below the speech is leakage of a filter or of a resampler, not speech.
_RANGE_DB = 60.0
# A band counts only if this share of the bands just below it counts as well.
_SUPPORT_BANDS, _SUPPORT_SHARE = 6, 0.5
# Samples that do not come and go (a test signal): where its spectrum falls off a cliff at least this high.
_CLIFF_DB = 20.0
_TINY_POWER = 1e-20

_EXCERPT_SECONDS, _MAX_EXCERPTS = 8.0, 24
# A fifth of the excerpts reach it: no jingle decides, and no guest on the telephone.
_REACHED_BY_SHARE = 0.2


def bandwidth(samples: Samples, rate: int) -> float:
    """Highest frequency (Hz) that holds speech in samples of shape (n,) at `rate` Hz; 0.0 for silence.

    A band of 250 Hz holds speech where its power comes and goes as speech does, and is not lost 60 dB below it: noise
    above the cliff of an upsampled, telephone or lossy recording does neither. Resolution 250 Hz. A clip without a
    fricative holds nothing high, and says so: judge a source by `speech_bandwidth`.
    """
    powers = _band_powers(samples, rate)
    if not len(powers) or powers.max() <= _TINY_POWER:
        return 0.0
    levels = 10 * np.log10(np.maximum(powers, _TINY_POWER))
    median, usual, high = np.percentile(levels, (50, 75, 95), axis=0)
    speech = high[int(_SPEECH_BANDS_HZ[0] / _BAND_HZ) : int(_SPEECH_BANDS_HZ[1] / _BAND_HZ)].max()
    holds = (high - usual >= _PEAK_DB) & (high >= speech - _RANGE_DB)
    return _upper_edge(holds, rate) or _stationary_bandwidth(median, rate)


def speech_bandwidth(recording: Recording, speech: Sequence[Span]) -> float:
    """Highest frequency (Hz) that a fifth of the speech in a recording reaches; 0.0 where there is no speech.

    Taken from at most 24 excerpts of up to 8 s, spread evenly over the spans.
    """
    found = []
    for start, end in _excerpts(speech):
        samples = read_span(recording.path, start, end, recording.sampling_rate)
        found.append(bandwidth(samples, recording.sampling_rate))
    heard = sorted((value for value in found if value > 0.0), reverse=True)
    return heard[int(len(heard) * _REACHED_BY_SHARE)] if heard else 0.0


def _band_powers(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Mean power density in bands of 250 Hz for frames of 32 ms (Hann) every 16 ms, shape (frames, bands)."""
    length = 2 ** round(np.log2(rate * _FRAME_SECONDS))
    if len(samples) < length:
        return np.zeros((0, 0))
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(samples, np.float32), length)[:: length // 2]
    spectra = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 * (2.0 / (rate * float(np.sum(window**2))))
    edges = np.arange(0.0, rate / 2 - _BAND_HZ / 2, _BAND_HZ)
    first_bins = np.ceil(edges * length / rate).astype(int)
    counts = np.diff(np.append(first_bins, spectra.shape[1]))
    return np.add.reduceat(spectra, first_bins, axis=1) / counts


def _upper_edge(holds: NDArray[np.bool_], rate: int) -> float:
    """The upper edge (Hz) of the highest band that holds speech and does not stand alone."""
    for band in np.flatnonzero(holds)[::-1]:
        below = holds[max(0, band - _SUPPORT_BANDS) : band]
        if not len(below) or below.mean() >= _SUPPORT_SHARE:
            return float(min((band + 1) * _BAND_HZ, rate / 2))
    return 0.0


def _stationary_bandwidth(levels: NDArray[np.float64], rate: int) -> float:
    """Where a spectrum (dB a band) that does not change falls below the middle of its range, or by 40 dB.

    Half the rate where it is flat.
    """
    lowest, highest = float(levels.min()), float(levels.max())
    if highest - lowest < _CLIFF_DB:
        return rate / 2
    return _upper_edge(levels > max((lowest + highest) / 2, highest - 2 * _CLIFF_DB), rate)


def _excerpts(speech: Sequence[Span]) -> list[tuple[float, float]]:
    """Stretches (start, end) of at most 8 s inside the spans, at most 24 of them, evenly over all speech."""
    pieces = []
    for span in speech:
        count = max(1, round(span.duration / _EXCERPT_SECONDS))
        length = span.duration / count
        for index in range(count):
            start = span.start + index * length
            pieces.append((start, start + min(length, _EXCERPT_SECONDS)))
    if len(pieces) <= _MAX_EXCERPTS:
        return pieces
    chosen = np.linspace(0, len(pieces) - 1, _MAX_EXCERPTS).round().astype(int)
    return [pieces[index] for index in chosen]

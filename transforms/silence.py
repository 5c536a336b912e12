"""Where speech begins and ends: frame levels, and the threshold between them that a stretch of speech sets itself."""

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import Samples

Levels = NDArray[np.float64]

FRAME_SECONDS = 0.01
HOP_SECONDS = 0.005
# dBFS of digital silence, and of anything quieter.
_LOWEST_DB = -100.0
# The threshold lies this share of the way from the noise floor up to speech (in dB), and no deeper than _DEEPEST_DB
# below speech: without noise, all that is left down there are tails that nobody hears.
_THRESHOLD_SHARE = 0.35
_DEEPEST_DB = 42.0
# Shorter bursts are clicks.
_SHORTEST_SPEECH_SECONDS = 0.02
# Hum, breath on a microphone and handling noise are no speech, and lie below this.
_HIGH_PASS_HZ = 100.0


def frame_levels(samples: Samples, rate: int) -> Levels:
    """Level (dBFS RMS, -100 at least) of 10 ms frames every 5 ms, hum left out; frame i is centred on i * 5 ms + 5 ms.

    Shape (1 + (n - frame) // hop,); empty where the samples are shorter than a frame.
    """
    from scipy.signal import lfilter

    frame, hop = round(FRAME_SECONDS * rate), round(HOP_SECONDS * rate)
    if len(samples) < frame:
        return np.zeros(0)
    # One pole and one zero: enough against hum, no ringing, no look-ahead over an edge.
    pole = float(np.exp(-2 * np.pi * _HIGH_PASS_HZ / rate))
    high = lfilter([1.0, -1.0], [1.0, -pole], samples.astype(np.float64) - float(samples[0]))
    total = np.concatenate(([0.0], np.cumsum(high**2)))
    starts = np.arange(0, len(samples) - frame + 1, hop)
    power = (total[starts + frame] - total[starts]) / frame
    return np.maximum(10.0 * np.log10(np.maximum(power, 1e-12)), _LOWEST_DB)


def quiet_threshold(levels: Levels, floor_percentile: float = 2.0) -> float:
    """Level (dBFS) below which frames are silence, by the floor and the speech found in `levels` themselves."""
    floor, speech = np.percentile(levels, [floor_percentile, 95.0])
    return float(max(floor + _THRESHOLD_SHARE * (speech - floor), speech - _DEEPEST_DB))


def edge_silences(samples: Samples, rate: int) -> tuple[float, float]:
    """Seconds of silence before the first and after the last speech; all of it, twice, where nothing is heard."""
    levels = frame_levels(samples, rate)
    duration = len(samples) / rate
    if not len(levels) or levels.max() <= _LOWEST_DB:
        return duration, duration
    loud = levels > quiet_threshold(levels)
    starts, ends = speech_runs(loud)
    if not len(starts):
        return 0.0, 0.0
    # A frame that holds the first sound of speech is as long as the sound's distance from its end is unknown: the
    # middle of the frame is the best guess.
    leading = starts[0] * HOP_SECONDS + FRAME_SECONDS / 2 if starts[0] else 0.0
    last = (ends[-1] - 1) * HOP_SECONDS + FRAME_SECONDS / 2
    trailing = duration - last if ends[-1] < len(loud) else 0.0
    return min(leading, duration), min(max(trailing, 0.0), duration)


def speech_runs(loud: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends (exclusive, in frames) of the runs of loud frames that are longer than a click."""
    edges = np.diff(np.concatenate(([0], loud.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    long_enough = ends - starts >= round(_SHORTEST_SPEECH_SECONDS / HOP_SECONDS)
    return starts[long_enough], ends[long_enough]

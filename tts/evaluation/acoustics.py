"""How far a spoken sentence is from a recording of the same words: envelope, melody and length. All at 16 kHz.

Mel-cepstral distortion: R. Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", 1993.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, Samples
from tts.data.features import FeatureSettings, MelSpectrogram
from tts.evaluation.warping import warp
from tts.pitch import f0

Floats = NDArray[np.float64]

#: Frames of 32 ms every 10 ms.
SETTINGS = FeatureSettings(sampling_rate=MODEL_RATE, n_fft=512, hop=160, mels=40)
#: Coefficients that are compared; the one before them is the level.
COEFFICIENTS = 13
_DECIBELS = 10 / np.log(10)
# Silence around the speech is no part of it: below the loudest frame by so much.
_SILENCE_DB = 40.0


@dataclass(frozen=True, eq=False)
class Track:
    """The speech in some samples, frame by frame: mel-cepstra (n, 14), F0 in Hz (n,), 0 where nothing is voiced."""

    cepstra: Floats
    pitch: Floats

    @property
    def seconds(self) -> float:
        return len(self.cepstra) * SETTINGS.hop / SETTINGS.sampling_rate


@dataclass(frozen=True, slots=True)
class Distance:
    """Of an utterance from a recording, along the warped path; nan where there is nothing to compare.

    `cepstral_db`: mean distortion a frame, c1 to c13. `pitch_cents` and `pitch_hz`: root mean square where both are
    voiced. `voicing`: share of frames of which one is voiced and the other not. `duration`: how much longer it is, as
    a share of the recording's speech.
    """

    cepstral_db: float
    pitch_cents: float
    pitch_hz: float
    voicing: float
    duration: float


def track_of(samples: Samples) -> Track:
    """The speech in samples (16 kHz, shape (n,)), without the silence before and after it."""
    if len(samples) < SETTINGS.n_fft:
        return Track(np.zeros((0, COEFFICIENTS + 1)), np.zeros(0))
    with torch.inference_mode():
        logs = MelSpectrogram(SETTINGS)(torch.from_numpy(np.ascontiguousarray(samples))[None])[0].T.double().numpy()
    pitch = f0(samples.astype(np.float32), SETTINGS.sampling_rate, SETTINGS.hop).astype(np.float64)
    level = 10 * np.log10(np.exp(2 * logs).sum(axis=1))
    loud = np.flatnonzero(level > level.max() - _SILENCE_DB)
    inside = slice(int(loud[0]), int(loud[-1]) + 1)
    return Track(mel_cepstra(logs[inside]), pitch[inside])


def mel_cepstra(logs: Floats) -> Floats:
    """c0 to c13 of natural log-mel magnitudes, (n, M) to (n, 14): logs = c0 / 2 + sum of c_k cos(k (m + 1/2) pi / M).

    Scaled so that the distortion's formula gives the root mean square over the mel scale, in dB.
    """
    mels = logs.shape[1]
    waves = np.cos(np.outer(np.arange(COEFFICIENTS + 1), (np.arange(mels) + 0.5) * np.pi / mels))
    found: Floats = logs @ waves.T * (2 / mels)
    return found


def distortion(first: Floats, second: Floats) -> Floats:
    """Mel-cepstral distortion of frames in dB, (n, 14) twice to (n,): 10 / ln 10 * sqrt(2 * sum of (c_k - c'_k)^2)."""
    found: Floats = _DECIBELS * np.sqrt(2 * ((first[:, 1:] - second[:, 1:]) ** 2).sum(axis=1))
    return found


def distance(recording: Track, utterance: Track) -> Distance:
    """How far an utterance is from a recording of the same words."""
    if not len(recording.cepstra) or not len(utterance.cepstra):
        return Distance(*[float("nan")] * 5)
    there, here = warp(recording.cepstra[:, 1:], utterance.cepstra[:, 1:])
    pitches = recording.pitch[there], utterance.pitch[here]
    is_voiced = pitches[0] > 0, pitches[1] > 0
    both = is_voiced[0] & is_voiced[1]
    cents = 1200 * np.log2(pitches[1][both] / pitches[0][both])
    return Distance(
        cepstral_db=float(distortion(recording.cepstra[there], utterance.cepstra[here]).mean()),
        pitch_cents=_root_mean_square(cents),
        pitch_hz=_root_mean_square(pitches[1][both] - pitches[0][both]),
        voicing=float(np.mean(is_voiced[0] != is_voiced[1])),
        duration=utterance.seconds / recording.seconds - 1,
    )


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2))) if len(values) else float("nan")

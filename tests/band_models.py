"""Models that a pyannote.audio checkpoint may name as its architecture, with nothing to learn: voices are bands.

Three voices are tones in three bands of the spectrum. The segmentation model hears which of them are there, by the
power of each band; the embedding model's point is the power of 32 bands. Weights are real ones, saved and loaded.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications

RATE = 16_000
# Tones (Hz) of the three voices.
TONES = (500.0, 1500.0, 3500.0)
BANDS = 32
_STEP = 320


class BandSegmentation(Model):
    """Frames of 20 ms: the scores of {nobody, a, b, c, ab, ac, bc}."""

    def __init__(self, sample_rate: int = RATE, num_channels: int = 1, task: Any = None) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.threshold = torch.nn.Parameter(torch.tensor(5.0))

    @property
    def dimension(self) -> int:
        return 7

    def num_frames(self, num_samples: int) -> int:
        return num_samples // _STEP

    def receptive_field_size(self, num_frames: int = 1) -> int:
        return num_frames * _STEP

    def receptive_field_center(self, frame: int = 0) -> int:
        return frame * _STEP + _STEP // 2

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        frames = waveforms[:, 0].unfold(1, _STEP, _STEP)
        times = torch.arange(_STEP) / RATE
        window = torch.hann_window(_STEP)
        heard = []
        for tone in TONES:
            real, imaginary = (wave(2 * np.pi * tone * times) * window for wave in (torch.cos, torch.sin))
            heard.append((frames @ real).abs().hypot((frames @ imaginary).abs()))
        votes = torch.stack(heard, dim=2) - self.threshold
        a, b, c = votes.unbind(dim=2)
        scores = torch.stack([torch.zeros_like(a), a, b, c, a + b, a + c, b + c], dim=2)
        return torch.log_softmax(10 * scores, dim=2)


class BandEmbedding(Model):
    """The power in 32 bands, of the frames that weights name."""

    def __init__(self, sample_rate: int = RATE, num_channels: int = 1, task: Any = None) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.gain = torch.nn.Parameter(torch.tensor(1.0))

    @property
    def dimension(self) -> int:
        return BANDS

    def forward(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        frames = waveforms[:, 0].unfold(1, _STEP, _STEP)
        power = torch.fft.rfft(frames * torch.hann_window(_STEP), dim=2).abs()[:, :, 1:] ** 2
        bands = power.unfold(2, power.shape[2] // BANDS, power.shape[2] // BANDS).sum(dim=3)
        if weights is not None:
            spread = torch.nn.functional.interpolate(weights[:, None], size=bands.shape[1], mode="nearest")
            bands = bands * spread[:, 0, :, None]
        return self.gain * bands.mean(dim=1)


@lru_cache
def segmentation() -> Model:
    """The model as it is saved."""
    model = BandSegmentation()
    model.specifications = powerset_of_three()
    return model


@lru_cache
def embedding() -> Model:
    """The model as it is saved."""
    model = BandEmbedding()
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=["a", "b"]
    )
    return model


def powerset_of_three() -> Specifications:
    """Three speakers in 10 s, at most two of them at once, as in the published models."""
    return Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=10.0,
        classes=["a", "b", "c"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )

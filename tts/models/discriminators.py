"""What tells made speech from recorded speech, for a vocoder to learn from.

Multi-period: HiFi-GAN (Kong et al., 2020). Multi-resolution on complex spectra: EnCodec (Defossez et al., 2022), in the
size and with the losses of Vocos (Siuzdak, 2023).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

_PERIODS = (2, 3, 5, 7, 11)
_RESOLUTIONS = (2048, 1024, 512)
_RESOLUTION_WEIGHT = 0.1
_SLOPE = 0.1


@dataclass(frozen=True, slots=True)
class Judged:
    """Of each discriminator: its scores of recorded and of made speech, the features it saw, and its weight."""

    real: list[Tensor]
    made: list[Tensor]
    real_features: list[list[Tensor]]
    made_features: list[list[Tensor]]
    weights: list[float]


class Discriminators(nn.Module):
    """All of them."""

    def __init__(self) -> None:
        super().__init__()
        self.periods = nn.ModuleList(PeriodDiscriminator(period) for period in _PERIODS)
        self.resolutions = nn.ModuleList(ResolutionDiscriminator(n_fft) for n_fft in _RESOLUTIONS)

    def forward(self, real: Tensor, made: Tensor) -> Judged:
        """Samples (batch, n) of both."""
        judged = Judged([], [], [], [], [])
        for discriminator in (*self.periods, *self.resolutions):
            score, features = discriminator(torch.cat([real, made]))
            first, second = score.chunk(2)
            judged.real.append(first)
            judged.made.append(second)
            judged.real_features.append([one.chunk(2)[0] for one in features])
            judged.made_features.append([one.chunk(2)[1] for one in features])
            is_period = isinstance(discriminator, PeriodDiscriminator)
            judged.weights.append(1.0 if is_period else _RESOLUTION_WEIGHT)
        return judged


class PeriodDiscriminator(nn.Module):
    """Looks at every `period`-th sample."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, 32, 128, 512, 1024)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (5, 1), (3, 1), padding=(2, 0))) for before, after in pairwise(widths)
        )
        self.layers.append(weight_norm(nn.Conv2d(1024, 1024, (5, 1), padding=(2, 0))))
        self.out = weight_norm(nn.Conv2d(1024, 1, (3, 1), padding=(1, 0)))

    def forward(self, samples: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Samples (batch, n) to scores and features."""
        missing = -samples.shape[-1] % self.period
        padded = nn.functional.pad(samples[:, None], (0, missing), mode="reflect")
        x = padded.view(len(samples), 1, -1, self.period)
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return self.out(x).flatten(1), features


class ResolutionDiscriminator(nn.Module):
    """Looks at the real and imaginary parts of a spectrum."""

    window: Tensor

    def __init__(self, n_fft: int, width: int = 32) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, width, kernel, stride, padding=(kernel[0] // 2, kernel[1] // 2)))
            for before, kernel, stride in (
                (2, (3, 9), (1, 1)), (width, (3, 9), (1, 2)), (width, (3, 9), (1, 2)), (width, (3, 9), (1, 2)),
                (width, (3, 3), (1, 1)),
            )
        )  # fmt: skip
        self.out = weight_norm(nn.Conv2d(width, 1, (3, 3), padding=(1, 1)))

    def forward(self, samples: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Samples (batch, n) to scores and features."""
        spectrum = torch.stft(
            samples.float(), self.n_fft, self.n_fft // 4, window=self.window, return_complex=True, pad_mode="constant"
        )
        x = torch.stack([spectrum.real, spectrum.imag], dim=1).transpose(2, 3)
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return self.out(x).flatten(1), features


def discriminator_loss(judged: Judged) -> Tensor:
    """Hinge loss of the discriminators."""
    losses = [
        weight * (nn.functional.relu(1 - real.float()).mean() + nn.functional.relu(1 + made.float()).mean())
        for weight, real, made in zip(judged.weights, judged.real, judged.made, strict=True)
    ]
    return torch.stack(losses).sum()


def adversarial_losses(judged: Judged) -> dict[str, Tensor]:
    """What the vocoder is punished for: "generator" (hinge) and "features" (how far features are apart)."""
    generator = [
        weight * nn.functional.relu(1 - made.float()).mean()
        for weight, made in zip(judged.weights, judged.made, strict=True)
    ]
    features = [
        weight * (made.float() - real.float().detach()).abs().mean()
        for weight, reals, mades in zip(judged.weights, judged.real_features, judged.made_features, strict=True)
        for real, made in zip(reals, mades, strict=True)
    ]
    return {"generator": torch.stack(generator).sum(), "features": torch.stack(features).sum()}

"""The vocoder: mel spectrograms to samples, by a network that predicts a spectrum and an inverse STFT.

H. Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders" (2023);
github.com/gemelo-ai/vocos.
"""

import math

import torch
from torch import Tensor, nn

from tts.models.layers import KERNEL, ConvNeXt
from tts.models.presets import VocoderSettings

_MOST_MAGNITUDE = 100.0


class Vocoder(nn.Module):
    """Log-mel (batch, mels, frames) to samples (batch, frames * hop)."""

    mel_mean: Tensor
    mel_deviation: Tensor

    def __init__(self, settings: VocoderSettings, mels: int, n_fft: int, hop: int) -> None:
        super().__init__()
        self.settings = settings
        self.into = nn.Conv1d(mels, settings.width, KERNEL, padding=KERNEL // 2)
        self.norm = nn.LayerNorm(settings.width)
        self.backbone = ConvNeXt(settings.width, settings.blocks, settings.multiple)
        self.head = nn.Linear(settings.width, n_fft + 2)
        self.inverse = InverseStft(n_fft, hop)
        self.register_buffer("mel_mean", torch.zeros(mels))
        self.register_buffer("mel_deviation", torch.ones(mels))

    @property
    def context(self) -> int:
        """Frames on either side that a frame's spectrum depends on."""
        return (KERNEL // 2) * (1 + self.settings.blocks)

    def spectrum(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Log-mel to the real and the imaginary part of a spectrum, each (batch, n_fft // 2 + 1, frames), float32."""
        normal = (mel - self.mel_mean[:, None]) / self.mel_deviation[:, None]
        x = self.norm(self.into(normal).transpose(1, 2)).transpose(1, 2)
        both = self.head(self.backbone(x).transpose(1, 2)).transpose(1, 2).float()
        magnitude, phase = both.chunk(2, dim=1)
        magnitude = torch.exp(magnitude.clamp(max=math.log(_MOST_MAGNITUDE)))
        return magnitude * torch.cos(phase), magnitude * torch.sin(phase)

    def forward(self, mel: Tensor) -> Tensor:
        return self.inverse(*self.spectrum(mel))


class InverseStft(nn.Module):
    """The inverse of an STFT with a Hann window whose frames are centred on their hops; computed in float32."""

    window: Tensor

    def __init__(self, n_fft: int, hop: int) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    @property
    def overlap(self) -> int:
        """Frames on either side that the samples of a frame's hop are made of too."""
        return -(-(self.n_fft - self.hop) // (2 * self.hop))

    def forward(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Parts of a spectrum, each (batch, n_fft // 2 + 1, frames), to samples (batch, frames * hop)."""
        frames = torch.fft.irfft(torch.complex(real, imaginary), self.n_fft, dim=1) * self.window[:, None]
        count = real.shape[-1]
        weights = self.window.square()[None, :, None].expand(1, -1, count)
        edge = (self.n_fft - self.hop) // 2
        inner = slice(edge, edge + count * self.hop)
        return (self._added(frames) / self._added(weights).clamp(min=1e-6))[:, inner]

    def _added(self, frames: Tensor) -> Tensor:
        size = (frames.shape[-1] - 1) * self.hop + self.n_fft
        folded = nn.functional.fold(frames, (1, size), (1, self.n_fft), stride=(1, self.hop))
        return folded[:, 0, 0]

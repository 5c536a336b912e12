"""A voice's networks as graphs that ONNX can hold: plain tensors in, no complex numbers, every length free."""

import math

import torch
from torch import Tensor, nn

from tts.models.acoustic import AcousticModel
from tts.models.vocoder import InverseStft, Vocoder
from tts.phones import PAUSE
from tts.timing import LEAD, LEAST_PAUSE, TAIL


class AcousticGraph(nn.Module):
    """Symbols to a log-mel spectrogram of one sentence, with everything that speaking decides in between."""

    def __init__(self, model: AcousticModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, ids: Tensor, marks: Tensor, places: Tensor, rates: Tensor, pitch: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Of each symbol, (1, symbols), also how many times as fast it is said, and what is added to its normal pitch;
        `noise` (1, mels, n), which only a refiner reads.

        Gives a log-mel spectrogram (1, mels, frames), the frames of each symbol (1, symbols), and those of silence
        before and after that are natural (2,). Where n is less than the frames, the rest of the noise is zeros.
        """
        model = self.model
        encoded = model.encode(ids, marks, places)
        prosody = model.predict(encoded, ids, marks)
        durations, edges = timing(ids, prosody.durations, rates)
        frames = durations.sum()
        hidden = model.decode(encoded, durations, prosody.pitch + pitch, prosody.energy, frames)
        mel = model.spectrogram(hidden)
        if model.refiner is not None:
            # As many frames of noise as of speech.
            padded = torch.cat([noise, torch.zeros_like(mel)], dim=2)[:, :, :frames]
            mel = model.refiner.refine(mel, hidden, padded, model.settings.refiner_steps)
        return model.natural(mel), durations, edges


class VocoderGraph(nn.Module):
    """Log-mel (1, mels, frames) to samples (1, frames * hop)."""

    def __init__(self, vocoder: Vocoder) -> None:
        super().__init__()
        self.vocoder = vocoder
        self.inverse = RealInverseStft(vocoder.inverse)

    def forward(self, mel: Tensor) -> Tensor:
        return self.inverse(*self.vocoder.spectrum(mel))


class RealInverseStft(nn.Module):
    """An InverseStft without complex numbers: one transposed convolution with the windowed basis of the inverse DFT."""

    basis: Tensor
    squares: Tensor

    def __init__(self, inverse: InverseStft) -> None:
        super().__init__()
        self.n_fft, self.hop = inverse.n_fft, inverse.hop
        window = inverse.window.double().cpu()
        self.register_buffer("basis", (inverse_basis(self.n_fft) * window).float()[:, None], persistent=False)
        self.register_buffer("squares", window.square().float()[None, None], persistent=False)

    def forward(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Parts of a spectrum, each (batch, n_fft // 2 + 1, frames), to samples (batch, frames * hop)."""
        both = torch.cat([real, imaginary], dim=1)
        samples = nn.functional.conv_transpose1d(both, self.basis, stride=self.hop)[:, 0]
        ones = torch.ones_like(real[:1, :1])
        weights = nn.functional.conv_transpose1d(ones, self.squares, stride=self.hop)[:, 0]
        edge = (self.n_fft - self.hop) // 2
        whole = samples / weights.clamp(min=1e-6)
        return whole[:, edge : edge + real.shape[2] * self.hop]


def inverse_basis(n_fft: int) -> Tensor:
    """What each real, then each imaginary part of a spectrum adds to a frame: (n_fft + 2, n_fft), float64."""
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)
    angles = bins[:, None] * torch.arange(n_fft, dtype=torch.float64) * (2 * math.pi / n_fft)
    # All but the first and the last stand for two of the whole spectrum.
    share = torch.full_like(bins, 2.0 / n_fft)
    share[0] = share[-1] = 1.0 / n_fft
    return torch.cat([share[:, None] * angles.cos(), -share[:, None] * angles.sin()])


def timing(ids: Tensor, frames: Tensor, rates: Tensor) -> tuple[Tensor, Tensor]:
    """As tts.timing.timing_of, of tensors (1, symbols): whole durations, and the edges (2,), float64."""
    wanted = frames.double() / rates.double()
    pauses = torch.where(wanted < LEAST_PAUSE, torch.zeros_like(wanted), wanted)
    inner = torch.where(ids == PAUSE, pauses, wanted.clamp(min=1.0))
    lead, tail = wanted[:, :1], wanted[:, -1:]
    laid = torch.cat([torch.round(lead.clamp(*LEAD)), inner[:, 1:-1], tail.clamp(*TAIL)], dim=1)
    ends = torch.floor(torch.cumsum(laid, dim=1) + 0.5).long()
    starts = torch.cat([torch.zeros_like(ends[:, :1]), ends[:, :-1]], dim=1)
    return ends - starts, torch.cat([lead[0], tail[0]])

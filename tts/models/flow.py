"""The refiner: flow matching from noise to the details that a mean spectrogram lacks.

Y. Lipman et al., "Flow Matching for Generative Modeling" (2023); for speech as in Matcha-TTS (Mehta et al., 2024).
"""

import torch
from torch import Tensor, nn

from tts.models.layers import ConvNeXt, time_embedding

_TIME_WIDTH = 128


class FlowRefiner(nn.Module):
    """Learns the velocity from noise to a normal mel spectrogram, given the decoder's frames and its spectrogram."""

    def __init__(self, mels: int, given: int, width: int, blocks: int) -> None:
        super().__init__()
        self.into = nn.Linear(2 * mels + given, width)
        self.time = nn.Sequential(nn.Linear(_TIME_WIDTH, width), nn.SiLU(), nn.Linear(width, width))
        self.net = ConvNeXt(width, blocks, 3.0, condition=width)
        self.out = nn.Linear(width, mels)
        nn.init.zeros_(self.out.weight)

    def velocity(self, x: Tensor, mel: Tensor, hidden: Tensor, time: Tensor, mask: Tensor | None = None) -> Tensor:
        """Of points x (batch, mels, frames) at `time` (batch,); `mel` and `hidden` are the decoder's."""
        joined = torch.cat([x, mel, hidden], dim=1).transpose(1, 2)
        y = self.into(joined).transpose(1, 2)
        y = self.net(y, mask, self.time(time_embedding(time, _TIME_WIDTH)))
        return self.out(y.transpose(1, 2)).transpose(1, 2)

    def loss(self, target: Tensor, mel: Tensor, hidden: Tensor, mask: Tensor) -> Tensor:
        """Mean squared error of the velocity at a random time; the decoder does not learn from it."""
        time = torch.rand(len(target), device=target.device)
        noise = torch.randn_like(target)
        point = time[:, None, None] * target + (1 - time[:, None, None]) * noise
        velocity = self.velocity(point, mel.detach(), hidden.detach(), time, mask)
        error = (velocity - (target - noise)).square() * mask
        return error.sum() / (mask.sum() * target.shape[1])

    def refine(self, mel: Tensor, hidden: Tensor, noise: Tensor, steps: int) -> Tensor:
        """From noise (batch, mels, frames) to a spectrogram, by Euler's method."""
        x = noise
        for step in range(steps):
            time = torch.full((x.shape[0],), step / steps, device=x.device)
            x = x + self.velocity(x, mel, hidden, time) / steps
        return x

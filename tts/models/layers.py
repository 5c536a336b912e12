"""The parts that the networks are built of."""

import math

import torch
from torch import Tensor, nn

#: Frames that a block's convolution sees.
KERNEL = 7


class ConvNeXtBlock(nn.Module):
    """A ConvNeXt block along time as in Vocos (Siuzdak, 2023; github.com/gemelo-ai/vocos): (batch, width, time)."""

    def __init__(self, width: int, hidden: int, scale: float, kernel: int = KERNEL, condition: int = 0) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.modulate = nn.Linear(condition, 2 * width) if condition else None
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Condition: (batch, condition), the same at all times."""
        y = self.norm(self.depthwise(x).transpose(1, 2))
        if self.modulate is not None and condition is not None:
            gain, offset = self.modulate(condition)[:, None].chunk(2, dim=-1)
            y = y * (1 + gain) + offset
        y = self.scale * self.narrow(nn.functional.gelu(self.widen(y)))
        return x + y.transpose(1, 2)


class ConvNeXt(nn.Module):
    """ConvNeXt blocks one after another, (batch, width, time)."""

    def __init__(self, width: int, blocks: int, multiple: float, condition: int = 0) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(width, int(multiple * width), 1 / max(blocks, 1), condition=condition) for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Mask: (batch, 1, time), 0.0 where a sequence has ended."""
        for block in self.blocks:
            x = block(x, condition)
            if mask is not None:
                x = x * mask
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention over a whole sequence with rotary positions (Su et al., 2021), (batch, width, time)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mask: (batch, 1, time), 0.0 where a sequence has ended."""
        batch, width, time = x.shape
        query, key, value = (
            part.reshape(batch, time, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(self.norm(x.transpose(1, 2))).chunk(3, dim=-1)
        )
        allowed = None if mask is None else mask[:, None].bool()
        mixed = nn.functional.scaled_dot_product_attention(rotated(query), rotated(key), value, attn_mask=allowed)
        return x + self.out(mixed.transpose(1, 2).reshape(batch, time, width)).transpose(1, 2)


def rotated(x: Tensor) -> Tensor:
    """Rotary positions on (batch, heads, time, features)."""
    half = x.shape[-1] // 2
    rates = torch.exp(-math.log(10_000.0) * torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * rates
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class Predictor(nn.Module):
    """One number a symbol, as in FastSpeech 2 (Ren et al., 2021): (batch, width, symbols) to (batch, symbols)."""

    def __init__(self, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mask: (batch, 1, symbols)."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(nn.functional.relu(convolution(x)).transpose(1, 2)).transpose(1, 2)
            x = self.dropout(x)
            if mask is not None:
                x = x * mask
        return self.out(x.transpose(1, 2))[..., 0]


def time_embedding(time: Tensor, width: int) -> Tensor:
    """Sines and cosines of times (batch,) in 0..1: (batch, width)."""
    rates = torch.exp(-math.log(10_000.0) * torch.arange(width // 2, device=time.device) / (width // 2))
    angles = 1000.0 * time[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)

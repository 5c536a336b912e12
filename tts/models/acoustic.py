"""The acoustic model: symbols to a mel spectrogram, with durations, pitch and energy of their own in between.

After FastSpeech 2 (Ren et al., 2021) and FastPitch (Lancucki, 2021), built of ConvNeXt blocks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tts.models.flow import FlowRefiner
from tts.models.layers import KERNEL, Attention, ConvNeXt, Predictor
from tts.models.presets import AcousticSettings
from tts.phones import EDGE, MARKS, PAUSE, PLACES, SYMBOLS

# Frames of a symbol; nothing that is said lasts longer.
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Prosody:
    """Of each symbol, (batch, symbols): frames, log Hz less the voice's mean in its deviations, and so the energy."""

    durations: Tensor
    pitch: Tensor
    energy: Tensor


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model makes of a batch in training: a normal `mel` (batch, mels, frames), the others (batch, symbols)."""

    mel: Tensor
    log_durations: Tensor
    pitch: Tensor
    energy: Tensor
    hidden: Tensor


class AcousticModel(nn.Module):
    """Mel spectrograms here are normal: less the mean, in deviations, of each band of the voice."""

    mel_mean: Tensor
    mel_deviation: Tensor

    def __init__(self, settings: AcousticSettings, mels: int) -> None:
        super().__init__()
        width = settings.width
        self.settings = settings
        self.symbols = nn.Embedding(len(SYMBOLS), width)
        self.marks = nn.Embedding(MARKS, width)
        self.places = nn.Embedding(PLACES, width)
        for table in (self.symbols, self.marks, self.places):
            nn.init.normal_(table.weight, std=0.5)
        self.encoder = ConvNeXt(width, settings.encoder_blocks, settings.multiple)
        self.attention = Attention(width, settings.heads) if settings.heads else None
        self.durations = Predictor(width, settings.dropout)
        self.pitch = Predictor(width, settings.dropout)
        self.energy = Predictor(width, settings.dropout)
        self.with_pitch = nn.Conv1d(1, width, 3, padding=1)
        self.with_energy = nn.Conv1d(1, width, 3, padding=1)
        self.with_position = nn.Linear(3, width)
        self.decoder = ConvNeXt(width, settings.decoder_blocks, settings.multiple)
        self.out = nn.Linear(width, mels)
        self.refiner = (
            FlowRefiner(mels, width, settings.refiner_width, settings.refiner_blocks)
            if settings.refiner_blocks
            else None
        )
        self.register_buffer("mel_mean", torch.zeros(mels))
        self.register_buffer("mel_deviation", torch.ones(mels))

    @property
    def context(self) -> int:
        """Frames on either side that a frame's spectrum depends on, of what `expand` gives."""
        settings = self.settings
        refining = settings.refiner_blocks * settings.refiner_steps if self.refiner is not None else 0
        return (KERNEL // 2) * (settings.decoder_blocks + refining)

    def encode(self, ids: Tensor, marks: Tensor, places: Tensor, mask: Tensor | None = None) -> Tensor:
        """Symbols (batch, symbols) to what is known of them, (batch, width, symbols)."""
        x = (self.symbols(ids) + self.marks(marks) + self.places(places)).transpose(1, 2)
        if mask is not None:
            x = x * mask
        if self.attention is not None:
            x = self.attention(x, mask)
        return self.encoder(x, mask)

    def predict(self, encoded: Tensor, ids: Tensor, marks: Tensor) -> Prosody:
        """Durations in frames, not yet whole, pitch and energy; at least one frame of all but inner pauses."""
        frames = torch.exp(self.durations(encoded)) - 1
        least = ((ids != PAUSE) | (marks == EDGE)).to(frames.dtype)
        return Prosody(
            frames.clamp(min=least, max=torch.full_like(least, _LONGEST)), self.pitch(encoded), self.energy(encoded)
        )

    def decode(
        self, encoded: Tensor, durations: Tensor, pitch: Tensor, energy: Tensor, frames: int, mask: Tensor | None = None
    ) -> Tensor:
        """What is known of each frame, (batch, width, frames), of whole `durations`, (batch, symbols)."""
        x = self.expand(encoded, durations, pitch, energy, frames)
        return self.decoder(x if mask is None else x * mask, mask)

    def expand(self, encoded: Tensor, durations: Tensor, pitch: Tensor, energy: Tensor, frames: int) -> Tensor:
        """What the decoder reads, (batch, width, frames): the symbol of each frame, and where in it the frame is."""
        x = encoded + self.with_pitch(pitch[:, None]) + self.with_energy(energy[:, None])
        place, position = positions(durations, frames)
        x = torch.gather(x, 2, place[:, None].expand(-1, x.shape[1], -1))
        return x + self.with_position(position).transpose(1, 2)

    def spectrogram(self, hidden: Tensor) -> Tensor:
        """Frames (batch, width, frames) to a normal mel spectrogram (batch, mels, frames)."""
        return self.out(hidden.transpose(1, 2)).transpose(1, 2)

    def forward(
        self, ids: Tensor, marks: Tensor, places: Tensor, prosody: Prosody, frames: int, masks: tuple[Tensor, Tensor]
    ) -> Predicted:
        """For training: with the durations, pitch and energy of the recording. Masks of symbols and of frames."""
        of_symbols, of_frames = masks
        encoded = self.encode(ids, marks, places, of_symbols)
        hidden = self.decode(encoded, prosody.durations, prosody.pitch, prosody.energy, frames, of_frames)
        return Predicted(
            mel=self.spectrogram(hidden),
            log_durations=self.durations(encoded, of_symbols),
            pitch=self.pitch(encoded, of_symbols),
            energy=self.energy(encoded, of_symbols),
            hidden=hidden,
        )

    def natural(self, mel: Tensor) -> Tensor:
        """A normal mel spectrogram (batch, mels, frames) as features have it."""
        return mel * self.mel_deviation[:, None] + self.mel_mean[:, None]


def positions(durations: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Of each frame the symbol that it belongs to, (batch, frames), and where it is in it, (batch, frames, 3)."""
    ends = torch.cumsum(durations, dim=1)
    number = torch.arange(frames, device=durations.device)
    place = (ends[:, None, :] <= number[None, :, None]).sum(-1).clamp(max=durations.shape[1] - 1)
    length = torch.gather(durations, 1, place).float()
    start = torch.gather(ends, 1, place).float() - length
    passed = (number[None] - start + 0.5).clamp(min=0)
    share = (passed / length.clamp(min=1)).clamp(max=1)
    return place, torch.stack([share, torch.log1p(passed) / 4, torch.log1p(length) / 4], dim=-1)

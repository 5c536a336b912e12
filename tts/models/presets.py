"""How large a voice's networks are: one code, three sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class AcousticSettings:
    """Of the acoustic model. `heads` 0: no attention; `refiner_blocks` 0: no flow matching after the decoder."""

    width: int = 192
    encoder_blocks: int = 4
    decoder_blocks: int = 6
    multiple: float = 3.0
    heads: int = 0
    dropout: float = 0.1
    refiner_width: int = 0
    refiner_blocks: int = 0
    refiner_steps: int = 6


@dataclass(frozen=True, slots=True)
class VocoderSettings:
    """Of the vocoder. `adversarial`: it also learns from discriminators, after so many steps (0: never)."""

    width: int = 256
    blocks: int = 6
    multiple: float = 3.0
    adversarial_from: int = 0


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How the networks learn. `frames` are those of an acoustic batch, `segments` pieces of `segment` frames those of a
    vocoder's; `ema` is the decay of the averaged weights that a voice speaks with, `minutes` how long it learns."""

    frames: int = 2000
    segments: int = 16
    segment: int = 32
    acoustic_rate: float = 2e-3
    vocoder_rate: float = 1e-3
    warmup: int = 100
    clip: float = 1.0
    ema: float = 0.998
    schedule: str = "cosine"
    minutes: float = 20.0


@dataclass(frozen=True, slots=True)
class Preset:
    """All of it."""

    acoustic: AcousticSettings
    vocoder: VocoderSettings
    training: TrainingSettings


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "cpu": Preset(AcousticSettings(), VocoderSettings(), TrainingSettings()),
        "gpu": Preset(
            AcousticSettings(
                width=384, encoder_blocks=6, decoder_blocks=8, heads=6, refiner_width=384, refiner_blocks=8
            ),
            VocoderSettings(width=512, blocks=8, adversarial_from=2000),
            TrainingSettings(
                frames=24_000, segments=48, segment=48, acoustic_rate=5e-4, vocoder_rate=3e-4, warmup=1000, ema=0.9995,
                minutes=240.0,
            ),
        ),
        "large": Preset(
            AcousticSettings(
                width=640, encoder_blocks=8, decoder_blocks=12, heads=10, refiner_width=640, refiner_blocks=12,
                refiner_steps=8,
            ),
            VocoderSettings(width=768, blocks=12, adversarial_from=2000),
            TrainingSettings(
                frames=64_000, segments=96, segment=64, acoustic_rate=4e-4, vocoder_rate=2e-4, warmup=2000, ema=0.9999,
                minutes=1440.0,
            ),
        ),
    }
)  # fmt: skip

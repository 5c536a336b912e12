"""A voice: a folder with what its networks are, their weights, and whose voice it is.

    voice.json  acoustic.safetensors  vocoder.safetensors  README.md  metrics.jsonl  samples/  training/

Weights are safetensors, never pickle: opening a voice runs no code of its maker's.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from schemas.errors import ConfigurationError, RealtalkError
from tts.data.features import FeatureSettings
from tts.files import write_whole
from tts.models.acoustic import AcousticModel
from tts.models.presets import AcousticSettings, VocoderSettings
from tts.models.vocoder import Vocoder
from tts.origin import Origin
from tts.training.examples import Norms

VOICE_NAME = "voice.json"
ACOUSTIC_NAME = "acoustic.safetensors"
VOCODER_NAME = "vocoder.safetensors"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class VoiceFacts:
    """voice.json. `steps` are those of each part, `minutes` how long each learned."""

    name: str
    preset: str
    features: FeatureSettings
    acoustic: AcousticSettings
    vocoder: VocoderSettings
    norms: Norms
    origin: Origin
    steps: Mapping[str, int] = field(default_factory=dict)
    minutes: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True, eq=False)
class Voice:
    """A voice that can speak: its networks in evaluation mode on a device."""

    folder: Path
    facts: VoiceFacts
    acoustic: AcousticModel
    vocoder: Vocoder
    device: torch.device


def load_voice(folder: str | Path, device: str = "cpu") -> Voice:
    """The voice in a folder; raises RealtalkError where there is none, or it is damaged.

    And ConfigurationError where this machine has no such device.
    """
    place = Path(folder)
    facts = read_facts(place)
    acoustic = AcousticModel(facts.acoustic, facts.features.mels)
    vocoder = Vocoder(facts.vocoder, facts.features.mels, facts.features.n_fft, facts.features.hop)
    on = _device(device)
    for name, model in ((ACOUSTIC_NAME, acoustic), (VOCODER_NAME, vocoder)):
        try:
            model.load_state_dict(load_file(str(place / name)))
        except FileNotFoundError:
            raise RealtalkError(f"{place / name}: is missing; run realtalk train until its first checkpoint") from None
        except (SafetensorError, RuntimeError, OSError) as error:
            why = " ".join(str(error).split())[:160]
            raise RealtalkError(f"{place / name}: is damaged ({why}); restore it, or train again") from None
        model.eval().requires_grad_(False).to(on)
    return Voice(place, facts, acoustic, vocoder, on)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigurationError(f"device {name}: there is none called so; say cpu, cuda or cuda:1") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(f"device {name}: this machine has {torch.cuda.device_count()} GPUs; say --device cpu")
    return device


def read_facts(folder: str | Path) -> VoiceFacts:
    """What voice.json says; raises RealtalkError where it is missing or damaged."""
    path = Path(folder) / VOICE_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise RealtalkError(
            f"{folder}: no voice is here, {VOICE_NAME} is missing; make one by realtalk train"
        ) from None
    except (OSError, ValueError) as error:
        raise RealtalkError(f"{path}: can't be read ({' '.join(str(error).split())}); restore it") from None
    try:
        if document["format"] != FORMAT:
            raise RealtalkError(f"{path}: has format {document['format']!r}, this realtalk reads format {FORMAT}")
        return _facts_of(document)
    except (KeyError, TypeError, ValueError) as error:
        raise RealtalkError(f"{path}: is damaged ({' '.join(str(error).split())}); restore it") from None


def write_facts(folder: Path, facts: VoiceFacts) -> None:
    """Write voice.json, at once."""
    write_whole(folder / VOICE_NAME, (json.dumps(asdict(facts), ensure_ascii=False, indent=2) + "\n").encode("utf-8"))


def write_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors as safetensors, at once."""
    own = {name: tensor.detach().to("cpu").contiguous().clone() for name, tensor in tensors.items()}
    write_whole(path, save(own, metadata=dict(metadata or {})))


def _facts_of(document: Mapping[str, Any]) -> VoiceFacts:
    given = dict(document)
    norms: dict[str, Any] = _with_tuples(given.pop("norms"))
    origin: dict[str, Any] = _with_tuples(given.pop("origin"))
    return VoiceFacts(
        features=FeatureSettings(**given.pop("features")),
        acoustic=AcousticSettings(**given.pop("acoustic")),
        vocoder=VocoderSettings(**given.pop("vocoder")),
        norms=Norms(**norms),
        origin=Origin(**origin),
        **given,
    )


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}

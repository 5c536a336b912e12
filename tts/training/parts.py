"""The two networks of a voice as they learn: one step each at a time."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from tts.data.features import FeatureSettings
from tts.models.acoustic import AcousticModel, Prosody
from tts.models.discriminators import Discriminators, adversarial_losses, discriminator_loss
from tts.models.presets import Preset
from tts.models.vocoder import Vocoder
from tts.training.examples import Batch, Norms, Segments
from tts.training.learner import Averaged, Optimiser
from tts.training.losses import SpectralLoss, acoustic_losses

_WEIGHTS = {"mel": 1.0, "duration": 0.1, "pitch": 0.1, "energy": 0.1, "flow": 1.0}
# Of Vocos: the mel loss outweighs what the discriminators say.
_MEL_WEIGHT, _MEL_WEIGHT_ADVERSARIAL = 1.0, 45.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a part learns. `world` processes learn together, each on its own share of the batches."""

    device: torch.device
    rank: int = 0
    world: int = 1
    bf16: bool = False
    compiled: bool = False
    seed: int = 0

    def seed_step(self, step: int) -> None:
        """Decide what is random in a step by the step alone, so that one that is resumed is as if nothing had been."""
        torch.manual_seed((self.seed << 40) + (step << 8) + self.rank)

    def autocast(self) -> AbstractContextManager[object]:
        """bfloat16 where it is wanted; STFTs and losses stay in float32 by themselves."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()

    def shared(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are averaged over all processes, compiled where that is wanted."""
        found = module
        if self.world > 1:
            devices = [self.device] if self.device.type == "cuda" else None
            found = DistributedDataParallel(module, device_ids=devices)
        return torch.compile(found, dynamic=True) if self.compiled else found  # type: ignore[return-value]


class Part(Protocol):
    """A network that learns."""

    name: str

    def learn(self, batch: object, step: int, progress: float) -> dict[str, float]:
        """Take one step; `progress` is 0 to 1 of the whole training. Returns losses by name."""

    def voice(self) -> dict[str, Tensor]:
        """The averaged weights that a voice speaks with."""

    def tensors(self) -> dict[str, Tensor]:
        """All that is needed to go on."""

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from there."""

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights that another voice speaks with."""


class AcousticPart:
    """The acoustic model while it learns."""

    name = "acoustic"

    def __init__(self, preset: Preset, settings: FeatureSettings, norms: Norms, place: Place) -> None:
        training = preset.training
        self.place = place
        self.model = AcousticModel(preset.acoustic, settings.mels).to(place.device)
        set_norms(self.model, norms)
        self.averaged = Averaged(self.model, training.ema)
        self.shared = place.shared(_AcousticLoss(self.model))
        self.optimiser = Optimiser(
            [self.model], training.acoustic_rate, training.warmup, training.clip, training.schedule
        )

    def learn(self, batch: object, step: int, progress: float) -> dict[str, float]:
        assert isinstance(batch, Batch)
        self.place.seed_step(step)
        with self.place.autocast():
            losses = self.shared(batch)
        total = sum((_WEIGHTS[name] * loss for name, loss in losses.items()), torch.zeros((), device=self.place.device))
        norm = self.optimiser.step(total, step, progress)
        self.averaged.update(self.model, step)
        return {**{name: float(loss.detach()) for name, loss in losses.items()}, "gradient": norm}

    def voice(self) -> dict[str, Tensor]:
        return self.averaged.model.state_dict()

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        begin_with(self.model, self.averaged, weights)

    def tensors(self) -> dict[str, Tensor]:
        return joined({"model": self.model.state_dict(), "averaged": self.voice(), "adam": self.optimiser.tensors()})

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        self.model.load_state_dict(part_of(tensors, "model"))
        self.averaged.model.load_state_dict(part_of(tensors, "averaged"))
        self.optimiser.load(part_of(tensors, "adam"))


class _AcousticLoss(nn.Module):
    """All losses of a batch, in one forward call: what DistributedDataParallel wants."""

    def __init__(self, model: AcousticModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        prosody = Prosody(batch.durations, batch.pitch, batch.energy)
        masks = (batch.symbol_mask, batch.frame_mask)
        predicted = self.model(batch.ids, batch.marks, batch.places, prosody, batch.mel.shape[-1], masks)
        losses = acoustic_losses(predicted, batch)
        if self.model.refiner is not None:
            losses["flow"] = self.model.refiner.loss(batch.mel, predicted.mel, predicted.hidden, batch.frame_mask)
        return losses


class VocoderPart:
    """The vocoder while it learns: by spectra, and of the larger presets by discriminators too."""

    name = "vocoder"

    def __init__(self, preset: Preset, settings: FeatureSettings, norms: Norms, place: Place) -> None:
        training = preset.training
        self.place = place
        self.model = Vocoder(preset.vocoder, settings.mels, settings.n_fft, settings.hop).to(place.device)
        set_norms(self.model, norms)
        self.averaged = Averaged(self.model, training.ema)
        self.shared = place.shared(self.model)
        self.spectral = SpectralLoss(settings).to(place.device)
        self.optimiser = Optimiser(
            [self.model], training.vocoder_rate, training.warmup, training.clip, training.schedule
        )
        self.adversarial_from = preset.vocoder.adversarial_from
        self.discriminators: Discriminators | None = None
        if self.adversarial_from:
            self.discriminators = Discriminators().to(place.device)
            self.shared_discriminators = place.shared(self.discriminators)
            self.against = Optimiser(
                [self.discriminators], training.vocoder_rate, training.warmup, training.clip, training.schedule
            )

    def learn(self, batch: object, step: int, progress: float) -> dict[str, float]:
        assert isinstance(batch, Segments)
        self.place.seed_step(step)
        with self.place.autocast():
            samples = self.shared(batch.mel)
        losses = self.spectral(samples, batch.samples)
        total = losses["stft"] + _MEL_WEIGHT * losses["mel"]
        if self.discriminators is not None and step >= self.adversarial_from:
            losses["discriminator"] = self._learn_against(batch.samples, samples.detach(), step, progress)
            with self.place.autocast():
                judged = self.shared_discriminators(batch.samples, samples)
            losses |= adversarial_losses(judged)
            total = losses["generator"] + losses["features"] + _MEL_WEIGHT_ADVERSARIAL * losses["mel"]
        norm = self.optimiser.step(total, step, progress)
        self.averaged.update(self.model, step)
        return {**{name: float(loss.detach()) for name, loss in losses.items()}, "gradient": norm}

    def _learn_against(self, real: Tensor, made: Tensor, step: int, progress: float) -> Tensor:
        with self.place.autocast():
            judged = self.shared_discriminators(real, made)
        loss = discriminator_loss(judged)
        self.against.step(loss, step - self.adversarial_from, progress)
        return loss

    def voice(self) -> dict[str, Tensor]:
        return self.averaged.model.state_dict()

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        begin_with(self.model, self.averaged, weights)

    def tensors(self) -> dict[str, Tensor]:
        parts = {"model": self.model.state_dict(), "averaged": self.voice(), "adam": self.optimiser.tensors()}
        if self.discriminators is not None:
            parts |= {"discriminators": self.discriminators.state_dict(), "against": self.against.tensors()}
        return joined(parts)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        self.model.load_state_dict(part_of(tensors, "model"))
        self.averaged.model.load_state_dict(part_of(tensors, "averaged"))
        self.optimiser.load(part_of(tensors, "adam"))
        if self.discriminators is not None:
            self.discriminators.load_state_dict(part_of(tensors, "discriminators"))
            self.against.load(part_of(tensors, "against"))


def set_norms(model: AcousticModel | Vocoder, norms: Norms) -> None:
    """Tell a network what is normal for the voice's mel bands."""
    model.mel_mean.copy_(torch.tensor(norms.mel_mean))
    model.mel_deviation.copy_(torch.tensor(norms.mel_deviation))


def begin_with(model: nn.Module, averaged: Averaged, weights: Mapping[str, Tensor]) -> None:
    """Give a network and its average the same weights."""
    model.load_state_dict(dict(weights))
    averaged.model.load_state_dict(dict(weights))


def joined(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of several parts in one mapping, on the CPU, each with memory of its own."""
    return {
        f"{part}.{name}": tensor.detach().to("cpu", copy=True).contiguous()
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
    }


def part_of(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """The inverse of `joined` for one part."""
    return {name.removeprefix(f"{part}."): tensor for name, tensor in _of(tensors, part)}


def _of(tensors: Mapping[str, Tensor], part: str) -> Iterator[tuple[str, Tensor]]:
    yield from ((name, tensor) for name, tensor in tensors.items() if name.startswith(f"{part}."))

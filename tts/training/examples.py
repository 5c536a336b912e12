"""The clips that a voice learns from, and batches of them as tensors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from schemas.errors import RealtalkError
from tts.data.batches import endless
from tts.data.cache import FeatureFile, feature_file, tiers_of
from tts.data.dataset import Dataset
from tts.data.features import Example, FeatureSettings
from tts.models.presets import TrainingSettings
from tts.phones import Symbols

# Clips are few enough to say what is normal by some of them.
_MOST_FOR_NORMS = 2000


@dataclass(frozen=True, slots=True)
class Norms:
    """What is normal for a voice: means and deviations, of each mel band, of log pitch and of energy a symbol."""

    mel_mean: tuple[float, ...]
    mel_deviation: tuple[float, ...]
    pitch_mean: float
    pitch_deviation: float
    energy_mean: float
    energy_deviation: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips to learn from together, padded. Shapes (batch, symbols), (batch, frames), (batch, mels, frames)."""

    ids: Tensor
    marks: Tensor
    places: Tensor
    durations: Tensor
    pitch: Tensor
    energy: Tensor
    mel: Tensor
    symbol_mask: Tensor
    frame_mask: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(getattr(self, one.name).to(device, non_blocking=True) for one in fields(self)))

    def pinned(self) -> "Batch":
        """The same in memory that a GPU can read from while others compute."""
        return Batch(*(getattr(self, one.name).pin_memory() for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Segments:
    """Pieces of recordings for the vocoder: mel (batch, mels, frames), samples (batch, frames * hop)."""

    mel: Tensor
    samples: Tensor

    def to(self, device: torch.device) -> "Segments":
        """The same on a device."""
        return Segments(self.mel.to(device, non_blocking=True), self.samples.to(device, non_blocking=True))

    def pinned(self) -> "Segments":
        """The same in memory that a GPU can read from while others compute."""
        return Segments(self.mel.pin_memory(), self.samples.pin_memory())


class Examples:
    """The clips of a split with their features. For one thread: each makes its own."""

    def __init__(self, files: Sequence[FeatureFile], tiers: Sequence[str]) -> None:
        self._readers = [file.reader() for file in files]
        self._places = [
            (number, clip) for number, file in enumerate(files) for clip, tier in enumerate(file.tiers) if tier in tiers
        ]
        self.ids = [files[number].ids[clip] for number, clip in self._places]
        self.texts = [files[number].texts[clip] for number, clip in self._places]
        self.frames: NDArray[np.int64] = np.array(
            [files[number].frames[clip] for number, clip in self._places], np.int64
        )

    def __len__(self) -> int:
        return len(self._places)

    def example(self, number: int) -> Example:
        """One clip."""
        reader, clip = self._places[number]
        return self._readers[reader].example(clip)

    def segment(self, number: int, first: int, frames: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mel (frames, mels) and samples of a piece of a clip; silence where the clip has ended."""
        reader, clip = self._places[number]
        mel = self._readers[reader].mel(clip, first, frames)
        samples = self._readers[reader].samples(clip, first, frames)
        missing = frames - len(mel)
        if missing:
            hop = len(samples) // max(len(mel), 1)
            mel = np.pad(mel, ((0, missing), (0, 0)), constant_values=float(np.log(1e-5)))
            samples = np.pad(samples, (0, missing * hop))
        return mel, samples


def feature_files(
    dataset: Dataset, split: str, folder: Path, settings: FeatureSettings, tell: Callable[[str], None]
) -> list[FeatureFile]:
    """The features of a split's shards, made where they are missing."""
    return [feature_file(dataset, shard, folder, settings, tell) for shard in dataset.of(split)]


def chosen_examples(files: Sequence[FeatureFile], tier: str, dataset: Dataset) -> Examples:
    """The clips of a tier; raises RealtalkError where there is none to learn from."""
    examples = Examples(files, tiers_of(tier))
    if not len(examples):
        raise RealtalkError(
            f"{dataset.location}: no clip of the tier {tier} has phones to learn from; "
            "say --tier permissive, or build with a consent and more episodes"
        )
    return examples


def norms_of(examples: Examples) -> Norms:
    """What is normal, by clips spread evenly over all."""
    step = max(1, len(examples) // _MOST_FOR_NORMS)
    some = [examples.example(number) for number in range(0, len(examples), step)]
    mels = np.concatenate([one.mel for one in some])
    voiced = np.concatenate([one.pitch[one.pitch > 0] for one in some])
    energy = np.concatenate([one.energy for one in some])
    voiced = voiced if len(voiced) else np.zeros(1)
    return Norms(
        tuple(float(value) for value in mels.mean(axis=0)),
        tuple(float(max(value, 0.1)) for value in mels.std(axis=0)),
        float(voiced.mean()), float(max(voiced.std(), 0.01)),
        float(energy.mean()), float(max(energy.std(), 0.01)),
    )  # fmt: skip


def acoustic_batches(
    examples: Examples, norms: Norms, settings: TrainingSettings, seed: int, start: int, rank: int, world: int
) -> Iterator[Batch]:
    """Batches of one of `world` processes without end, after all of them together have had `start`."""
    for numbers in endless(examples.frames, settings.frames, seed, start, rank, world):
        yield collated([examples.example(int(number)) for number in numbers], norms)


def vocoder_batches(
    examples: Examples, settings: TrainingSettings, seed: int, start: int, rank: int, world: int
) -> Iterator[Segments]:
    """Random pieces of clips without end, of long clips as much more as they are longer; `start` as above."""
    share = examples.frames / examples.frames.sum()
    drawn = start + rank
    while True:
        random = np.random.default_rng([seed, drawn])
        pieces = []
        for number in random.choice(len(examples), settings.segments, p=share):
            most = max(int(examples.frames[number]) - settings.segment, 0)
            pieces.append(examples.segment(int(number), int(random.integers(0, most + 1)), settings.segment))
        mel = np.stack([mel.T for mel, _ in pieces])
        samples = np.stack([samples for _, samples in pieces])
        yield Segments(torch.from_numpy(mel), torch.from_numpy(samples))
        drawn += world


def collated(examples: Sequence[Example], norms: Norms) -> Batch:
    """A padded batch; mel, pitch and energy less their means, in deviations."""
    symbols = max(len(one.symbols) for one in examples)
    frames = max(len(one.mel) for one in examples)
    mean, deviation = np.array(norms.mel_mean), np.array(norms.mel_deviation)

    def of_symbols(values: Sequence[NDArray], kind: type) -> Tensor:
        padded: NDArray[Any] = np.zeros((len(values), symbols), kind)
        for row, one in zip(padded, values, strict=True):
            row[: len(one)] = one
        return torch.from_numpy(padded)

    mel = np.zeros((len(examples), len(mean), frames), np.float32)
    frame_mask = np.zeros((len(examples), 1, frames), np.float32)
    for number, one in enumerate(examples):
        mel[number, :, : len(one.mel)] = ((one.mel - mean) / deviation).T
        frame_mask[number, :, : len(one.mel)] = 1.0
    return Batch(
        ids=of_symbols([one.symbols.ids for one in examples], np.int64),
        marks=of_symbols([one.symbols.marks for one in examples], np.int64),
        places=of_symbols([one.symbols.places for one in examples], np.int64),
        durations=of_symbols([one.durations for one in examples], np.int64),
        pitch=of_symbols([_normal_pitch(one.pitch, norms) for one in examples], np.float32),
        energy=of_symbols([(one.energy - norms.energy_mean) / norms.energy_deviation for one in examples], np.float32),
        mel=torch.from_numpy(mel),
        symbol_mask=of_symbols([np.ones(len(one.symbols)) for one in examples], np.float32)[:, None],
        frame_mask=torch.from_numpy(frame_mask),
    )


def _normal_pitch(pitch: NDArray[np.float32], norms: Norms) -> NDArray[np.float32]:
    return np.where(pitch > 0, (pitch - norms.pitch_mean) / norms.pitch_deviation, 0.0).astype(np.float32)


def symbols_only(symbols: Symbols) -> tuple[Tensor, Tensor, Tensor]:
    """The symbols of one sentence as a batch of one."""
    ids, marks, places = (torch.from_numpy(one)[None] for one in (symbols.ids, symbols.marks, symbols.places))
    return ids, marks, places

"""Features of a shard, made once and kept: one safetensors file, named for the shard's bytes and how it was made."""

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from tts.data.dataset import Dataset, Shard
from tts.data.features import COLUMNS, Example, FeatureSettings, MelSpectrogram, example_of
from tts.phones import Symbols

#: Raised when the same clip gives other features than before.
_VERSION = 2
# Tiers from the strictest on; a tier takes what the stricter ones take.
TIERS = ("strict", "default", "permissive")
_PER_SYMBOL = ("ids", "marks", "places", "durations", "pitch", "energy")


@dataclass(frozen=True, eq=False)
class FeatureFile:
    """The features of a shard's clips that can be learned from, in its order; big arrays are read where they are used.

    `frames` and `symbols` are counts a clip, int64 of shape (n,).
    """

    path: Path
    hop: int
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    tiers: tuple[str, ...]
    frames: NDArray[np.int64]
    symbols: NDArray[np.int64]

    def reader(self) -> "FeatureReader":
        """A reader for one thread."""
        return FeatureReader(self)


class FeatureReader:
    """Reads single clips of a FeatureFile; not to be shared by threads."""

    def __init__(self, file: FeatureFile) -> None:
        self._file = file
        self._open = safe_open(str(file.path), framework="numpy")
        self._frame_starts = np.concatenate([[0], np.cumsum(file.frames)])
        self._symbol_starts = np.concatenate([[0], np.cumsum(file.symbols)])
        self._small = {name: self._open.get_tensor(name) for name in _PER_SYMBOL}
        self._mels, self._samples = self._open.get_slice("mels"), self._open.get_slice("samples")

    def example(self, number: int) -> Example:
        """The clip with a number of the file."""
        first, last = (int(self._symbol_starts[number + k]) for k in (0, 1))
        small = {name: values[first:last] for name, values in self._small.items()}
        symbols = Symbols(*(small[name].astype(np.int64) for name in ("ids", "marks", "places")))
        return Example(
            id=self._file.ids[number],
            symbols=symbols,
            durations=small["durations"].astype(np.int64),
            samples=self.samples(number),
            mel=self.mel(number),
            pitch=small["pitch"].astype(np.float32),
            energy=small["energy"].astype(np.float32),
        )

    def mel(self, number: int, first: int = 0, frames: int | None = None) -> NDArray[np.float32]:
        """Frames of a clip's mel spectrogram from its `first` on, float32 of shape (frames, mels)."""
        start, end = self._span(number, first, frames)
        return np.asarray(self._mels[start:end], np.float32)

    def samples(self, number: int, first: int = 0, frames: int | None = None) -> NDArray[np.float32]:
        """The samples of frames of a clip, float32 of shape (frames * hop,)."""
        start, end = (place * self._file.hop for place in self._span(number, first, frames))
        return np.asarray(self._samples[start:end], np.float32) / 32768.0

    def _span(self, number: int, first: int, frames: int | None) -> tuple[int, int]:
        start, end = (int(self._frame_starts[number + k]) for k in (0, 1))
        first = min(start + first, end)
        return first, end if frames is None else min(first + frames, end)


def feature_file(
    dataset: Dataset, shard: Shard, folder: Path, settings: FeatureSettings, tell: Callable[[str], None]
) -> FeatureFile:
    """The features of a shard: found in `folder`, or made and kept there. `tell` gets a line where they are made.

    Raises RealtalkError where the shard can't be read, or a clip of it does not decode.
    """
    path = folder / f"{_key(shard, settings)}.safetensors"
    if not _is_whole(path):
        tell(f"{shard.name}: features of {shard.rows} clips are made")
        _make(dataset, shard, path, settings)
    with safe_open(str(path), framework="numpy") as file:
        about = json.loads(file.metadata()["clips"])
        frames, symbols = file.get_tensor("frames"), file.get_tensor("symbols")
    return FeatureFile(
        path, settings.hop, tuple(about["ids"]), tuple(about["texts"]), tuple(about["tiers"]), frames, symbols
    )


def tiers_of(tier: str) -> tuple[str, ...]:
    """The tiers of clips that are taken where `tier` is asked for; raises ValueError for one that there is not."""
    return TIERS[: TIERS.index(tier) + 1]


def _key(shard: Shard, settings: FeatureSettings) -> str:
    about = json.dumps([_VERSION, shard.sha256, asdict(settings)], sort_keys=True)
    return hashlib.sha256(about.encode()).hexdigest()[:32]


def _is_whole(path: Path) -> bool:
    try:
        with safe_open(str(path), framework="numpy") as file:
            return "clips" in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def _make(dataset: Dataset, shard: Shard, path: Path, settings: FeatureSettings) -> None:
    mel = MelSpectrogram(settings)
    found: list[Example] = []
    texts, tiers = [], []
    mels, samples = [], []
    with torch.inference_mode():
        for row in dataset.rows(shard, COLUMNS):
            example = example_of(row, mel)
            if example is not None:
                texts.append(row["text"] or "")
                tiers.append(row["tier"] or "")
                mels.append(example.mel.astype(np.float16))
                samples.append(np.round(example.samples * 32767.0).astype(np.int16))
                found.append(_without_arrays(example))
    arrays = {
        "mels": _joined(mels, (0, settings.mels), np.float16),
        "samples": _joined(samples, (0,), np.int16),
        "frames": np.array([example.durations.sum() for example in found], np.int64),
        "symbols": np.array([len(example.symbols) for example in found], np.int64),
        "ids": _joined([example.symbols.ids for example in found], (0,), np.int16),
        "marks": _joined([example.symbols.marks for example in found], (0,), np.int16),
        "places": _joined([example.symbols.places for example in found], (0,), np.int16),
        "durations": _joined([example.durations for example in found], (0,), np.int32),
        "pitch": _joined([example.pitch for example in found], (0,), np.float32),
        "energy": _joined([example.energy for example in found], (0,), np.float32),
    }
    about = {"ids": [example.id for example in found], "texts": texts, "tiers": tiers}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial")
    try:
        save_file(arrays, str(partial), metadata={"clips": json.dumps(about)})
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _without_arrays(example: Example) -> Example:
    nothing = np.zeros(0, np.float32)
    return Example(example.id, example.symbols, example.durations, nothing, nothing, example.pitch, example.energy)


def _joined(parts: Iterable[NDArray], empty: Sequence[int], kind: type) -> NDArray:
    found = list(parts)
    # safetensors writes memory as it lies, whatever the strides say.
    return np.ascontiguousarray(np.concatenate(found), kind) if found else np.zeros(empty, kind)

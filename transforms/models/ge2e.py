"""GE2E speaker embeddings: a window of speech becomes a point, near points are the same voice.

L. Wan, Q. Wang, A. Papir, I. Lopez Moreno: Generalized End-to-End Loss for Speaker Verification, ICASSP 2018. The
weights come with the `Resemblyzer` package (Apache-2.0); of that package only the file is used, because importing it
brings a second webrtcvad.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError
from transforms.models.base import MODEL_RATE, Samples, SpeakerEmbedder
from transforms.models.mel import mel_filters

if TYPE_CHECKING:
    import torch

_DIMENSION = 256
_HIDDEN = 256
_LAYERS = 3
# The front end that the weights were trained with: 40 mel powers (no logarithm) of 25 ms every 10 ms.
_MELS = 40
_FFT = MODEL_RATE * 25 // 1000
_HOP = MODEL_RATE * 10 // 1000
_FRAMES = 160
_WINDOW = _FRAMES * _HOP
# Every window is brought to this level, as in training; true silence is left alone.
_LEVEL_DBFS = -30.0
_SILENCE_POWER = 1e-10
_BATCH = 32


class Ge2eEmbedder(SpeakerEmbedder):
    """GE2E over windows of 1.6 s, on one thread. The same instant gives the same embedding whatever it is read in."""

    def __init__(self) -> None:
        self._path = _weights()
        self._hash = hashlib.sha256(self._path.read_bytes()).hexdigest()[:16]
        self._network: tuple[torch.nn.LSTM, torch.nn.Linear] | None = None
        self._filters: torch.Tensor | None = None

    @property
    def identity(self) -> str:
        return f"ge2e:{self._hash}:window={self.window_seconds}"

    @property
    def dimension(self) -> int:
        return _DIMENSION

    @property
    def window_seconds(self) -> float:
        return _WINDOW / MODEL_RATE

    def embed(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed windows of shape (n, 25 600); returns (n, 256), rows of unit length."""
        import torch

        with torch.inference_mode():
            mels = [self._mels(window)[:_FRAMES] * _gains(window, np.zeros(1, np.int64))[0] for window in windows]
            return self._embedded(mels)

    def embed_at(self, samples: Samples, starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed the windows that begin at sample offsets `starts` (rounded to 10 ms); returns (n, 256).

        Mel powers are computed once, whatever the windows share. What lies outside of the samples is silence.
        """
        import torch

        if not len(starts):
            return np.zeros((0, _DIMENSION), np.float32)
        lead = max(0, -int(np.min(starts)))
        lead = -(-lead // _HOP) * _HOP
        tail = max(0, int(np.max(starts)) + _WINDOW + _HOP - len(samples))
        padded = np.pad(samples.astype(np.float32, copy=False), (lead, tail))
        first = np.round((np.asarray(starts) + lead) / _HOP).astype(np.int64)
        gains = _gains(padded, first)
        with torch.inference_mode():
            mels = self._mels(padded)
            return self._embedded([mels[at : at + _FRAMES] * gain for at, gain in zip(first, gains, strict=True)])

    def hidden(self, chunks: NDArray[np.float32], pooled: int) -> NDArray[np.float32]:
        """What the first two layers hear: chunks (n, samples) -> (n, frames, 512), means over `pooled` 10 ms frames."""
        import torch

        powers = np.maximum(np.mean(chunks.astype(np.float64) ** 2, axis=1), _SILENCE_POWER)
        gains = torch.from_numpy((10 ** (_LEVEL_DBFS / 10) / powers).astype(np.float32))
        count = chunks.shape[1] // (_HOP * pooled)
        with torch.inference_mode():
            mels = torch.stack([self._mels(chunk)[: count * pooled] for chunk in chunks])
            first, second = self._lower()
            below, _ = first(mels * gains[:, None, None])
            above, _ = second(below)
            heard = torch.cat([below, above], dim=2)
            return np.asarray(heard.reshape(len(chunks), count, pooled, -1).mean(dim=2).numpy())

    def _lower(self) -> "list[torch.nn.LSTM]":
        """The first two layers as networks of their own: the third costs as much as they do together."""
        import torch

        whole, _ = self._loaded()
        layers = []
        for index, size in enumerate((_MELS, _HIDDEN)):
            layer = torch.nn.LSTM(size, _HIDDEN, batch_first=True)
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            layer.load_state_dict({f"{name}_l0": whole.state_dict()[f"{name}_l{index}"] for name in names})
            layers.append(layer.eval())
        return layers

    def _embedded(self, mels: "list[torch.Tensor]") -> NDArray[np.float32]:
        """Windows of mel powers, each of shape (160, 40) -> (n, 256)."""
        import torch

        found = [self._forward(torch.stack(mels[at : at + _BATCH])).numpy() for at in range(0, len(mels), _BATCH)]
        return np.concatenate([np.zeros((0, _DIMENSION), np.float32), *found])

    def _mels(self, samples: Samples) -> "torch.Tensor":
        """Mel powers, shape (frames, 40); frame i is centred on sample 160 i."""
        import torch

        if self._filters is None:
            self._filters = torch.from_numpy(mel_filters(MODEL_RATE, _FFT, _MELS))
        spectrum = torch.stft(
            torch.from_numpy(samples),
            n_fft=_FFT,
            hop_length=_HOP,
            window=torch.hann_window(_FFT),
            center=True,
            pad_mode="constant",
            return_complex=True,
        )
        return (self._filters @ (spectrum.real**2 + spectrum.imag**2)).T

    def _forward(self, mels: "torch.Tensor") -> "torch.Tensor":
        """Mel powers of shape (n, 160, 40) -> (n, 256), rows of unit length (zero where the network is silent)."""
        import torch

        lstm, linear = self._loaded()
        _, (hidden, _) = lstm(mels)
        return torch.nn.functional.normalize(torch.relu(linear(hidden[-1])), dim=1)

    def _loaded(self) -> "tuple[torch.nn.LSTM, torch.nn.Linear]":
        import torch

        if self._network is None:
            torch.set_num_threads(1)
            self._network = _open(self._path)
        return self._network

    def __getstate__(self) -> dict[str, Any]:
        # Workers load the network themselves, on first use.
        return {**self.__dict__, "_network": None, "_filters": None}


def _gains(samples: Samples, first: NDArray[np.int64]) -> "torch.Tensor":
    """Factors on the mel *powers* of windows that start at frames `first`, shape (n, 1, 1)."""
    import torch

    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    power = (energy[first * _HOP + _WINDOW] - energy[first * _HOP]) / _WINDOW
    gains = np.where(power > _SILENCE_POWER, 10 ** (_LEVEL_DBFS / 10) / np.maximum(power, _SILENCE_POWER), 1.0)
    return torch.from_numpy(gains.astype(np.float32))[:, None, None]


def _weights() -> Path:
    package = find_spec("resemblyzer")
    if package is None or not package.submodule_search_locations:
        raise ConfigurationError(
            "speaker embeddings (ge2e) need the package Resemblyzer: pip install Resemblyzer, or choose another model"
        )
    path = Path(package.submodule_search_locations[0]) / "pretrained.pt"
    if not path.is_file():
        raise ConfigurationError(f"{path}: the weights of Resemblyzer are missing: install Resemblyzer again")
    return path


def _open(path: Path) -> "tuple[torch.nn.LSTM, torch.nn.Linear]":
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    lstm = torch.nn.LSTM(_MELS, _HIDDEN, _LAYERS, batch_first=True)
    linear = torch.nn.Linear(_HIDDEN, _DIMENSION)
    lstm.load_state_dict({name[5:]: value for name, value in state.items() if name.startswith("lstm.")})
    linear.load_state_dict({name[7:]: value for name, value in state.items() if name.startswith("linear.")})
    return lstm.eval(), linear.eval()

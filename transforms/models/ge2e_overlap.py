"""Two voices at once, told by what the layers below a speaker embedding hear.

A small convolutional network over the first two layers of GE2E's LSTM, which were learnt on thousands of voices: too
few are needed then to learn what two of them sound like (`train_overlap`). Frame-wise detection of overlapped speech
over learnt features follows L. Bullock, H. Bredin, L. Garcia-Perera: Overlap-aware diarization, ICASSP 2020.
"""

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, OverlapDetector, Samples
from transforms.models.ge2e import Ge2eEmbedder

if TYPE_CHECKING:
    import torch

HEAD_PATH = Path(__file__).with_name("ge2e_overlap.npz")
#: Seconds that are heard at once, as in training; each stands for what lies half of OVERLAP_SECONDS inside of it.
CHUNK_SECONDS = 8.0
OVERLAP_SECONDS = 0.5
#: LSTM frames of 10 ms that a score is of.
POOLED = 5
_BATCH = 16


class Ge2eOverlapDetector(OverlapDetector):
    """Log-odds every 50 ms. On one thread; speech is listened to in chunks of 8 s, 16 at once."""

    def __init__(self, head_path: Path = HEAD_PATH) -> None:
        self._embedder = Ge2eEmbedder()
        self._head_path = head_path
        self._hash = hashlib.sha256(head_path.read_bytes()).hexdigest()[:16]

    @property
    def identity(self) -> str:
        return f"overlap:{self._hash}:chunks={CHUNK_SECONDS}-{OVERLAP_SECONDS} {self._embedder.identity}"

    @property
    def frame_seconds(self) -> float:
        return POOLED / 100

    def log_odds(self, samples: Samples) -> NDArray[np.float32]:
        frame = round(self.frame_seconds * MODEL_RATE)
        count = len(samples) // frame
        length, step = round(CHUNK_SECONDS * MODEL_RATE), round((CHUNK_SECONDS - OVERLAP_SECONDS) * MODEL_RATE)
        starts = list(range(0, max(1, len(samples) - (length - step)), step))
        padded = np.pad(samples.astype(np.float32, copy=False), (0, starts[-1] + length - len(samples)))
        scores = np.zeros((starts[-1] + length) // frame, np.float32)
        edge = (length - step) // frame // 2
        for at in range(0, len(starts), _BATCH):
            batch = starts[at : at + _BATCH]
            heard = self._scored(np.stack([padded[start : start + length] for start in batch]))
            for start, chunk in zip(batch, heard, strict=True):
                first = start // frame
                inner = 0 if start == 0 else edge
                scores[first + inner : first + len(chunk)] = chunk[inner:]
        return scores[:count]

    def _scored(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Chunks of shape (n, 128 000) -> (n, 160)."""
        import torch

        with torch.inference_mode():
            features = torch.from_numpy(self._embedder.hidden(chunks, POOLED))
            return np.asarray(self._head(features).numpy())

    @functools.cached_property
    def _head(self) -> "torch.nn.Module":
        import torch

        with np.load(self._head_path, allow_pickle=False) as arrays:
            state = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays.files}
        head = make_head()
        head.load_state_dict(state)
        return head.eval()

    def __getstate__(self) -> dict[str, object]:
        # Workers load the network themselves, on first use.
        return {name: value for name, value in self.__dict__.items() if name != "_head"}


def make_head(channels: int = 32) -> "torch.nn.Module":
    """Features (n, frames, 512) -> log-odds (n, frames), each from what is heard within 0.5 s of it."""
    import torch
    from torch import nn

    class Head(nn.Module):
        mean: torch.Tensor
        scale: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(512))
            self.register_buffer("scale", torch.ones(512))
            self.inner = nn.Linear(512, channels)
            self.near = nn.Conv1d(channels, channels, 5, padding=2)
            self.far = nn.Conv1d(channels, channels, 5, padding=4, dilation=2)
            self.out = nn.Conv1d(channels, 1, 5, padding=2)
            self.dropout = nn.Dropout(0.3)

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            heard = torch.relu(self.inner((features - self.mean) * self.scale)).transpose(1, 2)
            heard = self.dropout(heard)
            heard = self.dropout(heard + torch.relu(self.near(heard)))
            heard = heard + torch.relu(self.far(heard))
            return self.out(heard)[:, 0]

    return Head()

"""Speaker embeddings by the model inside of a pyannote.audio pipeline (WeSpeaker's ResNet34 in those published).

H. Wang et al.: Wespeaker: a research and production oriented speaker embedding learning toolkit, ICASSP 2023.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, Needs, SpeakerEmbedder
from transforms.models.pyannote_pipeline import DEFAULT_SOURCE, PyannotePipeline, memory_errors
from transforms.models.voice_scale import PYANNOTE_SCALE, VoiceScale

_BATCH = 32
# As long as GE2E's: what is left out around another voice (transforms/target.py) fits windows of this length.
_WINDOW_SECONDS = 1.6


class PyannoteEmbedder(SpeakerEmbedder):
    """The pipeline's own embedding model over windows of 1.6 s; speech is not told from silence inside of them."""

    def __init__(self, source: str = DEFAULT_SOURCE, device: str = "auto") -> None:
        """As PyannotePipeline takes them."""
        self._pipeline = PyannotePipeline(source, device)

    @property
    def identity(self) -> str:
        return f"{self._pipeline.identity}:embedding:window={self.window_seconds}"

    @property
    def needs(self) -> Needs:
        return self._pipeline.needs

    @property
    def scale(self) -> VoiceScale:
        return PYANNOTE_SCALE

    @property
    def dimension(self) -> int:
        return int(self._model.dimension)

    @property
    def window_seconds(self) -> float:
        return _WINDOW_SECONDS

    def embed(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed windows of shape (n, 25 600); returns (n, d), rows of unit length. Raises EpisodeError (memory)."""
        import torch

        found = [np.zeros((0, self.dimension), np.float32)]
        with memory_errors(self._pipeline.source, f"{_BATCH} windows"):
            for first in range(0, len(windows), _BATCH):
                batch = np.ascontiguousarray(windows[first : first + _BATCH], np.float32)
                found.append(unit_rows(self._model(torch.from_numpy(batch)[:, None])))
        return np.concatenate(found)

    @property
    def _model(self) -> Any:
        embedding = self._pipeline.loaded._embedding
        assert embedding.sample_rate == MODEL_RATE
        return embedding


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length one, shape (n, d); those that are zero or no numbers become zero."""
    known = np.nan_to_num(np.asarray(rows, np.float32), posinf=0.0, neginf=0.0)
    lengths = np.linalg.norm(known, axis=1, keepdims=True)
    return np.asarray(known / np.maximum(lengths, np.float32(1e-9)), np.float32)

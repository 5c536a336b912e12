"""Speech detection by Silero VAD, in ONNX Runtime, without torch."""

import importlib.util
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError
from schemas.ids import file_sha256
from transforms.models.base import MODEL_RATE, Samples, SpeechDetector
from transforms.models.frames import whole_frames

_FRAME, _CONTEXT = 512, 64
_STATE_SHAPE = (1, 1, 128)
# Frames a call: more gains nothing, and memory grows with it.
_BATCH = 512
_WEIGHTS = Path("data") / "silero_vad_16k_sequence.onnx"


class SileroDetector(SpeechDetector):
    """The sequence model in the silero-vad wheel: many frames of 32 ms a call, its LSTM state carried between calls.

    It rejects music and noise. Weights are opened in a session of their own with one thread; the package itself is not
    imported, because it imports torch.
    """

    def __init__(self, weights: str | Path | None = None) -> None:
        """`weights`: another export of the sequence model. Raises ConfigurationError where there is none."""
        self._weights = Path(weights) if weights else _installed_weights()
        if not self._weights.is_file():
            raise ConfigurationError(f"silero: {self._weights} is not there; pip install 'silero-vad>=6.2'")

    @property
    def identity(self) -> str:
        return f"silero-vad:{self._digest[:12]}"

    @cached_property
    def _digest(self) -> str:
        return file_sha256(self._weights)

    @property
    def frame_seconds(self) -> float:
        return _FRAME / MODEL_RATE

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        return np.concatenate([*self.stream([samples]), np.zeros(0, np.float32)])

    def stream(self, blocks: Iterable[Samples]) -> Iterator[NDArray[np.float32]]:
        hidden = cell = np.zeros(_STATE_SHAPE, np.float32)
        context = np.zeros(_CONTEXT, np.float32)
        for frames in whole_frames(blocks, _FRAME):
            # Every frame comes with the last samples of the one before it.
            contexts = np.concatenate([context[None], frames[:-1, -_CONTEXT:]])
            context = frames[-1, -_CONTEXT:]
            inputs = np.concatenate([contexts, frames], axis=1)
            for start in range(0, len(inputs), _BATCH):
                batch = {"input": inputs[start : start + _BATCH], "h": hidden, "c": cell}
                found, hidden, cell = self._session.run(["speech_probs", "hn", "cn"], batch)
                yield found.reshape(-1)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(self._weights), options, providers=["CPUExecutionProvider"])


def _installed_weights() -> Path:
    """The weights in the installed wheel, found without importing it."""
    package = importlib.util.find_spec("silero_vad")
    if package is None or not package.submodule_search_locations:
        raise ConfigurationError("silero: silero-vad is not installed; pip install 'silero-vad>=6.2' onnxruntime")
    return Path(package.submodule_search_locations[0]) / _WEIGHTS

"""Speech detection by the segmentation model inside of a pyannote.audio pipeline.

H. Bredin, A. Laurent: End-to-end speaker segmentation for overlap-aware resegmentation, Interspeech 2021;
A. Plaquet, H. Bredin: Powerset multi-class cross entropy loss for neural speaker diarization, Interspeech 2023.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, Needs, Samples, SpeechDetector
from transforms.models.pyannote_pipeline import DEFAULT_SOURCE, PyannotePipeline, memory_errors

# 20 ms: the model's own frames (17 ms) fall between samples at some settings, and overlap each other.
_FRAME = 320
_BATCH = 16


class PyannoteDetector(SpeechDetector):
    """The likelihood that somebody speaks, whoever it is. The model hears a quarter of its window before and after.

    Memory does not grow with the recording: windows of 10 s are heard as their samples come.
    """

    def __init__(self, source: str = DEFAULT_SOURCE, device: str = "auto") -> None:
        """As PyannotePipeline takes them."""
        self._pipeline = PyannotePipeline(source, device)

    @property
    def identity(self) -> str:
        return f"{self._pipeline.identity}:speech:frame={_FRAME}"

    @property
    def needs(self) -> Needs:
        return self._pipeline.needs

    @property
    def frame_seconds(self) -> float:
        return _FRAME / MODEL_RATE

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        return np.concatenate([*self.stream([samples]), np.zeros(0, np.float32)])

    def stream(self, blocks: Iterable[Samples]) -> Iterator[NDArray[np.float32]]:
        """As SpeechDetector.stream. Raises EpisodeError where the memory is not enough."""
        window = self._window
        margin = window // 4 // _FRAME * _FRAME
        step = window - 2 * margin
        # Silence before and after, as the pipeline itself pads its last window.
        held = np.zeros(margin, np.float32)
        heard = given = 0
        for block in blocks:
            heard += len(block)
            held = np.concatenate([held, np.asarray(block, np.float32)])
            count = max(0, (len(held) - window) // step + 1)
            for found in self._heard(held, count, margin, step):
                given += len(found)
                yield found
            held = held[count * step :]
        left = heard // _FRAME - given
        if left > 0:
            count = -(-left * _FRAME // step)
            held = np.pad(held, (0, max(0, (count - 1) * step + window - len(held))))
            yield np.concatenate(list(self._heard(held, count, margin, step)))[:left]

    def _heard(self, samples: Samples, count: int, margin: int, step: int) -> Iterator[NDArray[np.float32]]:
        """Probabilities of the inner parts of `count` windows, `step` apart."""
        window = step + 2 * margin
        for first in range(0, count, _BATCH):
            starts = range(first * step, min(count, first + _BATCH) * step, step)
            likely = self._speech(np.stack([samples[start : start + window] for start in starts]))
            middles = (margin + _FRAME * (np.arange(step // _FRAME) + 0.5)) / MODEL_RATE
            field = self._model.receptive_field
            times = field.start + field.duration / 2 + field.step * np.arange(likely.shape[1])
            yield np.concatenate([np.interp(middles, times, row) for row in likely]).astype(np.float32)

    def _speech(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of speech in each of the model's own frames, shape (n, frames)."""
        import torch

        with memory_errors(self._pipeline.source, f"{_BATCH} windows"), torch.inference_mode():
            scores = self._model(torch.from_numpy(windows)[:, None].to(self._model.device))
            # In a powerset the first class is that nobody speaks, and scores are logarithms.
            is_powerset = self._model.specifications.powerset
            likely = 1 - scores[:, :, 0].exp() if is_powerset else scores.amax(dim=2)
            return np.asarray(likely.cpu().numpy(), np.float32)

    @property
    def _model(self) -> Any:
        return self._pipeline.loaded._segmentation.model

    @cached_property
    def _window(self) -> int:
        """Samples that the model hears at once, in whole frames."""
        return int(self._model.specifications.duration * MODEL_RATE) // _FRAME * _FRAME

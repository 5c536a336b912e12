"""Who speaks when by a pipeline of pyannote.audio: its turns, overlaps and voices, for one piece of audio."""

from functools import cached_property
from typing import Any

import numpy as np

from schemas.turn import Span
from transforms.models.base import MODEL_RATE, Needs, Samples, Segmented, SpeakerEmbedder, SpeakerSegmenter
from transforms.models.pyannote_embedder import PyannoteEmbedder, unit_rows
from transforms.models.pyannote_pipeline import DEFAULT_SOURCE, PyannotePipeline, memory_errors

# Raised by one when the same audio gives other turns than before.
_REVISION = 1


class PyannoteDiarizer(SpeakerSegmenter):
    """A whole pipeline (segmentation, embedding, clustering) on samples; it reads no file itself."""

    def __init__(self, source: str = DEFAULT_SOURCE, device: str = "auto") -> None:
        """As PyannotePipeline takes them."""
        self._pipeline = PyannotePipeline(source, device)

    @property
    def identity(self) -> str:
        return f"{self._pipeline.identity}:diarization:{_REVISION}:window={self.embedder.window_seconds}"

    @property
    def needs(self) -> Needs:
        return self._pipeline.needs

    @cached_property
    def embedder(self) -> SpeakerEmbedder:
        return PyannoteEmbedder(self._pipeline.source, self._pipeline.device)

    def segment(self, samples: Samples) -> Segmented:
        """Turns of a piece, with the voices' mean embeddings. Raises EpisodeError where the memory is not enough."""
        import torch

        pipeline = self._pipeline.loaded
        waveform = torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None]
        minutes = len(samples) / MODEL_RATE / 60
        with memory_errors(self._pipeline.source, f"a piece of {minutes:.0f} minutes"):
            output = pipeline({"waveform": waveform, "sample_rate": MODEL_RATE, "uri": "piece"})
        return _segmented(output, len(samples) / MODEL_RATE, pipeline._embedding.dimension)


def _segmented(output: Any, duration: float, dimension: int) -> Segmented:
    annotation = output.speaker_diarization
    voices = {label: index for index, label in enumerate(annotation.labels())}
    turns = sorted(
        (max(0.0, float(segment.start)), min(duration, float(segment.end)), voices[label])
        for segment, _, label in annotation.itertracks(yield_label=True)
    )
    overlaps = tuple(
        Span(max(0.0, float(part.start)), min(duration, float(part.end))) for part in annotation.get_overlap()
    )
    found = output.speaker_embeddings
    centroids = np.zeros((len(voices), dimension), np.float32) if found is None else unit_rows(found)
    # The last chunk is padded, and what the model hears in the padding is nobody.
    return Segmented(
        tuple(turn for turn in turns if turn[1] > turn[0]),
        tuple(span for span in overlaps if span.end > span.start),
        centroids,
    )

"""Speaker embeddings by the model inside of a pyannote.audio pipeline (WeSpeaker's ResNet34 in those published).

H. Wang et al.: Wespeaker: a research and production oriented speaker embedding learning toolkit, ICASSP 2023.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, Needs, SpeakerEmbedder
from transforms.models.pyannote_pipeline import DEFAULT_SOURCE, PyannotePipeline, memory_errors
from transforms.models.voice_scale import VoiceScale

_BATCH = 32
# As long as GE2E's: what is left out around another voice (transforms/target.py) fits windows of this length.
_WINDOW_SECONDS = 1.6

#: Not calibrated on podcasts: taken from what is known of WeSpeaker's ResNet34 trained on VoxCeleb. Its trials of two
#: speakers have cosines about 0.05 (0.1 in one room), of one speaker 0.5 to 0.8; its equal error rate (0.8 % on
#: VoxCeleb1-O) lies near 0.35, and for windows of 1.5 s, as in its diarization recipe, 0.1 lower. pyannote's
#: community-1 pipeline joins embeddings nearer than a distance of 0.6, which is a cosine of 0.82, before VBx
#: (https://github.com/wenet-e2e/wespeaker, https://github.com/pyannote/pyannote-audio).
#: Differences are larger than GE2E's by the ratio of the spreads, about 2.
PYANNOTE_SCALE = VoiceScale(
    nobody=0.25,
    switch_in_speech=0.4,
    switch_in_pause=0.2,
    share_slope=0.1,
    to_enrolment=0.35,
    to_episodes=0.45,
    sure=0.06,
    ahead=0.06,
    label_weight=0.12,
    label_agreement=0.08,
    named_agreement=0.06,
    behind=0.06,
    behind_labelled=0.14,
    same_voice=0.6,
    linked=0.55,
    common=0.1,
    gate_strict=0.55,
    gate_default=0.40,
    gate_permissive=0.30,
)


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

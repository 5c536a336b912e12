"""Who the target is: an enrolled voice or who speaks most, held across all episodes by one identity."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError, EpisodeError
from schemas.ids import file_sha256
from schemas.recording import Media
from schemas.turn import Cluster, Identity
from transforms.audio import read_span
from transforms.clustering import agglomerate, unit
from transforms.models.base import MODEL_RATE, Samples, SpeakerEmbedder, SpeechDetector

# Less speech says too little about a voice.
_LEAST_SPEECH_SECONDS = 1.5
_HOP_SECONDS = 0.5


def embed_enrolment(
    passages: Sequence[tuple[str, float | None, float | None]],
    embedder: SpeakerEmbedder,
    detector: SpeechDetector | None = None,
) -> Identity:
    """The voice of passages of the target alone: files in any format, or spans (seconds) of an episode's recording.

    Only their speech counts (by `detector`, webrtcvad by default), second for second. Raises ConfigurationError where
    a passage can't be read or holds less than 1.5 s of speech.
    """
    if detector is None:
        from transforms.models.webrtc import WebRtcDetector

        detector = WebRtcDetector()
    heard = [_embed_passage(path, start, end, embedder, detector) for path, start, end in passages]
    if not heard:
        raise ConfigurationError("speaker.enroll: nothing to know the target by; name a file, or a span of an episode")
    voice = unit(np.concatenate(heard).sum(axis=0))
    names = ", ".join(Path(path).name for path, _, _ in passages)
    return Identity("", tuple(round(float(value), 6) for value in voice), f"enrolment: {names}")


def _embed_passage(
    path: str, start: float | None, end: float | None, embedder: SpeakerEmbedder, detector: SpeechDetector
) -> NDArray[np.float32]:
    from transforms.speech import SpeechSettings, speech_spans

    samples = _samples(path, start, end)
    duration = len(samples) / MODEL_RATE
    spans = speech_spans(detector.probabilities(samples), detector.frame_seconds, duration, SpeechSettings())
    spoken = sum(span.duration for span in spans)
    if spoken < _LEAST_SPEECH_SECONDS:
        where = "" if start is None and end is None else f" from {start or 0.0:.1f} to {end or duration:.1f} s"
        raise ConfigurationError(
            f"speaker.enroll: {path}{where} holds {spoken:.1f} s of speech; "
            f"give at least {_LEAST_SPEECH_SECONDS:.1f} s, better 10 s, of the target alone"
        )
    middles = np.concatenate([np.arange(span.start, span.end, _HOP_SECONDS) for span in spans])
    starts = np.round((middles - embedder.window_seconds / 2) * MODEL_RATE).astype(np.int64)
    # A window half outside of a short file would be half silence.
    starts = np.clip(starts, 0, max(0, len(samples) - round(embedder.window_seconds * MODEL_RATE)))
    return embedder.embed_at(samples, np.unique(starts))


def _samples(path: str, start: float | None, end: float | None) -> Samples:
    """Samples at 16 kHz: of a span of a recording, or of a whole file in any format."""
    from transforms.decode import decode

    try:
        if start is not None or end is not None:
            return read_span(path, start or 0.0, end if end is not None else float(1 << 20))
        with tempfile.TemporaryDirectory() as folder:
            media = Media(path, file_sha256(path), Path(path).stat().st_size, path)
            recording = decode(media, Path(folder) / "enrolment.flac")
            return read_span(recording.path, 0.0, recording.duration)
    except (OSError, RuntimeError, EpisodeError) as error:
        raise ConfigurationError(
            f"speaker.enroll: {path} can't be read as audio ({error}); name a recording of the target alone"
        ) from error

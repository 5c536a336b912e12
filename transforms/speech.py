"""Speech: where in a recording someone speaks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.recording import Recording
from schemas.turn import Span
from transforms.audio import read_blocks
from transforms.models.base import MODEL_RATE, SpeechDetector

# Spans closer than this touch: what separates them is rounding.
_TOUCHING_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """How probabilities of speech become spans. Times in seconds."""

    onset: float = 0.5  # smoothed probability at which speech begins
    offset: float = 0.35  # smoothed probability below which it ends
    smoothing: float = 0.1  # length of the moving average over the probabilities
    min_silence: float = 0.2  # shorter silences are bridged
    min_speech: float = 0.25  # shorter speech is dropped
    pad_before: float = 0.1  # added before each span
    pad_after: float = 0.1  # added after each span


def detect_speech(
    recording: Recording,
    detector: SpeechDetector,
    settings: SpeechSettings = SpeechSettings(),
    block_seconds: float = 60.0,
) -> tuple[Span, ...]:
    """Spans of speech, in order and disjoint, by a detector and two thresholds (hysteresis).

    The recording is read in blocks of about `block_seconds`; the detector carries its state from one to the next, so
    the spans do not depend on it.
    """
    frame = round(detector.frame_seconds * MODEL_RATE)
    block = max(1, round(block_seconds * MODEL_RATE / frame)) * frame
    found = list(detector.stream(read_blocks(recording.heard_path, block)))
    probabilities = np.concatenate(found) if found else np.zeros(0, np.float32)
    return speech_spans(probabilities, detector.frame_seconds, recording.duration, settings)


def speech_spans(
    probabilities: NDArray[np.float32], frame_seconds: float, duration: float, settings: SpeechSettings
) -> tuple[Span, ...]:
    """Spans of speech from one probability a frame, shape (n,), in a recording of `duration` seconds."""
    width = max(1, round(settings.smoothing / frame_seconds))
    speaking = hysteresis(moving_average(probabilities, width), settings.onset, settings.offset)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], speaking.view(np.int8), [0]])))
    spans = [Span(start * frame_seconds, end * frame_seconds) for start, end in edges.reshape(-1, 2).tolist()]
    spans = [span for span in _joined(spans, settings.min_silence) if span.duration >= settings.min_speech]
    padded = [
        Span(max(0.0, span.start - settings.pad_before), min(duration, span.end + settings.pad_after)) for span in spans
    ]
    return tuple(_joined(padded, _TOUCHING_SECONDS))


def moving_average(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Centred mean over `width` frames (an even width is made odd); at the edges over the frames that are there."""
    reach = width // 2
    if not reach or not len(values):
        return values
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    first = np.maximum(np.arange(len(values)) - reach, 0)
    last = np.minimum(np.arange(len(values)) + reach + 1, len(values))
    return ((sums[last] - sums[first]) / (last - first)).astype(np.float32)


def hysteresis(values: NDArray[np.float32], onset: float, offset: float) -> NDArray[np.bool_]:
    """True from where values reach `onset` until they fall below `offset`, shape (n,)."""
    decided = np.where(values >= onset, 1, np.where(values < offset, 0, -1))
    last_decided = np.maximum.accumulate(np.where(decided >= 0, np.arange(len(values)), -1))
    return (
        np.where(last_decided >= 0, decided[last_decided], 0).astype(np.bool_) if len(values) else np.zeros(0, np.bool_)
    )


def _joined(spans: list[Span], shortest_silence: float) -> list[Span]:
    """Spans in order, with every silence that is shorter bridged."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start - joined[-1].end < shortest_silence:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined

"""Where somebody else talks into the target's speech: a "yeah, right" inside of a turn, which changes no speaker."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.errors import EpisodeError
from schemas.recording import Recording
from schemas.turn import Diarization, Span, TargetSpeech, Turn
from transforms.audio import read_span
from transforms.models.base import MODEL_RATE, OverlapDetector, Samples
from transforms.overlap import merged, shared_seconds, without

# So much of the target's speech is in memory at once.
_BLOCK_SECONDS = 112.0


@dataclass(frozen=True, slots=True)
class InterjectionSettings:
    """What counts as two voices at once. Scores are log-odds beside the target's usual ones; times in seconds."""

    threshold: float = 7.0  # an interjection reaches this; set on voices that were neither learnt from nor reported on
    lower: float = 3.0  # and lasts while its score is above this
    smoothed: float = 0.25  # scores are means over this
    # Some voices, microphones and rooms sound a little like two at all times, or now and then. A score counts from the
    # target's own upper quartile; where from their median to their 90 % it is further than with most voices, scores are
    # scaled down to that. Both are drawn towards those of most voices as if these had been heard for some seconds.
    usual_quartile: float = -2.7
    usual_spread: float = 3.6
    usual_seconds: float = 20.0
    edge: float = 0.15  # an interjection is taken to last this much longer at either end
    min_span: float = 0.6  # less of the target between two of them is nobody's


def without_interjections(
    target: TargetSpeech, found: Sequence[Span], diarization: Diarization, settings: InterjectionSettings
) -> TargetSpeech:
    """The target's speech with what was `found` taken out of its spans, and told in `overlaps` and the turns."""
    spans = tuple(span for span in without(target.spans, found) if span.duration >= settings.min_span)
    everywhere = merged((*diarization.overlaps, *found))
    turns = tuple(_with_overlap(turn, everywhere) if turn.is_target else turn for turn in target.turns)
    return replace(target, turns=turns, spans=spans, overlaps=tuple(found))


def find_interjections(
    recording: Recording, spans: Sequence[Span], detector: OverlapDetector, settings: InterjectionSettings
) -> tuple[Span, ...]:
    """Where two voices are heard inside of the target's `spans`, in order and disjoint.

    Nothing else is listened to. Raises EpisodeError where the recording can't be read.
    """
    frame = detector.frame_seconds
    times: list[NDArray[np.float64]] = [np.zeros(0)]
    scores = [np.zeros(0, np.float32)]
    for block in _blocks(spans):
        # Every span gives whole frames: joined, they stay where they are.
        counts = [int(span.duration / frame + 1e-6) for span in block]
        heard = [_read(recording, span.start, count, frame) for span, count in zip(block, counts, strict=True)]
        scores.append(detector.log_odds(np.concatenate(heard)))
        times.extend(
            span.start + np.arange(count, dtype=np.float64) * frame for span, count in zip(block, counts, strict=True)
        )
    return _runs(np.concatenate(times), np.concatenate(scores), frame, spans, settings)


def _read(recording: Recording, start: float, count: int, frame: float) -> Samples:
    """Samples of `count` frames; what lies behind the recording's end is silence."""
    try:
        samples = read_span(recording.heard_path, start, start + count * frame)
    except (OSError, RuntimeError) as error:
        raise EpisodeError(
            f"recording-unreadable: {recording.path} can't be read from {start:.2f} s ({error}); "
            "remove the work folder of this episode and build again"
        ) from error
    length = count * round(frame * MODEL_RATE)
    return np.pad(samples, (0, max(0, length - len(samples))))[:length]


def _blocks(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Consecutive spans that together last no longer than a block; longer ones in pieces."""
    block: list[Span] = []
    left = _BLOCK_SECONDS
    for span in spans:
        start = span.start
        while span.end - start > left:
            yield [*block, Span(start, start + left)]
            start, block, left = start + left, [], _BLOCK_SECONDS
        block.append(Span(start, span.end))
        left -= span.end - start
    if block:
        yield block


def _runs(
    times: NDArray[np.float64],
    scores: NDArray[np.float32],
    frame: float,
    spans: Sequence[Span],
    settings: InterjectionSettings,
) -> tuple[Span, ...]:
    if not len(scores):
        return ()
    width = max(1, round(settings.smoothed / frame))
    smoothed = np.convolve(np.pad(scores, width // 2, mode="edge"), np.ones(width) / width, "same")
    smoothed = smoothed[width // 2 : width // 2 + len(scores)]
    relative = _beside_usual(smoothed, frame, settings)
    heard = np.concatenate([[0], (relative > settings.lower).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(heard)).reshape(-1, 2)
    found = [
        # Frames beside one another may lie in two spans.
        Span(float(part[0]) - settings.edge, float(part[-1]) + frame + settings.edge)
        for first, last in edges
        if relative[first:last].max() > settings.threshold
        for part in np.split(times[first:last], np.flatnonzero(np.diff(times[first:last]) > 1.5 * frame) + 1)
    ]
    inside = without(spans, without(spans, found))
    return tuple(Span(round(span.start, 3), round(span.end, 3)) for span in inside)


def _beside_usual(scores: NDArray[np.float64], frame: float, settings: InterjectionSettings) -> NDArray[np.float64]:
    """Scores counted from the target's usual ones, spread no wider than those of most voices, shape (n,)."""
    median, quartile, most = np.quantile(scores, (0.5, 0.75, 0.9))
    share = len(scores) * frame / (len(scores) * frame + settings.usual_seconds)
    origin = share * quartile + (1 - share) * settings.usual_quartile
    spread = max(share * (most - median) + (1 - share) * settings.usual_spread, settings.usual_spread)
    return np.asarray((scores - origin) * (settings.usual_spread / spread))


def _with_overlap(turn: Turn, overlaps: Sequence[Span]) -> Turn:
    share = shared_seconds(overlaps, turn.start, turn.end) / max(turn.end - turn.start, 1e-9)
    return replace(turn, overlap=round(min(1.0, share), 4))

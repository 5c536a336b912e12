"""The target's speech in one episode: every turn judged, and the spans that are surely theirs alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from schemas.turn import Diarization, Identity, Span, TargetSpeech, Turn
from transforms.clustering import best_path, cosines, unit
from transforms.diarize import COST_SECONDS, between, crossing, nearest, weights
from transforms.models.voice_scale import VoiceScale
from transforms.overlap import PauseSettings, find_pauses, merged, without
from transforms.windows import Windows, load_windows


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """What is surely the target's alone. Times in seconds; similarities are cosines."""

    hop: float = 0.5  # no window stands for more
    nobody: float = 0.6  # a voice less similar than this to the target is not theirs, though nobody else's either
    switch_in_speech: float = 0.2  # what a change costs, in cosines times windows of 0.25 s
    switch_in_pause: float = 0.1
    pauses: PauseSettings = field(default_factory=PauseSettings)
    snap: float = 0.35  # a change moves to a pause not further away than this
    edge: float = 0.05  # of that pause this much stays with the target
    # Where another voice comes in without a pause, both may be heard for a second around the change.
    drop_before: float = 0.7
    drop_after: float = 0.8
    bridge: float = 0.8  # gaps in the turns up to this are heard through
    join: float = 0.8  # the target's spans with a shorter silence between them, and nobody in it, are one
    min_span: float = 0.6
    # A window's share of the target is 0.73 where it is this much more like the target than like anybody else.
    share_slope: float = 0.05
    # Whether the turns are finer than the windows: then what they give to others is not the target's alone.
    fine_turns: bool = False

    @staticmethod
    def of(scale: VoiceScale, fine_turns: bool = False) -> "TargetSettings":
        """With the limits of an embedder."""
        return TargetSettings(
            nobody=scale.nobody,
            switch_in_speech=scale.switch_in_speech,
            switch_in_pause=scale.switch_in_pause,
            share_slope=scale.share_slope,
            fine_turns=fine_turns,
        )


def find_target(
    diarization: Diarization,
    identity: Identity,
    chosen: Sequence[str],
    settings: TargetSettings = TargetSettings(),
) -> TargetSpeech:
    """Mark the turns of the `chosen` clusters, and find the spans in which nobody but the target speaks.

    For every window the similarity to the target's centroid in this episode is compared with that to the best other
    one: an episode's own centroid separates far better than an enrolment from another room. A two-state best path
    smooths the margins. Where the target's speech meets another voice without a pause, 0.7 to 0.8 s are left out:
    people overlap there, and windows of 1.6 s do not show it. Raises EpisodeError where the windows can't be read.
    """
    windows = load_windows(diarization.windows_path)
    turns = _judged(diarization, windows, identity, chosen)
    if not chosen:
        return TargetSpeech(turns, (), "")
    reference = References.of(diarization, chosen, identity, windows.embedding.shape[1], settings.nobody)
    spans = _sure_spans(diarization.turns, windows, reference.margins(windows.embedding), settings)
    others = [Span(turn.start, turn.end) for turn in turns if not turn.is_target]
    alone = without(_joined(spans, others, settings.join), diarization.overlaps)
    if settings.fine_turns:
        alone = without(alone, others)
    kept = tuple(Span(round(span.start, 3), round(span.end, 3)) for span in alone if span.duration >= settings.min_span)
    centroid = next(cluster.centroid for cluster in diarization.clusters if cluster.speaker == chosen[0])
    return TargetSpeech(turns, kept, chosen[0], round(_cosine(centroid, identity.embedding), 4))


@dataclass(frozen=True)
class References:
    """What an episode's windows are compared with: the target's centroids, shape (k, d), and the others', (m, d)."""

    target: NDArray[np.float32]
    others: NDArray[np.float32]
    nobody: float

    @staticmethod
    def of(
        diarization: Diarization, chosen: Sequence[str], identity: Identity, dimension: int, nobody: float
    ) -> "References":
        rows = {cluster.speaker: cluster.centroid for cluster in diarization.clusters}

        def centroids(names: Sequence[str]) -> NDArray[np.float32]:
            return np.array([rows[name] for name in names], np.float32).reshape(len(names), dimension)

        others = [name for name in rows if name not in chosen]
        by_identity = np.array([identity.embedding or [0.0] * dimension], np.float32)
        target = centroids(chosen) if chosen else by_identity
        return References(target, centroids(others), nobody)

    def similarities(self, embedding: NDArray[np.float16]) -> NDArray[np.float32]:
        """Cosine of each window to the nearest of the target's centroids, shape (n,)."""
        return np.asarray(cosines(embedding, self.target).max(axis=1))

    def margins(self, embedding: NDArray[np.float16]) -> NDArray[np.float32]:
        """By how much each window is more like the target than like anybody else, shape (n,)."""
        rival = cosines(embedding, self.others).max(axis=1, initial=self.nobody)
        return np.asarray(self.similarities(embedding) - np.maximum(rival, self.nobody))


def _judged(diarization: Diarization, windows: Windows, identity: Identity, chosen: Sequence[str]) -> tuple[Turn, ...]:
    """All turns with their similarity to the identity: of the mean of the windows in them, or of their cluster."""
    centroids = {cluster.speaker: cluster.centroid for cluster in diarization.clusters}
    middles = windows.middle
    judged = []
    for turn in diarization.turns:
        first, last = np.searchsorted(middles, [turn.start, turn.end])
        heard = windows.embedding[first:last].astype(np.float32)
        mean = heard.sum(axis=0) if len(heard) else np.array(centroids[turn.speaker], np.float32)
        similarity = round(_cosine(unit(mean), identity.embedding), 4)
        judged.append(replace(turn, is_target=turn.speaker in chosen, similarity=similarity))
    return tuple(judged)


def _cosine(one: Sequence[float] | NDArray[np.float32], other: Sequence[float]) -> float:
    return float(np.dot(np.asarray(one, np.float64), np.asarray(other, np.float64))) if len(other) else 0.0


def _sure_spans(
    turns: Sequence[Turn], windows: Windows, margins: NDArray[np.float32], settings: TargetSettings
) -> list[Span]:
    """Stretches of the speech in which the target alone is heard, less what is doubtful at their ends."""
    pauses = find_pauses(windows.levels, settings.pauses)
    middles = windows.middle
    costs = np.where(between(middles, pauses, 0.0), settings.switch_in_pause, settings.switch_in_speech)
    scores = np.stack([np.zeros(len(margins), np.float32), margins], axis=1)
    scores *= (weights(middles, settings.hop) / COST_SECONDS)[:, None].astype(np.float32)
    is_target = best_path(scores, costs.astype(np.float32)).astype(bool)
    spans: list[Span] = []
    for speech in merged([Span(turn.start, turn.end) for turn in turns], settings.bridge):
        first, last = np.searchsorted(middles, [speech.start - 0.01, speech.end + 0.01])
        start = speech.start
        for index in range(first + 1, last):
            if is_target[index] == is_target[index - 1]:
                continue
            sign = 1 if is_target[index - 1] else -1
            at = crossing(middles[index - 1 : index + 1], sign * margins[index - 1 : index + 1])
            pause = nearest(pauses, at, settings.snap)
            if is_target[index]:
                start = pause.end - settings.edge if pause else at + settings.drop_after
            else:
                spans.append(Span(start, pause.start + settings.edge if pause else at - settings.drop_before))
        if last > first and is_target[last - 1]:
            spans.append(Span(start, speech.end))
    return [span for span in spans if span.duration > 0]


def _joined(spans: Sequence[Span], others: Sequence[Span], gap: float) -> list[Span]:
    """Spans with at most `gap` seconds between them made one, unless somebody else speaks there."""
    starts = np.array([other.start for other in others])
    ends = np.array([other.end for other in others])
    result: list[Span] = []
    for span in sorted(spans):
        is_near = bool(result) and span.start - result[-1].end <= gap
        if is_near and not np.any((starts < span.start) & (ends > result[-1].end)):
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


class ClipVoice:
    """Scores who speaks in clips of one episode, from the windows that diarization kept; no model runs."""

    def __init__(
        self,
        diarization: Diarization,
        identity: Identity,
        chosen: Sequence[str],
        settings: TargetSettings = TargetSettings(),
    ) -> None:
        """Where no cluster is `chosen`, the identity itself stands for the target."""
        windows = load_windows(diarization.windows_path)
        self._middles = windows.middle
        reference = References.of(diarization, chosen, identity, windows.embedding.shape[1], settings.nobody)
        self._similarities = reference.similarities(windows.embedding)
        margins = reference.margins(windows.embedding).astype(np.float64)
        self._shares = 1 / (1 + np.exp(-margins / settings.share_slope))

    def scores(self, start: float, end: float) -> tuple[float, float]:
        """(similarity, purity) of `start`..`end` (seconds), over the windows of 1.6 s whose middle lies in it.

        Similarity is the mean cosine to the target's centroid in this episode: with GE2E 0.87 for the target's speech,
        below 0.75 for one clip in a hundred of it; a wrongly chosen cluster scores as high, being compared with itself.
        Purity is of the lowest margin of any window between the target and the best other voice of the episode (or
        the cosine of nobody) the logistic share, 0..1: 0.5 where another voice is as near, nearly 1 where none is. A
        voice that talks into the target's for less than a window, or more softly, hardly moves it
        (transforms/interjections.py).
        What 95 % of clean clips reach, 1 % of those with over a second of another voice do, 13 % from half a second.
        """
        if not len(self._middles):
            return 0.0, 0.0
        first, last = np.searchsorted(self._middles, [start, end])
        if last <= first:
            first = int(np.abs(self._middles - (start + end) / 2).argmin())
            last = first + 1
        return round(float(self._similarities[first:last].mean()), 4), round(float(self._shares[first:last].min()), 4)

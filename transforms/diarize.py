"""Who speaks when: windows of speaker embeddings over the speech, clusters of them, turns."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import EpisodeError
from schemas.recording import Recording
from schemas.turn import Cluster, Diarization, Span, Turn
from transforms.audio import read_span
from transforms.clustering import ClusterSettings, agglomerate, best_path, cosines, total, unit
from transforms.models.base import MODEL_RATE, SpeakerEmbedder
from transforms.overlap import (
    LEVEL_STEP,
    SILENT_DB,
    PauseSettings,
    find_pauses,
    levels_of,
    merged,
    shared_seconds,
)
from transforms.windows import NOBODY, Windows, save_windows

Times = NDArray[np.float64]
Labels = NDArray[np.intp]

# An episode is listened to in stretches of about this length; no more of it is in memory.
_STRETCH_SECONDS = 60.0
# Windows further apart than this have silence between them.
_APART_SECONDS = 1.0
#: Costs of a change are told in cosines of one window that stands for this many seconds.
COST_SECONDS = 0.25
# So many windows are moved at once.
_MERGED_ROWS = 4096
# Voices are looked for in pieces of equal length first, then in the stretches that the last round's voices make.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class DiarizeSettings:
    """How windows become turns. Times in seconds; similarities are cosines."""

    hop: float = 0.5  # between windows
    fine_hop: float = 0.25  # between windows near a change of speaker
    fine_reach: float = 1.0  # how near that is
    bridge: float = 0.4  # shorter gaps in the speech are listened to as well
    clusters: ClusterSettings = field(default_factory=ClusterSettings)
    pauses: PauseSettings = field(default_factory=PauseSettings)
    piece: float = 1.0  # length of the pieces that the first clusters are made of
    break_pause: float = 0.3  # a pause of this length ends a stretch, whoever goes on
    min_stretch: float = 2.0  # shorter stretches do not take part in making clusters
    min_voice: float = 2.5  # a voice heard for less is no cluster
    both_heard: float = 0.8  # windows this near to a change hold both voices, and make no centroid
    switch_in_speech: float = 0.6  # what a change of speaker costs, in cosines times windows of 0.25 s
    switch_in_pause: float = 0.1
    nobody: float = 0.6  # a window less similar than this to every voice is none of them (music, noise, a cough)
    snap: float = 0.35  # a change of speaker moves to a pause not further away than this
    same_turn: float = 0.5  # a voice that is back after a shorter silence goes on with its turn
    overlap_before: float = 0.3  # around a change of speaker without a pause both are taken to be heard
    overlap_after: float = 0.5


def diarize(
    recording: Recording,
    speech: tuple[Span, ...],
    embedder: SpeakerEmbedder,
    settings: DiarizeSettings,
    windows_path: Path,
) -> Diarization:
    """Say who speaks when in the `speech` of a recording; the windows go to `windows_path` (.npz).

    Windows every half second are clustered; near the changes of speaker that come out, windows are laid closer, and
    all of them are clustered anew. Memory does not grow with the recording but for the windows (2 kB a second).
    Raises EpisodeError where the recording can't be read.
    """
    spans = merged(speech, settings.bridge)
    ear = Ear(recording, embedder)
    windows = ear.listen(grid(spans, settings.hop))
    voices = _cluster(windows, find_pauses(ear.levels, settings.pauses), settings)
    windows = _joined(windows, ear.listen(_near_changes(windows, voices.labels, spans, settings)))
    pauses = find_pauses(ear.levels, settings.pauses)
    voices = _cluster(windows, pauses, settings)
    pieces, overlaps = _pieces(windows, voices, spans, pauses, settings)
    turns, clusters, order = _named(pieces, voices.centroids, overlaps, settings)
    speaker = np.array([order.get(label, NOBODY) for label in voices.labels.tolist()], np.int16)
    save_windows(windows_path, replace(windows, speaker=speaker, levels=ear.levels))
    return Diarization(str(windows_path), turns, clusters, overlaps)


class Ear:
    """Listens to windows of one recording: their embeddings, and on the way the level of what it reads."""

    def __init__(self, recording: Recording, embedder: SpeakerEmbedder) -> None:
        self._recording = recording
        self._embedder = embedder
        self.levels = np.full(max(0, int(recording.duration / LEVEL_STEP) + 1), SILENT_DB, np.int8)

    def listen(self, middles: Times) -> Windows:
        """Embed the windows around `middles` (seconds, in order; rounded to 10 ms)."""
        length = self._embedder.window_seconds
        starts = np.round((middles - length / 2) / LEVEL_STEP) * LEVEL_STEP
        # Half precision, as it is kept: of six hours of speech this is what a worker holds.
        embedding = np.empty((len(starts), self._embedder.dimension), np.float16)
        for block in _blocks(starts, length):
            embedding[block] = self._stretch(starts[block], length)
        return Windows(starts, starts + length, embedding, np.full(len(starts), NOBODY, np.int16), self.levels)

    def _stretch(self, starts: Times, length: float) -> NDArray[np.float32]:
        opening = max(0.0, float(starts[0]))
        try:
            samples = read_span(self._recording.heard_path, opening, float(starts[-1]) + length)
        except (OSError, RuntimeError) as error:
            raise EpisodeError(
                f"recording-unreadable: {self._recording.path} can't be read from {opening:.2f} s ({error}); "
                "remove the work folder of this episode and build again"
            ) from error
        levels = levels_of(samples, MODEL_RATE)
        first = round(opening / LEVEL_STEP)
        levels = levels[: max(0, len(self.levels) - first)]
        self.levels[first : first + len(levels)] = levels
        return self._embedder.embed_at(samples, np.round((starts - opening) * MODEL_RATE).astype(np.int64))


def _blocks(starts: Times, length: float) -> Iterator[slice]:
    """Slices of consecutive windows that together span about a minute."""
    first = 0
    for index in range(1, len(starts) + 1):
        if index == len(starts) or starts[index] + length - starts[first] > _STRETCH_SECONDS:
            yield slice(first, index)
            first = index


def grid(spans: Sequence[Span], hop: float) -> Times:
    """Middles of windows: multiples of `hop` inside of the spans, and the middle of a span that holds none."""
    middles: list[float] = []
    for span in spans:
        inside = np.arange(np.ceil(span.start / hop - 1e-6), np.floor(span.end / hop + 1e-6) + 1) * hop
        middles.extend(inside.tolist() or [(span.start + span.end) / 2])
    return np.array(middles, np.float64)


def _near_changes(windows: Windows, labels: Labels, spans: Sequence[Span], settings: DiarizeSettings) -> Times:
    """Middles on the fine grid near the changes of speaker that are not there yet."""
    middles = windows.middle
    changes = np.flatnonzero((labels[1:] != labels[:-1]) & (np.diff(middles) <= _APART_SECONDS))
    reach = settings.fine_reach
    zones = merged([Span(float(middles[i]) - reach, float(middles[i + 1]) + reach) for i in changes])
    parts = [Span(max(zone.start, span.start), min(zone.end, span.end)) for zone, span in _intersecting(zones, spans)]
    fine = grid(parts, settings.fine_hop)
    on_grid = np.abs(fine / settings.fine_hop - np.round(fine / settings.fine_hop)) < 1e-6
    after = np.searchsorted(middles, fine)
    to_next = np.append(middles, np.inf)[after] - fine
    to_last = fine - np.append(-np.inf, middles)[after]
    return fine[on_grid & (np.minimum(to_next, to_last) > LEVEL_STEP)]


def _intersecting(left: Sequence[Span], right: Sequence[Span]) -> Iterator[tuple[Span, Span]]:
    """Pairs of overlapping spans of two lists, each in order and disjoint."""
    i = j = 0
    while i < len(left) and j < len(right):
        if min(left[i].end, right[j].end) > max(left[i].start, right[j].start):
            yield left[i], right[j]
        if left[i].end < right[j].end:
            i += 1
        else:
            j += 1


def _joined(one: Windows, other: Windows) -> Windows:
    """All windows in order of time. The arrays of `one` are made longer in place: it is not to be used any more."""
    order = np.argsort(np.concatenate([one.start, other.start]), kind="stable")
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    for mine, others in (
        (one.start, other.start),
        (one.end, other.end),
        (one.embedding, other.embedding),
        (one.speaker, other.speaker),
    ):
        _merge(mine, others, place)
    return one


def _merge(rows: NDArray[Any], others: NDArray[Any], place: Labels) -> None:
    """Put `others` among `rows`: row i of both together goes to place[i]. `rows` are in order, and stay in it.

    In place and from the end, where there is room: six hours of embeddings are not to be there twice.
    """
    count = len(rows)
    rows.resize((count + len(others), *rows.shape[1:]), refcheck=False)
    for first in reversed(range(0, count, _MERGED_ROWS)):
        block = slice(first, min(first + _MERGED_ROWS, count))
        rows[place[block]] = rows[block].copy()
    rows[place[count:]] = others


@dataclass(frozen=True, slots=True)
class _Voices:
    """A cluster for each window (-1 none of them) and the clusters' centroids, shape (k, d)."""

    labels: Labels
    centroids: NDArray[np.float32]


def _cluster(windows: Windows, pauses: Sequence[Span], settings: DiarizeSettings) -> _Voices:
    """Cluster windows: short pieces first, then twice the stretches that a best path makes of them."""
    if not len(windows):
        return _Voices(np.zeros(0, np.intp), np.zeros((0, windows.embedding.shape[1]), np.float32))
    middles = windows.middle
    seconds = weights(middles, settings.hop)
    costs = np.where(between(middles, pauses, 0.0), settings.switch_in_pause, settings.switch_in_speech)
    is_break = between(middles, pauses, settings.break_pause)
    stretches = _equal_pieces(is_break, seconds, settings.piece)
    inner = np.ones(len(windows), bool)
    labels, centroids = np.zeros(len(windows), np.intp), np.zeros((0, windows.embedding.shape[1]), np.float32)
    for _ in range(_ROUNDS):
        heard = seconds * inner
        # Not by name: what is not needed any more shall go.
        centroids = _centroids(
            total(windows.embedding, stretches, heard.astype(np.float32)),
            np.bincount(stretches, heard).astype(np.float64),
            settings,
        )
        labels = _assigned(cosines(windows.embedding, centroids), seconds, costs, settings)
        is_change = np.concatenate([[False], labels[1:] != labels[:-1]])
        stretches = np.cumsum(is_change | is_break)
        inner = _away_from(middles, np.flatnonzero(is_change), settings.both_heard)
    return _Voices(labels, centroids)


def _centroids(sums: NDArray[np.float32], seconds: Times, settings: DiarizeSettings) -> NDArray[np.float32]:
    """Centroids of the voices that stretches fall into, shape (k, d); where all is short, of whatever there is."""
    long = seconds >= min(settings.min_stretch, float(seconds.max()))
    if not long.all():
        sums, seconds = sums[long], seconds[long]
    labels = agglomerate(sums, seconds, settings.clusters)
    heard = np.bincount(labels, seconds)
    return unit(total(sums, labels)[heard >= min(settings.min_voice, float(heard.max()))])


def _assigned(similarities: NDArray[np.float32], seconds: Times, costs: Times, settings: DiarizeSettings) -> Labels:
    """A voice for each window by the best path over similarities of shape (n, k); -1 is the state of nobody."""
    nobody = np.full((len(similarities), 1), settings.nobody, np.float32)
    scores = np.hstack([nobody, similarities]) * (seconds / COST_SECONDS)[:, None].astype(np.float32)
    return best_path(scores, costs.astype(np.float32)) - 1


def weights(middles: Times, hop: float) -> Times:
    """Seconds that each window stands for: half-way to its neighbours, at most `hop`, shape (n,)."""
    gaps = np.minimum(np.diff(middles), hop)
    return (np.concatenate([[hop], gaps]) + np.concatenate([gaps, [hop]])) / 2


def between(middles: Times, pauses: Sequence[Span], at_least: float) -> NDArray[np.bool_]:
    """Whether a pause of `at_least` seconds touches the way from each window's predecessor to it, shape (n,).

    Windows more than a second apart have nothing but silence between them.
    """
    long = [pause for pause in pauses if pause.duration >= at_least]
    starts, ends = np.array([pause.start for pause in long]), np.array([pause.end for pause in long])
    # The first pause that ends after the predecessor's middle.
    index = np.searchsorted(ends, middles[:-1])
    touched = np.zeros(len(index), bool)
    inside = index < len(long)
    touched[inside] = starts[index[inside]] < middles[1:][inside]
    return np.concatenate([[False], touched | (np.diff(middles) > _APART_SECONDS)])


def _equal_pieces(is_break: NDArray[np.bool_], seconds: Times, length: float) -> Labels:
    """Cut the windows at breaks and into pieces of `length` seconds; a piece number for each window."""
    pieces = np.zeros(len(seconds), np.intp)
    filled = 0.0
    for index in range(1, len(seconds)):
        filled += seconds[index - 1]
        starts_anew = bool(is_break[index]) or filled + seconds[index] > length + 1e-9
        pieces[index] = pieces[index - 1] + starts_anew
        filled = 0.0 if starts_anew else filled
    return pieces


def _away_from(middles: Times, changes: Labels, reach: float) -> NDArray[np.bool_]:
    """Windows not within `reach` seconds of a change (the middle of the windows before and at index `changes`)."""
    away = np.ones(len(middles), bool)
    for change in changes:
        at = (middles[change - 1] + middles[change]) / 2
        away[np.searchsorted(middles, at - reach) : np.searchsorted(middles, at + reach)] = False
    return away


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one voice (`label`, -1 nobody); whether it is bounded by pauses rather than by another voice."""

    start: float
    end: float
    label: int


def _pieces(
    windows: Windows, voices: _Voices, spans: Sequence[Span], pauses: Sequence[Span], settings: DiarizeSettings
) -> tuple[list[Piece], tuple[Span, ...]]:
    """The spans cut where the voice changes, and where that happens without a pause: both are heard there."""
    similarities = np.hstack(
        [cosines(windows.embedding, voices.centroids), np.full((len(windows), 1), settings.nobody, np.float32)]
    )
    middles, labels = windows.middle, voices.labels
    pieces: list[Piece] = []
    overlaps: list[Span] = []
    for span in spans:
        first, last = np.searchsorted(middles, [span.start - LEVEL_STEP, span.end + LEVEL_STEP])
        start = span.start
        for index in range(first + 1, last):
            before, after = int(labels[index - 1]), int(labels[index])
            if before == after:
                continue
            margins = similarities[index - 1 : index + 1, before] - similarities[index - 1 : index + 1, after]
            at = crossing(middles[index - 1 : index + 1], margins)
            pause = nearest(pauses, at, settings.snap)
            end, resume = (at, at) if pause is None else (pause.start, pause.end)
            pieces.append(Piece(start, min(max(end, start), span.end), before))
            start = min(max(resume, start), span.end)
            if pause is None and min(before, after) >= 0:
                overlaps.append(Span(max(0.0, at - settings.overlap_before), at + settings.overlap_after))
        if last > first:
            pieces.append(Piece(start, span.end, int(labels[last - 1])))
    return [piece for piece in pieces if piece.end > piece.start], merged(overlaps)


def crossing(middles: Times, margins: NDArray[np.float32]) -> float:
    """When a margin falls through zero between two windows (seconds), by a straight line; half-way where it does not.

    A window of 1.6 s hears the voice that fills more of it, so the crossing is the change to about 0.15 s.
    """
    before, after = float(margins[0]), float(margins[1])
    share = before / (before - after) if before > 0 > after else 0.5
    return float(middles[0] + (middles[1] - middles[0]) * share)


def nearest(pauses: Sequence[Span], at: float, reach: float) -> Span | None:
    """The pause nearest to `at` (seconds), None where none is within `reach`."""
    index = bisect_left(pauses, Span(at, at))
    near = list(pauses[max(0, index - 1) : index + 1])
    distances = [max(pause.start - at, at - pause.end, 0.0) for pause in near]
    best = int(np.argmin(distances)) if distances else -1
    return near[best] if distances and distances[best] <= reach else None


def _named(
    pieces: Sequence[Piece], centroids: NDArray[np.float32], overlaps: Sequence[Span], settings: DiarizeSettings
) -> tuple[tuple[Turn, ...], tuple[Cluster, ...], dict[int, int]]:
    """Turns and clusters, named S0, S1, ... by speaking time; and each label's place in that order."""
    spoken = np.zeros(len(centroids))
    for piece in pieces:
        if piece.label >= 0:
            spoken[piece.label] += piece.end - piece.start
    order = [label for label in np.lexsort((np.arange(len(spoken)), -spoken)).tolist() if spoken[label] > 0]
    place = {label: index for index, label in enumerate(order)}
    clusters = tuple(
        Cluster(f"S{index}", round(float(spoken[label]), 3), tuple(round(float(x), 6) for x in centroids[label]))
        for index, label in enumerate(order)
    )
    turns: list[Turn] = []
    for piece in pieces:
        if piece.label < 0:
            continue
        name = f"S{place[piece.label]}"
        last = turns[-1] if turns else None
        if last and last.speaker == name and piece.start - last.end <= settings.same_turn:
            turns[-1] = replace(last, end=piece.end)
        else:
            turns.append(Turn(piece.start, piece.end, name))
    return tuple(with_overlap(turn, overlaps) for turn in turns), clusters, place


def with_overlap(turn: Turn, overlaps: Sequence[Span]) -> Turn:
    """A turn, times rounded to 1 ms, with the share of it in which somebody else speaks too."""
    share = shared_seconds(overlaps, turn.start, turn.end) / (turn.end - turn.start)
    return replace(turn, start=round(turn.start, 3), end=round(turn.end, 3), overlap=round(min(1.0, share), 4))

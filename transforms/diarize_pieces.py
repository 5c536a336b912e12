"""Who speaks when, by a model that tells speakers apart in a whole piece of audio: long recordings go in pieces.

Such a model keeps something of every second it hears (and compares all of it with all of it), so six hours at once
need tens of gigabytes. Pieces of bounded length overlap; their voices are linked by what both hear, and by embedding.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import EpisodeError
from schemas.recording import Recording
from schemas.turn import Cluster, Diarization, Span, Turn
from transforms.audio import read_span
from transforms.clustering import total, unit
from transforms.diarize import Ear, grid, with_overlap
from transforms.models.base import Segmented, SpeakerSegmenter
from transforms.overlap import merged
from transforms.windows import NOBODY, Windows, save_windows


@dataclass(frozen=True, slots=True)
class PieceSettings:
    """How a recording is cut, and its voices are linked. Times in seconds; similarities are cosines."""

    linked: float  # cosine from which voices of two pieces are one (VoiceScale.linked)
    piece: float = 1200.0  # longest piece
    shared: float = 60.0  # what a piece has in common with the next
    agreed: float = 0.5  # share of what two voices say there that both pieces give to them: then they are one
    least_agreed: float = 2.0  # shorter agreement says nothing
    hop: float = 0.5  # between windows
    bridge: float = 0.4  # shorter gaps in the speech are listened to as well
    same_turn: float = 0.5  # a voice that is back after a shorter silence goes on with its turn
    both_heard: float = 0.8  # windows this near to another voice make no centroid


@dataclass(frozen=True, slots=True)
class PieceTurn:
    """A stretch (seconds) of one voice, which is a number: of a piece first, of the recording once they are linked."""

    start: float
    end: float
    voice: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What a model hears in `span`; times are of the recording. `centroids` has shape (k, d), rows of unit length."""

    span: Span
    turns: tuple[PieceTurn, ...]
    overlaps: tuple[Span, ...]
    centroids: NDArray[np.float32]

    @staticmethod
    def of(span: Span, found: Segmented) -> "Piece":
        """A piece from what a model says of it, in seconds from the piece's start."""
        at = span.start
        turns = tuple(PieceTurn(start + at, end + at, voice) for start, end, voice in found.turns)
        overlaps = tuple(Span(overlap.start + at, overlap.end + at) for overlap in found.overlaps)
        return Piece(span, turns, overlaps, found.centroids)


def diarize_pieces(
    recording: Recording, segmenter: SpeakerSegmenter, settings: PieceSettings, windows_path: Path
) -> Diarization:
    """Say who speaks when in a recording, piece by piece; windows of the model's embedder go to `windows_path` (.npz).

    One piece is in memory at a time. A cluster's centroid is the mean of the windows in which it speaks alone, so that
    windows, clusters and enrolment are compared in one space. Raises EpisodeError where the recording can't be read.
    """
    pieces = [_segment(recording, span, segmenter) for span in piece_spans(recording.duration, settings)]
    turns, overlaps, centroids = linked(pieces, settings)
    ear = Ear(recording, segmenter.embedder)
    windows = ear.listen(grid(merged([Span(turn.start, turn.end) for turn in turns], settings.bridge), settings.hop))
    voices = spoken_in(windows.middle, turns, overlaps)
    centroids = _heard_centroids(windows, voices, turns, centroids, settings)
    named, clusters, order = _named(turns, overlaps, centroids)
    speaker = np.array([order.get(voice, NOBODY) for voice in voices.tolist()], np.int16)
    save_windows(windows_path, replace(windows, speaker=speaker, levels=ear.levels))
    return Diarization(str(windows_path), named, clusters, overlaps)


def piece_spans(duration: float, settings: PieceSettings) -> tuple[Span, ...]:
    """Pieces of equal length, none longer than `piece`, each sharing `shared` seconds with the next."""
    count = max(1, int(np.ceil((duration - settings.shared) / (settings.piece - settings.shared) - 1e-9)))
    step = (duration - settings.shared) / count
    if count == 1:
        return (Span(0.0, duration),)
    starts = [round(index * step, 2) for index in range(count)]
    ends = [round(start + step + settings.shared, 2) for start in starts[:-1]]
    return tuple(Span(start, end) for start, end in zip(starts, [*ends, duration], strict=True))


def _segment(recording: Recording, span: Span, segmenter: SpeakerSegmenter) -> Piece:
    try:
        samples = read_span(recording.heard_path, span.start, span.end)
    except (OSError, RuntimeError) as error:
        raise EpisodeError(
            f"recording-unreadable: {recording.path} can't be read from {span.start:.2f} s ({error}); "
            "remove the work folder of this episode and build again"
        ) from error
    return Piece.of(span, segmenter.segment(samples))


def linked(
    pieces: Sequence[Piece], settings: PieceSettings
) -> tuple[tuple[PieceTurn, ...], tuple[Span, ...], NDArray[np.float32]]:
    """Turns and overlaps of the whole recording, and the centroids of its voices, shape (k, d).

    In what two pieces share, the first one counts up to the middle and the second one from there.
    """
    numbers, centroids = _link(pieces, settings)
    cuts = [(one.span.end + other.span.start) / 2 for one, other in itertools.pairwise(pieces)]
    turns: list[PieceTurn] = []
    overlaps: list[Span] = []
    for piece, own, first, last in zip(pieces, numbers, [0.0, *cuts], [*cuts, np.inf], strict=True):
        for turn in piece.turns:
            start, end = max(turn.start, first), min(turn.end, last)
            if end > start:
                turns.append(PieceTurn(start, end, int(own[turn.voice])))
        clipped = [Span(max(span.start, first), min(span.end, last)) for span in piece.overlaps]
        overlaps.extend(span for span in clipped if span.end > span.start)
    return _rejoined(turns, settings.same_turn), _rounded(merged(overlaps, 0.01)), centroids


def _link(pieces: Sequence[Piece], settings: PieceSettings) -> tuple[list[NDArray[np.intp]], NDArray[np.float32]]:
    """For each piece the recording's number of each of its voices; and the centroids of those, shape (k, d).

    The most alike voices become one first (those that agree in what pieces share before all others), and two voices of
    one piece never do: the model, which heard both, told them apart.
    """
    owner = np.concatenate([np.full(len(piece.centroids), index) for index, piece in enumerate(pieces)])
    rows = np.concatenate([piece.centroids for piece in pieces])
    seconds = np.concatenate([_seconds(piece) for piece in pieces])
    sums = (rows * seconds[:, None]).astype(np.float32)
    offsets = np.cumsum([0, *(len(piece.centroids) for piece in pieces)])
    agreed = np.zeros((len(rows), len(rows)))
    for index in range(len(pieces) - 1):
        first, second, end = offsets[index : index + 3]
        agreed[first:second, second:end] = _agreement(pieces[index], pieces[index + 1], settings)
    agreed = np.maximum(agreed, agreed.T)
    apart = owner[:, None] == owner
    labels = np.arange(len(rows))
    while len(rows):
        centroids = unit(sums)
        # Above any cosine.
        alike = np.where(apart, -np.inf, centroids @ centroids.T + 2 * agreed)
        one, other = divmod(int(alike.argmax()), len(rows))
        if alike[one, other] < settings.linked:
            break
        sums[one] += sums[other]
        sums[other] = 0
        labels[labels == other] = one
        apart[one] |= apart[other]
        apart[:, one] = apart[one]
        agreed[one] = np.maximum(agreed[one], agreed[other])
        agreed[:, one] = agreed[one]
        apart[other] = apart[:, other] = True
    kept, numbers = np.unique(labels, return_inverse=True)
    numbers = numbers.astype(np.intp)
    return [numbers[first:last] for first, last in itertools.pairwise(offsets)], unit(sums[kept])


def _agreement(one: Piece, other: Piece, settings: PieceSettings) -> NDArray[np.float64]:
    """Share (0..1) of what voices of two pieces say in common, 0 where it is no proof, shape (k, m).

    A share of over a half of all that either says belongs to one pair at most.
    """
    both = np.zeros((len(one.centroids), len(other.centroids)))
    shared = Span(other.span.start, one.span.end)
    left, right = _clipped(one.turns, shared), _clipped(other.turns, shared)
    for turn in left:
        for match in right:
            both[turn.voice, match.voice] += max(0.0, min(turn.end, match.end) - max(turn.start, match.start))
    spoken = _spoken(left, len(one.centroids))[:, None] + _spoken(right, len(other.centroids)) - both
    share = both / np.maximum(spoken, 1e-9)
    return np.where((share > settings.agreed) & (both >= settings.least_agreed), share, 0.0)


def _clipped(turns: Sequence[PieceTurn], span: Span) -> list[PieceTurn]:
    inside = [replace(turn, start=max(turn.start, span.start), end=min(turn.end, span.end)) for turn in turns]
    return [turn for turn in inside if turn.end > turn.start]


def _seconds(piece: Piece) -> NDArray[np.float64]:
    return _spoken(piece.turns, len(piece.centroids))


def _spoken(turns: Sequence[PieceTurn], voices: int) -> NDArray[np.float64]:
    """Seconds that each voice speaks, shape (k,)."""
    spoken = np.zeros(voices)
    for turn in turns:
        spoken[turn.voice] += turn.end - turn.start
    return spoken


def _rejoined(turns: Sequence[PieceTurn], gap: float) -> tuple[PieceTurn, ...]:
    """Turns in order, those of one voice with a shorter silence than `gap` made one, whoever else speaks there."""
    by_voice: dict[int, list[PieceTurn]] = {}
    others = _Others(turns)
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end, turn.voice)):
        own = by_voice.setdefault(turn.voice, [])
        if own and turn.start - own[-1].end <= gap and not others.answer(own[-1], turn):
            own[-1] = replace(own[-1], end=max(own[-1].end, turn.end))
        else:
            own.append(turn)
    return tuple(sorted((turn for own in by_voice.values() for turn in own), key=lambda turn: (turn.start, turn.end)))


class _Others:
    """Who else is heard, and when: of a long talk's turns without looking at each."""

    def __init__(self, turns: Sequence[PieceTurn]) -> None:
        self._heard: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        for voice in {turn.voice for turn in turns}:
            own = sorted((turn.start, turn.end) for turn in turns if turn.voice == voice)
            starts, ends = np.array(own, np.float64).T
            # How far the turns up to each one reach.
            self._heard[voice] = starts, np.maximum.accumulate(ends)

    def answer(self, before: PieceTurn, after: PieceTurn) -> bool:
        """Whether another voice is heard in the silence between two turns of one."""
        for voice, (starts, reach) in self._heard.items():
            begun = int(np.searchsorted(starts, after.start))
            if voice != after.voice and begun and reach[begun - 1] > before.end:
                return True
        return False


def _rounded(spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(Span(round(span.start, 3), round(span.end, 3)) for span in spans)


def spoken_in(
    middles: NDArray[np.float64], turns: Sequence[PieceTurn], overlaps: Sequence[Span] = ()
) -> NDArray[np.intp]:
    """The voice whose turn holds each moment (seconds, in order), -1 where none or more than one does, shape (n,)."""
    voices = np.full(len(middles), NOBODY, np.intp)
    for turn in turns:
        voices[np.searchsorted(middles, turn.start) : np.searchsorted(middles, turn.end)] = turn.voice
    for span in overlaps:
        voices[np.searchsorted(middles, span.start) : np.searchsorted(middles, span.end)] = NOBODY
    return voices


def _heard_centroids(
    windows: Windows,
    voices: NDArray[np.intp],
    turns: Sequence[PieceTurn],
    centroids: NDArray[np.float32],
    settings: PieceSettings,
) -> NDArray[np.float32]:
    """The mean of each voice's windows away from others; of all its windows, else as it was, where there are none."""
    clean = voices.copy()
    middles = windows.middle
    for turn in turns:
        first, last = np.searchsorted(middles, [turn.start - settings.both_heard, turn.end + settings.both_heard])
        near = clean[first:last]
        near[near != turn.voice] = NOBODY
    found = centroids.copy()
    for chosen in (voices, clean):
        known = chosen != NOBODY
        if known.any():
            sums = total(windows.embedding[known], chosen[known])
            heard = np.flatnonzero(np.linalg.norm(sums, axis=1) > 0)
            found[heard] = unit(sums[heard])
    return found


def _named(
    turns: Sequence[PieceTurn], overlaps: Sequence[Span], centroids: NDArray[np.float32]
) -> tuple[tuple[Turn, ...], tuple[Cluster, ...], dict[int, int]]:
    """Turns and clusters, named S0, S1, ... by speaking time; and each voice's place in that order."""
    spoken = _spoken(turns, len(centroids))
    order = [voice for voice in np.lexsort((np.arange(len(spoken)), -spoken)).tolist() if spoken[voice] > 0]
    place = {voice: index for index, voice in enumerate(order)}
    clusters = tuple(
        Cluster(f"S{index}", round(float(spoken[voice]), 3), tuple(round(float(x), 6) for x in centroids[voice]))
        for index, voice in enumerate(order)
    )
    named = [Turn(turn.start, turn.end, f"S{place[turn.voice]}") for turn in turns]
    return tuple(with_overlap(turn, overlaps) for turn in named), clusters, place

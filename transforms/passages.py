"""The target's speech in passages that are short enough to align, cut at pauses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.recording import Recording
from schemas.turn import Span
from transforms.audio import read_span
from transforms.models.base import MODEL_RATE

# Around a passage so much more is read, where nobody speaks: an aligner likes silence on both sides.
_SILENCE_SECONDS = 0.3
# ... and where speech goes on, so that a word at the edge is heard whole.
_RUNNING_SECONDS = 0.25
# Edges of spans that are nearer than this are the same edge.
_SAME_EDGE_SECONDS = 0.02
# No passage goes on over a longer pause.
_LONGEST_PAUSE_SECONDS = 2.0
# A cut in running speech is made where it is weakest over so many seconds.
_DIP_SECONDS = 0.08
# Less than this is a breath.
_SHORTEST_SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class Passage:
    """The target speaks from `start` to `end`; `read_start`..`read_end` is what to listen to (all in seconds).

    `cut_before` and `cut_after` say that the target's speech runs on over that edge, into the passage beside it;
    `open_before` and `open_after`, that speech runs on there which isn't surely the target's.
    """

    start: float
    end: float
    read_start: float
    read_end: float
    cut_before: bool = False
    cut_after: bool = False
    open_before: bool = False
    open_after: bool = False

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _Piece:
    start: float
    end: float
    cut_before: bool = False
    cut_after: bool = False


def find_passages(
    recording: Recording, target: Sequence[Span], speech: Sequence[Span], preferred: float, longest: float
) -> tuple[Passage, ...]:
    """Passages of about `preferred` seconds and none over `longest`, in order.

    They are cut at the longest pauses of `speech`; only where speech runs on for longer, at its weakest place.
    """
    ordered = sorted(speech)
    groups: list[list[_Piece]] = []
    for span in sorted(target):
        pieces = list(_weak_cuts(recording, _inside(span, ordered), longest))
        for group in _runs(pieces):
            groups.extend(_divided(group, preferred, longest))
    return tuple(_passage(group[0], group[-1], ordered, recording.duration) for group in groups)


def _passage(first: _Piece, last: _Piece, speech: Sequence[Span], duration: float) -> Passage:
    open_before = not first.cut_before and _is_running(speech, first.start)
    open_after = not last.cut_after and _is_running(speech, last.end)
    silent = _room(first.start, last.end, speech)
    before = _RUNNING_SECONDS if first.cut_before or open_before else silent[0]
    after = _RUNNING_SECONDS if last.cut_after or open_after else silent[1]
    return Passage(
        start=first.start,
        end=last.end,
        read_start=max(0.0, first.start - before),
        read_end=min(duration, last.end + after),
        cut_before=first.cut_before,
        cut_after=last.cut_after,
        open_before=open_before,
        open_after=open_after,
    )


def _inside(span: Span, speech: Sequence[Span]) -> list[_Piece]:
    pieces = [_Piece(max(span.start, one.start), min(span.end, one.end)) for one in speech]
    return [piece for piece in pieces if piece.end - piece.start >= _SHORTEST_SECONDS]


def _weak_cuts(recording: Recording, pieces: Sequence[_Piece], longest: float) -> Iterator[_Piece]:
    for piece in pieces:
        if piece.end - piece.start <= longest:
            yield piece
            continue
        parts = int(np.ceil((piece.end - piece.start) / (0.75 * longest)))
        places = [piece.start, *_weakest(recording, piece, parts), piece.end]
        for number in range(parts):
            yield _Piece(places[number], places[number + 1], number > 0, number + 1 < parts)


def _weakest(recording: Recording, piece: _Piece, parts: int) -> list[float]:
    """The weakest place near each of the points that divide a piece evenly."""
    step = (piece.end - piece.start) / parts
    places = []
    for number in range(1, parts):
        middle = piece.start + number * step
        first = middle - step / 4
        samples = read_span(recording.heard_path, first, middle + step / 4)
        width = round(_DIP_SECONDS * MODEL_RATE)
        sums = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
        power = sums[width:] - sums[:-width]
        places.append(first + (int(np.argmin(power)) + width / 2) / MODEL_RATE)
    return places


def _runs(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    run: list[_Piece] = []
    for piece in pieces:
        if run and piece.start - run[-1].end > _LONGEST_PAUSE_SECONDS:
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _divided(group: list[_Piece], preferred: float, longest: float) -> Iterator[list[_Piece]]:
    """Halves of halves, divided at the longest pauses, of those the one nearest to the middle."""
    duration = group[-1].end - group[0].start
    if len(group) == 1 or duration <= preferred:
        yield group
        return
    middle = (group[0].start + group[-1].end) / 2

    def worth(place: int) -> float:
        pause = min(group[place].start - group[place - 1].end, 1.0)
        return pause * (1.0 - abs(group[place].start - middle) / duration)

    best = max(range(1, len(group)), key=worth)
    if worth(best) <= 0 and duration <= longest:
        yield group
        return
    yield from _divided(group[:best], preferred, longest)
    yield from _divided(group[best:], preferred, longest)


def _is_running(speech: Sequence[Span], time: float) -> bool:
    return any(one.start < time - _SAME_EDGE_SECONDS and one.end > time + _SAME_EDGE_SECONDS for one in speech)


def _room(start: float, end: float, speech: Sequence[Span]) -> tuple[float, float]:
    """How much silence is before and after."""
    last = max((one.end for one in speech if one.end <= start + _SAME_EDGE_SECONDS), default=-np.inf)
    following = min((one.start for one in speech if one.start >= end - _SAME_EDGE_SECONDS), default=np.inf)
    before, after = max(start - last, 0.0), max(following - end, 0.0)
    return float(min(before, _SILENCE_SECONDS)), float(min(after, _SILENCE_SECONDS))

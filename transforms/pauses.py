"""Pauses: where, near a gap between two words, there is really nothing to hear.

An aligner puts the edges of words within 50 ms or so; the sound itself says where a clip can begin or end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.recording import Recording
from schemas.turn import Span
from transforms.audio import read_span
from transforms.silence import FRAME_SECONDS, HOP_SECONDS, Levels, frame_levels, quiet_threshold

_RATE = 16_000
_BLOCK_SECONDS = 60.0
# The filter of frame_levels has settled after this.
_LEAD_SECONDS = 0.05
# Floor and speech are those of this many seconds on either side.
_CONTEXT_SECONDS = 5.0
# Of speech alone, without the silence around it, this share of frames (%) is taken for pauses.
_FLOOR_INSIDE_SPEECH = 5.0
# Shorter stretches say nothing about their floor.
_FEWEST_SECONDS = 0.5
# How far the edge of a word may be from where the aligner put it.
_REACH_SECONDS = 0.15
# At the ends of a text the first and last words are what aligners miss by most.
_OUTER_REACH_SECONDS = 0.25
# Less quiet than this is the closure of a stop, or chance.
_SHORTEST_QUIET_SECONDS = 0.03
# The burst after a closure is no longer than this, and belongs to its word.
_BURST_SECONDS = 0.06
# Where a room's tail fills the pauses, a dip this far below speech is still no speech.
_DIP_BELOW_SPEECH_DB = 22.0
_DIP_DEPTH_DB = 8.0


@dataclass(frozen=True, slots=True)
class LevelTrack:
    """Levels of a whole recording (dBFS, 10 ms frames every 5 ms), with the threshold of silence and the level of
    speech around each second, shape (seconds,)."""

    levels: Levels
    thresholds: Levels
    speech: Levels
    floors: Levels

    def quiet(self, first: int, last: int) -> NDArray[np.bool_]:
        """Which of the frames first..last (exclusive) are silence."""
        return self.levels[first:last] < self.thresholds[self._seconds(first, last)]

    def inside(self, start: float, end: float) -> "LevelTrack":
        """The same levels, silence judged by start..end (s) alone: a voice may bring its own noise, of its own room or
        microphone, and pauses in it are never as quiet as the gaps around it."""
        first, last = max(0, _frame(start)), min(len(self.levels), _frame(end))
        if last - first < _frame(_FEWEST_SECONDS):
            return self
        thresholds = self.thresholds.copy()
        seconds = self._seconds(first, last)
        for second in range(max(0, int(seconds[0]) - 1), min(len(thresholds), int(seconds[-1]) + 2)):
            middle = _frame(second + 0.5)
            around = self.levels[
                max(first, middle - _frame(_CONTEXT_SECONDS)) : min(last, middle + _frame(_CONTEXT_SECONDS))
            ]
            if len(around) >= _frame(_FEWEST_SECONDS):
                thresholds[second] = quiet_threshold(around, _FLOOR_INSIDE_SPEECH)
        return replace(self, thresholds=np.maximum(thresholds, self.thresholds))

    def at(self, values: Levels, frame: int) -> float:
        """A value of `thresholds`, `speech` or `floors` at a frame."""
        return float(values[min(int(frame * HOP_SECONDS), len(values) - 1)])

    def _seconds(self, first: int, last: int) -> NDArray[np.int64]:
        seconds = (np.arange(first, last) * HOP_SECONDS).astype(np.int64)
        return np.minimum(seconds, len(self.thresholds) - 1)


@dataclass(frozen=True, slots=True)
class Pause:
    """What lies between two words: the quiet after the first (`after`), and the quiet before the second (`before`).

    The same stretch where nothing but quiet lies between. `seconds` is how long the pause is in all; `dip` says that
    the sound only falls there, and does not stop.
    """

    after: Span
    before: Span
    seconds: float
    dip: bool = False
    noise_seconds: float = 0.0


def level_track(recording: Recording) -> LevelTrack:
    """Levels of a recording, read in blocks (6 MB of memory an hour)."""
    frame, hop = round(FRAME_SECONDS * _RATE), round(HOP_SECONDS * _RATE)
    levels = np.empty(round(recording.duration / HOP_SECONDS) + 1)
    filled = 0
    for start in np.arange(0.0, recording.duration, _BLOCK_SECONDS):
        end = min(start + _BLOCK_SECONDS, recording.duration)
        lead = min(_LEAD_SECONDS, start)
        # Frames that begin in this block may end in the next.
        samples = read_span(recording.heard_path, start - lead, end + FRAME_SECONDS - HOP_SECONDS, _RATE)
        found = frame_levels(samples, _RATE)[round(lead * _RATE) // hop :][: len(levels) - filled]
        levels[filled : filled + len(found)] = found
        filled += len(found)
    levels = levels[:filled]
    if not filled:
        levels = np.full(max(1, frame // hop), -100.0)
    reach = round(_CONTEXT_SECONDS / HOP_SECONDS)
    per_second = round(1.0 / HOP_SECONDS)
    middles = range(per_second // 2, len(levels) + per_second, per_second)
    around = [levels[max(0, middle - reach) : middle + reach] for middle in middles]
    around = [part for part in around if len(part)]
    return LevelTrack(
        levels,
        np.array([quiet_threshold(part) for part in around]),
        np.array([np.percentile(part, 95.0) for part in around]),
        np.array([np.percentile(part, 2.0) for part in around]),
    )


def pause_between(track: LevelTrack, end: float, start: float) -> Pause | None:
    """The pause between a word that ends at `end` and the next, which starts at `start` (s); None where none is."""
    runs = list(_quiet_runs(track, end - _REACH_SECONDS, start + _REACH_SECONDS))
    runs = [run for run in runs if run.end > end - _REACH_SECONDS / 3 and run.start < start + _REACH_SECONDS / 3]
    if not runs:
        return None
    after, before = _after(runs, end, start), _before(runs, end, start)
    if after.start > before.end:
        after = before = max(runs, key=lambda run: run.duration)
    quiet = sum(run.duration for run in runs if run.start >= after.start and run.end <= before.end)
    return Pause(after, before, quiet, noise_seconds=max(0.0, before.end - after.start - quiet))


def pause_before(track: LevelTrack, start: float, earliest: float) -> Pause | None:
    """The quiet before the first word of a text; it reaches back to `earliest` (s) at most."""
    runs = [
        run
        for run in _quiet_runs(track, max(earliest, start - 1.0), start + _REACH_SECONDS)
        if run.end >= start - _OUTER_REACH_SECONDS
    ]
    if not runs:
        return None
    run = _before(runs, earliest, start)
    return Pause(run, run, run.duration)


def pause_after(track: LevelTrack, end: float, latest: float) -> Pause | None:
    """The quiet after the last word of a text; it reaches to `latest` (s) at most."""
    runs = [
        run
        for run in _quiet_runs(track, end - _REACH_SECONDS, min(latest, end + 1.0))
        if run.start <= end + _OUTER_REACH_SECONDS
    ]
    if not runs:
        return None
    run = _after(runs, end, latest)
    return Pause(run, run, run.duration)


def _after(runs: list[Span], end: float, limit: float) -> Span:
    """The quiet that follows a word: the first run that outlasts its end, but for a closure before a burst."""
    lasting = [run for run in runs if run.end > end + _SHORTEST_QUIET_SECONDS] or runs[-1:]
    chosen = lasting[0]
    for run in lasting[1:]:
        burst = run.start - chosen.end
        if burst > _BURST_SECONDS or chosen.end > end + _REACH_SECONDS / 2 or run.start > limit - _BURST_SECONDS / 2:
            break
        chosen = run
    return chosen


def _before(runs: list[Span], limit: float, start: float) -> Span:
    """The quiet that precedes a word: the last run that begins before it, but for what follows its first burst."""
    leading = [run for run in runs if run.start < start - _SHORTEST_QUIET_SECONDS] or runs[:1]
    chosen = leading[-1]
    for run in reversed(leading[:-1]):
        burst = chosen.start - run.end
        if burst > _BURST_SECONDS or chosen.start < start - _REACH_SECONDS / 2 or run.end < limit + _BURST_SECONDS / 2:
            break
        chosen = run
    return chosen


def dip_between(track: LevelTrack, end: float, start: float) -> Pause | None:
    """The lowest point between two words, where it is well below both of them and below speech."""
    reach = _REACH_SECONDS / 2
    first = max(0, _frame(min(end, start) - reach))
    last = min(len(track.levels), _frame(max(end, start) + reach))
    if last - first < 3:
        return None
    levels = np.convolve(track.levels[first:last], np.ones(3) / 3, mode="same")
    levels[0], levels[-1] = track.levels[first], track.levels[last - 1]
    lowest = int(levels.argmin())
    sides = min(levels[: lowest + 1].max(), levels[lowest:].max())
    frame = first + lowest
    if levels[lowest] > track.at(track.speech, frame) - _DIP_BELOW_SPEECH_DB or sides - levels[lowest] < _DIP_DEPTH_DB:
        return None
    middle = frame * HOP_SECONDS + FRAME_SECONDS / 2
    span = Span(middle - HOP_SECONDS / 2, middle + HOP_SECONDS / 2)
    return Pause(span, span, span.duration, dip=True)


def _quiet_runs(track: LevelTrack, start: float, end: float) -> Iterator[Span]:
    """Runs of silence that overlap start..end, cut to it, each long enough to be one."""
    first, last = max(0, _frame(start)), min(len(track.levels), _frame(end))
    if last <= first:
        return
    edges = np.diff(np.concatenate(([0], track.quiet(first, last).astype(np.int8), [0])))
    for begin, stop in zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True):
        # From the end of the last loud frame to the start of the next one.
        run = Span((first + begin) * HOP_SECONDS + HOP_SECONDS, (first + stop) * HOP_SECONDS)
        if run.duration >= _SHORTEST_QUIET_SECONDS:
            yield run


def _frame(seconds: float) -> int:
    return round(seconds / HOP_SECONDS)

"""Whom a publisher's captions name while a voice speaks. Their times may be off by seconds; their names are hints."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.text import Caption
from schemas.turn import Diarization

# Captions and turns are compared at every such step (s).
_STEP_SECONDS = 0.25
# An inserted advertisement before the talk shifts captions by no more than this (s).
_LARGEST_SHIFT_SECONDS = 90.0
# A shift has to explain this much more (share) than none to be believed.
_BETTER_BY = 0.02
# Many names, each for a moment, say no more than a few; the most frequent are looked at.
_MOST_LABELS = 12
_MOST_SPEAKERS = 12

Track = NDArray[np.int64]


def label_seconds(diarization: Diarization, captions: Sequence[Caption]) -> tuple[tuple[str, str, float], ...]:
    """(cluster, caption label, seconds together), in order, after the captions' common shift is taken out."""
    named = [cue for cue in captions if cue.speaker and cue.start is not None and cue.end is not None]
    if not named or not diarization.turns:
        return ()
    shift = caption_shift(diarization, captions)
    found: dict[tuple[str, str], float] = {}
    turns = sorted(diarization.turns, key=lambda turn: turn.start)
    first = 0
    for cue in sorted(named, key=lambda cue: (cue.start or 0.0, cue.end or 0.0)):
        start, end = (cue.start or 0.0) + shift, (cue.end or 0.0) + shift
        # Turns that ended long ago can't meet a later cue; turns do not nest, but may overlap a little.
        while first < len(turns) and turns[first].end < start - _LARGEST_SHIFT_SECONDS:
            first += 1
        for turn in turns[first:]:
            if turn.start >= end:
                break
            together = min(turn.end, end) - max(turn.start, start)
            if together > 0:
                key = (turn.speaker, cue.speaker)
                found[key] = found.get(key, 0.0) + together
    return tuple((speaker, label, round(seconds, 3)) for (speaker, label), seconds in sorted(found.items()))


def caption_shift(diarization: Diarization, captions: Sequence[Caption]) -> float:
    """Seconds to add to captions so that their names, and their silences, go best with the voices heard.

    The shift with the largest mutual information between who is named and who speaks, on a grid of 0.25 s up to 90 s
    either way; 0.0 where no shift explains clearly more than none. Who is who does not have to be known for it.
    """
    cues = [cue for cue in captions if cue.start is not None and cue.end is not None]
    if not cues or not diarization.turns:
        return 0.0
    labels = _most_spoken([(cue.speaker, (cue.end or 0.0) - (cue.start or 0.0)) for cue in cues], _MOST_LABELS)
    speakers = _most_spoken([(turn.speaker, turn.end - turn.start) for turn in diarization.turns], _MOST_SPEAKERS)
    length = max(max(cue.end or 0.0 for cue in cues), max(turn.end for turn in diarization.turns))
    steps = int((length + 2 * _LARGEST_SHIFT_SECONDS) / _STEP_SECONDS) + 2
    said = _track([(cue.start or 0.0, cue.end or 0.0, labels.get(cue.speaker, 1)) for cue in cues], steps)
    heard = _track([(turn.start, turn.end, speakers.get(turn.speaker, 1)) for turn in diarization.turns], steps)
    reach = round(_LARGEST_SHIFT_SECONDS / _STEP_SECONDS)
    shape = len(labels) + 2, len(speakers) + 2
    gains = {shift: _information(said, heard, shift, shape) for shift in range(-reach, reach + 1)}
    best = max(gains, key=lambda shift: (gains[shift], -abs(shift), shift))
    return best * _STEP_SECONDS if gains[best] > gains[0] * (1 + _BETTER_BY) else 0.0


def _most_spoken(spoken: Sequence[tuple[str, float]], most: int) -> dict[str, int]:
    """Numbers from 2 for the names that speak most; the others share number 1, silence is 0."""
    seconds: dict[str, float] = {}
    for name, duration in spoken:
        seconds[name] = seconds.get(name, 0.0) + duration
    ranked = sorted(seconds, key=lambda name: (-seconds[name], name))[:most]
    return {name: index + 2 for index, name in enumerate(ranked)}


def _track(spans: Sequence[tuple[float, float, int]], steps: int) -> Track:
    """Who it is at every step, with the largest shift as a margin in front, shape (steps,)."""
    track = np.zeros(steps, np.int64)
    margin = round(_LARGEST_SHIFT_SECONDS / _STEP_SECONDS)
    for start, end, number in spans:
        track[margin + round(max(start, 0.0) / _STEP_SECONDS) : margin + round(end / _STEP_SECONDS)] = number
    return track


def _information(said: Track, heard: Track, shift: int, shape: tuple[int, int]) -> float:
    """Mutual information (nats a step) of both tracks, `said` moved by `shift` steps."""
    moved = np.roll(said, shift)
    joint = np.bincount(moved * shape[1] + heard, minlength=shape[0] * shape[1]).reshape(shape) / len(said)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    together = joint > 0
    return float(np.sum(joint[together] * np.log(joint[together] / apart[together])))

"""Where in a recording a publisher's text is said: the captions' times are a guess, the aligner says what is there.

A few passages are looked for in a wide window first. What they are off by is the captions' shift there; where it jumps
(an advertisement was put in, or taken out) both sides are allowed. A text without times is found by halves: the passage
in the middle of the recording is looked for in the whole text, then the halves in what is left on both sides.
"""

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from schemas.text import Word
from transforms.passages import Passage
from transforms.script import Script

# A passage that shall be an anchor is neither so short that its text could be anywhere, nor longer than needed.
_ANCHOR_SECONDS = (3.5, 12.0)
_ANCHOR_WORDS = 5
# One wide look for about each so many seconds of the target's speech, so many at least and at most.
_SECONDS_AN_ANCHOR = 75.0
_FEWEST_ANCHORS, _MOST_ANCHORS = 6, 60
# How far captions are looked for at first, and where that was in vain (s).
_WIDE_SECONDS = 8.0
_FAR_SECONDS = 90.0
# Where fewer of the passages looked for are found, the times are worth nothing.
_FEWEST_FOUND = 0.34
# Shifts that differ by less are one; an anchor alone against both its neighbours by more is an error.
_JITTER_SECONDS = 1.0
_OUTLIER_SECONDS = 3.0
# A change of shift between anchors that is worth a note (s).
_JUMP_SECONDS = 2.0
# A text of so few words needs no halving.
_FEW_WORDS = 150
_TRIES = 3
# The cost of looking grows faster than the number of words looked among, and so does its memory (230 MB for 3 000).
_BLOCK_WORDS = 3000
_BLOCK_OVERLAP_WORDS = 100
# Of so few passages none is found where the first tries were in vain.
_FEW_PASSAGES = 8
# Nobody says more words a second; around an anchor so many words may be said otherwise than written.
_WORDS_PER_SECOND = 6.0
_SLACK_WORDS = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """A spoken word found: its index in the script, its time (seconds of the recording)."""

    index: int
    word: Word


@dataclass(frozen=True, slots=True)
class Anchor:
    """A passage that was found: when (s), the first and last word of the script, and what the captions are off by."""

    time: float
    first: int
    last: int
    shift: float


# Looks for words first..last-1 of the script in a passage; () where they aren't there.
Listen = Callable[[Passage, int, int], Sequence[Hit]]


class Locator:
    """Says which words of the script may be said in a passage; learns from every passage that is found."""

    def __init__(self, script: Script, anchors: Sequence[Anchor], timed: bool) -> None:
        self.timed = timed
        self._script = script
        self._anchors = sorted(anchors, key=lambda anchor: anchor.time)

    @property
    def shift(self) -> float:
        """What the captions are off by (s): the median of the anchors, 0.0 for a text without times."""
        return median(anchor.shift for anchor in self._anchors) if self.timed and self._anchors else 0.0

    @property
    def jumps(self) -> tuple[tuple[float, float, float], ...]:
        """(from, to, by) in seconds: between which times of the recording the shift changes, and by how much."""
        if not self.timed:
            return ()
        pairs = pairwise(_without_outliers(self._anchors))
        return tuple((a.time, b.time, b.shift - a.shift) for a, b in pairs if abs(b.shift - a.shift) > _JUMP_SECONDS)

    def is_anchor(self, passage: Passage) -> bool:
        """Whether the passage itself is what an anchor stands on."""
        place = bisect.bisect_left(self._anchors, passage.start, key=lambda anchor: anchor.time)
        return any(anchor.time < passage.end for anchor in self._anchors[place : place + 1])

    def learn(self, anchor: Anchor) -> None:
        """Remember a place that was found, for those that are looked for near it."""
        bisect.insort(self._anchors, anchor, key=lambda known: known.time)

    def window(self, passage: Passage, margin: float) -> tuple[int, int]:
        """Words first..last-1 of the script that may be said in the passage, `margin` seconds more on both sides."""
        place = bisect.bisect_left(self._anchors, passage.start, key=lambda anchor: anchor.time)
        before = self._anchors[max(place - 1, 0) : place]
        place = bisect.bisect_right(self._anchors, passage.end, key=lambda anchor: anchor.time)
        after = self._anchors[place : place + 1]
        if self.timed:
            shifts = [anchor.shift for anchor in (*before, *after)] or [0.0]
            return _between(self._script, passage.start - max(shifts) - margin, passage.end - min(shifts) + margin)
        count = len(self._script.words)
        first, last = 0, count
        for anchor in before:
            reach = round((passage.end - anchor.time + margin) * _WORDS_PER_SECOND)
            first, last = anchor.last - _SLACK_WORDS, min(last, anchor.last + reach + _SLACK_WORDS)
        for anchor in after:
            reach = round((anchor.time - passage.start + margin) * _WORDS_PER_SECOND)
            first, last = max(first, anchor.first - reach - _SLACK_WORDS), min(last, anchor.first + _SLACK_WORDS)
        return max(first, 0), min(max(last, 0), count)


def anchor_of(script: Script, hits: Sequence[Hit]) -> Anchor:
    """Where and how far off the captions of found words are."""
    middles = [(hit.word.start + hit.word.end) / 2 for hit in hits]
    shifts = [middle - float(script.times[hit.index]) for middle, hit in zip(middles, hits, strict=True)]
    return Anchor(median(middles), hits[0].index, hits[-1].index, median(shifts))


def locate(script: Script, passages: Sequence[Passage], listen: Listen) -> Locator:
    """Find enough anchors to know where everything else is."""
    if script.timed:
        probes = _probes(passages)
        found = tuple(_timed_anchors(script, probes, listen))
        if probes and len(found) >= max(1.0, _FEWEST_FOUND * len(probes)):
            return Locator(script, _without_outliers(found), timed=True)
    anchors = tuple(_anchors_by_halves(script, passages, listen, 0, len(script.words)))
    if script.timed and not anchors:
        return Locator(script, (), timed=True)
    return Locator(script, anchors, timed=False)


def _probes(passages: Sequence[Passage]) -> list[Passage]:
    """Passages spread evenly over the target's speech, of a good length where there are enough of them."""
    good = [one for one in passages if _ANCHOR_SECONDS[0] <= one.duration <= _ANCHOR_SECONDS[1]]
    if len(good) < _FEWEST_ANCHORS:
        longest = sorted(passages, key=lambda one: (-one.duration, one.start))[:_FEWEST_ANCHORS]
        good = sorted(longest, key=lambda one: one.start)
    wanted = round(sum(one.duration for one in passages) / _SECONDS_AN_ANCHOR)
    count = min(max(wanted, _FEWEST_ANCHORS), _MOST_ANCHORS, len(good))
    places = np.unique(np.round((np.arange(count) + 0.5) * len(good) / max(count, 1) - 0.5).astype(int))
    return [good[place] for place in places.tolist()]


def _timed_anchors(script: Script, probes: Sequence[Passage], listen: Listen) -> Iterator[Anchor]:
    shift = 0.0
    for passage in probes:
        for about, margin in dict.fromkeys(((shift, _WIDE_SECONDS), (0.0, _WIDE_SECONDS), (shift, _FAR_SECONDS))):
            first, last = _between(script, passage.start - about - margin, passage.end - about + margin)
            hits = listen(passage, first, last)
            if len(hits) >= _ANCHOR_WORDS:
                anchor = anchor_of(script, hits)
                shift = anchor.shift
                yield anchor
                break


def _without_outliers(anchors: Sequence[Anchor]) -> list[Anchor]:
    """Anchors, but those that stand alone between two that agree with each other."""
    kept = []
    for place, anchor in enumerate(anchors):
        if 0 < place < len(anchors) - 1:
            before, after = anchors[place - 1].shift, anchors[place + 1].shift
            off = min(abs(anchor.shift - before), abs(anchor.shift - after))
            if abs(before - after) < _JITTER_SECONDS and off > _OUTLIER_SECONDS:
                continue
        kept.append(anchor)
    return kept


def _anchors_by_halves(
    script: Script, passages: Sequence[Passage], listen: Listen, first: int, last: int
) -> Iterator[Anchor]:
    """Anchors in order: the middle one is looked for in all of the words, then each half in its share of them."""
    if not passages or last - first < _ANCHOR_WORDS:
        return
    good = [place for place, one in enumerate(passages) if one.duration >= _ANCHOR_SECONDS[0]]
    middle = (len(passages) - 1) / 2
    for place in sorted(good, key=lambda place: (abs(place - middle), place))[:_TRIES]:
        share = (place + 0.5) / len(passages)
        hits = _listen_in_blocks(passages[place], listen, first, last, first + share * (last - first))
        if len(hits) < _ANCHOR_WORDS:
            continue
        anchor = anchor_of(script, hits)
        if last - first > _FEW_WORDS:
            yield from _anchors_by_halves(script, passages[:place], listen, first, anchor.first)
        yield anchor
        if last - first > _FEW_WORDS:
            yield from _anchors_by_halves(script, passages[place + 1 :], listen, anchor.last + 1, last)
        return
    if len(passages) > _FEW_PASSAGES:
        half = len(passages) // 2
        yield from _anchors_by_halves(script, passages[:half], listen, first, last)
        yield from _anchors_by_halves(script, passages[half:], listen, first, last)


def _listen_in_blocks(passage: Passage, listen: Listen, first: int, last: int, likely: float) -> Sequence[Hit]:
    """The first block of the words that the passage is found in, the likeliest block first."""
    starts = range(first, max(last - _BLOCK_OVERLAP_WORDS, first + 1), _BLOCK_WORDS - _BLOCK_OVERLAP_WORDS)
    for start in sorted(starts, key=lambda start: (abs(start + _BLOCK_WORDS / 2 - likely), start)):
        hits = listen(passage, start, min(start + _BLOCK_WORDS, last))
        if len(hits) >= _ANCHOR_WORDS:
            return hits
    return ()


def _between(script: Script, start: float, end: float) -> tuple[int, int]:
    """Indices first..last-1 of the script's words from the first to the last one timed in between."""
    inside = np.flatnonzero((script.times >= start) & (script.times <= end))
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)

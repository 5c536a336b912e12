"""The first and the last word of a found stretch: what a search over many ways loses, or says too much.

Where every word may be the first, the search loses short first words to silence, and lets words of the text follow
into the room's reverberation. Here a few neighbouring edges are aligned, each alone, over the same audio, and compared.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import Samples
from transforms.models.loud import loud_frames
from transforms.models.sphinx_decoder import FRAME_SAMPLES, Segment, SphinxDecoder, as_pcm

# Words that every candidate shares, so that all of them are held at the same place.
_SHARED_WORDS = 1
_MOST_STEPS = 3
# So many loud frames around the edge outside words may be several words more.
_UNHEARD_FRAMES = 12
# A word with this share of loud frames was said.
_SURE_SHARE = 0.75
# An edge is certain if no more loud frames are outside of words, and its word is too short to hide another: of 304
# edges 101 were, and 2 of those would have moved.
_CERTAIN_FRAMES = 2
_LONGEST_CERTAIN = 60
# What a loud frame outside words costs, and a quiet one inside (natural logarithm of likelihood): 12 of 228 edges were
# wrong before, 7 by likelihood alone, 5 with these.
_UNCOVERED_COST = 2.0
_QUIET_COST = 1.0


class EdgeSearch:
    """Compares where a stretch of `words` may begin and end in the samples, with a decoder that scores all alike."""

    def __init__(self, decoder: SphinxDecoder, samples: Samples, words: Sequence[str]) -> None:
        self._decoder = decoder
        self._samples = samples
        self._words = words
        self._loud = loud_frames(samples)

    def first(self, index: int, segments: Sequence[Segment]) -> int:
        """A better first word than `index`; `segments` are the words from there on."""
        shared = min(_SHARED_WORDS, len(segments) - 1)
        held = index + shared
        end = segments[shared].end
        if self._is_certain(0, end, segments[: shared + 1], segments[0]):
            return index
        unheard = self._unheard(0, end, segments[: shared + 1])

        def gain(first: int) -> float:
            return self._gain(0, end, first, held + 1)

        return _climb(index, gain, range(index - 1, -1, -1), unheard, self._inward(index, held, segments[0]))

    def last(self, index: int, segments: Sequence[Segment]) -> int:
        """A better last word than `index`; `segments` are the words up to it."""
        shared = min(_SHARED_WORDS, len(segments) - 1)
        held = index - shared
        start = segments[-1 - shared].first
        if self._is_certain(start, len(self._loud), segments[-1 - shared :], segments[-1]):
            return index
        unheard = self._unheard(start, len(self._loud), segments[-1 - shared :])

        def gain(last: int) -> float:
            return self._gain(start, len(self._loud), held, last + 1)

        outward = range(index + 1, len(self._words))
        return _climb(index, gain, outward, unheard, self._inward(index, held, segments[-1]))

    def _gain(self, start: int, end: int, first: int, stop: int) -> float:
        """How well words[first:stop] explain the frames start..end; comparable over the same frames."""
        samples = self._samples[start * FRAME_SAMPLES : end * FRAME_SAMPLES]
        path = self._decoder.align_words(as_pcm(samples), self._words[first:stop])
        if path is None:
            return -np.inf
        loud, covered = self._loud[start:end], _covered(path.words, end - start)
        uncovered = np.count_nonzero(loud & ~covered)
        quiet = np.count_nonzero(covered & ~loud)
        return float(path.score - _UNCOVERED_COST * uncovered - _QUIET_COST * quiet)

    def _inward(self, index: int, held: int, edge: Segment) -> range:
        """The words inside of an edge word that may not have been said; none where it sounds all over."""
        heard = self._loud[edge.first : edge.end]
        if len(heard) and float(np.mean(heard)) >= _SURE_SHARE:
            return range(0)
        return range(index + 1, held + 1) if held >= index else range(index - 1, held - 1, -1)

    def _is_certain(self, start: int, end: int, segments: Sequence[Segment], edge: Segment) -> bool:
        """Whether the edge word sounds all over, and nothing else does in the frames start..end."""
        sounds = float(np.mean(self._loud[edge.first : edge.end])) >= _SURE_SHARE
        return sounds and edge.frames <= _LONGEST_CERTAIN and self._uncovered(start, end, segments) <= _CERTAIN_FRAMES

    def _unheard(self, start: int, end: int, segments: Sequence[Segment]) -> bool:
        """Whether there is more speech in the frames start..end than the words found there."""
        return self._uncovered(start, end, segments) >= _UNHEARD_FRAMES

    def _uncovered(self, start: int, end: int, segments: Sequence[Segment]) -> int:
        covered = _covered(segments, end)[start:]
        return int(np.count_nonzero(self._loud[start:end] & ~covered))


def _covered(segments: Sequence[Segment], frames: int) -> NDArray[np.bool_]:
    covered = np.zeros(frames, np.bool_)
    for segment in segments:
        covered[segment.first : segment.end] = True
    return covered


def _climb(
    index: int, gain: Callable[[int], float], outward: Sequence[int], is_unheard: bool, inward: Sequence[int]
) -> int:
    """The best index within a few steps: outwards as long as that gains (all of them past unheard speech), else in."""
    best, best_gain = index, gain(index)
    for way in (outward, inward):
        for place in way[:_MOST_STEPS]:
            here = gain(place)
            if here > best_gain:
                best, best_gain = place, here
            elif not (is_unheard and way is outward):
                break
        if best != index:
            break
    return best

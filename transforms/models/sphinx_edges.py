"""The first and the last word of a found stretch: what a search over many ways loses, or says too much.

Where every word may be the first, the search loses short first words to silence, and lets words of the text follow
into the room's reverberation. Here a few neighbouring edges are aligned, each alone, over the same audio, and compared.
"""

from collections.abc import Callable, Sequence

import numpy as np

from transforms.models.base import Samples
from transforms.models.loud import loud_frames
from transforms.models.sphinx_decoder import FRAME_SAMPLES, Segment, SphinxDecoder, as_pcm

# Words that every candidate shares, so that all of them are held at the same place.
_SHARED_WORDS = 1
_MOST_STEPS = 3
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

        def gain(first: int) -> float:
            return self._gain(0, end, first, held + 1)

        return _climb(index, gain, lowest=0, highest=held)

    def last(self, index: int, segments: Sequence[Segment]) -> int:
        """A better last word than `index`; `segments` are the words up to it."""
        shared = min(_SHARED_WORDS, len(segments) - 1)
        held = index - shared
        start = segments[-1 - shared].first

        def gain(last: int) -> float:
            return self._gain(start, len(self._loud), held, last + 1)

        return _climb(index, gain, lowest=held, highest=len(self._words) - 1)

    def _gain(self, start: int, end: int, first: int, stop: int) -> float:
        """How well words[first:stop] explain the frames start..end; comparable over the same frames."""
        samples = self._samples[start * FRAME_SAMPLES : end * FRAME_SAMPLES]
        path = self._decoder.align_words(as_pcm(samples), self._words[first:stop])
        if path is None:
            return -np.inf
        loud = self._loud[start:end]
        covered = np.zeros(len(loud), np.bool_)
        for segment in path.words:
            covered[segment.first : segment.end] = True
        uncovered = np.count_nonzero(loud & ~covered)
        quiet = np.count_nonzero(covered & ~loud)
        return float(path.score - _UNCOVERED_COST * uncovered - _QUIET_COST * quiet)


def _climb(index: int, gain: Callable[[int], float], lowest: int, highest: int) -> int:
    """The best index within a few steps, in the direction that gains."""
    best, best_gain = index, gain(index)
    for direction in (-1, 1):
        place = index
        for _ in range(_MOST_STEPS):
            place += direction
            if not lowest <= place <= highest:
                break
            here = gain(place)
            if here <= best_gain:
                break
            best, best_gain = place, here
        if best != index:
            break
    return best

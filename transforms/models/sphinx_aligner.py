"""Words and phones of known text in time, and known text found in audio, by pocketsphinx."""

import functools
from collections.abc import Sequence
from importlib.metadata import version

from schemas.text import Phone, Word
from transforms.models.base import Aligner, Alignment, AlignmentError, Samples, Stretch
from transforms.models.sphinx_decoder import (
    FRAME_SECONDS,
    WIDE_BEAMS,
    Path,
    Pronounces,
    Segment,
    SphinxDecoder,
    as_pcm,
)
from transforms.models.sphinx_edges import EdgeSearch

# Of many places that fit the same few words, the search says only what it heard, not where in the text it was.
_REVISION = 2
# The two best densities of a codebook (of four) cost a quarter less, and move a word's start by 2 ms in the mean.
_FEW_DENSITIES = {"topn": 2}


class SphinxAligner(Aligner):
    """Forced alignment with the en-us model of pocketsphinx; words it doesn't know are pronounced by a `Pronouncer`.

    Scores are natural log-likelihoods relative to the best state of the whole model in each frame (compallsen), so
    they compare between texts and between clips: -2 to -7 a frame where text and audio belong together, below -7 where
    they don't. Cost grows faster than length: audio of up to about 15 s.
    """

    def __init__(self, pronouncer: Pronounces | None = None) -> None:
        """Take what pronounces unknown words (by default the embedded one). Models are loaded on first use."""
        self._given_pronouncer = pronouncer

    @property
    def identity(self) -> str:
        return f"pocketsphinx:{version('pocketsphinx')} aligner:{_REVISION} {self._pronouncer.identity}"

    def align(self, samples: Samples, words: Sequence[str]) -> Alignment:
        """Align every word (spoken form); raises AlignmentError."""
        if not words:
            raise AlignmentError("there are no words to align")
        pcm = as_pcm(samples)
        if self._searching.align_words(pcm, words) is None:
            raise AlignmentError(f"the text does not fit the audio: {_excerpt(words)}")
        return self._with_phones(pcm, words)

    def find(self, samples: Samples, words: Sequence[str]) -> Stretch | None:
        """Find and align the contiguous stretch of `words` that is said in the samples; None where nothing fits.

        A finite-state grammar of the words, entered and left at any of them, none left out; then the first and the
        last word are tried again one by one. Something is found in any speech: look at the score.
        """
        if not words:
            return None
        try:
            pcm = as_pcm(samples)
            path = self._searching.find(pcm, words)
            if path is None:
                return None
            place = _place(words, path)
            last = place + len(path.words) - 1
            edges = EdgeSearch(self._scoring, samples, words)
            first, end = edges.first(place, path.words), edges.last(last, path.words) + 1
            if (first, end) == (place, last + 1):
                return Stretch(place, self._with_phones(pcm, words[place:end]))
            return self._mended(samples, words, (place, last + 1), (first, end))
        except AlignmentError:
            return None

    def _mended(
        self, samples: Samples, words: Sequence[str], found: tuple[int, int], better: tuple[int, int]
    ) -> Stretch:
        try:
            return Stretch(better[0], self.align(samples, words[slice(*better)]))
        except AlignmentError:
            return Stretch(found[0], self.align(samples, words[slice(*found)]))

    def _with_phones(self, pcm: bytes, words: Sequence[str]) -> Alignment:
        """The words that were just put in time, with their phones."""
        segments = self._scoring.align_phones(pcm, self._searching.word_sequence())
        spoken = [segment for segment in segments if segment.text]
        if [segment.text for segment in spoken] != list(words) or any(s.frames <= 0 for s in spoken):
            raise AlignmentError(f"the phones of the text do not fit the audio: {_excerpt(words)}")
        phones = tuple(_phone(phone) for segment in segments for phone in segment.phones)
        frames = sum(segment.frames for segment in spoken)
        return Alignment(
            words=tuple(_word(segment) for segment in spoken),
            phones=phones,
            score=sum(segment.score for segment in spoken) / frames,
        )

    @functools.cached_property
    def _pronouncer(self) -> Pronounces:
        if self._given_pronouncer is not None:
            return self._given_pronouncer
        from transforms.text.pronunciation import Pronouncer

        return Pronouncer()

    @functools.cached_property
    def _searching(self) -> SphinxDecoder:
        return SphinxDecoder(self._pronouncer, **WIDE_BEAMS, **_FEW_DENSITIES)

    @functools.cached_property
    def _scoring(self) -> SphinxDecoder:
        """A decoder that looks at every state of the model in each frame: three times the cost, comparable scores."""
        return SphinxDecoder(self._pronouncer, **WIDE_BEAMS, **_FEW_DENSITIES, compallsen=True)


def _place(words: Sequence[str], path: Path) -> int:
    """Where in `words` the path is; of several places that read the same, the one nearest to the middle."""
    found = [segment.text for segment in path.words]
    places = [place for place in range(len(words) - len(found) + 1) if list(words[place : place + len(found)]) == found]
    middle = (len(words) - len(found)) / 2
    return min(places, key=lambda place: (abs(place - middle), place))


def _word(segment: Segment) -> Word:
    score = segment.score / max(segment.frames, 1)
    return Word(segment.text, segment.first * FRAME_SECONDS, segment.end * FRAME_SECONDS, score, segment.text)


def _phone(segment: Segment) -> Phone:
    return Phone(segment.text, segment.first * FRAME_SECONDS, segment.end * FRAME_SECONDS)


def _excerpt(words: Sequence[str]) -> str:
    return " ".join(words[:8]) + (" ..." if len(words) > 8 else "")

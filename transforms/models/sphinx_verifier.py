"""Wrong words in a clip's text, found by pocketsphinx: how much better would any other phones have fitted?

The score of an alignment says how well text and audio fit, which differs more between voices and rooms than between
right and wrong words. Compared with a loop of all phones over the same frames (goodness of pronunciation), voice and
room fall out. Small trees judge each word by that and by the words beside it; a clip is right if all its words are.
"""

import functools
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.ids import digest
from transforms.models.base import AlignmentError, Samples, TextVerifier
from transforms.models.boosted_trees import BoostedTrees, read_trees
from transforms.models.sphinx_decoder import WIDE_BEAMS, Pronounces, Segment, SphinxDecoder, as_pcm

TREES_PATH = Path(__file__).with_name("sphinx_verifier.json")
_REVISION = 1
# A loop of phones forks at every frame: narrower beams find the same.
_LOOP_BEAMS = {"beam": 1e-20, "pbeam": 1e-20}
_OPTIONS = {"topn": 2, "compallsen": True}
# Features of a word itself, then those of the words beside it.
_OWN = (
    "gop", "worst", "second_worst", "deficit", "worst_deficit", "relative", "score", "agreement", "frames", "phones",
    "longest_phone", "first_phone", "last_phone",
)  # fmt: skip
_BESIDE = ("gop", "worst", "first_phone", "last_phone", "longest_phone")
_GAPS = ("gap_before", "heard_before", "gap_after", "heard_after")
FEATURES = (
    *_OWN,
    *_GAPS,
    *(f"{side}_{name}" for side in ("before", "after") for name in _BESIDE),
    "clip_gop",
    "clip_worst",
)


class SphinxVerifier(TextVerifier):
    """Goodness of pronunciation of each word, judged by what `train_verifier` has learnt."""

    def __init__(self, pronouncer: Pronounces | None = None) -> None:
        """Take what pronounces unknown words (by default the embedded one). Models are loaded on first use."""
        self._given_pronouncer = pronouncer

    @property
    def identity(self) -> str:
        learnt = digest(TREES_PATH.read_text(encoding="ascii"))
        return f"pocketsphinx:{version('pocketsphinx')} verifier:{_REVISION} {learnt} {self._pronouncer.identity}"

    def score(self, samples: Samples, words: Sequence[str]) -> float:
        """How likely (0..1) it is that no word is wrong, missing or too much; 0 where the text can't be aligned."""
        try:
            rows = self.features(samples, words)
        except AlignmentError:
            return 0.0
        # The logarithm of the probability that a word is right, summed.
        return float(np.exp(-np.logaddexp(0.0, self._trees.log_odds(rows)).sum()))

    def features(self, samples: Samples, words: Sequence[str]) -> NDArray[np.float64]:
        """FEATURES of each word, shape (words, features); raises AlignmentError."""
        if not words:
            raise AlignmentError("there are no words to verify")
        pcm = as_pcm(samples)
        if self._aligning.align_words(pcm, words) is None:
            raise AlignmentError("the text does not fit the audio")
        aligned = self._scoring.align_phones(pcm, self._aligning.word_sequence())
        loop = self._looping.phones(pcm)
        spoken = [segment for segment in aligned if segment.text]
        if len(spoken) != len(words) or not loop:
            raise AlignmentError("the phones of the text do not fit the audio")
        return word_features(spoken, loop)

    @functools.cached_property
    def _pronouncer(self) -> Pronounces:
        if self._given_pronouncer is not None:
            return self._given_pronouncer
        from transforms.text.pronunciation import Pronouncer

        return Pronouncer()

    @functools.cached_property
    def _trees(self) -> BoostedTrees:
        return read_trees(TREES_PATH, FEATURES)

    @functools.cached_property
    def _aligning(self) -> SphinxDecoder:
        return SphinxDecoder(self._pronouncer, **WIDE_BEAMS, topn=2)

    @functools.cached_property
    def _scoring(self) -> SphinxDecoder:
        return SphinxDecoder(self._pronouncer, **WIDE_BEAMS, **_OPTIONS)

    @functools.cached_property
    def _looping(self) -> SphinxDecoder:
        return SphinxDecoder(self._pronouncer, **_LOOP_BEAMS, **_OPTIONS)


def word_features(words: Sequence[Segment], loop: Sequence[Segment]) -> NDArray[np.float64]:
    """FEATURES of aligned words with phones, beside the phones that fit best; shape (words, features)."""
    count = max(words[-1].end, loop[-1].end)
    rival = np.zeros(count)
    names = np.full(count, "SIL", dtype=object)
    for segment in loop:
        rival[segment.first : segment.end] = segment.score / max(segment.frames, 1)
        names[segment.first : segment.end] = segment.text
    own = np.array([_own(word, rival, names) for word in words])
    gop, worst = own[:, _OWN.index("gop")], own[:, _OWN.index("worst")]
    clip_gop, clip_worst = float(np.median(gop)), float(np.median(worst))
    own[:, _OWN.index("relative")] = gop - clip_gop
    edges = [0, *(edge for word in words for edge in (word.first, word.end)), count]
    gaps = np.array([(edges[k + 1] - edges[k], _heard(names, edges[k], edges[k + 1])) for k in range(0, len(edges), 2)])
    beside = own[:, [_OWN.index(name) for name in _BESIDE]]
    usual = np.median(beside, axis=0)
    before = np.vstack([usual, beside[:-1]])
    after = np.vstack([beside[1:], usual])
    whole = np.tile([clip_gop, clip_worst], (len(words), 1))
    return np.hstack([own, gaps[:-1], gaps[1:], before, after, whole])


def _own(word: Segment, rival: NDArray[np.float64], names: NDArray[np.object_]) -> list[float]:
    phones = word.phones
    lacks = np.array([phone.score - rival[phone.first : phone.end].sum() for phone in phones])
    frames = np.array([max(phone.frames, 1) for phone in phones])
    means = lacks / frames
    ordered = np.sort(means)
    same = sum(int(np.count_nonzero(names[phone.first : phone.end] == phone.text)) for phone in phones)
    return [
        float(lacks.sum() / frames.sum()),
        float(ordered[0]),
        float(ordered[min(1, len(ordered) - 1)]),
        float(lacks.sum()),
        float(lacks.min()),
        0.0,
        word.score / max(word.frames, 1),
        same / float(frames.sum()),
        float(frames.sum()),
        float(len(phones)),
        float(frames.max()),
        float(means[0]),
        float(means[-1]),
    ]


def _heard(names: NDArray[np.object_], start: int, end: int) -> int:
    """Frames of a gap between words in which something else than silence fits best."""
    return int(np.count_nonzero(names[start:end] != "SIL"))

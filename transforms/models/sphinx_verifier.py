"""Wrong words in a clip's text, found by pocketsphinx: how much better would anything else have fitted?

The score of an alignment says how well text and audio fit, which differs more between voices and rooms than between
right and wrong words. Compared with rivals over the same frames, voice and room fall out. The rivals are a loop of all
phones (goodness of pronunciation), what a recogniser hears that expects English, and the text itself with short common
words left out, put in or put in another's place, where audio and language together want it. Small trees judge each word
by that, by how likely it is English, and by the words beside it; a clip is right if all its words are.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray

from schemas.ids import digest
from transforms.models.base import AlignmentError, Samples, TextVerifier
from transforms.models.boosted_trees import BoostedTrees, read_trees
from transforms.models.sphinx_decoder import WIDE_BEAMS, Path, Pronounces, Segment, SphinxDecoder, as_pcm
from transforms.models.sphinx_edits import edit_arcs
from transforms.models.sphinx_rivals import Talk
from transforms.models.verifier_features import (
    FEATURES,
    Fitted,
    Rival,
    language_features,
    rival_features,
    word_features,
)

TREES_PATH = FilePath(__file__).with_name("sphinx_verifier.json")
_REVISION = 3
# A loop of phones forks at every frame: narrower beams find the same.
_LOOP_BEAMS = {"beam": 1e-20, "pbeam": 1e-20}
# Edits stay near the text, and so do the beams.
_EDIT_BEAMS = {"beam": 1e-40, "pbeam": 1e-40, "wbeam": 1e-30}
_OPTIONS = {"topn": 2, "compallsen": True}


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard in a clip whatever its text is: phones, and words (as decoded, and aligned again) of English."""

    pcm: bytes
    loop: tuple[Segment, ...]
    english: Rival


class SphinxVerifier(TextVerifier):
    """Rivals of each word, judged by what `train_verifier` has learnt."""

    def __init__(self, pronouncer: Pronounces | None = None) -> None:
        """Take what pronounces unknown words (by default the embedded one). Models are loaded on first use."""
        self._given_pronouncer = pronouncer
        self._last_talk: tuple[Sequence[str], Talk] | None = None

    @property
    def identity(self) -> str:
        learnt = digest(TREES_PATH.read_text(encoding="ascii"))
        return f"pocketsphinx:{version('pocketsphinx')} verifier:{_REVISION} {learnt} {self.pronouncer.identity}"

    def score(self, samples: Samples, words: Sequence[str], talk: Sequence[str]) -> float:
        """How likely (0..1) it is that no word is wrong, missing or too much; 0 where the text can't be aligned."""
        try:
            rows = self.features(self.listen(samples, self.talk(talk)), words)
        except AlignmentError:
            return 0.0
        # The logarithm of the probability that a word is right, summed.
        return float(np.exp(-np.logaddexp(0.0, self._trees.log_odds(rows)).sum()))

    def talk(self, sentences: Sequence[str]) -> Talk:
        """The decoder of a talk, kept until there is another."""
        if self._last_talk is None or self._last_talk[0] != sentences:
            self._last_talk = sentences, Talk([sentence.split() for sentence in sentences], self.pronouncer)
        return self._last_talk[1]

    def listen(self, samples: Samples, talk: Talk) -> Heard:
        """All that is heard without knowing the text; raises AlignmentError."""
        pcm = as_pcm(samples)
        loop = self._looping.phones(pcm)
        if not loop:
            raise AlignmentError("no phones are heard in the audio")
        return Heard(pcm, loop, self._rival(pcm, talk.recognise(pcm)))

    def features(self, heard: Heard, words: Sequence[str]) -> NDArray[np.float64]:
        """FEATURES of each word, shape (words, features); raises AlignmentError."""
        if not words:
            raise AlignmentError("there are no words to verify")
        own = self.fit(heard.pcm, words)
        edited = self._editing.follow(heard.pcm, edit_arcs(words), len(words))
        rivals = [heard.english, self._rival(heard.pcm, edited, own)]
        return np.hstack(
            [
                word_features(own.words, heard.loop),
                language_features(words),
                rival_features(own, rivals),
            ]
        )

    def align(self, pcm: bytes, words: Sequence[str]) -> tuple[Segment, ...]:
        """The words with their phones, without what is between them; raises AlignmentError."""
        return self.fit(pcm, words).words

    def fit(self, pcm: bytes, words: Sequence[str]) -> Fitted:
        """The words with their phones, and how well they and what is between them fit; raises AlignmentError."""
        if self._aligning.align_words(pcm, words) is None:
            raise AlignmentError("the text does not fit the audio")
        aligned = self._scoring.align_phones(pcm, self._aligning.word_sequence())
        spoken = tuple(segment for segment in aligned if segment.text)
        if len(spoken) != len(words):
            raise AlignmentError("the phones of the text do not fit the audio")
        return Fitted(spoken, aligned)

    def _rival(self, pcm: bytes, path: Path | None, known: Fitted | None = None) -> Rival:
        """A decoded path, aligned like the text unless it is the text, which is `known`."""
        if path is None:
            return Rival((), None)
        words = [word.text for word in path.words]
        if known and words == [word.text for word in known.words]:
            return Rival(known.words, known)
        try:
            return Rival(path.words, self.fit(pcm, words))
        except AlignmentError:
            return Rival(path.words, None)

    @functools.cached_property
    def pronouncer(self) -> Pronounces:
        if self._given_pronouncer is not None:
            return self._given_pronouncer
        from transforms.text.pronunciation import Pronouncer

        return Pronouncer()

    @functools.cached_property
    def _trees(self) -> BoostedTrees:
        return read_trees(TREES_PATH, FEATURES)

    @functools.cached_property
    def _aligning(self) -> SphinxDecoder:
        return SphinxDecoder(self.pronouncer, **WIDE_BEAMS, topn=2)

    @functools.cached_property
    def _editing(self) -> SphinxDecoder:
        return SphinxDecoder(self.pronouncer, **_EDIT_BEAMS, topn=2)

    @functools.cached_property
    def _scoring(self) -> SphinxDecoder:
        return SphinxDecoder(self.pronouncer, **WIDE_BEAMS, **_OPTIONS)

    @functools.cached_property
    def _looping(self) -> SphinxDecoder:
        return SphinxDecoder(self.pronouncer, **_LOOP_BEAMS, **_OPTIONS)

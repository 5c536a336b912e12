"""Spoken words that were aligned, and the written words that they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from schemas.text import Evidence, Phone, Token, Word
from transforms.models.base import Alignment, Heard
from transforms.passages import Passage
from transforms.text.matching import confirmed
from transforms.text.spoken import is_unsayable, regroup, spoken_words, tokenise


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A written word in time; `place` its token in the script, `label` the speaker whom the script names.

    `fault` says why it can't be used, "" if it can.
    """

    word: Word
    place: int
    label: str = ""
    fault: str = ""

    @property
    def middle(self) -> float:
        """Seconds."""
        return (self.word.start + self.word.end) / 2


@dataclass(frozen=True, slots=True)
class SaidPassage:
    """A passage with its words and phones; `loud` says which of its 10 ms frames from `read_start` surely sound.

    `evidence` is what a recogniser says of it, None where none listened.
    """

    passage: Passage
    words: tuple[SaidWord, ...]
    phones: tuple[Phone, ...]
    loud: NDArray[np.bool_]
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A token of the script and the words it is said in; `whole` unless it was found only in part."""

    place: int
    spoken: tuple[str, ...]
    whole: bool = True


def language_of(heard: Heard) -> str:
    """The language of what was heard; "en" where the recogniser knows no other."""
    return heard.evidence.language if heard.evidence else "en"


def doubts(words: Sequence[str], heard: Heard) -> list[bool]:
    """For each of the words (spoken form) whether something else was heard there."""
    own = [word for word, _ in spoken_words(tokenise(heard.text, language_of(heard)))]
    return [not same for same in confirmed(words, own)]


def said_passage(
    passage: Passage,
    tokens: Sequence[Token],
    labels: Sequence[str],
    readings: Sequence[Reading],
    alignment: Alignment,
    loud: NDArray[np.bool_],
    evidence: Evidence | None = None,
    doubted: Sequence[bool] = (),
) -> SaidPassage:
    """A passage with its words as they are written, in seconds of the recording; `alignment` is in those of the audio.

    `doubted` says of each spoken word whether something else was heard there (of none if it is empty).
    Stage directions between the words are left out; punctuation that stands alone joins the word before it.
    """
    offset = passage.read_start
    phones = tuple(replace(phone, start=phone.start + offset, end=phone.end + offset) for phone in alignment.phones)
    aligned = [
        replace(word, doubted=doubt)
        for word, doubt in zip(alignment.words, doubted or [False] * len(alignment.words), strict=True)
    ]
    words = tuple(_written(tokens, labels, readings, aligned, offset))
    return SaidPassage(passage, words, phones, loud, evidence)


def _written(
    tokens: Sequence[Token], labels: Sequence[str], readings: Sequence[Reading], aligned: Sequence[Word], offset: float
) -> Iterator[SaidWord]:
    spoken = iter(aligned)
    places = [reading.place for reading in readings]
    unsayable_before = False
    for reading, following in zip(readings, [*places[1:], places[-1] + 1], strict=True):
        silent = tokens[reading.place + 1 : following]
        unsayable_after = any(is_unsayable(token) for token in silent)
        own = list(islice(spoken, len(reading.spoken)))
        times = [(word.start + offset, word.end + offset, word.score) for word in own]
        (word,) = regroup([Token(tokens[reading.place].text, reading.spoken)], times)
        marks = [token.text for token in silent if not any(c.isalnum() for c in token.text)]
        fault = "" if reading.whole else "said in part"
        if unsayable_before or unsayable_after:
            fault = "beside what can't be said"
        text = " ".join([word.text, *marks])
        word = replace(word, text=text, doubted=any(one.doubted for one in own))
        yield SaidWord(word, reading.place, labels[reading.place], fault)
        unsayable_before = unsayable_after

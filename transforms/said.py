"""Spoken words that were aligned, and the written words that they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from schemas.text import Phone, Token, Word
from transforms.models.base import Alignment
from transforms.passages import Passage
from transforms.text.spoken import is_unsayable, regroup


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
    """A passage with its words and phones; `loud` says which of its 10 ms frames from `read_start` surely sound."""

    passage: Passage
    words: tuple[SaidWord, ...]
    phones: tuple[Phone, ...]
    loud: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reading:
    """A token of the script and the words it is said in; `whole` unless it was found only in part."""

    place: int
    spoken: tuple[str, ...]
    whole: bool = True


def said_passage(
    passage: Passage,
    tokens: Sequence[Token],
    labels: Sequence[str],
    readings: Sequence[Reading],
    alignment: Alignment,
    loud: NDArray[np.bool_],
) -> SaidPassage:
    """A passage with its words as they are written, in seconds of the recording; `alignment` is in those of the audio.

    Stage directions between the words are left out; punctuation that stands alone joins the word before it.
    """
    offset = passage.read_start
    phones = tuple(replace(phone, start=phone.start + offset, end=phone.end + offset) for phone in alignment.phones)
    words = tuple(_written(tokens, labels, readings, alignment.words, offset))
    return SaidPassage(passage, words, phones, loud)


def _written(
    tokens: Sequence[Token], labels: Sequence[str], readings: Sequence[Reading], aligned: Sequence[Word], offset: float
) -> Iterator[SaidWord]:
    spoken = iter(aligned)
    places = [reading.place for reading in readings]
    unsayable_before = False
    for reading, following in zip(readings, [*places[1:], places[-1] + 1], strict=True):
        silent = tokens[reading.place + 1 : following]
        unsayable_after = any(is_unsayable(token) for token in silent)
        times = [(word.start + offset, word.end + offset, word.score) for word in islice(spoken, len(reading.spoken))]
        (word,) = regroup([Token(tokens[reading.place].text, reading.spoken)], times)
        marks = [token.text for token in silent if not any(c.isalnum() for c in token.text)]
        fault = "" if reading.whole else "said in part"
        if unsayable_before or unsayable_after:
            fault = "beside what can't be said"
        text = " ".join([word.text, *marks])
        yield SaidWord(replace(word, text=text), reading.place, labels[reading.place], fault)
        unsayable_before = unsayable_after

"""Aligned words become utterances: only phrases that are whole, sure, and the target's, from pause to pause."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.text import Phone, Token, Utterance, Word
from schemas.turn import Span
from transforms.models.loud import LOUD_FRAME_SECONDS
from transforms.passages import Passage

# A silence this long (s) between two words divides phrases.
_PAUSE_SECONDS = 0.08
# More speech than this (s) outside words is a word that the text lacks.
_UNCOVERED_SECONDS = 0.2
# Words end a little later than an aligner says, and begin a little earlier.
_WORD_PAD_SECONDS = 0.06
# The target's spans are so exact (s).
_EDGE_SECONDS = 0.08
# Utterances take along at most so much of the pause beside them (s), and touch where the pause is shorter than twice.
_PAUSE_SHARE_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A written word in time; `place` its token in the script, `label` the speaker the script names.

    `fault` says why it can't be used, "" if it can.
    """

    word: Word
    place: int
    label: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SaidPassage:
    """A passage with its words, its phones, and which of its 10 ms frames (from `read_start`) surely sound."""

    passage: Passage
    words: tuple[SaidWord, ...]
    phones: tuple[Phone, ...]
    loud: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is good enough: mean log-likelihood a frame of a phrase, and of its worst word."""

    phrase_score: float
    word_score: float


def said_words(
    tokens: Sequence[Token], times: Sequence[tuple[int, Word]], first_place: int = 0
) -> tuple[SaidWord, ...]:
    """Written words from spoken ones: `times` gives for each spoken word the index of its token and its time.

    A token that isn't whole is a fault, and so is one that is speech but can't be written as such; stage directions
    are left out, punctuation that stands alone joins the word before it.
    """
    from transforms.text.spoken import is_unsayable, regroup

    if not times:
        return ()
    first, last = times[0][0], times[-1][0]
    by_token: dict[int, list[Word]] = {}
    for token, word in times:
        by_token.setdefault(token, []).append(word)
    words: list[SaidWord] = []
    for index in range(first, last + 1):
        token = tokens[index]
        spoken = by_token.get(index, [])
        if not token.spoken:
            if is_unsayable(token):
                if words:
                    words[-1] = replace(words[-1], fault="unsayable")
                unsayable = True
                continue
            if words and not any(c.isalnum() for c in token.text):
                words[-1] = replace(words[-1], word=replace(words[-1].word, text=f"{words[-1].word.text} {token.text}"))
            continue
        whole = len(spoken) == len(token.spoken)
        kept = token if whole else replace(token, spoken=token.spoken[: len(spoken)])
        (word,) = regroup([kept], [(one.start, one.end, one.score) for one in spoken])
        words.append(SaidWord(word, first_place + index, fault="" if whole else "cut off"))
    return tuple(words)

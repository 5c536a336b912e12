"""What the acoustic model reads: phones, the pauses between words, and the punctuation around them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.text.sentences import is_sentence_end

PAD, PAUSE = 0, 1
#: ARPAbet without stress, as the aligner writes it (the 39 phones of CMUdict).
ARPABET = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
#: Names of symbols in the order of their ids.
SYMBOLS = ("<pad>", "<pause>", *ARPABET)
IDS = {name: number for number, name in enumerate(SYMBOLS)}

# What ends the word that a pause follows, or, of a phone, the clause that it is in.
NO_MARK, COMMA, STOP, QUESTION, EXCLAMATION, EDGE = range(6)
MARKS = 6
_MARK_OF = {
    **dict.fromkeys(",;:-–—()…", COMMA),
    ".": STOP,
    "?": QUESTION,
    "!": EXCLAMATION,
}
_CLOSING = "\"'”’»›)]}*_"

# Where in its word a phone is.
INSIDE, FIRST, LAST, ONLY, BETWEEN = range(5)
PLACES = 5

Word = tuple[str, Sequence[str]]
"""A written word, and its phones."""


@dataclass(frozen=True, eq=False)
class Symbols:
    """A text as the acoustic model reads it: ids of SYMBOLS, marks and places, each int64 of shape (n,).

    A pause stands before the first word, after each word and nowhere else; most of them take no time.
    """

    ids: NDArray[np.int64]
    marks: NDArray[np.int64]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


def mark_of(word: str, following: str = "") -> int:
    """The mark that a written word ends with, before another ("" at the end): mark_of('"Really?"') is QUESTION.

    The full stop of an abbreviation is none.
    """
    bare = word.rstrip(_CLOSING) or word
    if word != bare and bare[-1:] not in _MARK_OF and word[-1] == ")":
        return COMMA
    mark = _MARK_OF.get(bare[-1:], NO_MARK)
    return NO_MARK if mark == STOP and following and not is_sentence_end(word, following) else mark


def symbols_of(words: Iterable[Word]) -> Symbols:
    """The symbols of a sentence. What is written and not said (a dash) marks the pause before it.

    Raises ValueError for a phone that is not of ARPABET.
    """
    ids, marks, places = [PAUSE], [EDGE], [BETWEEN]
    given = list(words)
    for number, (text, phones) in enumerate(given):
        mark = mark_of(text, given[number + 1][0] if number + 1 < len(given) else "")
        if not phones:
            if len(ids) > 1:
                marks[-1] = max(marks[-1], mark)
            continue
        for number, phone in enumerate(phones):
            if phone not in IDS or IDS[phone] <= PAUSE:
                raise ValueError(f"{phone!r} is no phone; there are {', '.join(ARPABET)}")
            ids.append(IDS[phone])
            marks.append(NO_MARK)
            places.append(_place(number, len(phones)))
        ids.append(PAUSE)
        marks.append(mark)
        places.append(BETWEEN)
    arrays = (np.array(values, np.int64) for values in (ids, _with_clauses(ids, marks), places))
    return Symbols(*arrays)


def _place(number: int, count: int) -> int:
    if count == 1:
        return ONLY
    return FIRST if number == 0 else LAST if number == count - 1 else INSIDE


def _with_clauses(ids: Sequence[int], marks: Sequence[int]) -> list[int]:
    """Phones get the mark of the pause that ends their clause: a question is heard before its end."""
    found = list(marks)
    clause = NO_MARK
    for place in range(len(ids) - 1, -1, -1):
        if ids[place] == PAUSE:
            clause = marks[place] if marks[place] not in (NO_MARK, EDGE) else clause
        else:
            found[place] = clause
    return found

"""Word errors: what was heard against what was to be said, however either is written."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transforms.text.spoken import spoken_words, tokenise

Words = tuple[str, ...]

# Contractions that stand for two words whatever comes next. Of 's and 'd that is known after these words alone: "Ada's"
# may be Ada's book.
_IS_AFTER = frozenset(
    (
        "it", "he", "she", "that", "there", "here", "what", "who", "where", "when", "how", "this", "everything",
        "everyone", "something", "nothing",
    )
)  # fmt: skip
_WHOLE = {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "let's": ("let", "us"),
    "i'd": ("i", "would"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "ok": ("okay",),
}
_ENDINGS = {"n't": "not", "'re": "are", "'ll": "will", "'ve": "have", "'m": "am"}
_NOT_A_LETTER = re.compile(r"[^\w']+")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors of one utterance: edits of the cheapest way from the `words` that were to be said to those heard."""

    substitutions: int
    deletions: int
    insertions: int
    words: int

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions


def said_words(text: str, language: str = "en") -> Words:
    """The words of a written text as they are said, in one spelling: said_words("It's 5%") is it is five percent."""
    return plain_words(word for word, _ in spoken_words(tokenise(text, language)))


def plain_words(spoken: Iterable[str]) -> Words:
    """Spoken words in one spelling: lower case, contractions as the words that they stand for, no punctuation."""
    found: list[str] = []
    for given in spoken:
        for word in _NOT_A_LETTER.split(given.lower().replace("’", "'")):
            found.extend(_uncontracted(word.strip("'")))
    return tuple(found)


def least_errors(references: Iterable[Words], heard: Sequence[str]) -> WordErrors:
    """Errors against the reference that fits best: a figure may be said in more than one way."""
    return min((word_errors(reference, heard) for reference in references), key=lambda found: found.errors)


def word_errors(reference: Sequence[str], heard: Sequence[str]) -> WordErrors:
    """Levenshtein's distance in words; among equally cheap ways the one with the most substitutions."""
    # Rows of (errors, deletions, insertions): of equal errors the fewest of the others.
    above = [(place, 0, place) for place in range(len(heard) + 1)]
    for number, wanted in enumerate(reference, start=1):
        row = [(number, number, 0)]
        for place, word in enumerate(heard, start=1):
            errors, deletions, insertions = above[place - 1]
            ways = [(errors + (wanted != word), deletions, insertions)]
            errors, deletions, insertions = above[place]
            ways.append((errors + 1, deletions + 1, insertions))
            errors, deletions, insertions = row[place - 1]
            ways.append((errors + 1, deletions, insertions + 1))
            row.append(min(ways))
        above = row
    errors, deletions, insertions = above[-1]
    return WordErrors(errors - deletions - insertions, deletions, insertions, len(reference))


def _uncontracted(word: str) -> Sequence[str]:
    if not word:
        return ()
    if word in _WHOLE:
        return _WHOLE[word]
    for ending, meant in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return word.removesuffix(ending), meant
    before, apostrophe, after = word.partition("'")
    if apostrophe and after == "s" and before in _IS_AFTER:
        return before, "is"
    return (word,)

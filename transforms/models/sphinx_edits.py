"""What else a text might be: the same with short common words left out, put in, or put in another's place."""

import functools
import math
from collections.abc import Sequence

from transforms.models.english_order import text_chance
from transforms.models.sphinx_decoder import Arc
from transforms.models.sphinx_rivals import common_words

# What captions get wrong unnoticed are words as short as these.
_COUNT = 60
# Natural log-likelihoods of audio by the acoustic model that weigh as much as one of the language model's: frames are
# not independent of each other. 6.5 is pocketsphinx's own.
LANGUAGE_WEIGHT = 5.0
# What an edit has to be better by: less than a wrong word is rarer than a right one, as the trees judge what is found.
_PENALTY = 25.0
# The most that the language may say for an edit, natural logarithm: it doesn't know names.
_MOST = 3.0
# Words before that a trigram looks back to.
_SPAN = 2


@functools.cache
def short_words() -> tuple[str, ...]:
    """The commonest words of English, which are short."""
    chances = common_words().chances
    return tuple(sorted(chances, key=lambda word: -chances[word])[:_COUNT])


def edit_arcs(words: Sequence[str]) -> list[Arc]:
    """Arcs from place to place in a text, place k before its word k: the text itself, and its edits as rarer ways."""
    arcs: list[Arc] = [(k, k + 1, 1.0, word) for k, word in enumerate(words)]
    for k in range(len(words) + 1):
        arcs += [(k, k, _weight(words, k, k, other), other) for other in short_words()]
    for k, word in enumerate(words):
        arcs += [(k, k + 1, _weight(words, k, k + 1, other), other) for other in short_words() if other != word]
        if k + 1 < len(words):
            arcs.append((k, k + 2, _weight(words, k, k + 1), words[k + 1]))
    return arcs


def _weight(words: Sequence[str], start: int, end: int, *instead: str) -> float:
    return math.exp(LANGUAGE_WEIGHT * min(language_gain(words, start, end, instead), _MOST) - _PENALTY)


def language_gain(words: Sequence[str], start: int, end: int, instead: Sequence[str]) -> float:
    """By how much a text is likelier English (natural logarithm) with `instead` in place of its words start..end."""
    before, after = words[max(start - _SPAN, 0) : start], words[end : end + _SPAN]
    return text_chance([*before, *instead, *after], len(before)) - text_chance(
        [*before, *words[start:end], *after], len(before)
    )

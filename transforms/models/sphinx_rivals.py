"""What might be said instead of a text: the audio decoded with English and the words of the talk it belongs to."""

import functools
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType

from transforms.models.english_order import model_file, word_chance
from transforms.models.sphinx_decoder import Path, Pronounces, SphinxDecoder, is_word

# What captions lack is mostly among the commonest words of the language: so many of them may be said besides.
_COMMON_WORDS = 3000
_LIMITS = {"topn": 2, "maxhmmpf": 10_000}


class Talk:
    """The words of one talk, and a decoder that knows them."""

    def __init__(self, sentences: Sequence[Sequence[str]], pronouncer: Pronounces) -> None:
        """Take sentences of spoken words; those that nobody can pronounce are left out."""
        self._pronouncer = pronouncer
        self._sentences = tuple(tuple(filter(self._is_sayable, sentence)) for sentence in sentences)

    def recognise(self, pcm: bytes) -> Path | None:
        """What is said, by pocketsphinx's trigrams of English: of the talk they know the words, not their order."""
        return self._decoder.recognise(pcm)

    @functools.cached_property
    def _decoder(self) -> SphinxDecoder:
        """A decoder of the talk's words and of common ones.

        A language model that joins a decoder takes seconds for all words of the dictionary; one with a dictionary of
        its own takes some hundredths.
        """
        own = {word for sentence in self._sentences for word in sentence} - common_words().chances.keys()
        lines = [
            f"{word if number == 1 else f'{word}({number})'} {' '.join(way)}"
            for word in sorted(own)
            for number, way in enumerate(self._pronouncer.pronunciations(word), start=1)
        ]
        with tempfile.TemporaryDirectory(prefix="realtalk-") as folder:
            dictionary = FilePath(folder) / "talk.dict"
            dictionary.write_text("\n".join([*common_words().pronunciations, *lines, ""]), encoding="ascii")
            return SphinxDecoder(self._pronouncer, lm=str(model_file("en-us.lm.bin")), dict=str(dictionary), **_LIMITS)

    def _is_sayable(self, word: str) -> bool:
        known = word in common_words().chances
        return known or (is_word(word) and bool(self._pronouncer.pronunciations(word)))


@dataclass(frozen=True, slots=True)
class CommonWords:
    """The commonest words of English with their chances, which add up to 1, and their lines of the dictionary."""

    chances: Mapping[str, float]
    pronunciations: tuple[str, ...]


@functools.cache
def common_words() -> CommonWords:
    """As pocketsphinx's language model has them."""
    ways: dict[str, list[str]] = {}
    for line in model_file("cmudict-en-us.dict").read_text(encoding="utf-8").splitlines():
        ways.setdefault(line.split(" ", 1)[0].split("(", 1)[0], []).append(line)
    chances = sorted(((word_chance(word), word) for word in ways if is_word(word)), reverse=True)[:_COMMON_WORDS]
    total = sum(math.exp(chance) for chance, _ in chances)
    return CommonWords(
        MappingProxyType({word: math.exp(chance) / total for chance, word in chances}),
        tuple(line for word in sorted(word for _, word in chances) for line in ways[word]),
    )

"""The pronunciation dictionary that comes with pocketsphinx."""

import functools
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import ConfigurationError

Pronunciation = tuple[str, ...]

# Nobody's name for the letter a is the article.
_LETTER_A: Pronunciation = ("EY",)


class Dictionary:
    """Words (lower case) with their pronunciations in ARPAbet without stress (39 phones).

    Lines are kept as they are and split when asked for: most of the 130 000 never are.
    """

    def __init__(self, path: Path) -> None:
        """Read a file in CMU format ("word P HH OW N Z", variants as "word(2) ..."); raises ConfigurationError."""
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"pronunciation dictionary {path} can't be read ({error}); reinstall pocketsphinx"
            ) from error
        self._lines = dict(line.partition(" ")[::2] for line in text.splitlines())

    def __contains__(self, word: object) -> bool:
        return word in self._lines

    def __iter__(self) -> Iterator[str]:
        """The words, each once, in the order of the file."""
        return (head for head, phones in self._lines.items() if phones and not head.endswith(")"))

    def lookup(self, word: str) -> tuple[Pronunciation, ...]:
        """All pronunciations of a word, the usual one first; () if it's not there."""
        found = []
        head = word
        while phones := self._lines.get(head):
            found.append(tuple(phones.split()))
            head = f"{word}({len(found) + 1})"
        return tuple(found)

    def letters(self, word: str) -> Pronunciation:
        """The names of the letters of a word of a-z, one after the other ("bbc": B IY B IY S IY)."""
        return tuple(phone for letter in word if letter != "'" for phone in self._letter(letter))

    def is_spelled(self, word: str) -> bool:
        """Whether a word of a-z is usually said letter by letter, like "bbc"."""
        return self.lookup(word)[:1] == (self.letters(word),)

    def _letter(self, letter: str) -> Pronunciation:
        if letter == "a":
            return _LETTER_A
        return self.lookup(letter)[0]


def default_dictionary_path() -> Path:
    """Where pocketsphinx keeps its dictionary; raises ConfigurationError."""
    try:
        import pocketsphinx
    except ImportError as error:
        raise ConfigurationError(
            "pocketsphinx is missing, and its pronunciation dictionary with it; pip install pocketsphinx"
        ) from error
    return Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"


@functools.cache
def default_dictionary() -> Dictionary:
    """The dictionary of pocketsphinx, read once."""
    return Dictionary(default_dictionary_path())

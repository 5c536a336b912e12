"""How a spoken word is pronounced: by the dictionary, by a rule, by its letters, or by what was learned from it."""

import functools
import re
from pathlib import Path

from schemas.ids import file_sha256
from transforms.text.dictionary import Dictionary, Pronunciation, default_dictionary
from transforms.text.folding import sayable_letters
from transforms.text.g2p import GraphonePronouncer
from transforms.text.graphone_model import read_model

MODEL_PATH = Path(__file__).with_name("data") / "g2p-en.npz"

_VOWEL_LETTER = re.compile("[aeiouy]")
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
# Sounds of agreement and hesitation, which transcribers spell as they like.
_INTERJECTIONS: dict[str, Pronunciation] = {
    "cuz": ("K", "AH", "Z"),
    "mhmm": ("AH", "M", "HH", "AH", "M"),
    "mmhm": ("AH", "M", "HH", "AH", "M"),
    "mmhmm": ("AH", "M", "HH", "AH", "M"),
    "uhhuh": ("AH", "HH", "AH"),
    "uhoh": ("AH", "OW"),
    "uhuh": ("AH", "AH"),
}
_CONTRACTION = re.compile("(nt|ll|ve|re|d|m)$")
_SIBILANTS = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
_VOICELESS = frozenset(("P", "T", "K", "F", "TH"))
_LONGEST_SPELLED = 5
# No word is longer, and what is longer must not cost time.
_LONGEST_WORD = 60
_SHORTEST_PART = 4


class Pronouncer:
    """Pronounces words of a-z and apostrophes in ARPAbet without stress (the 39 phones of CMUdict).

    Rules are only those that were right more often than the learned model on words that neither had seen: possessives
    and plurals. Verbs in -ed and -ing and compounds are better left to the model.
    """

    def __init__(self, dictionary: Dictionary | None = None, model_path: Path = MODEL_PATH) -> None:
        """Take the dictionary (pocketsphinx's by default); the model is read when first needed."""
        self._dictionary = dictionary or default_dictionary()
        self._model_path = model_path

    @functools.cached_property
    def identity(self) -> str:
        """What the answers depend on: hashes of the model and of the dictionary."""
        return f"g2p-en:{file_sha256(self._model_path)[:12]} dictionary:{file_sha256(self._dictionary.path)[:12]}"

    def lookup(self, word: str) -> tuple[Pronunciation, ...]:
        """All pronunciations in the dictionary, the usual one first; () for a word that is not there."""
        return self._dictionary.lookup(word.lower())

    def pronounce(self, word: str) -> Pronunciation:
        """The likeliest pronunciation of any word; () only if it has no Latin letters, others too, or more than 60."""
        return next(iter(self.pronunciations(word, 1)), ())

    def pronunciations(self, word: str, count: int = 3) -> tuple[Pronunciation, ...]:
        """Up to `count` pronunciations of any word, best first, for an aligner to choose from by ear."""
        spoken = sayable_letters(word)
        if not spoken.strip("'") or len(spoken) > _LONGEST_WORD:
            return ()
        known = self._dictionary.lookup(spoken) or self._dictionary.lookup(spoken.strip("'"))
        if known:
            return known[:count]
        plain = spoken.strip("'")
        found = dict.fromkeys(self._contracted(plain) or self._ruled(spoken) or self._spelled(plain))
        if len(found) < count:
            found.update(dict.fromkeys(self._model.pronounce(plain, count)))
        if len(found) < count:
            found.update(dict.fromkeys(self._compound(plain)))
        return tuple(found)[:count] or (self._dictionary.letters(plain),)

    @functools.cached_property
    def _model(self) -> GraphonePronouncer:
        return GraphonePronouncer(read_model(self._model_path))

    def _ruled(self, word: str) -> tuple[Pronunciation, ...]:
        if word.endswith("in'"):
            return tuple((*phones[:-1], "N") for phones in self.lookup(word[:-1] + "g") if phones[-1] == "NG")
        for ending in ("'s", "s'", "s"):
            if word.endswith(ending) and not word.endswith(("ss", "us", "is")):
                stem = self._dictionary.lookup(word.removesuffix(ending))
                if stem:
                    return tuple(phones + plural_ending(phones) for phones in stem)
        if word.endswith("'s"):
            return tuple(phones + plural_ending(phones) for phones in self.pronunciations(word.removesuffix("'s")))
        return self._drawn_out(word)

    def _contracted(self, word: str) -> tuple[Pronunciation, ...]:
        """ "dont" as "don't", "youre" as "you're"; and the interjections."""
        if word in _INTERJECTIONS:
            return (_INTERJECTIONS[word],)
        ending = _CONTRACTION.search(word)
        if not ending:
            return ()
        place = ending.start() + (1 if ending[0] == "nt" else 0)
        return self._dictionary.lookup(f"{word[:place]}'{word[place:]}")

    def _drawn_out(self, word: str) -> tuple[Pronunciation, ...]:
        """ "sooo" as "so", "hmmm" as "hmm"."""
        replacements = (r"\1", r"\1\1") if _VOWEL_LETTER.search(word) else (r"\1\1", r"\1")
        for replacement in replacements:
            shorter = _DRAWN_OUT.sub(replacement, word)
            known = self._dictionary.lookup(shorter) if shorter != word else ()
            if known:
                return known
        return ()

    def _spelled(self, word: str) -> tuple[Pronunciation, ...]:
        if len(word) > _LONGEST_SPELLED or _VOWEL_LETTER.search(word):
            return ()
        return (self._dictionary.letters(word),)

    def _compound(self, word: str) -> tuple[Pronunciation, ...]:
        """The word as two words of the dictionary, split nearest to the middle."""
        middle = len(word) / 2
        for k in sorted(range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1), key=lambda place: abs(place - middle)):
            if word[:k] in self._dictionary and word[k:] in self._dictionary:
                return (self._dictionary.lookup(word[:k])[0] + self._dictionary.lookup(word[k:])[0],)
        return ()


def plural_ending(phones: Pronunciation) -> Pronunciation:
    """What a plural or a possessive adds to a word: Z, S after a voiceless phone, IH Z after a sibilant."""
    if phones[-1] in _SIBILANTS:
        return ("IH", "Z")
    return ("S",) if phones[-1] in _VOICELESS else ("Z",)

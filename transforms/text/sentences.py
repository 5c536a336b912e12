"""Where sentences and clauses end, judged by a written word and the one after it."""

import re

from transforms.text.lexicon import DOTTED, LATIN, MAY_END_SENTENCE, UNDOTTED

_CLOSERS = "\"'”’»›)]}*_"
_DASHES = "-–—―"
_INITIAL = re.compile(r"(?:[A-Z]\.)*[A-Z]")
_DOTTED_LETTERS = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
_OPENING_WORDS = (
    "a after also an and as at because but by do for from he her here his how i i'm i've if in it it's its my no not "
    "now of oh okay on one or our she so some that that's the their then there there's these they they're this those "
    "to was we we're well what what's when where which who why with yeah yes you you're your"
)
_OPENERS = frozenset(_OPENING_WORDS.split())
_BEFORE_NUMBER = frozenset(("no", "nos", "vol", "ch", "fig", "p", "pp", "sec", "pt"))
# Short for a word, and a word that ends sentences too: what comes next decides.
_WORDS_TOO = frozenset(("no", "sun", "sat", "mar", "dec", "fig", "gen", "ed", "co", "rev", "sec", "est", "col", "ave"))


def is_sentence_end(token_text: str, next_text: str = "") -> bool:
    """Whether a sentence ends after a written word; `next_text` is the next one, "" at the end of the text.

    In doubt it does not: a cut in the middle of a name is worse than a cut missed.
    """
    text = token_text.rstrip(_DASHES + " ")
    bare = text.rstrip(_CLOSERS)
    following = next_text.lstrip("\"'“‘«‹([{¿¡*_-–—.… ")
    continues = following[:1].islower()
    if bare.endswith(("!", "?")):
        return not (continues and bare != text)
    if bare.endswith(("…", "..", "...")):
        return not continues
    if not bare.endswith("."):
        return False
    word = bare[:-1].lstrip("\"'“‘«‹([{*_")
    if continues and bare != text:
        return False
    return not next_text or not _is_abbreviation(word, following, continues)


def _is_abbreviation(word: str, following: str, continues: bool) -> bool:
    """Whether the full stop after `word` belongs to it."""
    plain = word.lower()
    if plain in MAY_END_SENTENCE:
        return continues or not _begins_sentence(plain, following)
    if plain in _BEFORE_NUMBER and following[:1].isdigit():
        return True
    if plain in _WORDS_TOO:
        return continues or following[:1].isdigit() or (word[:1].isupper() and plain != "no")
    if plain in LATIN or plain in UNDOTTED or plain in DOTTED:
        return True
    # "So am I." ends a sentence oftener than a name has the initial I.
    return word != "I" and bool(_INITIAL.fullmatch(word) or _DOTTED_LETTERS.fullmatch(word))


def _begins_sentence(plain: str, following: str) -> bool:
    """Whether what follows an abbreviation that may end a sentence looks like a new one."""
    if not following[:1].isupper():
        return False
    if plain in ("etc", "a.m", "p.m"):
        return True
    return following.rstrip(".,!?;:").lower() in _OPENERS


def is_clause_end(token_text: str, next_text: str = "") -> bool:
    """Whether a clause ends after a written word: a comma, semicolon, colon or dash, or a dash after it."""
    bare = token_text.rstrip(_CLOSERS + " ")
    if bare.endswith((",", ";", ":", "–", "—", "―", "--", " -")):
        return True
    return bool(next_text) and next_text.strip(_DASHES) == ""

"""What surrounds a written word, as far as it changes how the word is said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """The written words before and after (punctuation off, "" at an end), and how this one is written.

    `dotted`: a full stop follows the word itself. `shouting`: the text around is all in capitals, so that capitals
    mean nothing. `british`: days come before months, and hundreds take an "and". `after_comma`: the word before
    ended in a comma ("50, 000" as some recognisers write it).
    """

    previous: str = ""
    following: str = ""
    dotted: bool = False
    shouting: bool = False
    british: bool = False
    after_comma: bool = False


_BRITISH = ("en-gb", "en-uk", "en-au", "en-nz", "en-ie", "en-za", "en-in")


def is_english(language: str) -> bool:
    """Whether a language tag is of English, or empty."""
    return language.lower().replace("_", "-").split("-")[0] in ("", "en", "eng")


def is_british(language: str) -> bool:
    return language.lower().replace("_", "-").startswith(_BRITISH)

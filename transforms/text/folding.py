"""Brings letters of the Latin script down to a-z."""

import unicodedata

APOSTROPHES = "'\u2019\u2018\u02bc\u201b\u2032\u00b4`\uff07"
_TO_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
# Letters that have no decomposition in Unicode.
_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ð": "th",
        "Ð": "Th",
        "þ": "th",
        "Þ": "Th",
        "ı": "i",
        "ħ": "h",
        "Ħ": "H",
        "ŋ": "ng",
        "Ŋ": "Ng",
        "ə": "e",
    }
)


def straight_apostrophes(text: str) -> str:
    """Typographic apostrophes as '."""
    return text.translate(_TO_APOSTROPHE)


def fold(text: str) -> str:
    """Accents off, ligatures apart, widths and superscripts plain; case and all else stay ("Café" -> "Cafe")."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", straight_apostrophes(text).translate(_LETTERS))
    return "".join(c for c in plain if not unicodedata.combining(c))


def sayable_letters(word: str) -> str:
    """The word as spoken words are written, lower-case a-z and apostrophes; "" if it holds another script's letters."""
    plain = fold(word).lower()
    if any(c.isalnum() and not c.isascii() for c in plain):
        return ""
    return "".join(c for c in straight_apostrophes(plain) if "a" <= c <= "z" or c == "'")

"""SSML's say-as: a text as the number, the letters, the date or the sum of money that it is."""

import re
from collections.abc import Iterator
from types import MappingProxyType

from transforms.text.dictionary import default_dictionary
from transforms.text.lexicon import MONTHS
from transforms.text.numerals import cardinals, decimals, digit_by_digit, integers_in_amount, ordinals, years
from tts.frontend.parts import Part, Said, Text
from tts.frontend.script import Manner

KINDS = ("cardinal", "number", "ordinal", "characters", "spell-out", "digits", "date", "time", "telephone", "currency")

_NUMBER = re.compile(r"([-+−]?)(\d+)(?:\.(\d+))?")
_ORDINAL = re.compile(r"(\d{1,15})(?:st|nd|rd|th)?", re.IGNORECASE)
_SIGNS = MappingProxyType({"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"})
_CURRENCY = re.compile(r"([A-Z]{3})\s*([\d.,]+)|([\d.,]+)\s*([A-Z]{3})")
_NAMES = MappingProxyType(
    {
        "-": "dash", ".": "dot", "@": "at", "_": "underscore", "/": "slash", "+": "plus", "#": "number", "&": "and",
        "*": "star", ":": "colon", ",": "comma", "%": "percent", "=": "equals", "$": "dollar", "?": "question mark",
        "!": "exclamation mark", "'": "apostrophe",
    }
)  # fmt: skip
# Letters one by one are said slower than words.
_SPELLING = Manner(rate=0.9)
_DATE_ORDERS = ("mdy", "dmy", "ymd", "ydm", "md", "dm", "ym", "my", "d", "m", "y")


def say_as(text: str, kind: str, form: str, manner: Manner) -> Iterator[Part]:
    """The parts that a text is said as; raises ValueError that says what it isn't. Of an unknown kind: the text."""
    if kind in ("characters", "spell-out"):
        yield from _characters(text, manner)
    elif kind == "digits":
        yield from _characters(re.sub(r"\D", "", text), manner)
    else:
        yield Text(_written(text, kind, form), manner)


def _written(text: str, kind: str, form: str) -> str:
    if kind in ("cardinal", "number"):
        return _cardinal(text)
    if kind == "ordinal":
        match = _ORDINAL.fullmatch(_together(text))
        if not match:
            raise ValueError("is no whole number to say as an ordinal")
        return " ".join(ordinals(int(match[1]))[0])
    if kind == "telephone":
        return _telephone(text)
    if kind == "currency":
        return _CURRENCY.sub(_with_sign, text)
    return _date(text, form) if kind == "date" and form else text


def _cardinal(text: str) -> str:
    match = _NUMBER.fullmatch(_together(text))
    if not match:
        raise ValueError("is no number")
    sign, whole, fraction = match.groups()
    words = decimals(whole, fraction)[0] if fraction else integers_in_amount(whole)[0]
    return " ".join((("minus",) if sign in ("-", "−") and sign else ()) + words)


def _together(text: str) -> str:
    return re.sub(r"[\s,]", "", text)


def _characters(text: str, manner: Manner) -> Iterator[Said]:
    dictionary = default_dictionary()
    for character in text:
        if character.isspace():
            continue
        lower = character.lower()
        if lower.isascii() and lower.isalpha():
            phones = dictionary.letters(lower)
        else:
            words = digit_by_digit(lower)[0] if lower in "0123456789" else tuple(_NAMES.get(lower, "").split())
            if not words:
                raise ValueError(f"has {character!r}, which has no name in English")
            phones = tuple(phone for word in words for phone in dictionary.lookup(word)[0])
        yield Said(character, phones, _SPELLING.within(manner))


def _telephone(text: str) -> str:
    groups = re.findall(r"\+|\d+|[A-Za-z]+", text)
    said = []
    for group in groups:
        if group.isdigit():
            said.append(" ".join(digit_by_digit(group)[0]) + ",")
        elif group != "+":
            said.append("extension" if group.lower() in ("x", "ext", "extension") else group)
        else:
            said.append("plus")
    if not any(group.isdigit() for group in groups):
        raise ValueError("is no telephone number")
    return " ".join(said).rstrip(",")


def _with_sign(match: re.Match[str]) -> str:
    code, amount = match[1] or match[4], match[2] or match[3]
    return f"{_SIGNS[code]}{amount}" if code in _SIGNS else match[0]


def _date(text: str, form: str) -> str:
    order = form.lower()
    numbers = re.findall(r"\d+", text)
    if order not in _DATE_ORDERS:
        raise ValueError(f"has the format {form!r}; there are {', '.join(_DATE_ORDERS)}")
    if len(numbers) == 1 and len(order) == 3 and len(numbers[0]) == 8:
        widths = [4 if letter == "y" else 2 for letter in order]
        ends = [sum(widths[: number + 1]) for number in range(3)]
        numbers = [numbers[0][end - width : end] for end, width in zip(ends, widths, strict=True)]
    if len(numbers) != len(order):
        raise ValueError(f"is no date of the format {form!r}")
    found = dict(zip(order, numbers, strict=True))
    day, month = int(found.get("d", "1")), int(found.get("m", "1"))
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError(f"is no date of the format {form!r}")
    words: list[str] = []
    if "m" in found:
        words.append(MONTHS[month - 1])
    if "d" in found:
        words += ordinals(day)[0]
    if "y" in found:
        words += _year(found["y"])
    return " ".join(words)


def _year(digits: str) -> tuple[str, ...]:
    if len(digits) == 4 and digits[0] != "0":
        return years(digits)[0]
    return years(f"20{digits}")[0] if len(digits) == 2 else cardinals(int(digits))[0]

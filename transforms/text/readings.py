"""All the ways one written word is commonly said in English, the likeliest first."""

import re
from dataclasses import replace

from transforms.text import amounts, moments, names
from transforms.text.context import Context
from transforms.text.dictionary import default_dictionary
from transforms.text.folding import fold, straight_apostrophes
from transforms.text.numerals import Readings, combine, distinct, literal

# A word is never longer than this; the address of a page may be, but nobody says it.
_LONGEST = 200
_SIMPLE = re.compile("[a-z]+(?:'[a-z]+)?")
_OPENING = '"“”„«»‹›([{<¿¡*_~|\\^'
_CLOSING = '"“”„«»‹›)]}>*_~|\\^,;:!?…'
_SEPARATORS = re.compile(r"[-‐‑‒–—―−/\\_.,;:!?…\s\"“”()\[\]{}<>|*~^=•·⁄]+")
_RANGE = re.compile(r"(.*\d[\d%°FCkKmMBbn+xs]*)(?:-|–|—)([$£€'.]?\d.*)")
_AMPERSAND = re.compile(r"([A-Za-z]+)&([A-Za-z]+)")
_SIGNS_INSIDE = re.compile(r"[&+@%#=°×$£€]|[^&+@%#=°×$£€]+")
_SIGN_NAMES = {"#": "hashtag", "=": "equals", "°": "degrees", "×": "times", "$": "dollar", "£": "pound", "€": "euro"}
_SIGN_NAMES |= {"&": "and", "+": "plus", "@": "at", "%": "percent"}

_WHOLE = (
    names.irregular,
    names.abbreviation,
    names.roman_numeral,
    moments.half_day,
    names.dotted_letters,
    amounts.symbol,
    amounts.magnitude_after_money,
    moments.date,
    moments.time_of_day,
    amounts.signed,
    amounts.any_amount,
    names.address,
    names.word,
    names.letters_and_digits,
)


def bare(chunk: str) -> tuple[str, bool]:
    """A written word without the punctuation around it, and whether a full stop followed it."""
    text = straight_apostrophes(chunk).lstrip(_OPENING).rstrip(_CLOSING)
    text = _unquoted(text)
    stripped = text.rstrip(".")
    dotted = stripped != text
    return stripped.rstrip(_CLOSING), dotted


def readings(chunk: str, context: Context) -> Readings:
    """Readings of a written word with its punctuation, words of a-z and apostrophes; () where it can't be said.

    What can't be said is punctuation alone, letters of other scripts, and what is too long for a word.
    """
    core, dotted = bare(chunk)
    if len(core) > 3 and _SIMPLE.fullmatch(core) and not dotted and not any(c.isdigit() for c in context.previous):
        return literal(core) if len(core) <= names.LONGEST_WORD else ()
    return _sayable(_core_readings(core, replace(context, dotted=dotted)))


def is_foreign(chunk: str) -> bool:
    """Whether a written word has letters or digits that are not of the Latin script."""
    return any(c.isalnum() and not c.isascii() for c in fold(chunk))


def _unquoted(text: str) -> str:
    """Off with single quotation marks, on both sides or before a capital; apostrophes stay ('twas, '90s, 6'2")."""
    if len(text) > 2 and text.startswith("'") and text.endswith("'"):
        return text.strip("'")
    if text.startswith("'") and text[1:2].isupper() and text.lower().rstrip(".") not in default_dictionary():
        return text.lstrip("'")
    if text.startswith("''"):
        return text.lstrip("'")
    return text


def _core_readings(core: str, context: Context) -> Readings:
    if not core or len(core) > _LONGEST:
        return ()
    vulgar = amounts.vulgar_fraction(core, context)
    if vulgar:
        return vulgar
    core = fold(core)
    if is_foreign(core):
        return ()
    for kind in _WHOLE:
        ways = kind(core, context)
        if ways:
            return ways
    return _range(core, context) or _pieces(core, context)


def _range(core: str, context: Context) -> Readings:
    """10-20, $10-20, 1939–45, 20-30%: one "to" the other."""
    match = _RANGE.fullmatch(core)
    if not match or amounts.phone_number(core, context):
        return ()
    first, last = match.groups()
    sign = re.match(r"[$£€]", first)
    if sign:
        first, last = first[1:], last if last[0] in "$£€" else sign[0] + last
    inner = Context(shouting=context.shouting, british=context.british)
    low = moments.time_of_day(first, inner) or amounts.any_amount(first, inner)
    high = moments.time_of_day(last, context) or amounts.any_amount(last, context)
    if not low or not high:
        return ()
    joined = combine([low, literal("to"), high])
    return distinct([*joined[:6], *(low[0] + middle + high[0] for middle in ((), ("through",), ("dash",)))])


def _pieces(core: str, context: Context) -> Readings:
    """Hyphenated words, words joined by dashes or slashes, words with signs inside: one piece after the other."""
    inner = Context(shouting=context.shouting, british=context.british)
    parts: list[Readings] = []
    for piece in _SEPARATORS.split(core):
        if not piece:
            continue
        ways = _piece(piece, inner) if piece != core else _signs_apart(piece, inner)
        if ways:
            parts.append(ways)
    return combine(parts) if parts else ()


def _piece(piece: str, context: Context) -> Readings:
    for kind in (names.irregular, moments.time_of_day, amounts.signed, amounts.any_amount, names.word):
        ways = kind(piece, context)
        if ways:
            return ways
    return names.letters_and_digits(piece, context) or _signs_apart(piece, context)


def _signs_apart(piece: str, context: Context) -> Readings:
    """AT&T, C++, #hashtag, @name, Disney+."""
    together = _AMPERSAND.fullmatch(piece)
    if together:
        first, last = (_letters(side, context) for side in together.groups())
        return combine([first, literal("and"), last])
    parts: list[Readings] = []
    for part in _SIGNS_INSIDE.findall(piece):
        ways: Readings = ()
        if part in _SIGN_NAMES:
            ways = literal(_SIGN_NAMES[part])
        elif part != piece:
            ways = _piece(part, context)
        else:
            ways = distinct([_only_letters(part)])
        if ways:
            parts.append(ways)
    return combine(parts) if parts else ()


def _letters(side: str, context: Context) -> Readings:
    return literal(*side.lower()) if side.isupper() and len(side) < 3 else names.word(side, context)


def _only_letters(part: str) -> tuple[str, ...]:
    """What is left when nothing else fits: the letters and digits, the rest dropped."""
    said: list[str] = []
    for run in re.findall(r"[A-Za-z']+|\d+", part):
        if run.isdigit():
            said += amounts.number(run, Context())[0]
        elif run.strip("'"):
            said.append(run.lower().strip("'"))
    return tuple(said)


def _sayable(ways: Readings) -> Readings:
    """Readings whose words are all of a-z and apostrophes, and words."""
    return distinct(way for way in ways if all(_is_word(word) for word in way))


def _is_word(word: str) -> bool:
    return len(word) <= names.LONGEST_WORD and re.fullmatch("[a-z']*[a-z][a-z']*", word) is not None

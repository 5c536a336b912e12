"""Words as they are said: abbreviations, initialisms, Roman numerals, addresses of the net, everything with letters."""

import re
from collections.abc import Iterable

from transforms.text.context import Context
from transforms.text.dictionary import Dictionary, default_dictionary
from transforms.text.lexicon import (
    ACRONYMS,
    DOMAINS,
    DOTTED,
    INITIALISMS,
    IRREGULAR,
    LATIN,
    MONARCHS,
    MONTH_NAMES,
    NUMBERED,
    STREET_OR_SAINT,
    UNDOTTED,
)
from transforms.text.numerals import (
    Readings,
    Words,
    cardinals,
    combine,
    digit_by_digit,
    distinct,
    in_pairs,
    integers,
    literal,
    ordinals,
)

# No word is longer; what is longer can't be said (and must not cost time).
LONGEST_WORD = 60
_LONGEST_INITIALISM = 4

_DOTTED_LETTERS = re.compile(r"(?:[A-Za-z]\.){1,6}[A-Za-z]?(?:'?s)?")
_CAPITALS = re.compile(r"([A-Z]{2,})('?s|'S)?")
_ROMAN = re.compile(r"(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})(st|nd|rd|th)?")
# Nothing else is written so.
_ONLY_NUMERALS = frozenset(("II", "III", "VII", "VIII", "XII", "XIII", "XVII", "XVIII"))
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z']+|[A-Z]")
_NAME_PREFIXES = frozenset(("d", "de", "di", "du", "el", "la", "le", "mac", "mc", "o", "van", "von"))
_RUNS = re.compile(r"[A-Za-z']+|\d+")
_VOWEL = re.compile("[aeiouy]", re.IGNORECASE)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
_ADDRESS = re.compile(
    rf"(?:https?://)?(?:([\w.+-]{{1,64}})@)?((?:{_LABEL}\.){{1,5}}([A-Za-z]{{2,7}}))((?:/[\w./~%#?&=+-]*)?)"
)
_ADDRESS_PIECE = re.compile(r"[A-Za-z']+|\d+|[-_./~?&=+]")
_ADDRESS_SIGNS = {"-": "dash", "_": "underscore", ".": "dot", "/": "slash", "+": "plus", "=": "equals", "&": "and"}


def abbreviation(core: str, context: Context) -> Readings:
    """Dr., St., vs., e.g., No. 5, Jan. 25; what is short for what depends on the neighbours."""
    word = core.lower()
    if len(core) > 1 and core.isupper() and not context.shouting and word not in ("mr", "mrs", "dr", "vs"):
        return ()
    if word in LATIN and (context.dotted or "." in core) and (len(word) > 1 or core.islower()):
        return distinct(tuple(way.split()) for way in LATIN[word])
    if word in ("no", "nos") and context.dotted and context.following[:1].isdigit():
        return literal("number" if word == "no" else "numbers")
    if word in MONTH_NAMES and len(word) < 5 and _beside_day(context) and word != "may":
        return literal(MONTH_NAMES[word])
    if word in STREET_OR_SAINT:
        saint, street = STREET_OR_SAINT[word]
        return distinct([(street,), (saint,)] if _ends_name(context) else [(saint,), (street,)])
    if word in UNDOTTED and (core[0].isupper() or context.dotted or word in ("vs", "etc")):
        return literal(*UNDOTTED[word].split())
    if word in DOTTED and context.dotted and (context.following or core[0].isupper()):
        # "the sun." and "march." end sentences; "Sun." before a word does not.
        if word in default_dictionary() and (core.islower() or word in ("sat", "sun", "mar", "dec", "fig", "gen")):
            return distinct([(word,), (DOTTED[word],)])
        return distinct([(DOTTED[word],), (word,)])
    return ()


def _beside_day(context: Context) -> bool:
    return re.match(r"\d", context.following) is not None or re.match(r"\d{1,2}\D{0,2}$", context.previous) is not None


def _ends_name(context: Context) -> bool:
    """Whether an abbreviation ends a name (Main St.) rather than begins one (St. Louis)."""
    return context.previous[:1].isupper() and not context.following[:1].isupper()


def roman_numeral(core: str, context: Context) -> Readings:
    """Henry VIII (the eighth), Chapter IV (four), World War II (two)."""
    stem = core.removesuffix("'s")
    match = _ROMAN.fullmatch(stem)
    before = context.previous.lower()
    if match and stem in _ONLY_NUMERALS and (context.shouting or not context.previous[:1].isupper()):
        return distinct([cardinals(_roman_value(stem))[0], tuple(stem.lower())])
    if not match or context.shouting or not context.previous[:1].isupper() or before.endswith("."):
        return ()
    # John L Sullivan, "Henry, I said": a single letter is a numeral only where nothing else is likely.
    if len(stem) == 1 and before not in NUMBERED and (stem not in "VX" or before not in MONARCHS):
        return ()
    value = _roman_value(stem.removesuffix(match[1] or ""))
    if not value or (len(stem) == 2 and stem in ("LI", "XL") and before not in NUMBERED):
        return ()
    nth, plain = ordinals(value)[0], cardinals(value)[0]
    if before in MONARCHS or match[1]:
        ways: list[Words] = [("the", *nth), nth, plain]
    else:
        ways = [plain, ("the", *nth)]
    if stem != core:
        ways = [(*way[:-1], way[-1] + "'s") for way in ways]
    return distinct(ways)


def _roman_value(numeral: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10, "L": 50}[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


def dotted_letters(core: str, context: Context) -> Readings:
    """U.S., J.K., p.h.d: letter by letter."""
    text = core + "." if context.dotted else core
    if not _DOTTED_LETTERS.fullmatch(text) or ("." not in core and not core.isupper()):
        return ()
    ending = "'s" if core.endswith("s") and len(core) > 2 and core[-2] != "." else ""
    letters = tuple(re.sub("[^a-z]", "", core.lower().removesuffix("s") if ending else core.lower()))
    return (_with_ending(letters, ending),)


def irregular(core: str, context: Context) -> Readings:
    """What no rule reads rightly."""
    word = core.lower()
    if word in ("aka", "eg", "ie") and word in LATIN:
        return distinct(tuple(way.split()) for way in LATIN[word])
    return distinct(tuple(way.split()) for way in IRREGULAR.get(word, ()))


def capitals(core: str, context: Context) -> Readings:
    """USA, RNZ, CEOs letter by letter; NASA, LOVE as the words they are."""
    match = _CAPITALS.fullmatch(core)
    if not match:
        return ()
    word, ending = match[1].lower(), "'s" if match[2] else ""
    spelled: Words = _with_ending(tuple(word), ending)
    said: Words = (word + ending,)
    if len(word) > LONGEST_WORD:
        return ()
    return distinct([said, spelled] if _is_said(word, context, default_dictionary()) else [spelled, said])


def _is_said(word: str, context: Context, dictionary: Dictionary) -> bool:
    """Whether a word in capitals is said as a word rather than by its letters."""
    if word in ACRONYMS:
        return True
    known = word in dictionary and not dictionary.is_spelled(word) and not _is_expanded(word, dictionary)
    if context.shouting:
        return known or (word not in dictionary and _VOWEL.search(word) is not None and len(word) > 3)
    if word in INITIALISMS:
        return False
    return known or (word not in dictionary and len(word) > _LONGEST_INITIALISM and _VOWEL.search(word) is not None)


def _is_expanded(word: str, dictionary: Dictionary) -> bool:
    """Whether the dictionary says what the letters stand for, as it does for "fyi"."""
    return all(len(phones) > 2 * len(word) for phones in dictionary.lookup(word))


def _with_ending(letters: Words, ending: str) -> Words:
    return (*letters[:-1], letters[-1] + ending) if letters else ()


def address(core: str, context: Context) -> Readings:
    """podnews.net, https://example.com/latest, name@example.org."""
    match = _ADDRESS.fullmatch(core)
    if not match or len(core) > 120:
        return ()
    user, host, domain, path = match.groups()
    explicit = bool(user or path) or core.startswith(("http", "www."))
    if domain.lower() not in DOMAINS or (not explicit and not domain.islower()):
        return ()
    parts: list[Readings] = []
    if user:
        parts += [*_address_pieces(user), literal("at")]
    labels = host.split(".")
    for place, label in enumerate(labels):
        if place:
            parts.append(literal("dot"))
        if place and (place == len(labels) - 1 or (len(label) < 4 and label in DOMAINS)):
            parts.append(literal(*DOMAINS[label.lower()].split()))
        else:
            parts += _address_pieces(label)
    parts += _address_pieces(path.rstrip("/"))
    ways = combine(parts)
    if ways[0][:4] == ("w", "w", "w", "dot"):
        ways = distinct([*ways, ways[0][4:]])
    return ways


def _address_pieces(text: str) -> list[Readings]:
    parts: list[Readings] = []
    for piece in _ADDRESS_PIECE.findall(text):
        if piece in _ADDRESS_SIGNS:
            parts.append(literal(_ADDRESS_SIGNS[piece]))
        elif piece.isdigit():
            parts.append(integers(piece))
        elif piece[0].isalpha():
            parts.append(irregular(piece, Context()) or word(piece, Context()) or literal(piece.lower()))
    return parts


def word(core: str, context: Context) -> Readings:
    """A word of letters and apostrophes, PodNews and McDonald included; () for what has other signs."""
    if not core or len(core) > LONGEST_WORD or not re.fullmatch("[A-Za-z']*[A-Za-z][A-Za-z']*", core):
        return ()
    in_capitals = capitals(core, context)
    if in_capitals:
        return in_capitals
    plain = _trimmed(core.lower())
    humps = _HUMPS.findall(core)
    if len(humps) > 1 and "'" not in core and plain not in default_dictionary():
        apart = _humps_apart(humps, context)
        return distinct([*apart, (plain,)] if apart else [(plain,)])
    if len(plain) == 1 and plain not in "aio" and core.isupper():
        return literal(plain)
    return literal(plain)


def _humps_apart(humps: Iterable[str], context: Context) -> Readings:
    """PodNews as pod news, NZMe as n z me; () where the humps are not words by themselves."""
    parts = []
    for hump in humps:
        plain = hump.lower()
        if plain in _NAME_PREFIXES or (plain not in default_dictionary() and not hump.isupper()):
            return ()
        parts.append(capitals(hump, context) or literal(plain))
    return combine(parts)


def _trimmed(plain: str) -> str:
    """Without the apostrophes that are quotation marks; 'twas and goin' keep theirs."""
    dictionary = default_dictionary()
    if plain in dictionary:
        return plain
    inner = plain.strip("'")
    if plain.startswith("'") and "'" + inner in dictionary:
        return "'" + inner
    if plain.endswith("in'") and not plain.startswith("'"):
        return inner + "'"
    return inner


def letters_and_digits(core: str, context: Context) -> Readings:
    """MP3, B2B, G20, iPhone15, A380."""
    runs = _RUNS.findall(core)
    if len(runs) < 2 or "".join(runs) != core or len(core) > LONGEST_WORD:
        return ()
    parts: list[Readings] = []
    for run in runs:
        if not run.isdigit():
            parts.append(_beside_digits(run, context))
        elif len(run) == 3 and run[1:] != "00":
            parts.append(distinct([*in_pairs(run), *integers(run)]))
        elif len(run) < 3:
            parts.append(integers(run))
        else:
            parts.append(distinct([*integers(run), *digit_by_digit(run)]))
    return combine([part for part in parts if part])


def _beside_digits(run: str, context: Context) -> Readings:
    plain = run.lower().strip("'")
    if not plain:
        return ()
    if run.isupper() and len(plain) <= _LONGEST_INITIALISM and plain not in ACRONYMS:
        return distinct([tuple(plain), (plain,)])
    if plain in IRREGULAR:
        return irregular(plain, context)
    if len(plain) > 1 and not _VOWEL.search(plain):
        return literal(*plain.replace("'", ""))
    return word(run, context) or literal(plain)

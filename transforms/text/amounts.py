"""Amounts as they are said: money, percentages, measures, plain and ordinal numbers."""

import re

from transforms.text.context import Context
from transforms.text.lexicon import (
    APART,
    COUNTRIES,
    CURRENCIES,
    MAGNITUDE_WORDS,
    MAGNITUDES,
    MONTH_NAMES,
    SYMBOLS,
    UNITS,
)
from transforms.text.numerals import (
    Readings,
    Words,
    cardinals,
    combine,
    decimals,
    digit_by_digit,
    distinct,
    fractions,
    in_pairs,
    integers,
    integers_in_amount,
    literal,
    ordinals,
    plural,
    years,
)

_NUMBER = r"(?:\d{1,3}(?:,\d{2,3})+|\d+)"
_SIGNS = re.escape("".join(CURRENCIES))
_VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅛": (1, 8), "⅜": (3, 8)}

_AMOUNT = re.compile(rf"({_NUMBER})?(?:\.(\d+))?")
_MONEY = re.compile(rf"([A-Z]{{0,2}})([{_SIGNS}])({_NUMBER})?(?:\.(\d+))?-?([A-Za-z]+)?(?:/([a-z]+))?")
_MONEY_AFTER = re.compile(rf"({_NUMBER})(?:\.(\d+))?([{_SIGNS}])")
_SIGNED = re.compile(r"([-−+~#])(?=[\d.$£€])(.+)")
_MEASURE = re.compile(rf"({_NUMBER})?(?:\.(\d+))?([^\d.,]{{1,4}}[23]?)")
_FEET_INCHES = re.compile(r"(\d{1,2})'(\d{1,2})(?:\"|'')?")
_ORDINAL = re.compile(rf"({_NUMBER})(?:st|nd|rd|th)", re.IGNORECASE)
_PLURAL = re.compile(r"'?(\d{1,4})'?s")
_VULGAR_FRACTION = re.compile(rf"(\d*)([{''.join(_VULGAR)}])(.*)")
_FRACTION = re.compile(r"(\d{1,4})/(\d{1,4})")
_VERSION = re.compile(r"([vV]?)(\d+(?:\.\d+){2,})")
_TIMES = re.compile(r"(\d+)[x×](\d+)?")
_PHONE = re.compile(r"\+?\d{1,4}(?:[-.]\d{2,4}){1,4}")
_PHONE_REST = re.compile(r"\d{3}[-.]\d{4}")
_MONEY_BEFORE = re.compile(rf"[A-Z]{{0,2}}([{_SIGNS}])[\d.,]+")
_PLAIN = re.compile(r"[-−+]?[\d,]+(?:\.\d+)?")
# Letters that are units after a number and a space, if rather not than those of APART.
_UNIT_LETTERS = frozenset("mgVWLlh")


def money(core: str, context: Context) -> Readings:
    """$3.50, £5m, US$84,000, 5€, $1.2 (before "billion": the dollars are said after that word)."""
    match = _MONEY.fullmatch(core)
    if match and (match[3] or match[4]):
        country, sign, whole, cents, suffix, per = match.groups()
    else:
        match = _MONEY_AFTER.fullmatch(core)
        if not match:
            return ()
        (whole, cents, sign), country, suffix, per = match.groups(), "", None, None
    if country and country not in COUNTRIES:
        return ()
    if suffix and suffix.lower() not in MAGNITUDES and suffix.lower() not in MAGNITUDE_WORDS:
        return ()
    many = CURRENCIES[sign][1]
    before: Words = tuple(COUNTRIES[country].split()) if country else ()
    amount = _decimal(whole, cents, context)
    if suffix:
        magnitude = MAGNITUDES.get(suffix.lower(), suffix.lower())
        ways = [(*way, magnitude, *before, many) for way in amount]
        ways += [(*way, magnitude) for way in amount]
    elif context.following.lower() in MAGNITUDE_WORDS:
        ways = list(amount)
    else:
        ways = _exact_money(whole, cents, sign, before, amount)
    if per:
        ways = [(*way, middle, per) for middle in ("per", "a") for way in ways]
    return distinct(ways)


def _exact_money(whole: str | None, cents: str | None, sign: str, before: Words, amount: Readings) -> list[Words]:
    one, many, cent, cents_name = CURRENCIES[sign]
    units = int((whole or "0").replace(",", "")) if len(whole or "") < 20 else 2
    name = one if units == 1 else many
    counts = integers_in_amount(whole) if whole else (("zero",),)
    if not cents or not cents.strip("0"):
        exact = [(*count, *before, name) for count in (amount if not cents else counts)]
        return [*exact, *((*count, *before, one) for count in counts[:1]), *counts[:1]]
    if len(cents) != 2:
        return [(*way, *before, many) for way in amount]
    hundredths = cardinals(int(cents))[0]
    small = (*hundredths, cent if int(cents) == 1 else cents_name)
    if not units:
        return [small, *((*way, *before, many) for way in amount)]
    count = counts[0]
    return [
        (*count, *before, name, "and", *small),
        (*count, *before, name, *small),
        (*count, *hundredths),
        (*count, *before, name, *hundredths),
        *((*way, *before, many) for way in amount),
    ]


def magnitude_after_money(core: str, context: Context) -> Readings:
    """ "billion" after "$1.2" takes the dollars."""
    match = _MONEY_BEFORE.fullmatch(context.previous)
    word = core.lower()
    if not match or word not in MAGNITUDE_WORDS:
        return ()
    return ((word, CURRENCIES[match[1]][1]), (word,), (word, CURRENCIES[match[1]][0]))


def measure(core: str, context: Context) -> Readings:
    """5km, 84°F, 10%, 3GB, 10K; and "km" alone after a number."""
    apart = _unit_alone(core, context)
    if apart:
        return apart
    feet = _FEET_INCHES.fullmatch(core)
    if feet:
        foot, inches = cardinals(int(feet[1]))[0], cardinals(int(feet[2]))[0]
        return distinct([(*foot, "foot", *inches), (*foot, *inches), (*foot, "feet", *inches, "inches")])
    match = _MEASURE.fullmatch(core.replace("º", "°").replace("˚", "°"))
    if not match or not (match[1] or match[2]):
        return ()
    whole, fraction, unit = match.groups()
    amount = _decimal(whole, fraction, context)
    # A degree sign is what bad encodings lose most often.
    unit = unit.replace("\ufffd", "°")
    name = _unit(unit, whole)
    if unit in ("K", "k", "M", "m", "B", "b", "bn", "T", "mm") and not (unit == "mm" and whole):
        large = tuple((*way, MAGNITUDES[unit.lower()]) for way in amount)
        letter = tuple((*way, unit.lower()) for way in amount if len(unit) == 1)
        measured = tuple((*way, *name[1].split()) for way in amount) if name else ()
        if unit in ("m", "mm"):
            return distinct([*measured, *large, *letter])
        # 4K is a screen, 10K a number.
        return distinct([*letter, *large, *measured] if core in ("2K", "4K", "8K") else [*large, *letter, *measured])
    if not name:
        return ()
    is_one = whole == "1" and not fraction
    forms = (name[0], name[1]) if is_one else (name[1], name[0])
    return distinct((*way, *form.split()) for form in forms for way in amount)


def _unit(symbol: str, whole: str | None) -> tuple[str, str] | None:
    """One and many of a unit; single capitals are units only as they are written (5G is no weight, 1080p no price)."""
    if symbol == "p" and len(whole or "") > 2:
        return None
    return UNITS.get(symbol) or (UNITS.get(symbol.lower()) if len(symbol) > 1 else None)


def _unit_alone(core: str, context: Context) -> Readings:
    is_letter = core in _UNIT_LETTERS
    if not (is_letter or core in APART) or not _PLAIN.fullmatch(context.previous):
        return ()
    one, many = UNITS[core]
    ways = [one, many] if context.previous == "1" else [many, one]
    if is_letter:
        ways.append(core.lower())
    return distinct(tuple(way.split()) for way in ways)


def number(core: str, context: Context) -> Readings:
    """Digits, with commas or a decimal point: 1984, 4,205, 3.14, .5, 007; a day beside its month is an ordinal."""
    match = _AMOUNT.fullmatch(core)
    if not match or not (match[1] or match[2]):
        return ()
    whole, fraction = match.groups()
    if fraction is not None or "," in whole:
        return _decimal(whole, fraction, context)
    ways = integers(whole, context.british)
    if _is_day(whole, context):
        day = ordinals(int(whole))[0]
        return distinct([day, *ways, ("the", *day), ("the", *day, "of"), (*day, "of")])
    if context.after_comma and len(whole) == 3:
        rest: Readings = cardinals(int(whole), context.british) if int(whole) else ((),)
        grouped = tuple(("thousand", *way) for way in rest)
        return distinct([*grouped, *ways] if whole[0] == "0" else [*ways, *grouped])
    if len(whole) == 3 and _PHONE_REST.fullmatch(context.following):
        return distinct([*digit_by_digit(whole), *ways])
    return ways


def _is_day(digits: str, context: Context) -> bool:
    if len(digits) > 2 or not 1 <= int(digits) <= 31:
        return False
    before, after = context.previous.lower(), context.following.lower()
    # "may" is a verb far more often than a month after a number: "the 5 may come".
    return before in MONTH_NAMES or (after in MONTH_NAMES and context.following[:1].isupper())


def _decimal(whole: str | None, fraction: str | None, context: Context) -> Readings:
    if fraction is not None:
        return decimals((whole or "").replace(",", ""), fraction, context.british)
    assert whole is not None
    return integers_in_amount(whole, context.british)


def ordinal(core: str, context: Context) -> Readings:
    """25th, 1st, 1,000th."""
    match = _ORDINAL.fullmatch(core)
    if not match or len(match[1]) > 15:
        return ()
    value = int(match[1].replace(",", ""))
    ways = list(ordinals(value, context.british))
    if len(match[1]) == 4 and 1100 <= value < 2100:
        head, last = in_pairs(match[1])[0][:-1], match[1][2:]
        if last != "00":
            ways.append(cardinals(value // 100)[0] + ordinals(value % 100)[0])
        else:
            ways.append((*head, "hundredth"))
    return distinct(ways)


def plural_number(core: str, context: Context) -> Readings:
    """1990s, '90s, 90s, 747s."""
    match = _PLURAL.fullmatch(core)
    if not match:
        return ()
    digits = match[1]
    ways = years(digits)[:1] if len(digits) == 4 else integers(digits, context.british)[:3]
    return distinct(plural(way) for way in ways)


def vulgar_fraction(core: str, context: Context) -> Readings:
    """½, 2½, 1¼km."""
    match = _VULGAR_FRACTION.fullmatch(core)
    if not match:
        return ()
    whole, unit = match[1], match[3]
    top, bottom = _VULGAR[match[2]]
    ways = fractions(top, bottom)[:3]
    if whole:
        tail = (("a", *ways[0][1:]), ways[0]) if top == 1 else ways
        ways = tuple((*integers_in_amount(whole)[0], "and", *way) for way in tail)
    if not unit:
        return distinct(ways)
    name = _unit(unit, whole)
    return distinct((*way, *name[1].split()) for way in ways) if name else ()


def fraction(core: str, context: Context) -> Readings:
    """1/2, 3/4, 1/10; what is greater than one is rather two numbers (20/20)."""
    match = _FRACTION.fullmatch(core)
    if not match:
        return ()
    top, bottom = int(match[1]), int(match[2])
    apart = combine([integers(match[1]), integers(match[2])])
    if bottom < 2:
        return apart
    if top < bottom and not match[1].startswith("0"):
        return distinct([*fractions(top, bottom), *apart])
    return distinct([*apart, *fractions(top, bottom)])


def signed(core: str, context: Context) -> Readings:
    """-5, +1, #3, ~10: what follows is read by itself."""
    match = _SIGNED.fullmatch(core)
    if not match:
        return ()
    names = {"-": ("minus", "negative"), "−": ("minus", "negative"), "+": ("plus",), "#": ("number",), "~": ("about",)}
    rest = any_amount(match[2], context)
    if not rest:
        return ()
    return distinct([*((name, *rest[0]) for name in names[match[1]]), *rest])


def version(core: str, context: Context) -> Readings:
    """1.2.3, v2.0.1, 192.168.0.1."""
    match = _VERSION.fullmatch(core)
    if not match or len(match[2]) > 40:
        return ()
    parts = [integers(part) for part in match[2].split(".")]
    head: Words = ("version",) if match[1] else ()
    ways = []
    for middle in ("point", "dot") if len(parts) != 4 else ("dot", "point"):
        said = parts[0][0] + tuple(word for part in parts[1:] for word in (middle, *part[0]))
        ways.append((*head, *said))
    return distinct([*ways, tuple(word for part in parts for word in part[0])])


def times(core: str, context: Context) -> Readings:
    """2x, 4x4, 1920x1080."""
    match = _TIMES.fullmatch(core)
    if not match or len(core) > 15:
        return ()
    first = integers(match[1])
    if not match[2]:
        return distinct([*((*way, "x") for way in first[:1]), *((*way, "times") for way in first[:1])])
    second = integers(match[2])
    return distinct([(*first[0], middle, *second[0]) for middle in ("by", "x")])


def phone_number(core: str, context: Context) -> Readings:
    """555-1234, 1-800-555-1234, +44-20-7946-0958: digit by digit."""
    digits = re.sub(r"\D", "", core)
    if not _PHONE.fullmatch(core) or len(digits) < 7 or not re.search(r"[-.]\d{3,4}$", core):
        return ()
    groups = re.findall(r"\d+", core)
    if len(groups) == 2 and len(groups[0]) == 4 and len(groups[1]) == 4:
        return ()
    if core.count(".") == len(groups) - 1 and len(groups) == 4 and all(int(group) < 256 for group in groups):
        return ()
    return digit_by_digit(digits)


def symbol(core: str, context: Context) -> Readings:
    """A sign that stands alone: &, +, %, =."""
    name = SYMBOLS.get(core)
    if core == "#" and not context.following[:1].isdigit():
        return ()
    if core in ("-", "–") and context.previous.isdigit() and context.following.isdigit():
        return (("to",),)
    return literal(*name.split()) if name else ()


def any_amount(core: str, context: Context) -> Readings:
    """The first of the readings above that fits; () for what is no amount."""
    for kind in (money, ordinal, plural_number, phone_number, version, times, fraction, measure, number):
        ways = kind(core, context)
        if ways:
            return ways
    return ()

"""Numbers in English words: every way a number is commonly said, the most usual first."""

import functools
from collections.abc import Iterable, Sequence
from itertools import chain

from num2words import num2words

Words = tuple[str, ...]
Readings = tuple[Words, ...]

_ZERO = ("zero", "oh")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# A quadrillion; beyond it people read digits.
_LONGEST_CARDINAL = 16
_MOST_COMBINATIONS = 12


def distinct(readings: Iterable[Words]) -> Readings:
    """Readings in their order, each once, none empty."""
    return tuple(dict.fromkeys(reading for reading in readings if reading))


def combine(parts: Sequence[Readings]) -> Readings:
    """Readings of parts said one after the other: all at their best, then one part at a time otherwise."""
    best = [part[0] for part in parts]
    combinations = [best]
    for place, part in enumerate(parts):
        combinations += [[*best[:place], other, *best[place + 1 :]] for other in part[1:]]
    return distinct(tuple(chain.from_iterable(pieces)) for pieces in combinations[:_MOST_COMBINATIONS])


def literal(*words: str) -> Readings:
    """The one reading of fixed words."""
    return (words,)


@functools.lru_cache(maxsize=4096)
def cardinals(number: int, british: bool = False) -> Readings:
    """105: one hundred five, one hundred and five (the other way round where `british`); 100: also a hundred."""
    joined = tuple(num2words(number).replace("-", " ").replace(",", "").split())
    bare = tuple(word for word in joined if word != "and")
    ways = [joined, bare] if british else [bare, joined]
    if bare[0] == "one" and len(bare) > 1:
        ways += [("a", *way[1:]) for way in ways]
    if number == 0:
        ways.append(("oh",))
    return distinct(ways)


@functools.lru_cache(maxsize=1024)
def ordinals(number: int, british: bool = False) -> Readings:
    """105: one hundred fifth, one hundred and fifth."""
    joined = tuple(num2words(number, to="ordinal").replace("-", " ").replace(",", "").split())
    bare = tuple(word for word in joined if word != "and")
    return distinct([joined, bare] if british else [bare, joined])


def digit_by_digit(digits: str) -> Readings:
    """007: zero zero seven, oh oh seven."""
    return distinct(tuple(zero if digit == "0" else _DIGITS[int(digit)] for digit in digits) for zero in _ZERO)


def in_pairs(digits: str) -> Readings:
    """The last two digits apart, as years, rooms and aircraft are said: 1984, 747, 1905 (nineteen oh five), 1900."""
    head, tail = int(digits[:-2]), int(digits[-2:])
    first = cardinals(head)[0]
    if tail == 0:
        return distinct([(*first, "hundred")])
    if tail < 10:
        return distinct([(*first, zero, _DIGITS[tail]) for zero in ("oh", "zero")])
    return distinct([first + cardinals(tail)[0]])


def years(digits: str, british: bool = False) -> Readings:
    """A year of four digits: 1984 nineteen eighty four, 2005 two thousand five, 2024 twenty twenty four."""
    whole, pairs = cardinals(int(digits), british), in_pairs(digits)
    if digits[1:] == "000" or digits[1:3] == "00":
        return distinct([*whole, *([] if digits[1:] == "000" else pairs)])
    return distinct([*pairs, *whole])


def integers(digits: str, british: bool = False) -> Readings:
    """A whole number written without separators, whatever it may count or name."""
    if len(digits) > _LONGEST_CARDINAL:
        return digit_by_digit(digits)
    number = int(digits)
    if digits[0] == "0" and len(digits) > 1:
        return distinct([*digit_by_digit(digits), *cardinals(number, british)])
    whole = cardinals(number, british)
    spelled = digit_by_digit(digits)
    if len(digits) < 3:
        return whole
    if len(digits) == 3:
        return distinct([*whole, *(in_pairs(digits) if number % 100 else ()), *spelled])
    if len(digits) == 4:
        as_year = years(digits, british)
        return distinct([*(as_year + whole if number < 2100 else whole + as_year), *spelled])
    if len(digits) < 7 or digits.endswith("000"):
        return distinct([*whole, *spelled])
    return distinct([*spelled, *whole])


def decimals(whole: str, fraction: str, british: bool = False) -> Readings:
    """3.14: three point one four, three point fourteen; .5: point five."""
    after = list(digit_by_digit(fraction))
    if len(fraction) == 2 and fraction[0] != "0":
        after.append(cardinals(int(fraction))[0])
    before = (((),) if not whole else integers_in_amount(whole, british)) + (((),) if whole == "0" else ())
    return distinct((*b, "point", *a) for b in before[:2] for a in after)


def integers_in_amount(digits: str, british: bool = False) -> Readings:
    """A whole number that counts something: never a year, never spelled unless endless."""
    digits = digits.replace(",", "")
    if len(digits) > _LONGEST_CARDINAL:
        return digit_by_digit(digits)
    number = int(digits)
    hundreds = in_pairs(digits) if len(digits) == 4 and 1000 < number < 10_000 and number % 100 == 0 else ()
    return distinct([*cardinals(number, british), *(hundreds if number % 1000 else ())])


def plural(words: Words) -> Words:
    """Two sixes, the nineties, three halves."""
    last = words[-1]
    if last.endswith("y"):
        last = last[:-1] + "ies"
    elif last.endswith(("x", "s")):
        last += "es"
    elif last == "half":
        last = "halves"
    else:
        last += "s"
    return (*words[:-1], last)


def fractions(numerator: int, denominator: int) -> Readings:
    """1/2: one half, a half; 3/4: three quarters, three fourths; 5/8: five eighths."""
    names: list[Words]
    if denominator == 2:
        names = [("half",)]
    elif denominator == 4:
        names = [("quarter",), ("fourth",)]
    else:
        names = [ordinals(denominator)[0]]
    top = cardinals(numerator)[0]
    ways = [top + (name if numerator == 1 else plural(name)) for name in names]
    if numerator == 1:
        ways += [("a", *name) for name in names]
    return distinct([*ways, (*top, "over", *cardinals(denominator)[0])])

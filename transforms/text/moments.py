"""Dates and times of day as they are said."""

import re

from transforms.text.context import Context
from transforms.text.lexicon import MONTHS
from transforms.text.numerals import (
    Readings,
    Words,
    cardinals,
    combine,
    digit_by_digit,
    distinct,
    integers,
    ordinals,
    years,
)

_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::(\d{2}))?((?:[ap]\.?m)?)", re.IGNORECASE)
_HOUR = re.compile(r"(\d{1,2})([ap]\.?m)", re.IGNORECASE)
_RATIO = re.compile(r"(\d{1,4}):(\d{1,4})")
_HALF_DAY = re.compile(r"[ap]\.?m", re.IGNORECASE)
_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_SLASH_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})")


def time_of_day(core: str, context: Context) -> Readings:
    """3:30pm, 17:05, 10am, 1:30:05; and ratios, 4:1."""
    hour = _HOUR.fullmatch(core)
    if hour and int(hour[1]) <= 24:
        return distinct((*way, *_half_day(hour[2])) for way in cardinals(int(hour[1])))
    clock = _CLOCK.fullmatch(core)
    if clock and int(clock[1]) <= 24 and int(clock[2]) < 60 and (":" in core or clock[4]):
        return _clock(clock, _HALF_DAY.fullmatch(context.following) is not None)
    ratio = _RATIO.fullmatch(core)
    if ratio:
        if len(ratio[2]) == 2 and int(ratio[2]) < 60:
            # Minutes and seconds.
            return combine([integers(ratio[1])[:1], _minutes(ratio[2])])
        top, bottom = integers(ratio[1])[0], integers(ratio[2])[0]
        return distinct([(*top, "to", *bottom), (*top, *bottom)])
    return ()


def _clock(match: re.Match[str], half_day_follows: bool) -> Readings:
    hour, minute, second, half = match.groups()
    tail: Words = _half_day(half) if half else ()
    hours = cardinals(int(hour))[0]
    if second is not None:
        parts = [hours, *_minutes(minute)[:1], *_minutes(second)[:1]]
        return distinct([tuple(word for part in parts for word in part) + tail])
    if minute == "00":
        bare = (*hours, *tail)
        if half or half_day_follows:
            return distinct([bare, (*hours, "o'clock", *tail)])
        ways = [(*hours, "o'clock"), bare, (*hours, "hundred")]
        # Nobody's clock strikes fourteen.
        return distinct(ways if int(hour) <= 12 else ways[::-1])
    ways = [(*hours, *minutes, *tail) for minutes in _minutes(minute)]
    if not tail and int(hour) <= 12:
        ways += _past(int(hour), int(minute))
    return distinct(ways)


def _minutes(digits: str) -> Readings:
    if digits[0] == "0":
        return (*digit_by_digit(digits)[::-1], cardinals(int(digits))[0])
    return cardinals(int(digits))


def _past(hour: int, minute: int) -> list[Words]:
    """half past three, quarter to four."""
    names = {15: ("quarter", "past"), 30: ("half", "past"), 45: ("quarter", "to")}
    if minute not in names:
        return []
    told = hour + 1 if minute == 45 else hour
    return [(*names[minute], *cardinals((told - 1) % 12 + 1)[0])]


def _half_day(text: str) -> Words:
    return (text[0].lower(), "m")


def half_day(core: str, context: Context) -> Readings:
    """a.m., PM: letters, after a time or with its full stops."""
    if not _HALF_DAY.fullmatch(core):
        return ()
    after_time = re.fullmatch(r"\d{1,2}(?:[:.]\d{2})?", context.previous) is not None
    return (_half_day(core),) if after_time or "." in core else ()


def date(core: str, context: Context) -> Readings:
    """2024-01-25, 4/3/2023 (month first unless British or impossible), 25.1.2024."""
    iso = _ISO_DATE.fullmatch(core)
    if iso:
        return _spoken_date(int(iso[3]), int(iso[2]), iso[1], context)
    match = _SLASH_DATE.fullmatch(core)
    if not match:
        return ()
    first, second, year = int(match[1]), int(match[2]), match[3]
    day_first = context.british or "." in core
    orders = ((first, second), (second, first)) if day_first else ((second, first), (first, second))
    ways: list[Words] = []
    for day, month in orders:
        ways += _spoken_date(day, month, year, context)
    if ways:
        said = cardinals(first)[0] + cardinals(second)[0] + _year(year)[0]
        ways.append(said)
    return distinct(ways)


def _spoken_date(day: int, month: int, year: str, context: Context) -> Readings:
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return ()
    name, nth = MONTHS[month - 1], ordinals(day)[0]
    ways: list[Words] = []
    for said in _year(year)[:2]:
        american = [(name, *nth, *said), (name, "the", *nth, *said), (name, *cardinals(day)[0], *said)]
        british = [("the", *nth, "of", name, *said), (*nth, "of", name, *said)]
        ways += british + american if context.british else american + british
    return distinct(ways)


def _year(digits: str) -> Readings:
    if len(digits) == 4:
        return years(digits) if digits[0] != "0" else digit_by_digit(digits)
    return (*_minutes(digits)[:1], *years("20" + digits)[:1])

"""What the attributes of SSML's prosody, emphasis and break mean."""

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from tts.frontend.script import PLAIN, Manner

Error = Callable[[str], Exception]
Value = TypeVar("Value")

MOST_BREAK = 60.0
_STRENGTHS = MappingProxyType({"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2})
_RATES = MappingProxyType({"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.3, "x-fast": 1.7})
_PITCHES = MappingProxyType({"x-low": -4.0, "low": -2.0, "medium": 0.0, "default": 0.0, "high": 2.0, "x-high": 4.0})
_VOLUMES = MappingProxyType(
    {"silent": -40.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 6.0, "x-loud": 12.0}
)
# Chosen by what is said of stress: longer, higher, louder; a little of each.
_EMPHASES = MappingProxyType(
    {
        "strong": Manner(0.85, 2.0, 3.0),
        "moderate": Manner(0.92, 1.0, 1.5),
        "none": PLAIN,
        "reduced": Manner(1.1, -1.0, -2.0),
    }
)
_TIME = re.compile(r"\+?(\d+(?:\.\d*)?|\.\d+)(ms|s)")
_NUMBER = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(%|st|hz|db)?", re.IGNORECASE)
_LEAST_RATE, _MOST_RATE = 0.25, 4.0
_MOST_PITCH, _MOST_VOLUME = 12.0, 40.0
_IGNORED = ("contour", "range", "duration")


def seconds_of_break(given: Mapping[str, str], error: Error) -> float:
    """Seconds of a <break>; raises `error` of what is wrong."""
    time = given.get("time")
    if time is not None:
        match = _TIME.fullmatch(time.strip())
        if not match:
            raise error(f"break time={time!r} is no time such as 500ms or 1.5s")
        seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
        if seconds > MOST_BREAK:
            raise error(f"break time={time!r} is longer than {MOST_BREAK:g} s")
        return seconds
    return _named("break strength", given.get("strength", "medium"), _STRENGTHS, error)


def emphasis(given: Mapping[str, str], error: Error) -> Manner:
    """How emphasised text is said."""
    return _named("emphasis level", given.get("level", "moderate"), _EMPHASES, error)


def prosody(given: Mapping[str, str], error: Error, note: Callable[[str], None]) -> Manner:
    """How the text of a <prosody> is said; `note` hears of attributes that nothing is made of."""
    for name in _IGNORED:
        if name in given:
            note(f"prosody {name} is not understood")
    return Manner(
        _rate(given.get("rate", "medium").strip(), error),
        _pitch(given.get("pitch", "medium").strip(), error, note),
        _volume(given.get("volume", "medium").strip(), error, note),
    )


def _rate(value: str, error: Error) -> float:
    if value in _RATES:
        return _RATES[value]
    match = _NUMBER.fullmatch(value)
    if not match or (match[3] or "%") != "%":
        raise error(f"prosody rate={value!r} is none; there are {', '.join(_RATES)}, 80%, +20%, 1.2")
    number = float(match[2]) / (100 if match[3] else 1)
    rate = 1 + (-number if match[1] == "-" else number) if match[1] else number
    if not _LEAST_RATE <= rate <= _MOST_RATE:
        raise error(f"prosody rate={value!r} is not within {_LEAST_RATE:g} to {_MOST_RATE:g} times")
    return rate


def _pitch(value: str, error: Error, note: Callable[[str], None]) -> float:
    if value in _PITCHES:
        return _PITCHES[value]
    match = _NUMBER.fullmatch(value)
    unit = (match[3] or "").lower() if match else ""
    if not match or unit not in ("%", "st", "hz"):
        raise error(f"prosody pitch={value!r} is none; there are {', '.join(_PITCHES)}, +2st, -10%")
    if unit == "hz":
        note("prosody pitch in Hz is not understood; say it in st or %")
        return 0.0
    number = -float(match[2]) if match[1] == "-" else float(match[2])
    # "110%" without a sign is not of the standard, but means what it says.
    share = (number if not match[1] else 100 + number) / 100
    if unit == "%" and share <= 0:
        raise error(f"prosody pitch={value!r} is too low")
    semitones = number if unit == "st" else 12 * math.log2(share)
    if abs(semitones) > _MOST_PITCH:
        raise error(f"prosody pitch={value!r} is more than {_MOST_PITCH:g} semitones away")
    return semitones


def _volume(value: str, error: Error, note: Callable[[str], None]) -> float:
    if value in _VOLUMES:
        return _VOLUMES[value]
    match = _NUMBER.fullmatch(value)
    if not match:
        raise error(f"prosody volume={value!r} is none; there are {', '.join(_VOLUMES)}, +6dB")
    if (match[3] or "").lower() != "db":
        note("prosody volume without dB is not understood")
        return 0.0
    volume = -float(match[2]) if match[1] == "-" else float(match[2])
    if abs(volume) > _MOST_VOLUME:
        raise error(f"prosody volume={value!r} is more than {_MOST_VOLUME:g} dB away")
    return volume


def _named(what: str, value: str, known: Mapping[str, Value], error: Error) -> Value:
    if value not in known:
        raise error(f"{what}={value!r} is none; there are {', '.join(known)}")
    return known[value]

"""Praat's TextGrid, long form in UTF-8: ID.TextGrid beside ID.wav, with the tiers words and phones.

A tier covers the clip without a gap: what lies between two words is an interval without a label.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.export.clips import Clip, RefusedError
from pipeline.export.unit import Unit

# Less than a sample: intervals that differ by no more touch.
_TICK = 1e-5


@dataclass(frozen=True)
class Interval:
    """A label from `start` to `end` (s)."""

    start: float
    end: float
    label: str


def write(clip: Clip, unit: Unit) -> None:
    """One clip: a WAV file and a TextGrid."""
    content = textgrid(clip["duration"], clip["words"] or (), clip["phones"] or ())
    unit.wav(clip, f"clips/{clip.id}.wav")
    unit.write(f"clips/{clip.id}.TextGrid", content.encode("utf-8"))


def textgrid(duration: float, words: Sequence[Mapping[str, Any]], phones: Sequence[Mapping[str, Any]]) -> str:
    """The file's text; times in seconds. Raises RefusedError where there are no words."""
    if not words:
        raise RefusedError("it has no words in time")
    tiers = {"words": (Interval(word["start"], word["end"], word["text"]) for word in words)}
    if phones:
        tiers["phones"] = (Interval(phone["start"], phone["end"], phone["symbol"]) for phone in phones)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_number(duration)}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, (name, labelled) in enumerate(tiers.items(), start=1):
        lines += _tier(number, name, duration, covering(duration, labelled))
    return "\n".join(lines) + "\n"


def covering(duration: float, labelled: Iterable[Interval]) -> list[Interval]:
    """Intervals from 0 to `duration` (s) without a gap or an overlap.

    Where two overlap the later one begins later; one that nothing is left of shares the interval before it.
    """
    found: list[Interval] = []
    for one in labelled:
        if any(ord(letter) < 32 for letter in one.label):
            raise RefusedError(f"its word {one.label!r} holds a line break or a control character")
        before = found[-1].end if found else 0.0
        start, end = max(one.start, before), min(one.end, duration)
        if start - before < _TICK:
            start = before
        if end - start < _TICK:
            if not found:
                raise RefusedError(f"its first word {one.label!r} has no length")
            last = found[-1]
            found[-1] = Interval(last.start, last.end, f"{last.label} {one.label}".strip())
            continue
        if start > before:
            found.append(Interval(before, start, ""))
        found.append(Interval(start, end, one.label))
    if not found or duration - found[-1].end >= _TICK:
        found.append(Interval(found[-1].end if found else 0.0, duration, ""))
    else:
        found[-1] = Interval(found[-1].start, duration, found[-1].label)
    return found


def _tier(number: int, name: str, duration: float, intervals: Sequence[Interval]) -> Iterator[str]:
    yield f"    item [{number}]:"
    yield '        class = "IntervalTier"'
    yield f'        name = "{name}"'
    yield "        xmin = 0"
    yield f"        xmax = {_number(duration)}"
    yield f"        intervals: size = {len(intervals)}"
    for index, one in enumerate(intervals, start=1):
        label = one.label.replace('"', '""')
        yield f"        intervals [{index}]:"
        yield f"            xmin = {_number(one.start)}"
        yield f"            xmax = {_number(one.end)}"
        yield f'            text = "{label}"'


def _number(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")

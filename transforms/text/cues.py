"""SRT and WebVTT as found: cues with their times and lines."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TIME = r"(?:\d{1,4}:){0,3}\d{1,6}(?:[.,]\d{1,9})?"
TIMING = re.compile(rf"\s*({_TIME})\s{{0,9}}-{{1,3}}>\s{{0,9}}({_TIME})")
_NOT_CUES = ("NOTE", "STYLE", "REGION")
# A cue that rolls repeats at most so many words, and so many of the cues of a file that rolls repeat some.
_LONGEST_REPEAT = 60
_ROLLING_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines shown from `start` to `end` (s); markup still in them."""

    start: float
    end: float
    lines: tuple[str, ...]


def seconds(text: str) -> float | None:
    """A time as transcripts write it: 00:01:02,345, 1:02.3, 0.860, 62; None for what is none."""
    parts = text.strip().replace(",", ".").split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if len(numbers) == 4:
        # Some write a colon before the milliseconds.
        numbers = [*numbers[:2], numbers[2] + numbers[3] / 1000]
    if not 1 <= len(numbers) <= 3 or not all(0 <= number < 1e7 for number in numbers):
        return None
    return round(sum(number * 60**power for power, number in enumerate(reversed(numbers))), 6)


def read_cues(text: str) -> Iterator[Cue]:
    """Cues of an SRT or WebVTT text; headers, numbers, identifiers, NOTE, STYLE and REGION blocks left out."""
    is_vtt = text.lstrip("\ufeff \n").startswith("WEBVTT")
    timing: re.Match[str] | None = None
    lines: list[str] = []
    ended = False
    number = 1
    for line in text.splitlines():
        match = TIMING.match(line) if "->" in line else None
        if match:
            if timing:
                yield from _cue(timing, _without_number(lines, number))
            number += 1
            timing, lines, ended = match, [], False
        elif timing is None:
            number = int(line) if line.isdecimal() and len(line) < 9 else number
        elif is_vtt and (line == "" or _begins_block(line, lines)):
            # In SRT an empty line may be part of the text.
            ended = True
        elif not ended:
            lines.append(line)
    if timing:
        yield from _cue(timing, lines)


def _begins_block(line: str, before: Sequence[str]) -> bool:
    return bool(before) and not before[-1].strip() and line.split(" ")[0] in _NOT_CUES


def _without_number(lines: list[str], number: int) -> list[str]:
    """Without the number of the cue that follows, with an empty line before it or not."""
    while lines and not lines[-1].strip():
        lines.pop()
    if (
        lines
        and lines[-1].strip().isdecimal()
        and (lines[-1].strip() == str(number) or not "".join(lines[-2:-1]).strip())
    ):
        lines.pop()
    return lines


def _cue(timing: re.Match[str], lines: Sequence[str]) -> Iterator[Cue]:
    start, end = seconds(timing[1]), seconds(timing[2])
    if start is not None and end is not None:
        yield Cue(start, end, tuple(line for line in lines if line.strip()))


def unrolled(cues: Sequence[Cue]) -> list[Cue]:
    """Cues without the words that they repeat from the one before, if the file rolls (as YouTube's captions do).

    Whether it rolls is judged on the whole file: people repeat themselves too.
    """
    repeats = [0] + [_repeated(before, cue) for before, cue in itertools.pairwise(cues)]
    rolling = sum(count > 1 for count in repeats)
    if rolling < 2 or rolling < _ROLLING_SHARE * (len(cues) - 1):
        return list(cues)
    partly = sum(0 < count < _count(cue) for count, cue in zip(repeats, cues, strict=True))
    if not partly:
        return list(cues)
    kept = []
    for count, cue in zip(repeats, cues, strict=True):
        lines = _without(cue.lines, count)
        if lines:
            kept.append(Cue(cue.start, cue.end, lines))
    return kept


def _count(cue: Cue) -> int:
    return sum(len(line.split()) for line in cue.lines)


def _repeated(before: Cue, cue: Cue) -> int:
    """How many words at the beginning of a cue are the last ones of the cue before."""
    shown = " ".join(before.lines).split()[-_LONGEST_REPEAT:]
    words = " ".join(cue.lines).split()[:_LONGEST_REPEAT]
    for count in range(min(len(shown), len(words)), 0, -1):
        if shown[-count:] == words[:count]:
            return count
    return 0


def _without(lines: Sequence[str], count: int) -> tuple[str, ...]:
    kept = []
    for line in lines:
        words = line.split()
        if count >= len(words):
            count -= len(words)
            continue
        kept.append(" ".join(words[count:]))
        count = 0
    return tuple(kept)

"""Plain text transcripts to captions: paragraphs, names before colons, times where someone wrote them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from schemas.text import Caption
from transforms.text.cues import seconds
from transforms.text.labels import is_name, speaker_label
from transforms.text.markup import plain_text
from transforms.text.subtitles import labelled_captions

_CLOCK = r"(?:\d{1,2}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?"
_BRACKETED = re.compile(rf"[\[(]\s*({_CLOCK})\s*[\])]\s*[-–—:]?\s*")
_LONG_CLOCK = re.compile(r"(\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,3})?)\s+[-–—]?\s*")
_ALONE = re.compile(rf"({_CLOCK})")
# "Adam Curry  0:03" or "Speaker 1 (00:03):" above what they say.
_HEADING = re.compile(rf"([^\d:(\[]{{1,40}}\d{{0,3}}?)\s*(?:[-–—|]\s*)?[(\[]?({_CLOCK})[)\]]?:?")
# Where no empty line parts paragraphs, lines as long as this are paragraphs.
_PARAGRAPH_LINE = 100


@dataclass(slots=True)
class _Block:
    start: float | None = None
    lines: list[str] = field(default_factory=list)


def parse_plain(text: str) -> list[Caption]:
    """Captions of a plain text, one a paragraph; most have no times."""
    lines = [plain_text(line) for line in text.splitlines()]
    every_line = "" not in lines[1:-1] and _mean_length(lines) > _PARAGRAPH_LINE
    blocks = list(_blocks(lines, every_line))
    return labelled_captions([(block.start, None, block.lines) for block in blocks])


def _mean_length(lines: Sequence[str]) -> float:
    return sum(len(line) for line in lines) / max(1, len(lines))


def _blocks(lines: Sequence[str], every_line: bool) -> Iterator[_Block]:
    block = _Block()
    for line in lines:
        start, rest = _timed(line)
        if start is not None:
            if block.lines:
                yield block
            block = _Block(start)
        elif (not line or every_line or speaker_label(line)) and block.lines:
            yield block
            block = _Block()
        if rest:
            block.lines.append(rest)
    if block.lines:
        yield block


def _timed(line: str) -> tuple[float | None, str]:
    """The time at the beginning of a line, or in a heading with a name, and what is left ("Name:" of a heading)."""
    heading = _HEADING.fullmatch(line)
    if heading and is_name(heading[1].strip()):
        return seconds(heading[2]), f"{heading[1].strip()}:"
    alone = _ALONE.fullmatch(line)
    if alone:
        return seconds(alone[1]), ""
    match = _BRACKETED.match(line) or _LONG_CLOCK.match(line)
    if match:
        return seconds(match[1]), line[match.end() :]
    return None, line

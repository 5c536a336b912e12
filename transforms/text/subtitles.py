"""SRT and WebVTT transcripts to captions."""

import html
import re
from collections.abc import Iterator, Sequence

from schemas.text import Caption
from transforms.text.cues import Cue, read_cues, unrolled
from transforms.text.labels import Line, attribute
from transforms.text.markup import plain_text

_VOICE = re.compile(r"<v(?:\.[^\s<>]{0,100})?[ \t]+([^<>]{1,200})>")


def parse_subtitles(text: str) -> list[Caption]:
    """Captions of an SRT or WebVTT text.

    Speakers are the voices of WebVTT (<v Name>, each for its own text only), or where there are none the labels in
    the text. A cue of several speakers becomes as many captions with its times.
    """
    cues = [_without_markup(cue) for cue in read_cues(text)]
    cues = unrolled(cues)
    if any(_VOICE.search(line) for cue in cues for line in cue.lines):
        return [caption for cue in cues for caption in _voices(cue)]
    return labelled_captions([(cue.start, cue.end, cue.lines) for cue in cues])


def labelled_captions(blocks: Sequence[tuple[float | None, float | None, Sequence[str]]]) -> list[Caption]:
    """Captions of (start, end, lines), with the speakers that the text names."""
    lines = [Line(number, line) for number, (_, _, block) in enumerate(blocks) for line in block]
    captions = []
    for said in attribute(lines):
        start, end, _ = blocks[said.caption]
        captions.append(Caption(said.text, start, end, said.speaker or ""))
    return captions


def _without_markup(cue: Cue) -> Cue:
    if any("<v" in line for line in cue.lines):
        return cue
    plain = (plain_text(line) for line in cue.lines)
    return Cue(cue.start, cue.end, tuple(line for line in plain if line))


def _voices(cue: Cue) -> Iterator[Caption]:
    parts = _VOICE.split(" ".join(cue.lines))
    yield Caption(plain_text(parts[0]), cue.start, cue.end)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        yield Caption(plain_text(text), cue.start, cue.end, " ".join(html.unescape(name).split()))

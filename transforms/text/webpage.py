"""HTML transcripts to captions: <cite>Name:</cite><time>0:00</time><p>...</p>, or paragraphs with names in them."""

import re
from collections.abc import Iterator

from schemas.errors import EpisodeError
from schemas.text import Caption
from transforms.text.cues import seconds
from transforms.text.markup import plain_text
from transforms.text.subtitles import labelled_captions

# The parser of the standard library takes minutes for a few unclosed tags; this takes one look at each character.
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,15})(?:[\s/][^<>]{0,2000})?>|<!--")
_BLOCK_TAGS = (
    "address article aside blockquote body br cite dd div dl dt figure footer h1 h2 h3 h4 h5 h6 head header html li "
    "main nav ol p pre section table td th time title tr ul"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_UNSEEN = frozenset(("script", "style", "title", "nav", "noscript", "template", "svg", "select", "button", "form"))
_ERROR_TITLE = re.compile(
    r"\b(?:40[0-9]|41[0-9]|429|50[0-9]|error|not found|forbidden|access denied|unauthori[sz]ed|just a moment"
    r"|attention required|captcha|log ?in|sign ?in|unavailable|bad gateway|maintenance)\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"[\[(]?((?:\d{1,2}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?)[\])]?")


def parse_html(text: str) -> list[Caption]:
    """Captions of an HTML transcript; a time gives the start of the paragraph that follows, no end.

    Raises EpisodeError for a page whose title says that it's an error.
    """
    title = re.search(r"<title[^<>]{0,200}>([^<]{0,500})", text[:20_000], re.IGNORECASE)
    if title and _ERROR_TITLE.search(title[1]) and "<cite" not in text:
        raise EpisodeError(
            f'transcript-error-page: it is a web page called "{plain_text(title[1])[:80]}", not a transcript'
        )
    parts = list(_parts(text))
    if any(tag in ("cite", "time") for tag, _ in parts):
        return _cited(parts)
    return labelled_captions([(None, None, [words]) for _, words in parts])


def _cited(parts: list[tuple[str, str]]) -> list[Caption]:
    captions = []
    speaker = ""
    start: float | None = None
    for tag, words in parts:
        if tag == "cite":
            speaker = words.rstrip(": ")
            start = None
        elif tag == "time":
            time = _TIME.fullmatch(words)
            start = seconds(time[1]) if time else None
        else:
            captions.append(Caption(words, start, None, speaker))
            start = None
    return captions


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The paragraphs that a reader sees, with the tag ("cite", "time", "p", ...) that each is in."""
    block = ""
    hidden = ""
    buffer: list[str] = []
    place = 0
    while match := _TAG.search(text, place):
        if not hidden:
            buffer.append(text[place : match.start()])
        place = match.end()
        if match[0] == "<!--":
            end = text.find("-->", place)
            place = len(text) if end < 0 else end + 3
            continue
        name = match[2].lower()
        if hidden:
            hidden = "" if match[1] and name == hidden else hidden
        elif name in _UNSEEN and not match[1]:
            hidden = name
        elif name in _BLOCKS:
            yield from _paragraph(block, buffer)
            buffer = []
            block = "" if match[1] else name
    if not hidden:
        buffer.append(text[place:])
    yield from _paragraph(block, buffer)


def _paragraph(block: str, buffer: list[str]) -> Iterator[tuple[str, str]]:
    words = plain_text("".join(buffer))
    if words:
        yield block, words

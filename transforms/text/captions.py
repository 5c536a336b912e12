"""Publishers' transcripts to captions: SRT, WebVTT, JSON, HTML, plain text; each format has its module."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from schemas.errors import EpisodeError
from schemas.text import Caption
from transforms.text.markup import closed_music, decode, is_binary
from transforms.text.plaintext import parse_plain
from transforms.text.segments import parse_json
from transforms.text.subtitles import parse_subtitles
from transforms.text.webpage import parse_html

__all__ = ["FORMATS", "Caption", "detect_format", "parse_captions", "read_captions"]

FORMATS = ("srt", "vtt", "json", "html", "txt")
# Ten hours of speech, word by word in generous JSON, are half of it.
MAX_BYTES = 16 << 20
MAX_CAPTIONS = 300_000

_PARSERS: dict[str, Callable[[str], list[Caption]]] = {
    "srt": parse_subtitles,
    "vtt": parse_subtitles,
    "json": parse_json,
    "html": parse_html,
    "txt": parse_plain,
}
_MIME_TYPES = {
    "application/json": "json",
    "application/srt": "srt",
    "application/x-subrip": "srt",
    "application/xhtml+xml": "html",
    "application/vtt": "vtt",
    "text/html": "html",
    "text/plain": "txt",
    "text/srt": "srt",
    "text/vtt": "vtt",
}
_EXTENSIONS = {"htm": "html", "html": "html", "json": "json", "srt": "srt", "txt": "txt", "text": "txt", "vtt": "vtt"}
_CUE = re.compile(r"^\s{0,9}(?:\d{1,4}:){0,3}\d{1,6}([.,]\d{1,9})?[ \t]{0,9}-{1,3}>", re.MULTILINE)
_HTML = re.compile(
    r"\s*(?:<\?xml[^<>]{0,200}>\s*)?(?:<!--[^<>]{0,500}-->\s*)?"
    r"<(?:!doctype html|html|head|body|cite|time|p|div|article|h\d)\b",
    re.IGNORECASE,
)
_SNIFFED = 65_536
# Sorting repairs a file of tracks one after the other; below this times are only careless, and the order is right.
_OUT_OF_ORDER_SECONDS = 5.0


def read_captions(path: str | Path, format: str) -> tuple[Caption, ...]:
    """Captions of a transcript on disk, `format` one of FORMATS; times in seconds, None where the file has none.

    Raises EpisodeError where the file can't be read or isn't a transcript of that format.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise EpisodeError(f"transcript-unreadable: {path}: {error.strerror or error}") from error
    try:
        return parse_captions(data, format)
    except EpisodeError as error:
        code, _, why = str(error).partition(": ")
        raise EpisodeError(f"{code}: {path}: {why}") from error


def parse_captions(data: bytes, format: str) -> tuple[Caption, ...]:
    """Captions of a transcript, `format` one of FORMATS; see `read_captions`.

    Text is plain: no markup, entities decoded, speakers' labels taken off; stage directions stay in it (the
    tokeniser knows them). Captions are in the order of the file unless its times jump back by more than 5 s.
    """
    if format not in _PARSERS:
        raise EpisodeError(f'transcript-format: "{format}" is no transcript format; known are {", ".join(FORMATS)}')
    if len(data) > MAX_BYTES:
        raise EpisodeError(f"transcript-too-large: more than {MAX_BYTES >> 20} MiB; no transcript is that long")
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise EpisodeError("transcript-empty: there is nothing in it")
    if is_binary(data):
        raise EpisodeError("transcript-binary: it is no text; the feed links something else as the transcript")
    text = decode(data)
    if format in ("srt", "vtt", "json") and _HTML.match(text):
        raise EpisodeError(f"transcript-error-page: it is a web page, not {format}; the link is out of date or guarded")
    captions = [_tidied(caption) for caption in _PARSERS[format](text)]
    captions = [caption for caption in captions if caption.text]
    if not any(any(c.isalnum() for c in caption.text) for caption in captions):
        raise EpisodeError(f"transcript-no-captions: it holds no text that could be read as {format}")
    if len(captions) > MAX_CAPTIONS:
        raise EpisodeError(f"transcript-too-large: {len(captions)} captions; no episode has that many")
    return tuple(_in_order(captions))


def detect_format(data: bytes, mime_type: str = "", url: str = "") -> str:
    """One of FORMATS, by what is in the file first, then by its MIME type, then by its name; "txt" if nothing tells."""
    named = _MIME_TYPES.get(mime_type.split(";")[0].strip().lower(), "")
    extension = _EXTENSIONS.get(urlsplit(url.split("?")[0]).path.rpartition(".")[2].lower(), "") if url else ""
    if is_binary(data):
        return named or extension or "txt"
    sample = decode(data[:_SNIFFED]).lstrip("\ufeff \t\r\n")
    if sample.startswith("WEBVTT"):
        return "vtt"
    if sample.startswith(("{", "[{")) or (sample.startswith("[") and sample[1:].lstrip().startswith(("{", "]"))):
        return "json"
    if _HTML.match(sample):
        return "html"
    cue = _CUE.search(sample)
    if cue:
        timed = [kind for kind in (named, extension) if kind in ("srt", "vtt")]
        return timed[0] if timed else ("vtt" if (cue[1] or "").startswith(".") else "srt")
    # A type that its content contradicts is no help: a server says text/html of anything.
    likely = [kind for kind in (named, extension) if kind in ("txt", "html")]
    return "txt" if not likely or "<" not in sample else likely[0]


def _tidied(caption: Caption) -> Caption:
    start, end = caption.start, caption.end
    if start is None or (end is not None and end < start):
        end = None
    return Caption(closed_music(caption.text.strip()), start, end, caption.speaker.strip())


def _in_order(captions: list[Caption]) -> list[Caption]:
    latest = 0.0
    for caption in captions:
        if caption.start is None:
            return captions
        if caption.start < latest - _OUT_OF_ORDER_SECONDS:
            return sorted(captions, key=lambda caption: caption.start or 0.0)
        latest = max(latest, caption.start)
    return captions

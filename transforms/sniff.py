"""What a file is, by its bytes: servers answer with a web page where audio was, and call a transcript anything."""

import codecs
import json
import re

SNIFF_BYTES = 4096
_MARKUP = re.compile(r"<(!doctype\s+html|html|head|body|!--|script|title|meta|div|p|br|cite|time|span|h[1-6])\b", re.I)
# Possessive, so that no number of comments makes the search for what follows them try their borders anew.
_PAGE = re.compile(
    r"\s*+(?:<\?xml[^>]*>\s*+)?(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head|body|script)\b",
    re.I | re.DOTALL,
)
_CUE = re.compile(r"^[ \t]*(\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}[ \t]*-->", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def why_not_audio(head: bytes, place: str) -> str | None:
    """One line "code: why" for a file that begins like text; None for what may be audio. `head` is its beginning."""
    if not head:
        return f"empty-file: {place} is empty; the publisher's file is broken or not yet there"
    text = as_text(head, cut=True)
    if text is None:
        return None
    if _PAGE.match(text):
        return f"html-not-audio: {place} is a web page, not audio; the episode is gone or wants a login"
    return f"text-not-audio: {place} is text, not audio; it begins {' '.join(text[:60].split())!r}"


def transcript_format(data: bytes) -> str | None:
    """ "vtt", "json", "srt", "html" or "txt" of a whole transcript; "page" for a whole web page; None for no text."""
    text = as_text(data)
    if text is None or not text.strip():
        return None
    stripped = text.lstrip()
    if stripped.startswith("WEBVTT"):
        return "vtt"
    if stripped[0] in "{[" and _is_json(stripped):
        return "json"
    if _PAGE.match(stripped[:SNIFF_BYTES]):
        return "page"
    if _CUE.search(stripped[:SNIFF_BYTES]):
        return "srt"
    return "html" if _MARKUP.search(stripped[:SNIFF_BYTES]) else "txt"


def as_text(data: bytes, cut: bool = False) -> str | None:
    """Text of bytes that are text: UTF-8, UTF-16 with a mark, or Windows-1252 without control characters.

    `cut` says that the bytes may end inside a character; then only UTF-8 (and UTF-16) count as text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig"] if cut else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            text = decoder.decode(data, final=not cut)
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

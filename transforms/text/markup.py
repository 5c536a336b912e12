"""Bytes of a transcript to text, and text without its markup. Every pattern is linear in what it reads."""

import codecs
import html
import re

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>|<!--[^<>]{0,500}-->|<\d[\d:.]{3,15}>|</>")
_STYLE_OVERRIDE = re.compile(r"\{\\[^{}]{0,200}\}")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0e-\x1f\x7f]")
_NOTES = "♪♫♬"
_SAMPLE = 65_536
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"PK\x03\x04", b"\x1f\x8b", b"ID3", b"OggS", b"RIFF", b"fLaC")


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text in any encoding: a picture, an archive, audio."""
    sample = data[:_SAMPLE]
    if sample.startswith(_MAGIC) or sample[4:8] == b"ftyp":
        return True
    if _wide_encoding(sample):
        return False
    controls = sum(sample.count(byte) for byte in (*range(9), *range(14, 27), *range(28, 32)))
    return controls > 0 and controls * 100 > len(sample)


def decode(data: bytes) -> str:
    """Text of bytes: by their byte order mark, else UTF-8, else UTF-16 by its zeros, else Windows-1252."""
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace")
    wide = _wide_encoding(data[:_SAMPLE])
    if wide:
        return data.decode(wide, "replace").lstrip("\ufeff")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        mended = data.decode("utf-8", "replace")
    damaged = mended.count("\ufffd")
    if sum(c > "\x7f" for c in mended) - damaged > damaged:
        return mended
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _wide_encoding(sample: bytes) -> str:
    """UTF-16 or UTF-32 by the mark or by where the zeros are; "" if it's neither."""
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if sample.startswith(mark):
            return name
    pairs = len(sample) // 2
    if pairs >= 4:
        even, odd = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
        if odd > 0.7 * pairs and even < 0.1 * pairs:
            return "utf-16-le"
        if even > 0.7 * pairs and odd < 0.1 * pairs:
            return "utf-16-be"
    return ""


def plain_text(marked: str) -> str:
    """Text without tags, entities, style overrides ({\\an8}) and invisible characters; spaces evened."""
    text = _STYLE_OVERRIDE.sub("", _TAG.sub("", marked))
    return " ".join(_INVISIBLE.sub("", html.unescape(text)).split())


def closed_music(text: str) -> str:
    """A caption with one note sign is sung from there to its end, or from its beginning: the missing sign is added."""
    if sum(text.count(note) for note in _NOTES) != 1:
        return text
    note = next(c for c in text if c in _NOTES)
    if text.strip() == note:
        return text
    return f"{note} {text}" if text.endswith(note) else f"{text} {note}"

"""How long a media file says it is, apart from how much of it is there."""

from pathlib import Path

_HEAD_BYTES = 4096
_TAIL_BYTES = 1 << 17
_ID3_HEADER_BYTES = 10
_STREAMED_WAV_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_OGG_HEADER_BYTES, _OGG_HEADER_TYPE, _OGG_LAST_PAGE = 27, 5, 0x04
_XING_HAS_FRAMES = 0x01
# Layer III: 1152 samples a frame at MPEG-1 rates, half of it at the lower rates of MPEG-2 and 2.5.
_LOWEST_MPEG1_RATE = 32_000
# Streams of bare frames: FFmpeg guesses their duration from the bit rate, which proves nothing.
_BARE_STREAMS = frozenset({"aac", "ac3", "amr", "amrnb", "amrwb", "dts", "eac3", "g722", "gsm", "latm", "loas", "mpeg"})


def declared_seconds(path: Path, container: str, reported: float | None, rate: int, read: float) -> float | None:
    """The duration (s) that is written into a file, None where nothing is.

    `container` is FFmpeg's name of it, `reported` the duration that FFmpeg gives, which may be a guess from the size of
    the file; `rate` (Hz) is that of the first frame, `read` the seconds that were there to read.
    """
    if container == "mp3":
        frames = _mp3_frames(path)
        return frames * (1152 if rate >= _LOWEST_MPEG1_RATE else 576) / rate if frames else None
    if container in _BARE_STREAMS or reported is None:
        return None
    return max(reported, read * _riff_growth(path)) if container == "wav" else reported


def lacks_end(path: Path, container: str) -> bool:
    """Whether an Ogg file stops before the page that its last-page flag marks (RFC 3533)."""
    if container != "ogg":
        return False
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page < 0 or page + _OGG_HEADER_BYTES > len(tail) or not tail[page + _OGG_HEADER_TYPE] & _OGG_LAST_PAGE


def _mp3_frames(path: Path) -> int:
    """Frames that an mp3 counts in the Xing, Info or VBRI header of its first frame; 0 where it has none."""
    head = _first_mp3_bytes(path)
    for tag in (b"Xing", b"Info"):
        at = head.find(tag)
        if at >= 0 and int.from_bytes(head[at + 4 : at + 8]) & _XING_HAS_FRAMES:
            return int.from_bytes(head[at + 8 : at + 12])
    at = head.find(b"VBRI")
    return int.from_bytes(head[at + 14 : at + 18]) if at >= 0 else 0


def _first_mp3_bytes(path: Path) -> bytes:
    """The bytes after an ID3v2 tag (its size is four groups of seven bits), or the first ones where there is none."""
    with open(path, "rb") as file:
        head = file.read(_ID3_HEADER_BYTES)
        offset = 0
        if head[:3] == b"ID3" and len(head) == _ID3_HEADER_BYTES:
            offset = _ID3_HEADER_BYTES + sum(
                byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
            )
        file.seek(offset)
        return file.read(_HEAD_BYTES)


def _riff_growth(path: Path) -> float:
    """How many times its size on disk a RIFF/WAVE file is by its header; 0 or -1 there, as streamers write, is none."""
    with open(path, "rb") as file:
        head = file.read(8)
    size = int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or size in _STREAMED_WAV_SIZES:
        return 1.0
    return max(1.0, (size + 8) / path.stat().st_size)

"""Samples to the bytes of a file, as they come: each format that is served can be sent before its end is known."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tts.audio_files import MarkedFile, Marks, pcm16, wav_head

Floats = NDArray[np.float32]

# libsndfile's names of a format and its coding.
_CODINGS = {"mp3": ("MP3", "MPEG_LAYER_III"), "flac": ("FLAC", "PCM_16"), "opus": ("OGG", "OPUS")}


class Encoder(Protocol):
    """Makes one file."""

    def encode(self, samples: Floats) -> bytes:
        """The bytes that samples, shape (n,), add; b"" where they are held back."""

    def finish(self) -> bytes:
        """The last bytes."""


@dataclass(frozen=True, slots=True)
class Container:
    """A format: its media type, and what makes an encoder for a sampling rate and the marks of a file."""

    media_type: str
    make: Callable[[int, Marks], Encoder]


class PcmEncoder:
    """16 bit signed, little-endian, mono."""

    def __init__(self, rate: int, marks: Marks) -> None:
        del rate, marks

    def encode(self, samples: Floats) -> bytes:
        return pcm16(samples)

    def finish(self) -> bytes:
        return b""


class WavEncoder:
    """PCM in a RIFF file whose lengths are unknown, as players take them from a pipe."""

    def __init__(self, rate: int, marks: Marks) -> None:
        self._head = wav_head(rate, marks.comment, None)

    def encode(self, samples: Floats) -> bytes:
        head, self._head = self._head, b""
        return head + pcm16(samples)

    def finish(self) -> bytes:
        head, self._head = self._head, b""
        return head


class SndfileEncoder:
    """A format of libsndfile."""

    def __init__(self, name: str, rate: int, marks: Marks) -> None:
        self._sink = _Sink()
        self._file = MarkedFile(self._sink, *_CODINGS[name], rate, marks)

    def encode(self, samples: Floats) -> bytes:
        self._file.write(samples)
        return self._sink.taken()

    def finish(self) -> bytes:
        self._file.close()
        return self._sink.taken()


class _Sink:
    """A file whose bytes are taken away as they come. What would change those that have gone is dropped: it is a length
    or a checksum, which formats allow to be unknown."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._gone = 0
        self._place = 0

    def write(self, data: Any) -> int:
        content = bytes(data)
        start = self._place - self._gone
        self._place += len(content)
        if start < 0:
            content, start = content[-start:], 0
        self._held[start : start + len(content)] = content
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._place, self._gone + len(self._held))[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        content = bytes(self._held)
        self._gone += len(content)
        self._held.clear()
        return content


CONTAINERS: Mapping[str, Container] = MappingProxyType(
    {
        "mp3": Container("audio/mpeg", partial(SndfileEncoder, "mp3")),
        "opus": Container("audio/ogg; codecs=opus", partial(SndfileEncoder, "opus")),
        "flac": Container("audio/flac", partial(SndfileEncoder, "flac")),
        "wav": Container("audio/wav", WavEncoder),
        "pcm": Container("audio/pcm", PcmEncoder),
    }
)


def whole_file(name: str, pieces: Iterable[Floats], rate: int, marks: Marks) -> bytes:
    """A file whose length is known, of one of CONTAINERS."""
    samples = np.concatenate([np.zeros(0, np.float32), *pieces])
    if name == "pcm":
        return pcm16(samples)
    if name == "wav":
        content = pcm16(samples)
        return wav_head(rate, marks.comment, len(content)) + content
    to = io.BytesIO()
    with MarkedFile(to, *_CODINGS[name], rate, marks) as file:
        file.write(samples)
    return to.getvalue()

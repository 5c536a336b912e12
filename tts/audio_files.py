"""Speech to files and pipes, as it is made, and marked in the file as synthetic."""

import os
import struct
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import NO_ROOM, ConfigurationError, RealtalkError
from tts.opus import Resampler, opus_rate
from tts.origin import Origin

Floats = NDArray[np.float32]

SOFTWARE = "realtalk"
BITS = (16, 24)
# What stands for a length that is not known yet.
_UNKNOWN = 0xFFFFFFFF
_FORMATS: Mapping[str, str] = MappingProxyType(
    {".wav": "WAV", ".flac": "FLAC", ".mp3": "MP3", ".opus": "OGG", ".ogg": "OGG"}
)
_LOSSY: Mapping[str, str] = MappingProxyType({"MP3": "MPEG_LAYER_III", "OGG": "OPUS"})


class Named(Protocol):
    """What has a name and an origin: the facts of a voice."""

    @property
    def name(self) -> str: ...

    @property
    def origin(self) -> Origin: ...


@dataclass(frozen=True, slots=True)
class Marks:
    """What a file says of itself: that it is synthetic, and whose voice it is (title, artist, comment)."""

    title: str
    artist: str
    comment: str


def marks_of(facts: Named) -> Marks:
    """The marks of a voice's speech."""
    origin = facts.origin
    version = f" {origin.dataset_version}" if origin.dataset_version else ""
    comment = f"Synthetic speech made by {SOFTWARE}; voice {facts.name}, dataset {origin.dataset}{version}"
    return Marks("Synthetic speech", f"{facts.name} (synthetic voice)", comment)


def format_of(path: Path, bits: int = 16) -> tuple[str, str]:
    """libsndfile's names of a file's format and coding, by its ending; raises ConfigurationError."""
    name = _FORMATS.get(path.suffix.lower())
    if name is None:
        raise ConfigurationError(f"-o {path}: the ending says the format, there are {', '.join(_FORMATS)}")
    if name in _LOSSY:
        return name, _LOSSY[name]
    if bits not in BITS:
        raise ConfigurationError(f"--bits {bits}: there are 16 and 24")
    return name, f"PCM_{bits}"


class MarkedFile:
    """A file that libsndfile writes mono samples into, and that says of itself that they are synthetic.

    `to` is a path or a binary file, `name` and `coding` are as `format_of` has them. Speech of a rate that the coding
    does not know is brought to one that it does.
    """

    def __init__(self, to: Any, name: str, coding: str, rate: int, marks: Marks) -> None:
        import soundfile

        written = opus_rate(rate) if coding == "OPUS" else rate
        self._resampler = Resampler(rate, written)
        self._file = soundfile.SoundFile(to, "w", written, 1, coding, format=name)
        self._file.title, self._file.artist, self._file.comment = marks.title, marks.artist, marks.comment
        self._file.software = SOFTWARE

    def write(self, samples: Floats) -> None:
        """Write samples, shape (n,); what is louder than full scale is cut off."""
        self._put(self._resampler.part(samples))

    def close(self) -> None:
        """Write what is held back, and end the file."""
        self._put(self._resampler.part(np.zeros(0, np.float32), last=True))
        self._file.close()

    def _put(self, samples: Floats) -> None:
        self._file.write(np.clip(samples, -1.0, 1.0))

    def __enter__(self) -> "MarkedFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()


def write_audio(path: Path, pieces: Iterable[Floats], rate: int, marks: Marks, bits: int = 16) -> int:
    """Write pieces of mono samples, each (n,), into a file as they come; returns how many samples.

    The file is there when it is whole, and not before. Raises ConfigurationError for another ending, RealtalkError
    where it can't be written.
    """
    import soundfile

    name, coding = format_of(path, bits)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    count = 0
    try:
        with MarkedFile(str(partial), name, coding, rate, marks) as file:
            for samples in pieces:
                file.write(samples)
                count += len(samples)
        os.replace(partial, path)
    except (OSError, soundfile.SoundFileError) as error:
        raise _unwritten(path, error) from None
    finally:
        with suppress(OSError):
            partial.unlink()
    return count


def stream_audio(to: IO[bytes], pieces: Iterable[Floats], rate: int, marks: Marks | None) -> int:
    """Send pieces through a pipe as 16 bit PCM as they come: WAV of unknown length, or raw where `marks` is None.

    Returns how many samples there were.
    """
    count = 0
    if marks is not None:
        to.write(wav_head(rate, marks.comment, None))
    for samples in pieces:
        to.write(pcm16(samples))
        to.flush()
        count += len(samples)
    to.flush()
    return count


def pcm16(samples: Floats) -> bytes:
    """Samples as 16 bit signed, little-endian."""
    found: NDArray[Any] = np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
    return found.tobytes()


def wav_head(rate: int, comment: str, data_bytes: int | None) -> bytes:
    """All of a 16 bit mono WAV file before its samples; without a length where it is not known."""
    told = ((b"ISFT", SOFTWARE), (b"ICMT", comment))
    about = b"INFO" + b"".join(_chunk(name, text.encode("utf-8") + b"\0") for name, text in told)
    layout = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    before = b"WAVE" + _chunk(b"fmt ", layout) + _chunk(b"LIST", about)
    whole, data = (_UNKNOWN, _UNKNOWN) if data_bytes is None else (len(before) + 8 + data_bytes, data_bytes)
    return b"RIFF" + struct.pack("<I", whole) + before + b"data" + struct.pack("<I", data)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _unwritten(path: Path, error: Exception) -> RealtalkError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return RealtalkError(f"{path}: {why}; free some space and run it again")
    if not path.parent.is_dir():
        return RealtalkError(f"{path}: the folder {path.parent} is missing; make it first")
    return RealtalkError(f"{path}: can't be written ({why[:160]})")

"""An untrusted media file, opened by FFmpeg (PyAV): its audio stream, and every frame of it that can be decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import EpisodeError

# Demuxers that open other files or addresses, or devices: an untrusted download must not name them.
# fmt: off
_FOLLOWING_FORMATS = frozenset((
    "alsa", "applehttp", "avisynth", "concat", "concatf", "dash", "fbdev", "ffmetadata", "hls", "image2", "imf",
    "ismv", "jack", "kmsgrab", "lavfi", "libcdio", "oss", "pulse", "rtp", "rtsp", "sap", "sdp", "smoothstreaming",
    "sndio", "tty", "v4l2", "vapoursynth", "video4linux2", "webm_dash_manifest", "x11grab", "xcbgrab",
))
# fmt: on
_PROTECTED_TAGS = frozenset({"aavd", "drms", "enca"})
_WEB_PAGE_MARKS = (b"<!doctype html", b"<html", b"<head", b"<?xml", b"<rss")
# Where mp3 files are spliced, the tags of the second one arrive as a packet that is no audio.
_TAG_MARKS = (b"ID3", b"TAG", b"APETAGEX")
# A stream that fails this often in a row holds nothing more that can be read.
_FAILURES_IN_A_ROW = 200
_DURATION_TOLERANCE_SECONDS, _DURATION_TOLERANCE_VIDEO_SECONDS = 1.0, 10.0


@dataclass(slots=True)
class Faults:
    """What went wrong while a file was read: damaged packets and reads, gaps and jumps of its timestamps."""

    packets: int = 0
    reads: int = 0
    gaps: int = 0
    gap_seconds: float = 0.0
    clock_jumps: int = 0
    skipped_seconds: float = 0.0
    cut_off: bool = False

    @property
    def damaged(self) -> int:
        """How many packets and reads were damaged."""
        return self.packets + self.reads


def check_file(source: Path) -> None:
    """Raises EpisodeError: missing-file, empty-file."""
    if not source.is_file():
        raise EpisodeError(f"missing-file: {source} is not there or is not a file")
    if not source.stat().st_size:
        raise EpisodeError(f"empty-file: {source} holds no bytes; download it again")


@contextmanager
def open_media(source: Path) -> Iterator[Any]:
    """An av container of a local file; raises EpisodeError: not-media, incomplete-file."""
    import av

    formats = ",".join(sorted(name for name in av.formats_available if not _FOLLOWING_FORMATS & set(name.split(","))))
    # Only the file itself may be opened: no playlist, no reference to another file or address. Without "file:" a colon
    # in its name would end a protocol.
    options = {"format_whitelist": formats, "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{source}", metadata_errors="ignore", options=options)
    except (av.error.FFmpegError, ValueError) as error:
        raise _open_error(source, error) from error
    try:
        yield container
    finally:
        container.close()


def _open_error(source: Path, error: Exception) -> EpisodeError:
    with open(source, "rb") as file:
        head = file.read(1024)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_WEB_PAGE_MARKS):
        return EpisodeError(
            f"not-media: {source} is a web page or XML, not audio; the link is out of date or the server wants a login"
        )
    if start.startswith(b"#extm3u"):
        return EpisodeError(f"not-media: {source} is a playlist (HLS), not a recording; give the address of the audio")
    if head[4:8] == b"ftyp":
        return EpisodeError(
            f"incomplete-file: {source} is an MP4 whose index is missing: it was cut off; download it again"
        )
    why = getattr(error, "strerror", None) or str(error)
    return EpisodeError(
        f"not-media: {source} is no audio or video that can be read ({why}); it begins with {head[:12]!r}"
    )


def audio_stream(container: Any, source: Path) -> Any:
    """The stream that players choose: the first one marked as default, else the first; the others are not read.

    Raises EpisodeError: no-audio-stream, unsupported-codec, protected.
    """
    import av

    streams = [stream for stream in container.streams if stream.type == "audio"]
    if not streams:
        kinds = ", ".join(sorted({stream.type or "unknown" for stream in container.streams})) or "nothing"
        raise EpisodeError(f"no-audio-stream: {source} ({container.format.name}) holds {kinds} but no audio")
    chosen = next((s for s in streams if s.disposition & av.stream.Disposition.default), streams[0])
    if chosen.codec_context is None:
        raise EpisodeError(
            f"unsupported-codec: the audio of {source} ({container.format.name}) has a codec that is unknown"
        )
    if chosen.codec_context.codec_tag in _PROTECTED_TAGS:
        raise EpisodeError(
            f"protected: the audio of {source} is encrypted ({chosen.codec_context.codec_tag}); get a copy without DRM"
        )
    chosen.codec_context.thread_count = 1
    for stream in container.streams:
        if stream is not chosen:
            stream.discard = av.stream.Discard.all
    return chosen


def codec_name(stream: Any) -> str:
    """The codec, not FFmpeg's decoder of it ("mp3" where that is "mp3float")."""
    name = str(stream.codec_context.name)
    return {"mp3float": "mp3"}.get(name, name)


def read_frames(container: Any, stream: Any, faults: Faults) -> Iterator[Any]:
    """Every frame that can be decoded; what can't is counted and skipped."""
    import av

    failures = 0
    while failures < _FAILURES_IN_A_ROW:
        try:
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.EOFError:
                    return
                except av.error.FFmpegError:
                    faults.packets += not bytes(packet).startswith(_TAG_MARKS)
                    continue
                for frame in frames:
                    if frame.samples and frame.sample_rate:
                        failures = 0
                        yield frame
            return
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            faults.reads += 1
            failures += 1


def to_planes(samples: NDArray[Any], sample_format: str, channels: int) -> NDArray[np.float32]:
    """Samples as PyAV gives them (packed: (1, n * channels); planar: (channels, n)) as float32 planes in -1..1."""
    if not sample_format.endswith("p"):
        samples = samples.reshape(-1, channels).T
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128.0) / 128.0
    if np.issubdtype(samples.dtype, np.integer):
        return (samples / float(-int(np.iinfo(samples.dtype).min))).astype(np.float32)
    planes = samples.astype(np.float32, copy=False)
    # A damaged float stream may hold anything; the dot product is finite only if every sample is.
    if not all(np.isfinite(np.dot(plane, plane)) for plane in planes):
        planes = np.nan_to_num(planes, nan=0.0, posinf=1.0, neginf=-1.0)
    return planes


def reported_seconds(container: Any, stream: Any) -> tuple[float | None, float]:
    """FFmpeg's duration of the stream, else of the container (whose video may be longer), and what it may be off by."""
    import av

    if stream.duration is not None:
        return float(stream.duration * stream.time_base), _DURATION_TOLERANCE_SECONDS
    tolerance = _DURATION_TOLERANCE_SECONDS if len(container.streams) == 1 else _DURATION_TOLERANCE_VIDEO_SECONDS
    return None if container.duration is None else container.duration / av.time_base, tolerance


def origin(container: Any, first: Any) -> float | None:
    """The instant (seconds of the container's clock) that is 0.0 of the recording: where the container starts."""
    import av

    if container.start_time is not None:
        return container.start_time / av.time_base
    return first.time

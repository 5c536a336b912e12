"""Decode: any media file becomes one seekable mono FLAC, in constant memory."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import EpisodeError
from schemas.recording import Media, Recording
from transforms.declared import declared_seconds, lacks_end
from transforms.downmix import ChannelStatistics, Mix, channel_names, standard_mix
from transforms.flac import FlacFile
from transforms.media_file import (
    Faults,
    audio_stream,
    check_file,
    codec_name,
    open_media,
    origin,
    read_frames,
    reported_seconds,
    to_planes,
)
from transforms.models.base import MODEL_RATE
from transforms.rumble import RumbleFilter

_BLOCK_SECONDS = 1.0
# After a packet that could not be decoded, timestamps say to the millisecond how much is missing.
_FAULT_TOLERANCE_SECONDS = 0.002
# Timestamps that run back by more than this were reset; by less they are jitter.
_CLOCK_RESET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """How a media file is decoded."""

    max_rate: int = 48_000  # Hz; a higher native rate is resampled to it
    max_seconds: float = 86_400.0  # what lies beyond is left out
    rumble_hz: float = 30.0  # Hz; what lies below is taken out, nothing is at 0
    gap_tolerance: float = 0.05  # seconds; timestamps that are off by less are jitter
    max_gap: float = 60.0  # seconds; a longer jump of the timestamps is a reset clock, not missing audio


def decode(
    media: Media, out: Path, settings: DecodeSettings = DecodeSettings(), model_out: Path | None = None
) -> Recording:
    """Decode the default (else first) audio stream of a file to a mono FLAC at `out`, written at once or not at all.

    The rate is the stream's own, at most `settings.max_rate` (soxr HQ). Samples are 16-bit: the 96 dB of it lie below
    the noise of any room, and clips are written so. Rumble below `settings.rumble_hz` is taken out. Channels are mixed
    as `transforms.downmix` says; a second pass over the file is made only where another mix is better, or where a later
    part of a spliced file has a higher rate. Timestamps decide where audio belongs: missing packets become silence,
    jitter is ignored. The same file gives the same bytes. In the same pass the recording is written at MODEL_RATE to
    `model_out`, if that is given.

    Raises EpisodeError: missing-file, empty-file, not-media, incomplete-file, no-audio-stream, protected,
    unsupported-codec, undecodable, disk-full, write-failed.
    """
    source = Path(media.path)
    check_file(source)
    partial, model_partial = _partial(out), _partial(model_out) if model_out else None
    try:
        plan = _Plan()
        while True:
            outcome = _run(source, partial, model_partial, plan, settings)
            better = outcome.better_plan(plan)
            if better == plan:
                break
            plan = better
        if model_out and model_partial:
            os.replace(model_partial, model_out)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
        if model_partial:
            model_partial.unlink(missing_ok=True)
    return Recording(
        path=str(out),
        media_sha256=media.sha256,
        duration=outcome.frames / outcome.rate,
        sampling_rate=outcome.rate,
        source_rate=outcome.source_rate,
        channels=outcome.channels,
        codec=outcome.codec,
        damage=outcome.damage,
        downmix=outcome.downmix,
        model_path=str(model_out) if model_out else "",
    )


def _partial(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.with_name(f".{out.name}.{os.getpid()}-{threading.get_ident()}.part")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a pass does: the least rate (Hz) to write at, and the mix for each layout, () for the standard ones."""

    rate: int = 0
    mixes: tuple[tuple[tuple[str, ...], Mix], ...] = ()


@dataclass(slots=True)
class _Outcome:
    """What a pass found."""

    rate: int
    frames: int = 0
    source_rate: int = 0
    channels: int = 0
    codec: str = ""
    damage: str = ""
    higher_rate: int = 0
    statistics: dict[tuple[str, ...], ChannelStatistics] = field(default_factory=dict)
    mixes: dict[tuple[str, ...], Mix] = field(default_factory=dict)

    @property
    def downmix(self) -> str:
        return "; ".join(dict.fromkeys(mix.note for mix in self.mixes.values() if mix.note))

    def better_plan(self, plan: _Plan) -> _Plan:
        if self.higher_rate:
            return replace(plan, rate=self.higher_rate)
        if plan.mixes:
            return plan
        best = {channels: statistics.best_mix() for channels, statistics in self.statistics.items()}
        if best == self.mixes:
            return plan
        return replace(plan, rate=self.rate, mixes=tuple(best.items()))


def _run(source: Path, partial: Path, model_partial: Path | None, plan: _Plan, settings: DecodeSettings) -> _Outcome:
    """One pass over the file."""
    with open_media(source) as container:
        stream = audio_stream(container, source)
        faults = Faults()
        frames = read_frames(container, stream, faults)
        first = next(frames, None)
        if first is None:
            raise EpisodeError(
                f"undecodable: no audio of {source} could be decoded ({stream.codec_context.name}, "
                f"{faults.damaged} damaged packets); download it again or leave the episode out"
            )
        rate = max(plan.rate, min(first.sample_rate, settings.max_rate))
        outcome = _Outcome(
            rate=rate,
            source_rate=first.sample_rate,
            channels=len(first.layout.channels),
            codec=codec_name(stream),
        )
        with FlacFile(partial, rate) as file, _model_track(model_partial, rate) as model_track:
            tracks = (file, model_track) if model_track else (file,)
            assembler = _Assembler(tracks, rate, dict(plan.mixes), outcome, settings.rumble_hz)
            timeline = _Timeline(origin(container, first), settings)
            for frame in _chain(first, frames):
                outcome.higher_rate = min(frame.sample_rate, settings.max_rate)
                if outcome.higher_rate > rate:
                    return outcome
                assembler.add_silence(timeline.silence_before(frame, faults), frame.sample_rate)
                assembler.add(frame)
                if timeline.position >= settings.max_seconds:
                    faults.cut_off = True
                    break
            outcome.higher_rate = 0
            assembler.finish()
            if model_track:
                model_track.finish()
        outcome.frames = file.frames
        if not outcome.frames:
            raise EpisodeError(f"undecodable: {source} decodes to nothing; download it again or leave the episode out")
        outcome.damage = _damage(source, container, stream, faults, outcome, settings)
    return outcome


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


@contextmanager
def _model_track(partial: Path | None, rate: int) -> Iterator["_ModelTrack | None"]:
    if partial is None:
        yield None
        return
    with FlacFile(partial, MODEL_RATE) as file:
        yield _ModelTrack(file, rate)


class _ModelTrack:
    """The recording once more, resampled to the models' rate as it is written (soxr HQ, one stream)."""

    def __init__(self, file: FlacFile, rate: int) -> None:
        import soxr

        self._file = file
        self._resampler = soxr.ResampleStream(rate, MODEL_RATE, 1, dtype="float32", quality="HQ")

    def write(self, samples: NDArray[np.float32]) -> None:
        self._append(self._resampler.resample_chunk(samples))

    def finish(self) -> None:
        self._append(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))

    def _append(self, resampled: NDArray[np.float32]) -> None:
        if len(resampled):
            self._file.write(resampled)


class _Timeline:
    """Keeps the recording in step with the timestamps."""

    def __init__(self, origin: float | None, settings: DecodeSettings) -> None:
        self.position = 0.0
        self._origin = origin
        self._settings = settings
        self._faults_seen = 0
        self._is_first = True

    def silence_before(self, frame: Any, faults: Faults) -> float:
        """Seconds of silence that belong before a frame; then the frame counts as played."""
        seconds = self._gap(frame.time, faults)
        self.position += seconds + frame.samples / frame.sample_rate
        return seconds

    def _gap(self, time: float | None, faults: Faults) -> float:
        exact = self._is_first or faults.damaged > self._faults_seen
        at_start, self._is_first, self._faults_seen = self._is_first, False, faults.damaged
        if time is None or self._origin is None:
            return 0.0
        late = time - self._origin - self.position
        if late < -_CLOCK_RESET_SECONDS or late > self._settings.max_gap:
            self._origin += late
            if late > 0:
                faults.clock_jumps += 1
                faults.skipped_seconds += late
            return 0.0
        if late <= (_FAULT_TOLERANCE_SECONDS if exact else self._settings.gap_tolerance):
            return 0.0
        if not at_start:
            faults.gaps += 1
            faults.gap_seconds += late
        return late


class _Assembler:
    """Frames of any format in, mono blocks at one rate out to the file."""

    def __init__(
        self,
        tracks: Sequence["FlacFile | _ModelTrack"],
        rate: int,
        mixes: dict[tuple[str, ...], Mix],
        outcome: _Outcome,
        rumble_hz: float,
    ) -> None:
        self._tracks = tracks
        self._without_rumble = RumbleFilter(rumble_hz, rate) if rumble_hz else None
        self._rate = rate
        self._mixes = mixes
        self._outcome = outcome
        self._format: tuple[str, str, int] | None = None
        self._channels: tuple[str, ...] = ()
        self._pending: Any = None
        self._source_rate = rate
        self._resampler: Any = None

    def add(self, frame: Any) -> None:
        import av

        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        if found != self._format:
            self._flush()
            self._format = found
            self._channels = channel_names(tuple(channel.name for channel in frame.layout.channels))
            self._set_source_rate(frame.sample_rate)
            self._pending = av.AudioFifo()
        frame.pts = None
        self._pending.write(frame)
        if self._pending.samples >= _BLOCK_SECONDS * self._source_rate:
            self._flush()

    def add_silence(self, seconds: float, source_rate: int) -> None:
        samples = round(seconds * source_rate)
        if not samples:
            return
        self._flush()
        self._set_source_rate(source_rate)
        block = round(_BLOCK_SECONDS * source_rate)
        for start in range(0, samples, block):
            self._feed(np.zeros(min(block, samples - start), np.float32))

    def finish(self) -> None:
        self._flush()
        self._end_resampler()

    def _flush(self) -> None:
        block = self._pending.read() if self._pending is not None else None
        if block is None:
            return
        planes = to_planes(block.to_ndarray(), block.format.name, len(self._channels))
        outcome, channels = self._outcome, self._channels
        if channels not in outcome.mixes:
            outcome.mixes[channels] = self._mixes.get(channels) or standard_mix(channels)
            outcome.statistics[channels] = ChannelStatistics(channels)
        mono = outcome.mixes[channels].apply(planes)
        outcome.statistics[channels].update(planes, mono)
        self._feed(mono)

    def _feed(self, mono: NDArray[np.float32]) -> None:
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono)
        self._write(mono)

    def _set_source_rate(self, source_rate: int) -> None:
        import soxr

        if source_rate == self._source_rate:
            return
        self._end_resampler()
        self._source_rate = source_rate
        if source_rate != self._rate:
            self._resampler = soxr.ResampleStream(source_rate, self._rate, 1, dtype="float32", quality="HQ")

    def _end_resampler(self) -> None:
        if self._resampler is None:
            return
        tail = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        self._resampler = None
        self._write(tail)

    def _write(self, mono: NDArray[np.float32]) -> None:
        if not len(mono):
            return
        samples = self._without_rumble(mono) if self._without_rumble else mono
        for track in self._tracks:
            track.write(samples)


def _damage(
    source: Path, container: Any, stream: Any, faults: Faults, outcome: _Outcome, settings: DecodeSettings
) -> str:
    """One line on what could not be read, "" for a whole file."""
    said = []
    name, seconds = container.format.name, outcome.frames / outcome.rate
    reported, tolerance = reported_seconds(container, stream)
    declared = declared_seconds(source, name, reported, outcome.source_rate, seconds)
    if faults.cut_off:
        said.append(f"cut off at {settings.max_seconds:g} s (max_seconds)")
    elif declared is not None and declared - faults.skipped_seconds - seconds > tolerance:
        said.append(f"truncated: {seconds:.1f} of {declared - faults.skipped_seconds:.1f} s could be read")
    elif lacks_end(source, name):
        said.append(f"truncated: the stream has no end after {seconds:.1f} s")
    if faults.damaged:
        said.append(f"{_count(faults.damaged, 'damaged packet')} skipped")
    if faults.gaps:
        said.append(f"{_count(faults.gaps, 'gap')} filled with {faults.gap_seconds:.2f} s of silence")
    if faults.clock_jumps:
        said.append(f"{_count(faults.clock_jumps, 'jump')} of the timestamps ignored")
    return "; ".join(said)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""Read any span of a recording, at any rate, without reading the rest; or all of it, block by block."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from schemas.errors import EpisodeError
from transforms.models.base import MODEL_RATE, Samples

# Context on both sides of a span, so that a resampled span joins its neighbours without a seam (soxr HQ rings < 20 ms).
_CONTEXT_SECONDS = 0.05


def read_span(path: str | Path, start: float, end: float, rate: int = MODEL_RATE) -> Samples:
    """Samples of `start`..`end` (seconds) of a mono file at `rate` Hz, shape (round((end - start) * rate),), float32.

    The span is clipped to the file. The same instant gives the same sample whatever the span it is read in
    (to the precision of the resampler, soxr HQ): sample k of a file at `rate` is at k / rate seconds.
    Raises EpisodeError where the file is damaged.
    """
    import soxr

    with _opened(path) as file:
        native = file.samplerate
        total = round(file.frames * rate / native)
        first = min(max(0, round(start * rate)), total)
        last = min(max(first, round(start * rate) + round((end - start) * rate)), total)
        if last == first:
            return np.zeros(0, np.float32)
        if native == rate:
            file.seek(first)
            return file.read(last - first, dtype="float32", always_2d=True)[:, 0]
        # The grids of both rates meet every `stride` samples; reading from such a point keeps the phase.
        common = math.gcd(native, rate)
        stride, steps = native // common, rate // common
        context = math.ceil(_CONTEXT_SECONDS * common)
        opening = max(0, first // steps - context)
        closing = -(-last // steps) + context
        file.seek(opening * stride)
        samples = file.read((closing - opening) * stride, dtype="float32", always_2d=True)[:, 0]
    resampled = soxr.resample(samples, native, rate, quality="HQ").astype(np.float32, copy=False)
    return resampled[first - opening * steps : last - opening * steps]


class PassageAudio(Sequence[Samples]):
    """Spans (seconds) of a recording at the models' rate; each is read when it is asked for, and not kept."""

    def __init__(self, path: str | Path, spans: Sequence[tuple[float, float]]) -> None:
        self._path = path
        self._spans = spans

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return PassageAudio(self._path, self._spans[place])
        return read_span(self._path, *self._spans[place])


def read_blocks(path: str | Path, block: int, rate: int = MODEL_RATE) -> Iterator[Samples]:
    """All of a mono file at `rate` Hz as consecutive arrays of `block` samples (the last one shorter), float32.

    Resampled as one stream (soxr HQ), in constant memory: the blocks join without a seam, and what is read does not
    depend on `block`. Raises EpisodeError where the file is damaged.
    """
    import soxr

    pending = np.zeros(0, np.float32)
    with _opened(path) as file:
        native = file.samplerate
        resampler = soxr.ResampleStream(native, rate, 1, dtype="float32", quality="HQ") if native != rate else None
        while len(samples := file.read(native, dtype="float32", always_2d=True)[:, 0]):
            is_last = file.tell() >= file.frames
            chunk = resampler.resample_chunk(samples, last=is_last) if resampler else samples
            pending = np.concatenate([pending, chunk])
            while len(pending) >= block:
                yield pending[:block]
                pending = pending[block:]
    if len(pending):
        yield pending


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            yield file
    except soundfile.LibsndfileError as error:
        raise EpisodeError(
            f"recording-unreadable: {path} can't be read ({error.error_string.strip().rstrip('.')}); "
            "remove it and build again, it is decoded anew"
        ) from error


def windows(duration: float, length: float, overlap: float) -> Iterator[tuple[float, float]]:
    """Spans (start, end) in seconds of `length` that cover `duration`, each sharing `overlap` with the next."""
    start = 0.0
    while True:
        end = min(start + length, duration)
        yield start, end
        if end >= duration:
            return
        start = end - overlap

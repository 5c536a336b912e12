"""Read any span of a recording, at any rate, without reading the rest."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from transforms.models.base import MODEL_RATE, Samples

# Context on both sides of a span, so that a resampled span joins its neighbours without a seam (soxr HQ rings < 20 ms).
_CONTEXT_SECONDS = 0.05


def read_span(path: str | Path, start: float, end: float, rate: int = MODEL_RATE) -> Samples:
    """Samples of `start`..`end` (seconds) of a mono file at `rate` Hz, shape (round((end - start) * rate),), float32.

    The span is clipped to the file. The same instant gives the same sample whatever the span it is read in
    (to the precision of the resampler, soxr HQ).
    """
    import soundfile
    import soxr

    with soundfile.SoundFile(str(path)) as file:
        native = file.samplerate
        first = max(0, round(start * native))
        last = min(file.frames, round(end * native))
        if last <= first:
            return np.zeros(0, np.float32)
        if native == rate:
            file.seek(first)
            return file.read(last - first, dtype="float32", always_2d=True)[:, 0]
        context = round(_CONTEXT_SECONDS * native)
        lead = min(first, context)
        file.seek(first - lead)
        samples = file.read(min(last + context, file.frames) - (first - lead), dtype="float32", always_2d=True)[:, 0]
    resampled = soxr.resample(samples, native, rate, quality="HQ").astype(np.float32, copy=False)
    skip = round(lead * rate / native)
    return resampled[skip : skip + round((last - first) * rate / native)]


def windows(duration: float, length: float, overlap: float) -> Iterator[tuple[float, float]]:
    """Spans (start, end) in seconds of `length` that cover `duration`, each sharing `overlap` with the next."""
    start = 0.0
    while True:
        end = min(start + length, duration)
        yield start, end
        if end >= duration:
            return
        start = end - overlap

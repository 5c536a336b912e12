"""A clip's samples from its recording, and the bytes that it is kept in."""

import io

import numpy as np
from numpy.typing import NDArray

from schemas.clip import Cut
from schemas.recording import Recording
from transforms.audio import read_span
from transforms.models.base import Samples

FADE_SECONDS = 0.005


def render_cut(recording: Recording, cut: Cut, rate: int) -> Samples:
    """Samples of a clip at `rate` Hz, float32, shape (round(cut.duration * rate),) to a sample or two.

    The recording, at its own loudness, between 5 ms fades (raised cosine). Where room tone fills an edge up, it and the
    recording are crossfaded over 5 ms at equal power, inside the recording's part: the clip's times stay as they are.
    """
    body = read_span(recording.path, cut.start, cut.end, rate)
    lead, trail = round(cut.leading_tone * rate), round(cut.trailing_tone * rate)
    fade = min(round(FADE_SECONDS * rate), len(body) // 2)
    if (lead or trail) and cut.tone_end > cut.tone_start and fade:
        tone = read_span(recording.path, cut.tone_start, cut.tone_end, rate)
        body = _joined(body, tone, lead, trail, fade)
    else:
        body = np.concatenate([np.zeros(lead, np.float32), body, np.zeros(trail, np.float32)])
    return _faded(body, min(round(FADE_SECONDS * rate), len(body) // 2))


def encode_flac(samples: Samples, rate: int) -> bytes:
    """A 16-bit mono FLAC file with a finished header; the same samples give the same bytes. Full scale is the limit."""
    import soundfile

    pcm = np.clip(np.round(samples.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
    # A buffer that can be sought: the number of samples is written into the header at the end.
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _joined(body: Samples, tone: Samples, lead: int, trail: int, fade: int) -> Samples:
    body = body.copy()
    rise = np.sin(np.linspace(0.0, np.pi / 2, fade, endpoint=False)).astype(np.float32)
    fall = np.cos(np.linspace(0.0, np.pi / 2, fade, endpoint=False)).astype(np.float32)
    parts = [body]
    if lead:
        before = _long_enough(tone, lead + fade)
        body[:fade] = body[:fade] * rise + before[lead:] * fall
        parts.insert(0, before[:lead])
    if trail:
        # From the other end of the stretch: the two edges of a clip are not the same sound.
        after = _long_enough(tone[::-1], trail + fade)[::-1]
        body[-fade:] = body[-fade:] * fall + after[:fade] * rise
        parts.append(after[fade:])
    return np.concatenate(parts)


def _long_enough(tone: Samples, length: int) -> Samples:
    """The first `length` samples of a tone; a short one is continued by its mirror image, which has no step."""
    if len(tone) >= length or len(tone) < 2:
        return np.pad(tone, (0, max(0, length - len(tone))))[:length]
    return np.pad(tone, (0, length - len(tone)), mode="reflect")


def _faded(samples: Samples, fade: int) -> Samples:
    if not fade:
        return samples
    ramp: NDArray[np.float32] = (0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / fade)).astype(np.float32)
    faded = samples.astype(np.float32, copy=True)
    faded[:fade] *= ramp
    faded[-fade:] *= ramp[::-1]
    return faded

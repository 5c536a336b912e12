"""What the page shows and plays of one clip, made of the clip's own audio."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.report.pictures import data_uri, peaks, spectrogram
from schemas.errors import RealtalkError

MP3 = "audio/mpeg"
# Sampling rates that MP3 knows, with the most, the least and the wanted kbit/s there.
_MP3_RATES = {
    **dict.fromkeys((8000, 11025, 12000), (64, 8, 32)),
    **dict.fromkeys((16000, 22050, 24000), (160, 8, 32)),
    **dict.fromkeys((32000, 44100, 48000), (320, 32, 40)),
}


# Samples that LAME (576) and every decoder (529) put before the first one; libsndfile writes no tag that says so.
_MP3_DELAY = 576 + 529


@dataclass(frozen=True, slots=True)
class QueueClip:
    """A clip as the page holds it.

    `audio` is a URL: of data, or of a file beside the page ("clips/ID.mp3"). `peaks` are the loudest samples of equal
    parts, 0 to 1 of full scale; `spectrogram` is a PNG as a data URL; `delay` are the seconds before the clip begins in
    the audio.
    """

    audio: str
    peaks: tuple[float, ...]
    spectrogram: str
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class ClipMedia:
    """An MP3 of a clip that begins after `delay` seconds of it, and its pictures."""

    mp3: bytes
    peaks: tuple[float, ...]
    spectrogram: bytes
    delay: float

    def embedded(self) -> QueueClip:
        """With all of it inside of the page."""
        return self._with(data_uri(MP3, self.mp3))

    def beside(self, url: str) -> QueueClip:
        """With the audio in a file of its own, at a URL relative to the page."""
        return self._with(url)

    def _with(self, audio: str) -> QueueClip:
        return QueueClip(audio, self.peaks, data_uri("image/png", self.spectrogram), self.delay)


def as_media(audio: bytes) -> ClipMedia:
    """The media of a clip's FLAC (or any other file that libsndfile reads); channels are mixed to one.

    Raises RealtalkError where it can't be read.
    """
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(audio), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise RealtalkError(f"the audio of a clip can't be read: {error.error_string}") from None
    mono = samples.mean(axis=1, dtype=np.float32)
    mp3, delay = _mp3(mono, rate)
    return ClipMedia(mp3, peaks(mono), spectrogram(mono, rate), delay)


def _mp3(samples: NDArray[np.float32], rate: int) -> tuple[bytes, float]:
    """Mono samples as MP3, and the seconds in it before they begin."""
    import soundfile

    if rate not in _MP3_RATES:
        import soxr

        known = min((one for one in _MP3_RATES if one > rate), default=max(_MP3_RATES))
        samples, rate = soxr.resample(samples, rate, known), known
    most, least, wanted = _MP3_RATES[rate]
    # libsndfile's scale goes from the most (0) to the least (1).
    level = (most - wanted) / (most - least)
    buffer = io.BytesIO()
    soundfile.write(
        buffer, samples, rate, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=level
    )
    return buffer.getvalue(), round(_MP3_DELAY / rate, 4)

"""What is learned from a clip: its symbols with their times, its mel spectrogram, its pitch and energy."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from schemas.errors import RealtalkError
from transforms.models.mel import mel_filters
from tts.phones import ARPABET, PAUSE, Symbols, symbols_of
from tts.pitch import f0

Floats = NDArray[np.float32]

COLUMNS = ("id", "audio", "words", "phones", "duration", "sampling_rate", "tier", "loudness_lufs", "episode_id", "text")
SILENCE = "SIL"
#: Loudness that clips are brought to before anything is learned from them, in LUFS.
LOUDNESS = -23.0
_MOST_GAIN = 10.0
_FLOOR = 1e-5
# 256 samples at 24 kHz; multiples of a power of two are quick to transform.
_HOP_SECONDS, _STEP = 256 / 24_000, 64


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """How audio becomes frames: `sampling_rate` in Hz, `n_fft` and `hop` in samples, `mels` bands."""

    sampling_rate: int = 24_000
    n_fft: int = 1024
    hop: int = 256
    mels: int = 80

    @staticmethod
    def of_rate(rate: int) -> "FeatureSettings":
        """For clips of a rate: hops of about 11 ms, windows of four."""
        hop = _STEP * max(1, round(rate * _HOP_SECONDS / _STEP))
        return FeatureSettings(rate, 4 * hop, hop)


@dataclass(frozen=True, eq=False)
class Example:
    """A clip to learn from.

    `samples` float32 (frames * hop,), `mel` float32 (frames, mels), natural logarithm; of each symbol: its `durations`
    in frames, int64, which add up to the frames; `pitch` log Hz, and `energy` log, float32.
    """

    id: str
    symbols: Symbols
    durations: NDArray[np.int64]
    samples: Floats
    mel: Floats
    pitch: Floats
    energy: Floats


class MelSpectrogram(torch.nn.Module):
    """Log-mel spectrograms: the natural logarithm of mel bands of the magnitude of an STFT with a Hann window.

    A frame is centred on its hop, so n samples have n // hop frames.
    """

    window: torch.Tensor
    filters: torch.Tensor

    def __init__(self, settings: FeatureSettings) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("window", torch.hann_window(settings.n_fft), persistent=False)
        filters = mel_filters(settings.sampling_rate, settings.n_fft, settings.mels)
        self.register_buffer("filters", torch.from_numpy(filters), persistent=False)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Samples (batch, n) to (batch, mels, n // hop); always computed in float32."""
        settings = self.settings
        edge = (settings.n_fft - settings.hop) // 2
        padded = torch.nn.functional.pad(samples.float(), (edge, edge))
        spectrum = torch.stft(
            padded, settings.n_fft, settings.hop, window=self.window, center=False, return_complex=True
        )
        return torch.log(torch.clamp(self.filters @ spectrum.abs(), min=_FLOOR))


def example_of(row: Mapping[str, Any], mel: MelSpectrogram) -> Example | None:
    """A row of clip_schema as an Example; None where it can't be learned from (no phones, or shorter than a frame).

    Raises RealtalkError where its audio doesn't decode or has another rate.
    """
    settings = mel.settings
    samples = _samples(row, settings.sampling_rate)
    samples = samples * gain_of(row["loudness_lufs"], samples)
    frames = len(samples) // settings.hop
    timed = timed_symbols(row["words"] or (), row["phones"] or (), frames, settings)
    if timed is None:
        return None
    symbols, durations = timed
    samples = samples[: frames * settings.hop]
    spectrogram = np.ascontiguousarray(mel(torch.from_numpy(samples)[None])[0].T.numpy())
    pitch = _log_pitch(f0(samples, settings.sampling_rate, settings.hop))
    energy = spectrogram.mean(axis=1)
    return Example(
        id=row["id"],
        symbols=symbols,
        durations=durations,
        samples=samples,
        mel=spectrogram,
        pitch=_by_symbol(pitch, durations),
        energy=_by_symbol(energy, durations),
    )


def gain_of(loudness: float | None, samples: Floats) -> float:
    """What to multiply samples by so that they are as loud as all others, and nowhere clipped."""
    if loudness is None or not np.isfinite(loudness):
        return 1.0
    wanted = min(float(10 ** ((LOUDNESS - loudness) / 20)), _MOST_GAIN)
    peak = float(np.abs(samples).max(initial=0.0))
    return min(wanted, 0.99 / peak) if peak > 0 else wanted


def timed_symbols(
    words: Sequence[Mapping[str, Any]], phones: Sequence[Mapping[str, Any]], frames: int, settings: FeatureSettings
) -> tuple[Symbols, NDArray[np.int64]] | None:
    """The symbols of an aligned clip and how many frames each lasts; None where they don't fit into the clip."""
    said = [phone for phone in phones if phone["symbol"] != SILENCE]
    if not said or not words or any(phone["symbol"] not in ARPABET for phone in said):
        return None
    of_word = _words_of(said, words)
    grouped = [
        (word["text"], [phone["symbol"] for phone, of in zip(said, of_word, strict=True) if of == number])
        for number, word in enumerate(words)
    ]
    symbols = symbols_of(grouped)
    ends = _ends(symbols, said, frames, settings.sampling_rate / settings.hop)
    durations = np.diff(ends, prepend=0)
    spoken = durations[symbols.ids != PAUSE]
    return (symbols, durations) if len(spoken) and (spoken > 0).mean() > 0.5 else None


def _words_of(phones: Sequence[Mapping[str, Any]], words: Sequence[Mapping[str, Any]]) -> list[int]:
    """The word that each phone is in, by its middle; in order."""
    starts = np.array([word["start"] for word in words])
    middles = np.array([(phone["start"] + phone["end"]) / 2 for phone in phones])
    found = np.clip(np.searchsorted(starts, middles, side="right") - 1, 0, len(words) - 1)
    return [int(number) for number in np.maximum.accumulate(found)]


def _ends(symbols: Symbols, phones: Sequence[Mapping[str, Any]], frames: int, rate: float) -> NDArray[np.int64]:
    """The frame that each symbol ends before, shape (n,): pauses reach from a phone's end to the next one's start."""
    starts = np.array([phone["start"] for phone in phones]) * rate
    finishes = np.array([phone["end"] for phone in phones]) * rate
    ends = np.zeros(len(symbols))
    is_pause = symbols.ids == PAUSE
    order = np.cumsum(~is_pause) - 1
    ends[~is_pause] = finishes[order[~is_pause]]
    following = np.minimum(order[is_pause] + 1, len(phones) - 1)
    ends[is_pause] = np.where(order[is_pause] + 1 < len(phones), starts[following], frames)
    # Inside of a word a phone lasts until the next one begins.
    inner = np.flatnonzero(~is_pause[:-1] & ~is_pause[1:])
    ends[inner] = starts[order[inner] + 1]
    rounded = np.clip(np.round(ends), 0, frames).astype(np.int64)
    rounded[-1] = frames
    return np.maximum.accumulate(rounded)


def _by_symbol(values: Floats, durations: NDArray[np.int64]) -> Floats:
    """Means of a track over each symbol's frames; of a symbol without any, the value where it would be."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.cumsum(durations)
    starts = ends - durations
    nearest = values[np.minimum(starts, len(values) - 1)]
    means = (sums[ends] - sums[starts]) / np.maximum(durations, 1)
    return np.where(durations > 0, means, nearest).astype(np.float32)


def _log_pitch(track: Floats) -> Floats:
    """Log Hz, drawn straight over what is not voiced; zeros where nothing is."""
    voiced = np.flatnonzero(track > 0)
    if not len(voiced):
        return np.zeros_like(track)
    return np.interp(np.arange(len(track)), voiced, np.log(track[voiced])).astype(np.float32)


def _samples(row: Mapping[str, Any], rate: int) -> Floats:
    import soundfile

    try:
        samples, found = soundfile.read(io.BytesIO(row["audio"]["bytes"] or b""), dtype="float32")
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise RealtalkError(
            f"clip {row['id']}: does not decode ({' '.join(str(error).split())}); audit the dataset"
        ) from None
    if found != rate or samples.ndim != 1:
        raise RealtalkError(f"clip {row['id']}: has {found} Hz and {samples.ndim} channels, {rate} Hz mono is wanted")
    return np.asarray(samples, np.float32)

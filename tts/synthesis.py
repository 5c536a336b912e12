"""Speaking: sentences to samples, a piece at a time, so that the first is heard before the sentence is done."""

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from schemas.errors import ConfigurationError
from tts.frontend.script import Manner, Sentence
from tts.frontend.text import FrontEnd
from tts.phones import Symbols
from tts.timing import Timing, faded, gain_curve, limited, pieces, silence_between, timing_of
from tts.training.examples import symbols_only
from tts.voice import Voice

Floats = NDArray[np.float32]

RATES, PITCHES, VOLUMES = (0.25, 4.0), (-12.0, 12.0), (-40.0, 20.0)
# Silences are given out in pieces too.
_SILENT_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class Utterance:
    """A sentence before the vocoder: its log-mel spectrogram (1, mels, frames), and its timing."""

    sentence: Sentence
    mel: Tensor
    timing: Timing


def speak(
    voice: Voice,
    text: str,
    rate: float = 1.0,
    pitch: float = 0.0,
    seed: int = 0,
    *,
    volume: float = 0.0,
    front_end: FrontEnd | None = None,
    ssml: bool | None = None,
) -> Iterator[Floats]:
    """Samples of a text, mono float32 within -0.99 to 0.99 at voice.facts.features.sampling_rate, as they are made.

    `rate` times as fast, `pitch` semitones higher, `volume` dB louder. `ssml`: the text is SSML; None where it begins
    with <speak. The same voice, text and seed give the same samples. A front end is worth keeping for several texts.
    Raises RealtalkError before the first samples where the text is no good SSML or nothing of it can be said, and
    ConfigurationError for values out of range.
    """
    manner = checked_manner(rate, pitch, volume)
    sentences = (front_end or FrontEnd()).sentences(text, ssml)
    return speak_sentences(voice, sentences, manner, seed)


def speak_sentences(
    voice: Voice, sentences: Iterable[Sentence], manner: Manner = Manner(), seed: int = 0
) -> Iterator[Floats]:
    """Samples of sentences; see `speak`."""
    features = voice.facts.features
    rate, frames_a_second = features.sampling_rate, features.sampling_rate / features.hop
    previous: Utterance | None = None
    asked = 0.0
    for sentence in sentences:
        if sentence.is_silent:
            asked += sentence.pause or 0.0
            continue
        utterance = utterance_of(voice, sentence, manner, seed)
        silence = asked
        if previous is not None:
            silence += silence_between(previous.sentence, previous.timing, utterance.timing, frames_a_second)
        yield from _silence(silence, rate)
        yield from _vocoded(voice, utterance, manner)
        previous, asked = utterance, 0.0
    trailing = previous.sentence.pause if previous is not None else 0.0
    yield from _silence(asked + (trailing or 0.0), rate)


def checked_manner(rate: float, pitch: float, volume: float) -> Manner:
    """Raises ConfigurationError for what no voice can do."""
    for name, value, (least, most), unit in (
        ("rate", rate, RATES, "times"),
        ("pitch", pitch, PITCHES, "semitones"),
        ("volume", volume, VOLUMES, "dB"),
    ):
        if not least <= value <= most:
            raise ConfigurationError(f"{name} {value:g}: has to be {least:g} to {most:g} {unit}")
    return Manner(rate, pitch, volume)


@torch.inference_mode()
def utterance_of(voice: Voice, sentence: Sentence, manner: Manner, seed: int) -> Utterance:
    """The acoustic model's part of a sentence, all at once."""
    symbols, model = sentence.symbols(), voice.acoustic
    ids, marks, places = (one.to(voice.device) for one in symbols_only(symbols))
    encoded = model.encode(ids, marks, places)
    prosody = model.predict(encoded, ids, marks)
    timing = timing_of(symbols, prosody.durations[0].float().cpu().numpy(), sentence.rates() * manner.rate)
    durations = torch.from_numpy(timing.durations)[None].to(voice.device)
    higher = (sentence.pitches() + manner.pitch) * (math.log(2) / 12 / voice.facts.norms.pitch_deviation)
    pitch = prosody.pitch + torch.from_numpy(higher.astype(np.float32)).to(voice.device)
    frames = int(timing.durations.sum())
    hidden = model.decode(encoded, durations, pitch, prosody.energy, frames)
    mel = model.spectrogram(hidden)
    if model.refiner is not None:
        noise = _noise(mel, symbols, seed)
        mel = model.refiner.refine(mel, hidden, noise, model.settings.refiner_steps)
    return Utterance(sentence, model.natural(mel), timing)


@torch.inference_mode()
def vocoded_piece(voice: Voice, mel: Tensor, start: int, end: int) -> Floats:
    """Samples of frames start to end of a log-mel spectrogram (1, mels, frames), as they are in the whole."""
    vocoder = voice.vocoder
    margin = vocoder.context + vocoder.inverse.overlap
    first, last = max(0, start - margin), min(mel.shape[-1], end + margin)
    hop = vocoder.inverse.hop
    samples = vocoder(mel[..., first:last])[0, (start - first) * hop : (end - first) * hop]
    found: Floats = samples.float().cpu().numpy()
    return found


def _vocoded(voice: Voice, utterance: Utterance, manner: Manner) -> Iterator[Floats]:
    features, frames = voice.facts.features, utterance.mel.shape[-1]
    gains = utterance.sentence.gains() * np.float32(math.pow(10, manner.volume / 20))
    for start, end in pieces(frames):
        samples = vocoded_piece(voice, utterance.mel, start, end)
        if np.any(gains != 1):
            samples = samples * gain_curve(gains, utterance.timing.durations, features.hop, start, end)
        yield limited(faded(samples, features.sampling_rate, begins=start == 0, ends=end == frames))


def _noise(mel: Tensor, symbols: Symbols, seed: int) -> Tensor:
    """Noise for the refiner that only the seed and the sentence decide, not the sentences before."""
    content = b"|".join((str(seed).encode("ascii"), symbols.ids.tobytes(), symbols.marks.tobytes()))
    own = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1
    # Drawn on the CPU: a GPU's generator gives other numbers.
    return torch.randn(mel.shape, generator=torch.Generator().manual_seed(own)).to(mel.device)


def _silence(seconds: float, rate: int) -> Iterator[Floats]:
    left = round(seconds * rate)
    while left > 0:
        count = min(left, round(_SILENT_SECONDS * rate))
        yield np.zeros(count, np.float32)
        left -= count

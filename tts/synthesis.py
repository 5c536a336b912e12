"""Speaking: sentences to samples, a piece at a time, so that the first is heard before the sentence is done."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError
from tts.frontend.script import PITCHES, PLAIN, RATES, VOLUMES, Manner, Sentence
from tts.frontend.text import FrontEnd
from tts.timing import faded, gain_curve, limited, pieces, silence_between
from tts.utterance import Utterance, samples_of, utterance_of
from tts.voice import Voice

Floats = NDArray[np.float32]

# Silences are given out in pieces too.
_SILENT_SECONDS = 1.0


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
    voice: Voice, sentences: Iterable[Sentence], manner: Manner = PLAIN, seed: int = 0
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


def _vocoded(voice: Voice, utterance: Utterance, manner: Manner) -> Iterator[Floats]:
    features, frames = voice.facts.features, utterance.spectrogram.frames
    gains = utterance.sentence.gains() * np.float32(math.pow(10, manner.volume / 20))
    for start, end in pieces(frames):
        samples = samples_of(voice, utterance, start, end)
        if np.any(gains != 1):
            samples = samples * gain_curve(gains, utterance.timing.durations, features.hop, start, end)
        yield limited(faded(samples, features.sampling_rate, begins=start == 0, ends=end == frames))


def _silence(seconds: float, rate: int) -> Iterator[Floats]:
    left = round(seconds * rate)
    while left > 0:
        count = min(left, round(_SILENT_SECONDS * rate))
        yield np.zeros(count, np.float32)
        left -= count

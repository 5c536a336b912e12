"""Speaking: sentences to samples, a piece at a time, so that the first is heard before the sentence is done."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tts.delivery import checked_manner, delivered
from tts.frontend.script import PLAIN, Manner, Sentence
from tts.utterance import samples_of, utterance_of
from tts.voice import Voice

if TYPE_CHECKING:
    from tts.frontend.text import FrontEnd

Floats = NDArray[np.float32]


def speak(
    voice: Voice,
    text: str,
    rate: float = 1.0,
    pitch: float = 0.0,
    seed: int = 0,
    *,
    volume: float = 0.0,
    front_end: "FrontEnd | None" = None,
    ssml: bool | None = None,
) -> Iterator[Floats]:
    """Samples of a text, mono float32 within -0.99 to 0.99 at voice.facts.features.sampling_rate, as they are made.

    `rate` times as fast, `pitch` semitones higher, `volume` dB louder. `ssml`: the text is SSML; None where it begins
    with <speak. The same voice, text and seed give the same samples. A front end is worth keeping for several texts.
    Raises RealtalkError before the first samples where the text is no good SSML or nothing of it can be said, and
    ConfigurationError for values out of range.
    """
    # Sentences of phones can be spoken where what a text needs (a dictionary, num2words) is not installed.
    from tts.frontend.text import FrontEnd

    manner = checked_manner(rate, pitch, volume)
    sentences = (front_end or FrontEnd()).sentences(text, ssml)
    return speak_sentences(voice, sentences, manner, seed)


def speak_sentences(
    voice: Voice, sentences: Iterable[Sentence], manner: Manner = PLAIN, seed: int = 0
) -> Iterator[Floats]:
    """Samples of sentences; see `speak`."""
    features = voice.facts.features
    laid_out = partial(utterance_of, voice, manner=manner, seed=seed)
    return delivered(sentences, laid_out, partial(samples_of, voice), features.sampling_rate, features.hop, manner)

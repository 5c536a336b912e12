"""Speaking from a voice that was written as ONNX, by onnxruntime and numpy: no torch.

voice.json  acoustic.onnx  vocoder.onnx
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RealtalkError
from tts.delivery import checked_manner, delivered
from tts.frontend.script import PLAIN, Manner, Sentence
from tts.noise import noise_of
from tts.origin import Origin
from tts.timing import Timing

if TYPE_CHECKING:
    from tts.frontend.text import FrontEnd

Floats = NDArray[np.float32]

VOICE_NAME = "voice.json"
ACOUSTIC_NAME = "acoustic.onnx"
VOCODER_NAME = "vocoder.onnx"
FORMAT = 1

_OUTPUTS = ("mel", "durations", "edges")
# What a refiner is likely to need, so that few sentences are computed twice.
_NOISE_FRAMES_A_SYMBOL = 16


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """voice.json: `sampling_rate` in Hz, `hop` in samples, `pitch_deviation` of log Hz, `margin` the frames on
    either side that samples depend on; `origin` as of the trained voice."""

    name: str
    preset: str
    sampling_rate: int
    hop: int
    mels: int
    pitch_deviation: float
    margin: int
    has_refiner: bool
    origin: Origin
    format: int = FORMAT


@dataclass(frozen=True, eq=False)
class OnnxVoice:
    """A voice that can speak; `acoustic` and `vocoder` are sessions of onnxruntime."""

    folder: Path
    facts: OnnxFacts
    acoustic: Any
    vocoder: Any


@dataclass(frozen=True, eq=False)
class OnnxUtterance:
    """A sentence before the vocoder: its timing, and its log-mel spectrogram, shape (mels, frames)."""

    sentence: Sentence
    timing: Timing
    mel: Floats


def load_onnx_voice(folder: str | Path, threads: int = 1) -> OnnxVoice:
    """The voice in a folder; raises RealtalkError where there is none, or it is damaged."""
    place = Path(folder)
    facts = _read_facts(place / VOICE_NAME)
    return OnnxVoice(place, facts, *(_session(place / name, threads) for name in (ACOUSTIC_NAME, VOCODER_NAME)))


def speak(
    voice: OnnxVoice,
    text: str,
    rate: float = 1.0,
    pitch: float = 0.0,
    seed: int = 0,
    *,
    volume: float = 0.0,
    front_end: "FrontEnd | None" = None,
    ssml: bool | None = None,
) -> Iterator[Floats]:
    """As tts.synthesis.speak, which gives the same samples within 1e-3."""
    from tts.frontend.text import FrontEnd

    manner = checked_manner(rate, pitch, volume)
    sentences = (front_end or FrontEnd()).sentences(text, ssml)
    laid_out = partial(utterance_of, voice, manner=manner, seed=seed)
    return delivered(
        sentences, laid_out, partial(samples_of, voice), voice.facts.sampling_rate, voice.facts.hop, manner
    )


def utterance_of(voice: OnnxVoice, sentence: Sentence, manner: Manner = PLAIN, seed: int = 0) -> OnnxUtterance:
    """The acoustic model's part of a sentence that isn't silent. `seed` chooses the noise of a voice with a refiner."""
    symbols, facts = sentence.symbols(), voice.facts
    semitone = np.float32(math.log(2) / 12 / facts.pitch_deviation)
    rates = sentence.rates() * np.float32(manner.rate)
    given = {
        "ids": symbols.ids[None],
        "marks": symbols.marks[None],
        "places": symbols.places[None],
        "rates": rates[None],
        "pitch": ((sentence.pitches() + np.float32(manner.pitch)) * semitone)[None],
    }
    if facts.has_refiner:
        return _refined(voice, sentence, given, seed)
    return _of_outputs(sentence, *voice.acoustic.run(_OUTPUTS, given))


def samples_of(voice: OnnxVoice, utterance: OnnxUtterance, start: int, end: int) -> Floats:
    """Samples of frames start to end, float32 ((end - start) * hop,), as they are in the whole."""
    facts = voice.facts
    first = max(0, start - facts.margin)
    mel = np.ascontiguousarray(utterance.mel[None, :, first : end + facts.margin])
    samples = voice.vocoder.run(["samples"], {"mel": mel})[0][0]
    return np.asarray(samples[(start - first) * facts.hop : (end - first) * facts.hop], np.float32)


def _refined(voice: OnnxVoice, sentence: Sentence, given: Mapping[str, Any], seed: int) -> OnnxUtterance:
    symbols, mels = sentence.symbols(), voice.facts.mels
    frames = math.ceil(_NOISE_FRAMES_A_SYMBOL * float(np.sum(1 / np.minimum(given["rates"], 1.0))))
    while True:
        noise = noise_of(symbols, seed, mels, frames)[None]
        found = _of_outputs(sentence, *voice.acoustic.run(_OUTPUTS, {**given, "noise": noise}))
        if found.mel.shape[1] <= frames:
            return found
        # How many are needed is known only now.
        frames = found.mel.shape[1]


def _of_outputs(sentence: Sentence, mel: Any, durations: Any, edges: Any) -> OnnxUtterance:
    return OnnxUtterance(sentence, Timing(durations[0], float(edges[0]), float(edges[1])), mel[0])


def _read_facts(path: Path) -> OnnxFacts:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise RealtalkError(
            f"{path.parent}: no voice is here, {VOICE_NAME} is missing; write one by realtalk onnx VOICE {path.parent}"
        ) from None
    except (OSError, ValueError) as error:
        raise RealtalkError(f"{path}: can't be read ({' '.join(str(error).split())}); write the voice anew") from None
    if not isinstance(document, dict) or "has_refiner" not in document:
        raise RealtalkError(f"{path}: is not of a voice written as ONNX; realtalk onnx VOICE OUT writes one")
    if document.get("format") != FORMAT:
        raise RealtalkError(f"{path}: has format {document.get('format')!r}, this realtalk reads format {FORMAT}")
    try:
        told = document["origin"].items()
        origin: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told}
        return OnnxFacts(**{**document, "origin": Origin(**origin)})
    except (AttributeError, KeyError, TypeError) as error:
        raise RealtalkError(f"{path}: is damaged ({error}); write the voice anew") from None


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if not path.is_file():
        raise RealtalkError(f"{path}: is missing; write the voice anew by realtalk onnx")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common base but this
        why = " ".join(str(error).split())[:160]
        raise RealtalkError(f"{path}: is damaged ({why}); write the voice anew by realtalk onnx") from None

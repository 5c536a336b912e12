"""Speaking from a voice that was written as ONNX, by onnxruntime and numpy: no torch.

voice.json  acoustic.onnx  vocoder.onnx
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import RealtalkError
from tts.phones import Symbols

Floats = NDArray[np.float32]

VOICE_NAME = "voice.json"
ACOUSTIC_NAME = "acoustic.onnx"
VOCODER_NAME = "vocoder.onnx"
FORMAT = 1

# What a refiner is likely to need, so that few sentences are computed twice.
_NOISE_FRAMES_A_SYMBOL = 16


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """voice.json: `sampling_rate` in Hz, `hop` in samples, `pitch_deviation` of log Hz; `origin` as tts.voice has it."""

    name: str
    preset: str
    sampling_rate: int
    hop: int
    mels: int
    pitch_deviation: float
    has_refiner: bool
    origin: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True, eq=False)
class OnnxVoice:
    """A voice that can speak; `acoustic` and `vocoder` are sessions of onnxruntime."""

    folder: Path
    facts: OnnxFacts
    acoustic: Any
    vocoder: Any


def load_onnx_voice(folder: str | Path, threads: int = 1) -> OnnxVoice:
    """The voice in a folder; raises RealtalkError where there is none, or it is damaged."""
    place = Path(folder)
    facts = _read_facts(place / VOICE_NAME)
    return OnnxVoice(place, facts, *(_session(place / name, threads) for name in (ACOUSTIC_NAME, VOCODER_NAME)))


def spectrogram(voice: OnnxVoice, symbols: Symbols, rate: float = 1.0, pitch: float = 0.0, seed: int = 0) -> Floats:
    """A sentence as a log-mel spectrogram, shape (mels, frames), at `rate` times the pace, `pitch` semitones higher.

    `seed` chooses the noise of a voice with a refiner; the same seed gives the same noise.
    """
    given = {
        "ids": symbols.ids[None],
        "marks": symbols.marks[None],
        "places": symbols.places[None],
        "rate": np.array([rate], np.float32),
        "pitch": np.array([pitch * math.log(2) / 12 / voice.facts.pitch_deviation], np.float32),
    }
    if not voice.facts.has_refiner:
        return _frames_of(voice, given)
    frames = math.ceil(_NOISE_FRAMES_A_SYMBOL * len(symbols) / min(rate, 1.0))
    found = _frames_of(voice, {**given, "noise": noise(voice.facts.mels, frames, seed)})
    if found.shape[1] > frames:
        found = _frames_of(voice, {**given, "noise": noise(voice.facts.mels, found.shape[1], seed)})
    return found


def samples_of(voice: OnnxVoice, mel: Floats) -> Floats:
    """Samples of a log-mel spectrogram, shape (frames * hop,)."""
    return np.asarray(voice.vocoder.run(["samples"], {"mel": mel[None]})[0][0], np.float32)


def noise(mels: int, frames: int, seed: int) -> Floats:
    """What a refiner begins with, shape (1, mels, frames); more frames of a seed begin with the same ones."""
    drawn = np.random.default_rng(seed).standard_normal((frames, mels), np.float32)
    return np.ascontiguousarray(drawn.T)[None]


def _frames_of(voice: OnnxVoice, given: Mapping[str, Any]) -> Floats:
    return np.asarray(voice.acoustic.run(["mel"], dict(given))[0][0], np.float32)


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
        return OnnxFacts(**document)
    except TypeError as error:
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

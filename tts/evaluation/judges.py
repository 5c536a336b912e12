"""What models make of an utterance: the words heard, how it sounds, whose voice it is. In processes of their own."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError, RealtalkError
from transforms.models.base import MODEL_RATE, Model, QualityScorer, Samples, SpeakerEmbedder, Transcriber
from transforms.models.choice import parse_choice
from tts.evaluation.acoustics import Track, track_of
from tts.evaluation.words import Words, said_words

#: Seconds from one window of a voice's embedding to the next.
_STEP_SECONDS = 0.4
# Windows this far below the loudest one are pauses.
_SILENCE_DB = 30.0


@dataclass(frozen=True, eq=False)
class Judged:
    """What is known of one utterance. `embedding` has unit length; DNSMOS P.835 ratings are 1 to 5."""

    heard: Words
    overall: float
    signal: float
    background: float
    embedding: NDArray[np.float32]
    track: Track


def recogniser_of(choice: str) -> Transcriber:
    """The recogniser called "pocketsphinx" or "whisper:MODEL"; nothing is loaded. Raises ConfigurationError."""
    try:
        found = parse_choice("transcriber", choice)
    except ValueError as error:
        raise ConfigurationError(f"--recogniser: {error}") from None
    if found.name == "whisper":
        from transforms.models.choice import DEFAULT_WHISPER
        from transforms.models.whisper_model import WhisperModel
        from transforms.models.whisper_transcriber import WhisperTranscriber

        return WhisperTranscriber(WhisperModel(found.argument or DEFAULT_WHISPER))
    from transforms.models.sphinx_recogniser import SphinxTranscriber

    return SphinxTranscriber()


def identities(choice: str) -> Mapping[str, str]:
    """Who judges: the identity of each model; raises ConfigurationError where one is not known or not installed."""
    models: Mapping[str, Model] = {
        "recogniser": _recogniser(choice),
        "quality": _quality(),
        "speaker": _embedder(),
    }
    return {name: model.identity for name, model in models.items()}


def judge(samples: Samples, choice: str) -> Judged:
    """Judge samples (16 kHz, shape (n,), -1..1)."""
    quality = _quality().score(samples)
    return Judged(
        heard=heard_words(_recogniser(choice), samples),
        overall=quality.overall,
        signal=quality.signal,
        background=quality.background,
        embedding=embedded(_embedder(), samples),
        track=track_of(samples),
    )


def heard_words(recogniser: Transcriber, samples: Samples) -> Words:
    """The words that a recogniser hears, in one spelling."""
    return said_words(" ".join(word.text for word in recogniser.transcribe(samples)))


def judge_all(clips: Sequence[Sequence[Samples]], choice: str, workers: int) -> Iterator[tuple[Judged, ...]]:
    """Judge the versions of each clip, in order, in `workers` processes (none of their own for one)."""
    if workers == 1:
        yield from (_judge_versions(versions, choice) for versions in clips)
        return
    # Spawned: torch's threads don't survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(functools.partial(_judge_versions, choice=choice), clips)
        except BrokenProcessPool:
            raise RealtalkError(
                "a process that judges clips was killed, most likely for want of memory; try again with --workers 1"
            ) from None


def embedded(embedder: SpeakerEmbedder, samples: Samples) -> NDArray[np.float32]:
    """The mean direction of a voice over the windows in which it speaks, shape (d,), of unit length."""
    length = round(embedder.window_seconds * MODEL_RATE)
    starts = np.arange(0, max(len(samples) - length, 0) + 1, round(_STEP_SECONDS * MODEL_RATE))
    powers = np.array([np.mean(np.square(samples[start : start + length], dtype=np.float64)) for start in starts])
    starts = starts[powers >= powers.max() * 10 ** (-_SILENCE_DB / 10)]
    return unit(embedder.embed_at(samples, starts).mean(axis=0))


def embedded_file(path: Path) -> NDArray[np.float32]:
    """The voice in a recording of one speaker; raises RealtalkError where it does not decode."""
    import soundfile
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, OSError) as error:
        raise RealtalkError(f"{path}: does not decode ({' '.join(str(error).split())})") from None
    return embedded(_embedder(), soxr.resample(samples.mean(axis=1), rate, MODEL_RATE).astype(np.float32))


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """A vector's direction."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length > 0 else vector


def _judge_versions(versions: Sequence[Samples], choice: str) -> tuple[Judged, ...]:
    import torch

    torch.set_num_threads(1)
    return tuple(judge(samples, choice) for samples in versions)


# Loaded once a process.
@functools.cache
def _recogniser(choice: str) -> Transcriber:
    return recogniser_of(choice)


@functools.cache
def _quality() -> QualityScorer:
    from transforms.models.dnsmos import Dnsmos

    return Dnsmos()


@functools.cache
def _embedder() -> SpeakerEmbedder:
    from transforms.models.ge2e import Ge2eEmbedder

    return Ge2eEmbedder()

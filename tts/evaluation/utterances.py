"""The same sentence in three versions: as recorded, through the vocoder alone, and spoken from its text."""

import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from schemas.errors import RealtalkError
from transforms.models.base import MODEL_RATE
from tts.data.dataset import Dataset
from tts.data.features import MelSpectrogram, gain_of
from tts.evaluation.words import Words, plain_words, said_words
from tts.frontend.text import FrontEnd
from tts.synthesis import speak
from tts.voice import Voice

Floats = NDArray[np.float32]

ORIGINAL, COPY, SPOKEN = "original", "copy-synthesis", "synthesised"
VERSIONS = (ORIGINAL, COPY, SPOKEN)
_COLUMNS = ("id", "audio", "text", "spoken", "loudness_lufs", "episode_id")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A clip that the voice never learned from: `samples` at the voice's rate, as loud as it was taught.

    `references` are the ways its words may be said: as the reader said them, and as its text is read.
    """

    id: str
    episode: str
    text: str
    references: tuple[Words, ...]
    samples: Floats


@dataclass(frozen=True, slots=True)
class Speed:
    """Of speaking one sentence: its seconds, CPU seconds of this process, and seconds until its first samples."""

    seconds: float
    cpu: float
    first: float


@dataclass(frozen=True, eq=False)
class Versions:
    """A held-out clip with its three versions, in the order of VERSIONS, at the voice's rate."""

    clip: HeldOut
    samples: tuple[Floats, Floats, Floats]
    speed: Speed


def held_out(dataset: Dataset, split: str, rate: int, limit: int) -> list[HeldOut]:
    """Clips of a split, at most `limit` (0: all): those whose ids come first, which are hashes, so of all episodes.

    A clip of whose text nothing can be said is left out.

    Raises RealtalkError where the split has no clips, or clips don't decode.
    """
    shards = dataset.of(split)
    rows = (row for shard in shards for row in dataset.rows(shard, ("id", "text")))
    ids = sorted(row["id"] for row in rows if said_words(row["text"] or ""))
    if not ids:
        raise RealtalkError(
            f"{dataset.location}: no clip is in the split {split!r}, so nothing is held out; "
            "raise its share under splits: in the configuration and build again"
        )
    wanted = frozenset(ids[:limit] if limit else ids)
    rows = (row for shard in shards for row in dataset.rows(shard, _COLUMNS) if row["id"] in wanted)
    return sorted((_held_out(row, rate) for row in rows), key=lambda clip: clip.id)


def versions_of(voice: Voice, clips: Sequence[HeldOut], seed: int) -> Iterator[Versions]:
    """Each clip's three versions. What is spoken knows the clip's text, and nothing of its audio."""
    mel = MelSpectrogram(voice.facts.features).to(voice.device)
    front_end = FrontEnd()
    if clips:
        # The first sentence of a process pays for what is loaded and set up once.
        spoken_with_speed(voice, clips[0].text, front_end, seed)
    for clip in clips:
        spoken, speed = spoken_with_speed(voice, clip.text, front_end, seed)
        yield Versions(clip, (clip.samples, copied(voice, mel, clip.samples), spoken), speed)


@torch.inference_mode()
def copied(voice: Voice, mel: MelSpectrogram, samples: Floats) -> Floats:
    """Samples of the vocoder from a recording's own mel spectrogram."""
    found: Floats = voice.vocoder(mel(torch.from_numpy(samples)[None].to(voice.device)))[0].float().cpu().numpy()
    return found


def spoken_with_speed(voice: Voice, text: str, front_end: FrontEnd, seed: int) -> tuple[Floats, Speed]:
    """A text as the voice speaks it, and how fast that went."""
    began, cpu = time.perf_counter(), time.process_time()
    first = float("nan")
    pieces: list[Floats] = []
    for piece in speak(voice, text, seed=seed, front_end=front_end):
        if not pieces:
            first = time.perf_counter() - began
        pieces.append(piece)
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    rate = voice.facts.features.sampling_rate
    return samples, Speed(len(samples) / rate, time.process_time() - cpu, first)


def for_models(samples: Floats, rate: int) -> Floats:
    """Samples at 16 kHz, as models hear them."""
    import soxr

    found: Floats = soxr.resample(samples, rate, MODEL_RATE).astype(np.float32)
    return found


def _held_out(row: Mapping[str, Any], rate: int) -> HeldOut:
    import soundfile

    try:
        samples, found = soundfile.read(io.BytesIO(row["audio"]["bytes"] or b""), dtype="float32")
    except (soundfile.SoundFileError, RuntimeError) as error:
        why = " ".join(str(error).split())
        raise RealtalkError(f"clip {row['id']}: does not decode ({why}); run realtalk audit on the dataset") from None
    if found != rate:
        raise RealtalkError(f"clip {row['id']}: has {found} Hz, the voice {rate}; evaluate it on clips of its own rate")
    references = dict.fromkeys((plain_words((row["spoken"] or "").split()), said_words(row["text"])))
    return HeldOut(
        row["id"],
        row["episode_id"],
        row["text"],
        tuple(reference for reference in references if reference),
        samples * np.float32(gain_of(row["loudness_lufs"], samples)),
    )

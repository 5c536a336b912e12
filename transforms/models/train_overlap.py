"""Train the head of `ge2e_overlap` on voices that are laid over one another.

    python -m transforms.models.train_overlap OUT.npz --voices DIR [DIR ...] --guests DIR --music FILE --rooms DIR
                                              [--without SPEAKER ...]

VOICES have a transcripts.tsv (path, speaker, ...; paths relative to it); GUESTS is a folder of FLACs, one voice each,
of which every second is left for measuring; of MUSIC the first half and of the impulse responses in ROOMS (WAV) the
first two are heard.

A stream of one voice, of some microphone, room and noise, some with music below it, and into it up to two interjections
of 0.35 to 2.2 s by another voice at -15 to +2 dB of what they fall on.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, Samples
from transforms.models.ge2e import Ge2eEmbedder
from transforms.models.ge2e_overlap import CHUNK_SECONDS, POOLED, make_head

_STREAMS = 2800
_BATCH, _STEPS, _RATE, _DECAY = 32, 2400, 2e-3, 1e-2
_SEED = 1
_LENGTH = round(CHUNK_SECONDS * MODEL_RATE)
# Interjections: how many, how long (s), how loud beside the speech that they fall on (dB).
_COUNTS = (0.3, 0.5, 0.2)
_SECONDS = (0.35, 2.2)
_LEVELS_DB = (-15.0, 2.0)
# Frames this far below loud speech are between words: nobody has to hear two voices there (dB).
_HEARD_DB, _HOST_HEARD_DB = 20.0, 25.0
# A reader with ten utterances comes up as often as four with one.
_MOST_UTTERANCES = 4
_RMS = 0.1
# An interjection stays so far inside of a stream.
_MARGIN = round(0.3 * MODEL_RATE)


@dataclass(frozen=True)
class Stream:
    """Samples of one voice, and for each pooled frame whether two are heard: 1 yes, 0 no, -1 can't be told."""

    samples: Samples
    overlapped: NDArray[np.int8]


@dataclass(frozen=True)
class Sounds:
    """What streams are made of: utterances of each voice, music, and room impulse responses."""

    voices: tuple[tuple[Samples, ...], ...]
    music: Samples
    rooms: tuple[Samples, ...]

    def stream(self, rng: np.random.Generator) -> Stream:
        """One voice, and perhaps another that talks into it."""
        shares = np.array([min(len(voice), _MOST_UTTERANCES) for voice in self.voices], float)
        host, guest = rng.choice(len(self.voices), 2, replace=False, p=shares / shares.sum())
        samples = _equalised(_stretch(self.voices[host], rng), rng)
        host_levels = _relative_levels(samples)
        rooms: tuple[Samples | None, Samples | None] = (None, None)
        if rng.random() < 0.6:
            own = self._room(rng)
            rooms = own, own if rng.random() < 0.3 else self._room(rng)
        samples = _scaled(_reverberated(samples, rooms[0]), _RMS)
        guest_levels = np.full(len(host_levels), -np.inf)
        for _ in range(rng.choice(len(_COUNTS), p=_COUNTS)):
            said = _interjection(self.voices[guest], rng.uniform(*_SECONDS), rng)
            if said is not None:
                _lay(samples, guest_levels, said, rooms[1], rng)
        if rng.random() < 0.2:
            first = int(rng.integers(len(self.music) - _LENGTH))
            below = 10 ** (-rng.uniform(12, 30) / 20)
            samples = samples + _scaled(self.music[first : first + _LENGTH], _rms(samples) * below)
        noise = rng.normal(size=_LENGTH) * _RMS * 10 ** (-rng.uniform(25, 60) / 20)
        return Stream((0.3 * (samples + noise)).astype(np.float32), _labels(host_levels, guest_levels))

    def _room(self, rng: np.random.Generator) -> Samples:
        """A measured room, or a simulated one (Polack, 1988)."""
        if rng.random() < 0.3:
            return self.rooms[int(rng.integers(len(self.rooms)))]
        seconds, direct_db, delay = rng.uniform(0.15, 0.9), rng.uniform(-2, 12), rng.uniform(0.001, 0.01)
        times = np.arange(round((seconds + delay) * MODEL_RATE)) / MODEL_RATE
        tail = rng.normal(size=len(times)) * 10 ** (-3 * times / seconds) * (times >= delay)
        response = tail * 10 ** (-direct_db / 20) / np.sqrt(np.sum(tail**2))
        response[0] = 1.0
        return response.astype(np.float32)


def _stretch(utterances: Sequence[Samples], rng: np.random.Generator) -> Samples:
    """Speech of one voice with pauses between the utterances, shape (_LENGTH,)."""
    said = utterances[int(rng.integers(len(utterances)))]
    parts = [said[rng.integers(max(1, len(said) - _LENGTH + 1)) :]]
    while sum(map(len, parts)) < _LENGTH:
        pause = np.zeros(round(rng.uniform(0.1, 0.7) * MODEL_RATE), np.float32)
        parts += [pause, utterances[int(rng.integers(len(utterances)))]]
    return np.concatenate(parts)[:_LENGTH]


def _interjection(utterances: Sequence[Samples], seconds: float, rng: np.random.Generator) -> Samples | None:
    """A stretch that begins and ends in speech and hardly pauses; None where chance finds none."""
    length = round(seconds * MODEL_RATE)
    for _ in range(20):
        said = utterances[int(rng.integers(len(utterances)))]
        if len(said) <= length:
            continue
        first = rng.integers(len(said) - length)
        part = said[first : first + length].copy()
        levels = _relative_levels(part)
        if np.mean(levels > -20) > 0.8 and levels[:3].max() > -16 and levels[-3:].max() > -16:
            fade = np.linspace(0, 1, MODEL_RATE // 100, dtype=np.float32)
            part[: len(fade)] *= fade
            part[-len(fade) :] *= fade[::-1]
            return part
    return None


def _lay(
    samples: Samples, levels: NDArray[np.float64], said: Samples, room: Samples | None, rng: np.random.Generator
) -> None:
    """Add an interjection to the samples somewhere, and its levels to those of the other voice."""
    frame = MODEL_RATE * POOLED // 100
    first = int(rng.integers(_MARGIN, _LENGTH - len(said) - _MARGIN)) // frame * frame
    said = _equalised(said, rng)
    own = _relative_levels(said)
    under = max(_rms(samples[first : first + len(said)]), 0.2 * _RMS)
    said = _scaled(_reverberated(said, room), under * 10 ** (rng.uniform(*_LEVELS_DB) / 20))
    samples[first : first + len(said)] += said
    at = first // frame
    levels[at : at + len(own)] = np.maximum(levels[at : at + len(own)], own)


def _labels(host: NDArray[np.float64], guest: NDArray[np.float64]) -> NDArray[np.int8]:
    both = (guest > -_HEARD_DB) & (host > -_HOST_HEARD_DB)
    # Within 0.1 s of an interjection, and in its pauses, either answer is right.
    near = np.convolve(np.isfinite(guest), np.ones(5), "same") > 0
    return np.where(both, 1, np.where(near, -1, 0)).astype(np.int8)


def _levels_db(samples: Samples) -> NDArray[np.float64]:
    """Level of every 10 ms, in whole dBFS from -100 on."""
    step = MODEL_RATE // 100
    power = np.mean(samples[: len(samples) // step * step].reshape(-1, step).astype(np.float64) ** 2, axis=1)
    return np.asarray(np.clip(np.round(10 * np.log10(np.maximum(power, 1e-10))), -100, 0))


def _relative_levels(samples: Samples) -> NDArray[np.float64]:
    """Loudest 10 ms of each pooled frame, in dB below loud speech of the same samples."""
    levels = _levels_db(samples)
    pooled = levels[: len(levels) // POOLED * POOLED].reshape(-1, POOLED).max(axis=1)
    return np.asarray(pooled - np.percentile(levels, 85))


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2) + 1e-12))


def _scaled(samples: Samples, rms: float) -> Samples:
    return (samples * (rms / _rms(samples))).astype(np.float32)


def _equalised(samples: Samples, rng: np.random.Generator) -> Samples:
    """As another microphone would have it: up to 5 dB here and there, one in five with less treble."""
    spectrum = np.fft.rfft(samples)
    hertz = np.linspace(0, MODEL_RATE / 2, len(spectrum))
    gains = 10 ** (np.interp(hertz, np.sort(rng.uniform(60, 7500, 5)), rng.uniform(-5, 5, 5)) / 20)
    if rng.random() < 0.2:
        gains = gains / (1 + (hertz / rng.uniform(3500, 7000)) ** 8)
    return np.fft.irfft(spectrum * gains, len(samples)).astype(np.float32)


def _reverberated(samples: Samples, room: Samples | None) -> Samples:
    if room is None:
        return samples
    size = len(samples) + len(room) - 1
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size)
    return wet[: len(samples)].astype(np.float32)


def fit(features: NDArray[np.float16], labels: NDArray[np.int8]) -> dict[str, NDArray[np.float32]]:
    """The head's arrays, learnt from features (n, frames, 512) and labels (n, frames)."""
    import torch

    torch.manual_seed(_SEED)
    head = make_head()
    rows = features[::8].reshape(-1, features.shape[2]).astype(np.float32)
    state = {"mean": torch.from_numpy(rows.mean(axis=0)), "scale": torch.from_numpy(1 / (rows.std(axis=0) + 1e-3))}
    head.load_state_dict({**head.state_dict(), **state})
    optimiser = torch.optim.AdamW(head.parameters(), _RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, _STEPS)
    rng = np.random.default_rng(_SEED)
    for _ in range(_STEPS):
        chosen = rng.integers(len(features), size=_BATCH)
        truth = torch.from_numpy(labels[chosen].astype(np.float32))
        told = (truth >= 0).float()
        scores = head(torch.from_numpy(features[chosen].astype(np.float32)))
        losses = torch.nn.functional.binary_cross_entropy_with_logits(scores, truth.clamp(0), reduction="none")
        optimiser.zero_grad()
        ((losses * told).sum() / told.sum()).backward()
        optimiser.step()
        schedule.step()
    return {name: array.numpy() for name, array in head.state_dict().items()}


def _trimmed(path: Path) -> Samples:
    """An utterance at 16 kHz from its first sound to its last, at one level."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, MODEL_RATE)
    levels = _levels_db(mono)
    loud = np.flatnonzero(levels > levels.max() - 34)
    step = MODEL_RATE // 100
    return _scaled(mono[max(int(loud[0]) - 3, 0) * step : (int(loud[-1]) + 4) * step], _RMS)


def _sounds(arguments: argparse.Namespace) -> Sounds:
    voices: dict[str, list[Samples]] = {}
    for folder in arguments.voices:
        with open(folder / "transcripts.tsv", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["speaker"] not in arguments.without:
                    voices.setdefault(row["speaker"], []).append(_trimmed(folder / row["path"]))
    for path in sorted(arguments.guests.glob("*.flac"))[::2]:
        voices[path.stem] = [_trimmed(path)]
    music, rate = soundfile.read(arguments.music, dtype="float32", always_2d=True)
    heard = soxr.resample(music[: len(music) // 2].mean(axis=1), rate, MODEL_RATE)
    rooms = []
    for path in sorted(arguments.rooms.glob("*.wav"))[:2]:
        response, rate = soundfile.read(path, dtype="float32", always_2d=True)
        response = soxr.resample(response.mean(axis=1), rate, MODEL_RATE)
        rooms.append(response[np.abs(response).argmax() :])
    return Sounds(tuple(tuple(voices[name]) for name in sorted(voices)), heard, tuple(rooms))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--voices", type=Path, nargs="+", required=True)
    parser.add_argument("--guests", type=Path, required=True)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--rooms", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=[], metavar="SPEAKER", help="speakers to be measured on later")
    sounds = _sounds(arguments := parser.parse_args())
    embedder, rng = Ge2eEmbedder(), np.random.default_rng(_SEED)
    features, labels = [], []
    for _ in range(0, _STREAMS, _BATCH):
        streams = [sounds.stream(rng) for _ in range(_BATCH)]
        features.append(embedder.hidden(np.stack([stream.samples for stream in streams]), POOLED).astype(np.float16))
        labels.append(np.stack([stream.overlapped for stream in streams]))
    arrays = fit(np.concatenate(features), np.concatenate(labels))
    halves: dict[str, Any] = {name: array.astype(np.float16) for name, array in arrays.items()}
    np.savez(arguments.out, **halves)


if __name__ == "__main__":
    main()

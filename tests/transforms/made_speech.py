"""Sounds that are speech enough for tests: voiced syllables with formants, words of them at known times, noise."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.recording import Recording
from schemas.text import Phone, Utterance, Word

RATE = 24_000
Samples = NDArray[np.float32]


def noise(seconds: float, level_db: float, seed: int = 0, rate: int = RATE) -> Samples:
    """White noise at an RMS level (dBFS)."""
    return (np.random.default_rng(seed).normal(0, 10 ** (level_db / 20), round(seconds * rate))).astype(np.float32)


def syllable(seconds: float, f0: float, formant: float, rate: int = RATE) -> Samples:
    """A voiced sound: harmonics of f0 (Hz) under two resonances, with a soft beginning and end; RMS about -20 dBFS."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.zeros(len(time))
    for harmonic in range(1, int(min(4000, rate / 2 - 200) / f0)):
        frequency = harmonic * f0
        gain = 1 / (1 + ((frequency - formant) / 150) ** 2) + 0.4 / (1 + ((frequency - 2.6 * formant) / 250) ** 2)
        sound += gain * np.sin(2 * np.pi * frequency * time + harmonic)
    edge = min(len(time) // 4, round(0.02 * rate))
    envelope = np.ones(len(time))
    envelope[:edge] = np.linspace(0, 1, edge)
    envelope[-edge:] = np.linspace(1, 0, edge)
    return (0.1 * sound / np.sqrt(np.mean(sound**2)) * envelope).astype(np.float32)


def babble(seconds: float, seed: int, rate: int = RATE) -> Samples:
    """Syllables one after the other, some pauses, as different from seed to seed as sentences are."""
    rng = np.random.default_rng(seed)
    parts, total = [], 0
    while total < seconds * rate:
        parts.append(syllable(rng.uniform(0.08, 0.25), rng.uniform(100, 180), rng.uniform(350, 900), rate))
        parts.append(np.zeros(round(rng.choice([0.0, 0.03, 0.15]) * rate), np.float32))
        total += len(parts[-1]) + len(parts[-2])
    return np.concatenate(parts)[: round(seconds * rate)] + noise(seconds, -65, seed, rate)


def spoken(words: Sequence[tuple[str, float, float]], seconds: float, floor_db: float = -65.0) -> Samples:
    """A recording of `seconds` with a syllable or more for each word (text, start, end) over a noise floor."""
    track = noise(seconds, floor_db)
    for number, (_, start, end) in enumerate(words):
        count = max(1, round((end - start) / 0.2))
        sound = np.concatenate(
            [
                syllable((end - start) / count, 110 + 7 * (number % 5), 400 + 90 * ((number + k) % 6))
                for k in range(count)
            ]
        )
        first = round(start * RATE)
        track[first : first + len(sound)] += sound[: max(0, len(track) - first)]
    return track


def words_of(
    text: str, start: float, gaps: dict[str, float] | None = None, seconds: float = 0.3
) -> list[tuple[str, float, float]]:
    """(word, start, end) of a text said at an even pace; `gaps` says how long the pause after a word is (s)."""
    words = []
    for token in text.split():
        words.append((token, start, start + seconds))
        start += seconds + (gaps or {}).get(token, 0.0)
    return words


def utterance(words: Sequence[tuple[str, float, float]], coverage: float = 1.0) -> Utterance:
    """What an aligner would say of these words: a phone for each, times as they are."""
    aligned = tuple(Word(text, start, end, -3.0, text.lower().strip(".,?!")) for text, start, end in words)
    phones = tuple(Phone("AH", word.start, word.end) for word in aligned)
    return Utterance(aligned[0].start, aligned[-1].end, aligned, phones, "publisher:vtt", -3.0, coverage)


def recording_of(samples: Samples, folder: Path, rate: int = RATE, source_rate: int | None = None) -> Recording:
    """The samples as a decoded recording on disk."""
    import soundfile

    path = folder / "recording.flac"
    soundfile.write(path, np.clip(samples, -1, 1), rate, subtype="PCM_16")
    return Recording(str(path), "0" * 64, len(samples) / rate, rate, source_rate or rate, 1)


def through_mp3(samples: Samples, rate: int, bit_rate: int = 64_000) -> Samples:
    """What is left of samples after MP3."""
    import av

    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=rate)
        stream.layout, stream.bit_rate = "mono", bit_rate
        # In the codec's own frames: the library's queue for one large frame takes time that grows with its square.
        for first in range(0, len(pcm), 1152):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[None, first : first + 1152]), "s16p", "mono")
            frame.sample_rate, frame.pts = rate, first
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as source:
        return np.concatenate([frame.to_ndarray()[0] for frame in source.decode(audio=0)]).astype(np.float32)

"""Episodes of one synthetic reader with captions, an enrolment and a consent: what a voice can be learned from.

    python tests/benchmarks/synthetic_reader.py FOLDER && realtalk build FOLDER/dataset.yaml --workers 2

Flite (voice slt, 16 kHz) reads sentences of Debian's `fortunes`: hundreds of authors, proverbs, quotations, jokes. Only
sentences whose words are all in the dictionary are read, so that what a voice makes of a word is measured, and not what
Flite guesses of a name.
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import yaml
from numpy.typing import NDArray

from schemas.ids import file_sha256
from transforms.shards import assign_split
from transforms.text.dictionary import default_dictionary

RATE = 16_000
GAPS = (0.4, 0.9)
LEAST_WORDS, MOST_WORDS = 4, 25
ENROLMENT_SECONDS = 30.0
#: How many episodes are held out, at least.
VALIDATION, TEST = 1, 2
_TEXTS = Path("/usr/share/games/fortunes")
_FILES = (
    "education", "food", "fortunes", "humorists", "kids", "law", "literature", "medicine", "news", "people", "pets",
    "platitudes", "politics", "science", "sports", "translate-me", "wisdom", "work",
)  # fmt: skip
# As loud as the noise of a good microphone: digital silence is no recording.
_NOISE = 0.0002
_SENTENCE_END = re.compile(r"(?<=[a-z][.!?])[\"')]*\s+(?=[\"'(]*[A-Z])")
_ABBREVIATION = re.compile(r"\b(Mr|Mrs|Ms|Dr|St|Jr|Sr|Prof|vs|etc|Gen|Sen|Rev|Lt|Col)\.")
_PLAIN = re.compile(r"[A-Z][A-Za-z' ,;:!?.-]*[.!?]")
_CAPITALS = re.compile(r"\b[A-Z]{2,}|\b[A-Z]\.|\.\.|--|[a-z]\.[A-Za-z]|[,;:!?.-]{2}| ['-]|['-] |''")


@dataclass(frozen=True, eq=False)
class Reading:
    """A sentence and its samples at RATE, without silence around them."""

    text: str
    samples: NDArray[np.float32]

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


def sentences(text: str) -> Iterator[str]:
    """The plain sentences of a file of fortunes, each on one line."""
    known = default_dictionary()
    for fortune in text.split("\n%"):
        lines = [line for line in fortune.splitlines() if not line.lstrip().startswith(("--", "%"))]
        for sentence in _SENTENCE_END.split(" ".join(" ".join(lines).split())):
            bare = sentence.strip("\"'() ")
            words = re.findall(r"[A-Za-z']+", bare)
            if (
                LEAST_WORDS <= len(words) <= MOST_WORDS
                and _PLAIN.fullmatch(bare)
                and not _CAPITALS.search(bare)
                and not _ABBREVIATION.search(bare)
                and all(word.lower() in known and (len(word) > 1 or word.lower() in "aio") for word in words)
            ):
                yield bare


def chosen_sentences(folder: Path, seed: int) -> list[str]:
    """All different sentences of the files, in a random order that `seed` decides."""
    found = dict.fromkeys(
        sentence
        for name in _FILES
        if (folder / name).is_file()
        for sentence in sentences((folder / name).read_text(encoding="utf-8", errors="replace"))
    )
    texts = sorted(found)
    random.Random(seed).shuffle(texts)
    return texts


def read_aloud(texts: Iterable[str], voice: str) -> Iterator[Reading]:
    """What Flite says of each text."""
    with tempfile.TemporaryDirectory() as place:
        wav = Path(place) / "sentence.wav"
        for text in texts:
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(wav)], check=True, capture_output=True)
            samples, rate = soundfile.read(wav, dtype="float32")
            if rate != RATE:
                raise SystemExit(f"Flite's voice {voice} has {rate} Hz, not {RATE}; take another")
            loud = np.flatnonzero(np.abs(samples) > 0.005)
            if len(loud):
                yield Reading(text, samples[max(loud[0] - 320, 0) : loud[-1] + 800])


def write_episode(path: Path, readings: Iterator[Reading], seconds: float, seed: int) -> tuple[int, float]:
    """Write FLAC and captions of at least `seconds`; returns how many sentences there are, and how long they are."""
    noise = np.random.default_rng(seed)
    pieces: list[NDArray[np.float32]] = []
    cues = ["WEBVTT\n"]
    at, count, spoken = 0.0, 0, 0.0
    for reading in readings:
        pieces.append(np.zeros(round(noise.uniform(*GAPS) * RATE), np.float32))
        at += len(pieces[-1]) / RATE
        cues.append(f"{_time(at)} --> {_time(at + reading.seconds)}\n{reading.text}\n")
        pieces.append(reading.samples)
        at, count, spoken = at + reading.seconds, count + 1, spoken + reading.seconds
        if at >= seconds:
            break
    samples = np.concatenate([*pieces, np.zeros(RATE // 2, np.float32)])
    samples += noise.normal(0, _NOISE, len(samples)).astype(np.float32)
    soundfile.write(path, samples, RATE)
    path.with_suffix(".vtt").write_text("\n".join(cues), encoding="utf-8")
    return count, spoken


def write_reader(folder: Path, texts: Path, voice: str, episodes: int, minutes: float, seed: int) -> tuple[int, float]:
    """Write everything that a build needs into a folder; returns sentences and seconds of speech."""
    (folder / "episodes").mkdir(parents=True, exist_ok=True)
    readings = read_aloud(chosen_sentences(texts, seed), voice)
    _write_enrolment(folder / "enroll.flac", readings)
    count, seconds = 0, 0.0
    for number in range(1, episodes + 1):
        path = folder / "episodes" / f"reading-{number:02}.flac"
        of_episode = write_episode(path, readings, 60 * minutes, seed + number)
        count, seconds = count + of_episode[0], seconds + of_episode[1]
    (folder / "consent.json").write_text(json.dumps(_consent(voice), indent=2) + "\n", encoding="utf-8")
    (folder / "dataset.yaml").write_text(
        yaml.safe_dump(_configuration(folder, voice), sort_keys=False), encoding="utf-8"
    )
    return count, seconds


def _write_enrolment(path: Path, readings: Iterator[Reading]) -> None:
    pieces: list[NDArray[np.float32]] = []
    while sum(map(len, pieces)) < ENROLMENT_SECONDS * RATE:
        pieces += [next(readings).samples, np.zeros(RATE // 2, np.float32)]
    samples = np.concatenate(pieces)
    soundfile.write(path, samples + np.random.default_rng(0).normal(0, _NOISE, len(samples)), RATE)


def _consent(voice: str) -> dict[str, object]:
    return {
        "who": f"Flite {voice}, a synthetic reader",
        "to_whom": "whoever measures realtalk",
        "scope": ["tts-training", "research"],
        "date": "2025-01-01",
        "expiry": None,
        "statement": "The voice of a free synthesiser, which belongs to nobody's throat: train from it and measure.",
    }


def _configuration(folder: Path, voice: str) -> dict[str, object]:
    train, validation, test = shares([file_sha256(path) for path in sorted((folder / "episodes").glob("*.flac"))])
    return {
        "name": f"synthetic-reader-{voice}",
        "output": "./dataset",
        "sources": [{"files": "./episodes/*.flac", "license": "cc0-1.0"}],
        "speaker": {"name": f"Flite {voice}", "enroll": ["enroll.flac"], "consent": "consent.json"},
        "models": "embedded",
        "splits": {"train": train, "validation": validation, "test": test},
    }


def shares(recordings: Sequence[str]) -> tuple[float, float, float]:
    """Shares of the episodes with which TEST and VALIDATION recordings (by hash) are held out, or few more."""
    for held_out in range(2, 100):
        for test in range(1, held_out):
            found = round(1 - held_out / 100, 2), round((held_out - test) / 100, 2), test / 100
            splits = [assign_split(recording, found) for recording in recordings]
            if splits.count("test") >= TEST and splits.count("validation") >= VALIDATION:
                return found
    raise SystemExit(f"synthetic_reader: {len(recordings)} episodes are too few to hold out {TEST + VALIDATION}")


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02}:{int(minutes % 60):02}:{rest:06.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=Path, default=_TEXTS, help="a folder of fortunes")
    parser.add_argument("--voice", default="slt")
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=4.0, help="of an episode")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if shutil.which("flite") is None:
        print("synthetic_reader: flite is not installed, nothing was read; run: apt-get install flite")
        return 0
    if not given.texts.is_dir():
        print(f"synthetic_reader: {given.texts} is no folder of texts; run: apt-get install fortunes, or give --texts")
        return 0
    count, seconds = write_reader(given.folder, given.texts, given.voice, given.episodes, given.minutes, given.seed)
    print(f"{count} sentences, {seconds / 60:.1f} minutes of speech in {given.episodes} episodes in {given.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

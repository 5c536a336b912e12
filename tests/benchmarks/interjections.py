"""Lay short interjections of guests over the host's turns of a made podcast, and say so in its truth.

    interjections.py PODCAST --tool make_podcast.py --guests FLAC [FLAC ...] [--rooms WAV ...] [--seed 0]

PODCAST is what make_podcast.py made. Into about every third turn of the host that is long enough, and that nobody else
speaks into, one guest says 0.4 to 2 s of something, at 0, -6, -9 or -13 dB of what the host says meanwhile. Episodes
are encoded as MP3 once more. In the truth an interjection is a turn without text, kind "speech", overlapped, whose
`interjection` is its level in dB.
"""

import argparse
import importlib.util
import json
import random
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

LEVELS_DB = (0, -6, -9, -13)
SECONDS = (0.4, 2.0)
SHARE = 0.35
# An interjection stays this far inside of the host's turn (s).
INSIDE = 0.6
FRAME_SECONDS = 0.01


def interject(podcast: Path, tool: Path, guests: Sequence[Path], rooms: Sequence[Path], seed: int) -> None:
    """Change the episodes and the truth of a podcast in place; the same arguments give the same podcast."""
    maker, rng = _module(tool), random.Random(seed)
    for path in sorted((podcast / "truth").glob("*.json")):
        truth = json.loads(path.read_text())
        episode = podcast / "episodes" / f"{path.stem}.mp3"
        stereo, _ = soundfile.read(episode, dtype="float32", always_2d=True)
        track = stereo.mean(axis=1)
        said = []
        for turn in _open_turns(truth):
            if rng.random() < SHARE:
                said.append(_interjected(track, turn, maker, rng.choice(guests), rooms, rng))
        truth["turns"] = sorted(truth["turns"] + [one for one in said if one], key=lambda turn: turn["start"])
        maker.write_mp3(episode, track * min(1.0, 0.95 / float(np.abs(track).max())))
        path.write_text(json.dumps(truth, indent=1))
        with open(path.with_suffix(".rttm"), "a") as rttm:
            for one in filter(None, said):
                length = one["end"] - one["start"]
                rttm.write(
                    f"SPEAKER {path.stem} 1 {one['start']:.3f} {length:.3f} <NA> <NA> {one['speaker']} <NA> <NA>\n"
                )


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _open_turns(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Turns of the host that nobody else speaks into, and that the longest interjection fits into."""
    return [
        turn
        for turn in truth["turns"]
        if turn["speaker"] == truth["host"]
        and not turn["overlapped"]
        and turn["end"] - turn["start"] > SECONDS[1] + 2 * INSIDE
    ]


def _interjected(
    track: NDArray[np.float32],
    turn: dict[str, Any],
    maker: ModuleType,
    guest: Path,
    rooms: Sequence[Path],
    rng: random.Random,
) -> dict[str, Any] | None:
    """Add an interjection to the track and return its turn; None where chance finds no stretch of speech."""
    seconds, level = rng.uniform(*SECONDS), rng.choice(LEVELS_DB)
    start = rng.uniform(turn["start"] + INSIDE, turn["end"] - INSIDE - seconds)
    said = _stretch(maker.speech(guest), round(seconds * maker.RATE), maker.RATE, rng)
    if said is None:
        return None
    wet = maker.reverberate(said, maker.load(rng.choice(rooms))) if rooms else said
    first = round(start * maker.RATE)
    under = float(np.sqrt(np.mean(track[first : first + len(said)] ** 2)))
    wet = wet[: len(track) - first] * (under * 10 ** (level / 20) / float(np.sqrt(np.mean(said**2))))
    track[first : first + len(wet)] += wet
    return {
        "kind": "speech",
        "speaker": guest.stem.split("-")[0],
        "start": round(start, 4),
        "end": round(start + seconds, 4),
        "text": None,
        "overlapped": True,
        "interjection": level,
    }


def _stretch(speech: NDArray[np.float32], length: int, rate: int, rng: random.Random) -> NDArray[np.float32] | None:
    """A stretch of speech that begins and ends in a word and hardly pauses."""
    frame = round(FRAME_SECONDS * rate)
    for _ in range(50):
        if len(speech) <= length:
            return None
        first = rng.randrange(len(speech) - length)
        part = speech[first : first + length].copy()
        frames = part[: length // frame * frame].reshape(-1, frame)
        levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
        loud = levels - np.percentile(levels, 85)
        if np.mean(loud > -20) > 0.8 and loud[:3].max() > -16 and loud[-3:].max() > -16:
            fade = np.linspace(0, 1, frame, dtype=np.float32)
            part[:frame] *= fade
            part[-frame:] *= fade[::-1]
            return part
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("podcast", type=Path)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--guests", type=Path, nargs="+", required=True, help="recordings of one voice each")
    parser.add_argument("--rooms", type=Path, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    interject(arguments.podcast, arguments.tool, arguments.guests, arguments.rooms, arguments.seed)


if __name__ == "__main__":
    main()

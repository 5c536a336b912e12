#!/usr/bin/env python3
"""Score a dataset against the exact truth of the podcast it was built from.

    fidelity.py DATASET TRUTH [--format json]

DATASET is what `realtalk build` wrote; TRUTH the folder truth/ that make_podcast.py wrote beside the feed.

purity       share of the speech inside kept clips that is the host's alone
yield        share of the host's clear (not overlapped), transcribed speech that kept clips hold
edges_in_speech  share of the kept clips' edges that fall into sounding speech: inside of a turn of anyone (truth) where
             the 20 ms around the edge are less than 20 dB below that turn's own level, and more than 6 dB above the
             quietest twentieth of it (its noise and its room's tail)
overlapped   share of the kept clips' time in which the host and somebody else speak
interjections_kept  share of the interjections of 0.4 s or more (interjections.py) of which a kept clip holds 0.1 s or
             more; below it by their level in dB
wrong words  edit distance of the clips' spoken words to the words said there, over the words said
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray

from transforms.rumble import RumbleFilter
from transforms.text.spoken import tokenise

Interval = tuple[float, float]
# An edge this near to a turn's own edge has to hold the turn's first (or last) word.
EDGE_SECONDS = 0.2
# An edge is judged by so much of the audio around it, against the level of the turn that it lies in.
EDGE_WINDOW_SECONDS = 0.02
SOUNDING_DB = 20.0
ABOVE_FLOOR_DB = 6.0
RUMBLE_HZ = 30.0
# Interjections that count, and how much of one a clip has to hold to hold it.
INTERJECTION_SECONDS = 0.4
HELD_SECONDS = 0.1


@dataclass
class Score:
    host_seconds: float = 0.0
    other_seconds: float = 0.0
    clear_seconds: float = 0.0
    kept_clear_seconds: float = 0.0
    words: int = 0
    wrong: int = 0
    clips: int = 0
    clip_seconds: float = 0.0
    edges: int = 0
    loud_edges: int = 0
    overlapped_seconds: float = 0.0
    interjections: Counter[int] = field(default_factory=Counter)
    kept_interjections: Counter[int] = field(default_factory=Counter)

    def table(self) -> dict[str, float]:
        return {
            "clips": self.clips,
            "clip_seconds": round(self.clip_seconds, 1),
            "purity": round(self.host_seconds / max(self.host_seconds + self.other_seconds, 1e-9), 5),
            "yield": round(self.kept_clear_seconds / max(self.clear_seconds, 1e-9), 4),
            "wrong_words": round(self.wrong / max(self.words, 1), 4),
            "words": self.words,
            "edges_in_speech": round(self.loud_edges / max(self.edges, 1), 4),
            "overlapped": round(self.overlapped_seconds / max(self.clip_seconds, 1e-9), 5),
            "interjections": self.interjections.total(),
            "interjections_kept": round(self.kept_interjections.total() / max(self.interjections.total(), 1), 4),
            **{
                f"interjections_kept_{level}_db": round(self.kept_interjections[level] / count, 4)
                for level, count in sorted(self.interjections.items(), reverse=True)
            },
            "clear_seconds": round(self.clear_seconds, 1),
        }


def intersection(spans: Sequence[Interval], start: float, end: float) -> float:
    return sum(max(0.0, min(end, b) - max(start, a)) for a, b in spans)


def subtract(spans: Sequence[Interval], holes: Sequence[Interval]) -> list[Interval]:
    left = list(spans)
    for a, b in holes:
        left = [piece for s, e in left for piece in ((s, min(e, a)), (max(s, b), e)) if piece[1] > piece[0]]
    return left


def spoken(text: str) -> list[str]:
    return [word for token in tokenise(text) for word in token.spoken]


def edit_distance(said: list[str], written: list[str], free_start: bool, free_end: bool) -> tuple[int, int]:
    """(errors, words said) of `written` against the stretch of `said` that fits best; only free ends may be cut."""
    # cost, start of the stretch in `said`
    row = [(0, j) if free_start else (j, 0) for j in range(len(said) + 1)]
    for i, word in enumerate(written, 1):
        new = [(i, 0)]
        for j, reference in enumerate(said, 1):
            new.append(
                min(
                    (row[j - 1][0] + (word != reference), row[j - 1][1]),
                    (row[j][0] + 1, row[j][1]),
                    (new[j - 1][0] + 1, new[j - 1][1]),
                )
            )
        row = new
    end = min(range(len(said) + 1), key=lambda j: row[j][0]) if free_end else len(said)
    return row[end][0], max(end - row[end][1], 1)


def score_episode(score: Score, truth: dict, clips: list[dict]) -> None:
    speech = [turn for turn in truth["turns"] if turn["kind"] == "speech"]
    mine = [t for t in speech if t["speaker"] == truth["host"]]
    others = [(t["start"], t["end"]) for t in speech if t["speaker"] != truth["host"]]
    alone = subtract([(t["start"], t["end"]) for t in mine], others)
    clear = subtract([(t["start"], t["end"]) for t in mine if t["text"]], others)
    score.clear_seconds += sum(b - a for a, b in clear)
    both = subtract([(t["start"], t["end"]) for t in mine], alone)
    for turn in speech:
        if "interjection" in turn and turn["end"] - turn["start"] >= INTERJECTION_SECONDS:
            held = sum(intersection([(turn["start"], turn["end"])], clip["start"], clip["end"]) for clip in clips)
            score.interjections[turn["interjection"]] += 1
            score.kept_interjections[turn["interjection"]] += held >= HELD_SECONDS
    for clip in clips:
        start, end = clip["start"], clip["end"]
        score.overlapped_seconds += intersection(both, start, end)
        score.clips += 1
        score.clip_seconds += clip["duration"]
        score.host_seconds += intersection(alone, start, end)
        score.other_seconds += intersection(others, start, end)
        score.kept_clear_seconds += intersection(clear, start, end)
        wrong, words = word_errors(mine, clip)
        score.wrong += wrong
        score.words += words


def word_errors(turns: Sequence[dict], clip: dict) -> tuple[int, int]:
    """(errors, words said) of a clip's text; `turns` are those of its speaker."""
    start, end = clip["start"], clip["end"]
    covered = [turn for turn in turns if intersection([(turn["start"], turn["end"])], start, end) > 0.05]
    said = spoken(" ".join(turn["text"] or "" for turn in covered))
    free_start = bool(covered) and start > covered[0]["start"] + EDGE_SECONDS
    free_end = bool(covered) and end < covered[-1]["end"] - EDGE_SECONDS
    return edit_distance(said, clip["spoken"].split(), free_start, free_end)


def score_edges(score: Score, truth: dict, clips: list[dict], recording: Path) -> None:
    """Count the edges of clips that fall into sounding speech; room tone that a clip adds is no matter."""
    turns = [(turn["start"], turn["end"]) for turn in truth["turns"] if turn["kind"] == "speech"]
    if not clips:
        return
    samples, rate = soundfile.read(recording, dtype="float32", always_2d=True)
    mono = RumbleFilter(RUMBLE_HZ, rate)(samples.mean(axis=1))
    for edge in (clip[side] for clip in clips for side in ("start", "end")):
        score.edges += 1
        around = [turn for turn in turns if turn[0] < edge < turn[1]]
        here = levels_db(mono, rate, edge - EDGE_WINDOW_SECONDS / 2, edge + EDGE_WINDOW_SECONDS / 2)[0]
        score.loud_edges += any(here > sounding_db(mono, rate, turn) for turn in around)


def sounding_db(mono: NDArray[np.float32], rate: int, turn: Interval) -> float:
    """The level (dBFS) above which a frame of the turn is speech."""
    levels = levels_db(mono, rate, *turn)
    mean = 10 * np.log10(np.mean(10 ** (levels / 10)))
    return float(max(mean - SOUNDING_DB, np.percentile(levels, 5) + ABOVE_FLOOR_DB))


def levels_db(mono: NDArray[np.float32], rate: int, start: float, end: float) -> NDArray[np.float64]:
    """Levels (dBFS) of the frames of 20 ms from start to end (s)."""
    frame = round(EDGE_WINDOW_SECONDS * rate)
    first = max(round(start * rate), 0)
    count = max(round((end - start) * rate) // frame, 1)
    frames = mono[first : first + count * frame]
    frames = frames[: len(frames) // frame * frame].reshape(-1, frame).astype(np.float64)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12) if len(frames) else np.array([-120.0])


def kept_clips(dataset: Path, truths: Path) -> Iterator[tuple[dict, list[dict]]]:
    """The truth of every episode, and the clips that were chosen of it."""
    columns = ["episode_guid", "start", "end", "duration", "spoken", "id"]
    clips: dict[str, list[dict]] = {}
    for shard in sorted((dataset / "data").glob("*.parquet")):
        for row in pq.read_table(shard, columns=columns).to_pylist():
            clips.setdefault(row["episode_guid"], []).append(row)
    for path in sorted(truths.glob("*.json")):
        truth = json.loads(path.read_text())
        guids = [guid for guid in clips if guid.endswith(truth["episode"])]
        yield truth, [clip for guid in guids for clip in clips[guid]]


def errors_of_clips(dataset: Path, truths: Path) -> dict[str, tuple[int, int]]:
    """(errors, words said) of every chosen clip by its id."""
    errors = {}
    for truth, clips in kept_clips(dataset, truths):
        turns = [turn for turn in truth["turns"] if turn["speaker"] == truth["host"]]
        errors.update({clip["id"]: word_errors(turns, clip) for clip in clips})
    return errors


def score_dataset(dataset: Path, truths: Path) -> Score:
    score = Score()
    for truth, kept in kept_clips(dataset, truths):
        score_episode(score, truth, kept)
        score_edges(score, truth, kept, truths.parent / "episodes" / f"{truth['episode']}.mp3")
    return score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    table = score_dataset(arguments.dataset, arguments.truth).table()
    if arguments.format == "json":
        print(json.dumps(table))
    else:
        print("\n".join(f"{name:14s} {value}" for name, value in table.items()))


if __name__ == "__main__":
    main()

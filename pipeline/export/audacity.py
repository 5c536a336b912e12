"""Audacity's labels, to look at an episode's recording with: EPISODE.turns.txt, who speaks, and EPISODE.clips.txt,
every candidate with its verdict and text. A line is start, end (s) and label, with tabs between."""

from collections.abc import Mapping
from typing import Any

from pipeline.export.turns import read_turns, speaker_of
from pipeline.export.unit import Unit
from pipeline.inspect import Dataset
from schemas.verdict import KEPT


def work(unit: Unit, dataset: Dataset) -> None:
    """One episode: its two files."""
    episode, turns = read_turns(dataset, unit.source)
    unit.write(f"{episode}.turns.txt", "".join(_line(turn, speaker_of(turn)) for turn in turns).encode("utf-8"))
    name = f"{episode}.parquet"
    clips: list[dict[str, Any]] = []
    if dataset.has("candidates", name):
        columns = ["id", "start", "end", "text", "verdict", "reasons"]
        clips = dataset.table("candidates", columns, name=name).to_pylist()
    lines = []
    for clip in sorted(clips, key=lambda row: (row["start"], row["id"])):
        label = clip_label(clip)
        if any(ord(letter) < 32 for letter in label):
            unit.refuse(clip["id"], f"its text holds a tab, a line break or a control character: {clip['text']!r}")
        else:
            lines.append(_line(clip, label))
    unit.write(f"{episode}.clips.txt", "".join(lines).encode("utf-8"))
    unit.count(sum(turn["end"] - turn["start"] for turn in turns))


def clip_label(clip: Mapping[str, Any]) -> str:
    """What stands at a clip: its id, the verdict with its reasons, the text."""
    why = "" if clip["verdict"] == KEPT else f" ({'; '.join(clip['reasons'] or ())})"
    return f"{clip['id']} {clip['verdict']}{why}: {clip['text']}"


def _line(row: Mapping[str, Any], label: str) -> str:
    return f"{row['start']:.6f}\t{row['end']:.6f}\t{label}\n"

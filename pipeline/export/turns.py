"""The turns of an episode, for the formats that say who speaks when."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pipeline.export.clips import read_rows
from pipeline.inspect import Dataset

TARGET = "target"


def read_turns(dataset: Dataset, source: str) -> tuple[str, list[dict[str, Any]]]:
    """The episode's id and its turns by start, from "turns/EPISODE.parquet"."""
    rows = read_rows(dataset, source)
    return PurePosixPath(source).stem, sorted(rows, key=lambda row: (row["start"], row["end"], row["speaker"]))


def speaker_of(turn: Mapping[str, Any]) -> str:
    """TARGET in every episode for the dataset's speaker, else the voice's name in this one ("S1")."""
    return TARGET if turn["is_target"] else str(turn["speaker"])

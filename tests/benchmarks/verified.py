"""What verifying the text does to datasets of captions with wrong words: what it leaves of them, and what it costs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from fidelity import errors_of_clips

COLUMNS = (
    "verified", "clips", "wrong words", "kept", "wrong words kept", "right clips kept", "CPU s per hour of clips",
)  # fmt: skip


@dataclass
class Verified:
    """Chosen clips without and with verification. `right` clips have no wrong word; seconds are CPU's and clips'."""

    clips: int = 0
    wrong: int = 0
    words: int = 0
    right: int = 0
    kept_clips: int = 0
    kept_wrong: int = 0
    kept_words: int = 0
    kept_right: int = 0
    cpu_seconds: float = 0.0
    clip_seconds: float = 0.0

    def __add__(self, other: "Verified") -> "Verified":
        return Verified(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Verified)))

    def row(self, name: str) -> tuple[str, ...]:
        return (
            name,
            str(self.clips),
            f"{self.wrong / max(self.words, 1):.2%}",
            str(self.kept_clips),
            f"{self.kept_wrong / max(self.kept_words, 1):.2%}",
            f"{self.kept_right / max(self.right, 1):.1%}",
            f"{self.cpu_seconds / max(self.clip_seconds / 3600, 1e-9):.0f}",
        )


def compared(before: Mapping[str, tuple[int, int]], dataset: Path, truths: Path) -> Verified:
    """`before` are the errors of the clips that were chosen without verification; the dataset is built with it."""
    after = errors_of_clips(dataset, truths)
    timings = json.loads((dataset / "work" / "timings.json").read_text())["stages"]["verified"]
    return Verified(
        clips=len(before),
        wrong=sum(wrong for wrong, _ in before.values()),
        words=sum(words for _, words in before.values()),
        right=sum(not wrong for wrong, _ in before.values()),
        kept_clips=len(after),
        kept_wrong=sum(wrong for wrong, _ in after.values()),
        kept_words=sum(words for _, words in after.values()),
        kept_right=sum(not wrong and clip in after for clip, (wrong, _) in before.items()),
        cpu_seconds=timings["cpu_seconds"],
        clip_seconds=timings["audio_seconds"],
    )


def rows_of(outcomes: Mapping[str, Verified]) -> Sequence[tuple[str, ...]]:
    rows = [outcome.row(name) for name, outcome in outcomes.items()]
    return [*rows, sum(outcomes.values(), Verified()).row("all")]

"""Diarization error rate, as NIST's md-eval defines it, without a collar and with overlapped speech scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Segment = tuple[str, float, float]
_FRAME_SECONDS = 0.005


@dataclass(frozen=True)
class DiarizationError:
    """Seconds of speaker time (two at once count twice)."""

    speech: float = 0.0
    missed: float = 0.0
    false_alarm: float = 0.0
    confused: float = 0.0

    @property
    def rate(self) -> float:
        return (self.missed + self.false_alarm + self.confused) / max(self.speech, 1e-9)

    def __add__(self, other: "DiarizationError") -> "DiarizationError":
        return DiarizationError(
            self.speech + other.speech,
            self.missed + other.missed,
            self.false_alarm + other.false_alarm,
            self.confused + other.confused,
        )


def diarization_error(reference: Sequence[Segment], hypothesis: Sequence[Segment]) -> DiarizationError:
    """Of (speaker, start, end) in seconds, under the mapping of speakers that leaves the least error."""
    frames = 1 + round(max((end for _, _, end in (*reference, *hypothesis)), default=0.0) / _FRAME_SECONDS)
    said, heard = _activity(reference, frames), _activity(hypothesis, frames)
    together = said.astype(np.float64) @ heard.T.astype(np.float64)
    correct = float(together[linear_sum_assignment(-together)].sum())
    many_said, many_heard = said.sum(axis=0), heard.sum(axis=0)
    both = float(np.minimum(many_said, many_heard).sum())
    return DiarizationError(
        speech=float(many_said.sum()) * _FRAME_SECONDS,
        missed=float(np.maximum(many_said - many_heard, 0).sum()) * _FRAME_SECONDS,
        false_alarm=float(np.maximum(many_heard - many_said, 0).sum()) * _FRAME_SECONDS,
        confused=(both - correct) * _FRAME_SECONDS,
    )


def read_rttm(path: Path) -> list[Segment]:
    lines = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
    return [(line[7], float(line[3]), float(line[3]) + float(line[4])) for line in lines]


def _activity(segments: Sequence[Segment], frames: int) -> NDArray[np.int64]:
    """Shape (speakers, frames): 1 where one speaks."""
    speakers = sorted({speaker for speaker, _, _ in segments})
    active = np.zeros((len(speakers), frames), np.int64)
    for speaker, start, end in segments:
        active[speakers.index(speaker), round(start / _FRAME_SECONDS) : round(end / _FRAME_SECONDS)] = 1
    return active

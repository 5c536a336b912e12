"""What is known of a training while it lasts: metrics.jsonl, and TensorBoard where it is wanted."""

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from schemas.errors import RealtalkError

METRICS_NAME = "metrics.jsonl"


class Metrics:
    """Means of losses between two lines of metrics.jsonl, which several processes may write to."""

    def __init__(self, folder: Path, part: str, tensorboard: bool) -> None:
        self.path = folder / METRICS_NAME
        self.part = part
        self._sums: dict[str, float] = defaultdict(float)
        self._count = 0
        self._began = time.monotonic()
        self._board = _board(folder / "training" / "tensorboard" / part) if tensorboard else None

    def __enter__(self) -> "Metrics":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def add(self, losses: Mapping[str, float]) -> None:
        """The losses of one step."""
        self._count += 1
        for name, value in losses.items():
            self._sums[name] += value

    def write(self, step: int, **others: float) -> dict[str, Any]:
        """A line with the means since the last one, steps a second, and what else is told; returns it."""
        seconds = max(time.monotonic() - self._began, 1e-9)
        means = {name: value / max(self._count, 1) for name, value in sorted(self._sums.items())}
        line = {
            "part": self.part,
            "step": step,
            **{name: round(value, 5) for name, value in means.items()},
            "steps_per_second": round(self._count / seconds, 3),
            **{name: round(value, 5) for name, value in others.items()},
        }
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if self._board is not None:
            for name, value in line.items():
                if isinstance(value, (int, float)):
                    self._board.add_scalar(f"{self.part}/{name}", value, step)
        self._sums.clear()
        self._count, self._began = 0, time.monotonic()
        return line


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise RealtalkError("--tensorboard: tensorboard is not installed; pip install tensorboard") from None
    return SummaryWriter(str(folder))

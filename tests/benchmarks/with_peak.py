"""A stage's work that tells what memory it took; alone in a module, so that a worker imports nothing else for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.state import EpisodeState
from transforms.stage import Stage
from transforms.store import Store


@dataclass(frozen=True)
class WithPeak:
    """A stage's work, and the peak of its process's memory during it (bytes)."""

    stage: Stage
    store: Store

    def __call__(self, state: EpisodeState, key: str) -> tuple[Any, int]:
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): sets the peak back to what is held now
        result = self.stage.work(state, key, self.store)
        (peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
        return result, int(peak.split()[1]) * 1024

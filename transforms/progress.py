"""How the stages tell how it goes: lines of JSON in files of their own, because not every engine has metrics."""

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import Failure
from schemas.state import EpisodeState
from transforms.store import Store


@dataclass(frozen=True)
class ProgressLog:
    """Appends events to work/progress/PID.jsonl. A remote store has no appending: there the engine's console tells."""

    store: Store

    def started(self, stage: str, state: EpisodeState) -> None:
        """A stage began to work on an episode."""
        self._write("started", stage, state)

    def finished(
        self,
        stage: str,
        state: EpisodeState,
        *,
        cached: bool,
        audio_seconds: float,
        cpu_seconds: float,
        wall_seconds: float,
        is_first: bool = False,
    ) -> None:
        """A stage has its result, made now or `cached`; times in seconds."""
        self._write(
            "finished",
            stage,
            state,
            cached=cached,
            audio_seconds=round(audio_seconds, 3),
            cpu_seconds=round(cpu_seconds, 4),
            wall_seconds=round(wall_seconds, 4),
            is_first=is_first,
        )

    def failed(self, failure: Failure, state: EpisodeState, detail: str) -> None:
        """A stage could not do its work; `detail` is a traceback where nobody expected that."""
        self._write("failed", failure.stage, state, what=failure.what, why=failure.why, detail=detail)

    def note(self, stage: str, **facts: float | str) -> None:
        """An event of the whole build, not of one episode."""
        self._append({"event": "note", "stage": stage, "time": round(time.time(), 3), **facts})

    def _write(self, event: str, stage: str, state: EpisodeState, **facts: float | str | bool) -> None:
        episode = state.episode
        self._append(
            {
                "event": event,
                "stage": stage,
                "episode": episode.id,
                "title": episode.title or episode.guid,
                "time": round(time.time(), 3),
                **facts,
            }
        )

    def _append(self, record: dict[str, float | str | bool]) -> None:
        if not self.store.is_local:
            return
        folder = Path(self.store.path("work", "progress"))
        line = json.dumps(record, ensure_ascii=False) + "\n"
        # A full disk stops what writes results, which says so; nothing depends on what is shown on the way.
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with open(folder / f"{os.getpid()}.jsonl", "a", encoding="utf-8") as file:
                file.write(line)

"""What a person sees while a build runs: stage, episodes, hours, speed, time left.

The workers append events to work/progress/*.jsonl (transforms/progress.py); a thread of the driver reads them.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from pipeline.console import printable

LABELS = {
    "media": "download",
    "recording": "decode",
    "captions": "read captions",
    "speech": "detect speech",
    "diarization": "who speaks",
    "target": "find the target",
    "interjections": "hear others",
    "utterances": "align text",
    "cuts": "cut",
    "scored": "score clips",
    "candidates": "score the speaker",
    "verified": "verify the text",
    "shards": "write shards",
}
_PLAIN_INTERVAL_SECONDS = 10.0
_FIGURES = ("audio_seconds", "cpu_seconds", "wall_seconds")
#: What is known of a stage's cost: totals, how often a process loaded what it needs for it, and what of the totals was
#: the work that came with that.
COST_NAMES = (*_FIGURES, "starts", *(f"first_{name}" for name in _FIGURES))


@dataclass
class Tally:
    """What the events add up to."""

    listed: int = 0
    result: str = ""
    finished: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    running: dict[str, tuple[str, str]] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    cached: dict[str, int] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, event: dict[str, Any]) -> None:
        """Count one event of transforms/progress.py."""
        kind, stage = event["event"], event["stage"]
        if kind == "note":
            self.listed = int(event.get("listed", self.listed))
            self.result = str(event.get("result", self.result))
            if "line" in event:
                self.notes.append(str(event["line"]))
            return
        episode = event["episode"]
        if kind == "started":
            self.running[episode] = (stage, event["title"])
            return
        self.running.pop(episode, None)
        if kind == "failed":
            self.failed[episode] = stage
            self.failures.append(event)
            return
        self.finished[stage] = self.finished.get(stage, 0) + 1
        if stage == "recording":
            self.durations[episode] = event["audio_seconds"]
        if event["cached"]:
            self.cached[stage] = self.cached.get(stage, 0) + 1
            return
        cost = self.costs.setdefault(stage, dict.fromkeys(COST_NAMES, 0.0))
        for name in _FIGURES:
            cost[name] += event[name]
            cost[f"first_{name}"] += event[name] if event["is_first"] else 0.0
        cost["starts"] += event["is_first"]

    @property
    def hours(self) -> float:
        """Of audio that was decoded."""
        return sum(self.durations.values()) / 3600

    @property
    def done(self) -> int:
        """Episodes that came to their end, or failed on the way."""
        return self.finished.get("candidates", 0) + len(self.failed)


class EventReader:
    """Reads what was appended to a folder of event files since the last look."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, int] = {path: path.stat().st_size for path in folder.glob("*.jsonl")}

    def new_events(self) -> Iterator[dict[str, Any]]:
        """What came since the last call, in the order of each worker."""
        for path in sorted(self.folder.glob("*.jsonl")):
            with open(path, "rb") as file:
                file.seek(self._read.get(path, 0))
                block = file.read()
            # A line that is being written waits for the next look.
            whole = block[: block.rfind(b"\n") + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            for line in whole.splitlines():
                # On a full disk a line may have broken off, with the next one behind it.
                with suppress(ValueError):
                    yield json.loads(line)


class ProgressDisplay:
    """Follows a build on stderr: one live line on a terminal, a line now and then elsewhere."""

    def __init__(self, folder: Path, stream: TextIO | None = None, interval_seconds: float = 0.5) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.jsonl"):
            old.unlink()
        self.tally = Tally()
        self._reader = EventReader(folder)
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._interval = interval_seconds if self._live else _PLAIN_INTERVAL_SECONDS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._began = time.monotonic()
        self._last = ""
        self._told_failures = 0
        self._told_notes = 0

    def __enter__(self) -> "ProgressDisplay":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look()
        self._show(final=True)

    def _follow(self) -> None:
        while not self._stop.wait(0.5):
            self._look()
            if self._live or time.monotonic() - self._began > self._interval * (self._ticks + 1):
                self._ticks += 1
                self._show()

    _ticks = 0

    def _look(self) -> None:
        for event in self._reader.new_events():
            self.tally.add(event)

    def _show(self, final: bool = False) -> None:
        for failure in self.tally.failures[self._told_failures :]:
            stage = LABELS.get(failure["stage"], failure["stage"])
            self._write_line(f"  failed: {failure['title']}: {stage}: {failure['what']}: {failure['why']}")
        self._told_failures = len(self.tally.failures)
        for note in self.tally.notes[self._told_notes :]:
            self._write_line(f"  note: {note}")
        self._told_notes = len(self.tally.notes)
        line = printable(describe(self.tally, time.monotonic() - self._began))
        if self._live:
            self._stream.write("\r\x1b[2K" + line + ("\n" if final else ""))
            self._stream.flush()
        elif line != self._last:
            self._write_line(line)
        self._last = line

    def _write_line(self, line: str) -> None:
        self._stream.write(("\r\x1b[2K" if self._live else "") + printable(line) + "\n")
        self._stream.flush()


def describe(tally: Tally, elapsed_seconds: float) -> str:
    """One line: "3 of 10 episodes · 2.1 h · align text: Title · 31x real time · about 4 min left"."""
    total = max(tally.listed, tally.done + len(tally.running))
    parts = [f"{tally.done} of {total} episodes", f"{tally.hours:.2f} h"]
    if tally.running:
        stage, title = next(iter(tally.running.values()))
        parts.append(f"{LABELS.get(stage, stage)}: {title[:40]}")
    elif total and tally.done >= total:
        parts.append("choosing clips, writing shards")
    if elapsed_seconds > 1 and tally.hours:
        parts.append(f"{tally.hours * 3600 / elapsed_seconds:.0f}x real time")
    share = _share_done(tally, total)
    if 0.02 < share < 1 and elapsed_seconds > 5:
        parts.append(f"about {_duration(elapsed_seconds * (1 - share) / share)} left")
    return " · ".join(parts)


# How much of an episode's time each stage takes: only for guessing the time left.
_WEIGHTS = {
    "media": 0.03,
    "recording": 0.07,
    "speech": 0.05,
    "diarization": 0.45,
    "utterances": 0.2,
    "scored": 0.2,
}


def _share_done(tally: Tally, total: int) -> float:
    if not total:
        return 0.0
    done = sum(weight * (tally.finished.get(stage, 0) + len(tally.failed)) for stage, weight in _WEIGHTS.items())
    return min(done / total, 1.0)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

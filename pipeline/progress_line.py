"""What a person sees of long work, on stderr: one live line on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import TextIO

from pipeline.console import duration

_LIVE_SECONDS, _PLAIN_SECONDS = 0.5, 10.0


class Progress:
    """Counts towards `total` things called `noun`."""

    def __init__(self, total: int, noun: str, stream: TextIO | None = None) -> None:
        self._total, self._noun = total, noun
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._began = self._shown = time.monotonic()
        self._done = self._skipped = 0

    def skip(self, count: int) -> None:
        """Count what an earlier run did."""
        self._skipped += count

    def step(self, count: int = 1) -> None:
        """Count some more; show it if it is time to."""
        self._done += count
        now = time.monotonic()
        if now - self._shown >= (_LIVE_SECONDS if self._live else _PLAIN_SECONDS):
            self._shown = now
            print(f"{self._start}{self.line(now)}", end=self._end, file=self._stream, flush=True)

    def line(self, now: float) -> str:
        """How far it is, and how long it still takes."""
        far = self._skipped + self._done
        left = (now - self._began) / max(self._done, 1) * max(self._total - far, 0)
        return f"  {far} of {self._total} {self._noun}, {duration(left)} left"

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live and self._shown > self._began:
            print("\r\x1b[K", end="", file=self._stream, flush=True)

    @property
    def _start(self) -> str:
        return "\r\x1b[K" if self._live else ""

    @property
    def _end(self) -> str:
        return "" if self._live else "\n"

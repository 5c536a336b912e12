"""How much a server does at once, and for whom: the rest is refused at once, with a time to come back."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tts.server.requests import RequestError


@dataclass(frozen=True, slots=True)
class Limits:
    """`at_once` requests are computed at the same time, `waiting` more are held open.

    Of one request: `characters` of its text, `synthesis_seconds` of computing, `speech_seconds` of what is said;
    `patience`: seconds that a client may take to read what it was sent.
    """

    at_once: int = 1
    waiting: int = 16
    characters: int = 4096
    synthesis_seconds: float = 120.0
    speech_seconds: float = 1200.0
    patience: float = 60.0


class Doorkeeper:
    """Counts the requests that are open. For one event loop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.inside = 0
        self._usual_seconds = 1.0

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Room for a request; raises RequestError 429 where there is none."""
        limits = self.limits
        if self.inside >= limits.at_once + limits.waiting:
            raise RequestError(
                429, f"{self.inside} requests are waiting already; try again", code="rate_limit_exceeded"
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def took(self, seconds: float) -> None:
        """Learn from a request that took so many seconds of computing."""
        self._usual_seconds += 0.2 * (seconds - self._usual_seconds)

    @property
    def retry_after(self) -> int:
        """Whole seconds until there is likely to be room, by what requests have taken."""
        return min(60, max(1, math.ceil(self._usual_seconds / self.limits.at_once)))

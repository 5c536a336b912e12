"""What a server serves: voices, for whom, within which limits; and what it has counted."""

import hmac
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError
from tts.frontend.text import FrontEnd
from tts.origin import ended_consent
from tts.server.limits import Doorkeeper, Limits
from tts.server.requests import RequestError, SpeechRequest
from tts.server.voices import Served

Floats = NDArray[np.float32]


@dataclass(eq=False)
class Counters:
    """Since the server began: answers by status, seconds of speech, seconds of computing."""

    answers: Counter[int] = field(default_factory=Counter)
    speech_seconds: float = 0.0
    computing_seconds: float = 0.0

    def answered(self, status: int) -> None:
        """Count an answer to a request for speech: 499 where the client went away, 0 where it was broken off."""
        self.answers[status] += 1

    def spoke(self, speech: float, computing: float) -> None:
        """Count seconds."""
        self.speech_seconds += speech
        self.computing_seconds += computing


class Service:
    """All that requests share."""

    def __init__(
        self,
        voices: Sequence[Served],
        limits: Limits | None = None,
        api_key: str = "",
        tell: Callable[[str], None] = lambda line: None,
        without_consent: bool = False,
    ) -> None:
        """Voices by their names; raises ConfigurationError where two have the same, or there is none.

        `without_consent`: whether they speak also after their consent has ended.
        """
        self.voices: Mapping[str, Served] = {voice.name: voice for voice in voices}
        if not voices or len(self.voices) != len(voices):
            names = ", ".join(voice.name for voice in voices) or "none"
            raise ConfigurationError(f"voices to serve: {names}; name one or more, each with a name of its own")
        self.limits = limits or Limits()
        self.tell = tell
        self.doorkeeper = Doorkeeper(self.limits)
        self.counters = Counters()
        self._api_key = api_key.encode("utf-8")
        self._without_consent = without_consent
        self._front_end = FrontEnd(tell=tell)

    @property
    def has_key(self) -> bool:
        """Whether clients have to send a key."""
        return bool(self._api_key)

    def check_key(self, authorization: str) -> None:
        """Raises RequestError 401 where a key is wanted and the header has another."""
        if not self._api_key:
            return
        scheme, _, key = authorization.partition(" ")
        # Starlette reads headers as Latin-1, whatever they are.
        given = key.strip().encode("latin-1", "replace")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given, self._api_key):
            raise RequestError(401, "no such API key; send it as Authorization: Bearer KEY", code="invalid_api_key")

    def check_consent(self, served: Served, today: date) -> None:
        """Raises RequestError 403 where the consent to a voice has ended: it may have held when the server began."""
        if served.origin.has_ended(today) and not self._without_consent:
            raise RequestError(403, ended_consent(served.name, served.origin), "voice", "consent_ended")

    def samples(self, served: Served, wanted: SpeechRequest) -> Iterator[Floats]:
        """Speech as it is made; nothing is computed before the first is asked for."""
        yield from served.speak(wanted.text, wanted.speed, wanted.pitch, wanted.seed, front_end=self._front_end)

    def warm_up(self) -> None:
        """Let each voice speak once, so that the first client waits no longer than others."""
        for served in self.voices.values():
            for _ in self.samples(served, SpeechRequest(served.name, "Ready.")):
                pass

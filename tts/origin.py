"""Whose voice it is, and what it was trained from. Plain Python, for whatever runs the voice."""

from dataclasses import dataclass
from datetime import date

#: What no voice may be used for, whatever its consent allows.
PROHIBITED = (
    "speaking for the speaker without a consent that is on record and holds on that day",
    "deceiving anybody: impersonation, fraud, passing a check of identity, or claiming that the speaker said it",
    "passing its speech on unmarked, or as a recording",
    "anything that the licences of its recordings forbid",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a voice was trained from. `scope` and `expiry` (YYYY-MM-DD, "" for none) are the consent's.

    `without_consent` is the reason that was given where no consent is on record, else "". `recordings` are what it
    heard, also as the voice that it was initialised from, by `recording_key`; () where nobody noted them.
    """

    dataset: str
    dataset_version: str
    speaker: str
    clips: int
    seconds: float
    tier: str
    consent_id: str
    scope: tuple[str, ...] = ()
    expiry: str = ""
    without_consent: str = ""
    licenses: tuple[str, ...] = ()
    initialised_from: str = ""
    recordings: tuple[str, ...] = ()

    def has_ended(self, today: date) -> bool:
        """Whether the consent has, and no reason to do without one was given when the voice was trained."""
        return bool(self.expiry) and self.expiry < today.isoformat() and not self.without_consent


def recording_key(sha256: str) -> str:
    """What stands for a recording, of which there may be thousands: the first 16 digits of its SHA-256."""
    return sha256[:16]


def ended_consent(name: str, origin: Origin) -> str:
    """A line for who asks for speech of a voice whose consent has ended."""
    return f"{name}: the consent to this voice ended on {origin.expiry}; ask the speaker for a new one and train again"

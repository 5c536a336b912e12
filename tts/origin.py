"""Whose voice it is, and what it was trained from. Plain Python, for whatever runs the voice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """What a voice was trained from. `scope` and `expiry` (YYYY-MM-DD, "" for none) are the consent's.

    `without_consent` is the reason that was given where no consent is on record, else "".
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

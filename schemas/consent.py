"""The consent of the speaker: a JSON record that travels with the data as an id.

    {"who": "Ada Example", "to_whom": "Example Audio Ltd.", "scope": ["tts-training", "research"],
     "date": "2025-03-01", "expiry": "2030-03-01",
     "statement": "I allow Example Audio Ltd. to train a synthetic voice from my podcast.",
     "recording": "statement.flac"}

`recording` is optional: a file beside the record in which the statement is spoken. `expiry` may be null, which says
that the consent holds until it is withdrawn. Dates are YYYY-MM-DD and inclusive.
"""

import datetime
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import ErrorDetails

from schemas.errors import ConfigurationError
from schemas.ids import digest, file_sha256

#: What a dataset is made for.
TTS_TRAINING = "tts-training"
#: What a speaker can allow.
SCOPES: Mapping[str, str] = MappingProxyType(
    {
        TTS_TRAINING: "training a synthetic voice of the speaker",
        "research": "research on the recordings and on what is made from them",
        "distribution": "passing the dataset or the voice on to others",
        "commercial": "use of the voice for profit",
    }
)


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as given. `scope` is sorted; `recording_sha256` is "" where nothing was recorded."""

    who: str
    to_whom: str
    scope: tuple[str, ...]
    date: datetime.date
    expiry: datetime.date | None
    statement: str
    recording_sha256: str = ""

    @property
    def id(self) -> str:
        """The hash of everything it says, and of the recording's bytes (16 hexadecimal digits)."""
        expiry = self.expiry.isoformat() if self.expiry else None
        parts = (self.who, self.to_whom, self.scope, self.date.isoformat(), expiry, self.statement)
        return digest("consent", *parts, self.recording_sha256)

    def covers(self, purpose: str) -> bool:
        """Whether a purpose (a key of SCOPES) is allowed."""
        return purpose in self.scope


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Record(BaseModel):
    """The JSON record as written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    who: Text
    to_whom: Text
    scope: Annotated[list[str], Field(min_length=1)]
    date: datetime.date
    expiry: datetime.date | None
    statement: Text
    recording: Text | None = None

    @field_validator("scope")
    @classmethod
    def _scopes_are_known(cls, scope: list[str]) -> list[str]:
        for purpose in scope:
            if purpose not in SCOPES:
                near = difflib.get_close_matches(purpose.lower(), SCOPES, 1, 0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(SCOPES)}"
                raise ValueError(f"there is no purpose called {purpose!r}; {hint}")
        return sorted(set(scope))


_KINDS = {
    "string_type": "text",
    "list_type": 'a list such as ["tts-training"]',
    "date_type": "a day such as 2025-03-01",
    "date_parsing": "a day such as 2025-03-01",
    "date_from_datetime_parsing": "a day such as 2025-03-01",
    "date_from_datetime_inexact": "a day such as 2025-03-01",
}


def read_consent(path: str | Path, today: datetime.date | None = None, purpose: str = "") -> Consent:
    """Read and check a consent record; with `today`, also that it holds on that day, with `purpose` (a key of SCOPES)
    that it allows it.

    Raises ConfigurationError with all that is wrong with it, one line a fault.
    """
    path = Path(path)
    record = _parse(path)
    faults = [f"{path}: {fault}" for fault in _faults_of_dates(record, today)]
    if purpose and purpose not in record.scope:
        faults.append(
            f"{path}: scope: {purpose} ({SCOPES[purpose]}) is not allowed, only {', '.join(record.scope)}; "
            "ask the speaker for a new one"
        )
    recording = path.parent / record.recording if record.recording else None
    if recording is not None and not recording.is_file():
        faults.append(f"{path}: recording: there is no file {recording}; put it there, or leave the recording out")
    if faults:
        raise ConfigurationError("\n".join(faults))
    return Consent(
        who=record.who,
        to_whom=record.to_whom,
        scope=tuple(record.scope),
        date=record.date,
        expiry=record.expiry,
        statement=record.statement,
        recording_sha256=file_sha256(recording) if recording is not None else "",
    )


def _parse(path: Path) -> _Record:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file; put the consent there, or mend the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: can't be read as text ({error}); it has to be a JSON record") from None
    try:
        json.loads(content)
        return _Record.model_validate_json(content)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path}: line {error.lineno}: not readable as JSON ({error.msg})") from None
    except RecursionError:
        raise ConfigurationError(f"{path}: not a consent, its brackets are nested too deep; write it anew") from None
    except ValidationError as error:
        lines = (f"{path}: {_line(detail)}" for detail in error.errors(include_url=False))
        raise ConfigurationError("\n".join(lines)) from None


def _line(detail: ErrorDetails) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        also = " (null where there is none)" if name == "expiry" else ""
        return f"{name} is missing; add it{also}"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, _Record.model_fields, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_Record.model_fields)}"
        return f"there is no field called {name!r}; {hint}"
    if detail["type"] in ("string_too_short", "too_short"):
        return f"{name} is empty; fill it in"
    if detail["type"] in _KINDS and name:
        return f"{name} has to be {_KINDS[detail['type']]}, not {json.dumps(detail['input'])}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


def _faults_of_dates(record: _Record, today: datetime.date | None) -> list[str]:
    faults = []
    if record.expiry is not None and record.expiry < record.date:
        faults.append(f"expiry: {record.expiry} lies before date {record.date}")
    if today is None:
        return faults
    if record.date > today:
        faults.append(f"date: {record.date} lies in the future (today is {today})")
    if record.expiry is not None and record.date <= record.expiry < today:
        faults.append(f"expiry: the consent ended on {record.expiry} (today is {today}); ask the speaker for a new one")
    return faults

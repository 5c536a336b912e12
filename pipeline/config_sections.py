"""The sections of a configuration: their keys, defaults and limits. The descriptions are the documentation's too."""

import dataclasses
import datetime
import math
import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from pipeline.config_errors import several
from pipeline.gates import Limit, parse_limit
from schemas.errors import ConfigurationError
from schemas.recording import STANDARD_RATES
from schemas.verdict import Thresholds, thresholds_from
from transforms.models.choice import DEFAULT_WHISPER, MODELS, SETS, ModelChoice, nearest, parse_choice, parse_language

#: Rates that clips can have (Hz); of less no voice is made.
SAMPLING_RATES = tuple(rate for rate in STANDARD_RATES if rate >= 16_000)
_RATES = ", ".join(map(str, SAMPLING_RATES))
KINDS = ("feed", "opml", "files", "manifest")


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def as_list_of_some(value: Any) -> Any:
    """A list that may be written as its only entry."""
    if value == []:
        raise ValueError("is an empty list; name at least one")
    return _as_tuple([value] if isinstance(value, (str, dict)) else value)


def _as_iso(value: Any) -> Any:
    """A day or an instant, as YAML reads it or as text, as ISO 8601 text."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        try:
            datetime.datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"expected a day such as 2024-05-31, got {value!r}") from None
    return value


def _as_seconds(value: Any) -> Any:
    """ "1:02:03.5" in seconds: YAML itself reads 1:02 as 62, but 0:12 as text."""
    if isinstance(value, str) and re.fullmatch(r"(\d+:)?\d+:[0-5]?\d(\.\d*)?", value):
        return sum(float(part) * 60**power for power, part in enumerate(reversed(value.split(":"))))
    return value


def _web_address_or_path(value: str) -> str:
    if "://" not in value:
        return value
    try:
        parts = urlsplit(value)
        whole = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f"expected an address such as https://example.org/feed.xml, got {value!r}")
    return value


Text = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
Instant = Annotated[float | None, BeforeValidator(_as_seconds)]
Day = Annotated[str | None, BeforeValidator(_as_iso)]


class Section(BaseModel):
    """Part of the configuration: unknown keys are errors, values are of the type they look like."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class SourceEntry(Section):
    """Where episodes are listed: exactly one of `feed`, `opml`, `files`, `manifest`, and which of them to take."""

    feed: Text | None = Field(default=None, description="address (or path) of an RSS or Atom feed")
    opml: Text | None = Field(
        default=None,
        description="path or address of an OPML list of feeds; lists that it includes are not followed",
    )
    files: Text | None = Field(
        default=None, description="recordings: a file, a folder, or a pattern such as ./archive/*.mp3"
    )
    manifest: Text | None = Field(default=None, description="path of a CSV or JSONL list of recordings")
    limit: int | None = Field(default=None, ge=1, description="take at most so many episodes, the newest first")
    after: Day = Field(default=None, description="take episodes published on or after this day (2024-05-31)")
    before: Day = Field(default=None, description="take episodes published before this day")
    title: Text | None = Field(default=None, description="take episodes whose title matches this regular expression")
    license: Text | None = Field(
        default=None, description="licence of these episodes, whatever the source says: cc-by-4.0"
    )

    @field_validator("feed", "opml")
    @classmethod
    def _can_be_read(cls, value: str | None) -> str | None:
        return value if value is None else _web_address_or_path(value)

    @field_validator("title")
    @classmethod
    def _title_is_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _is_one_source(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a source has exactly one of {', '.join(KINDS)}; this has {' and '.join(given) or 'none'}"
            )
        if self.after and self.before and self.after[:10] > self.before[:10]:
            raise ValueError(f"no episode is both after {self.after} and before {self.before}")
        return self

    @property
    def kind(self) -> str:
        """Which of KINDS it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class Enrolment(Section):
    """Speech of the target alone: a file, or a span of an episode (`start`, `end` in seconds or h:mm:ss)."""

    file: Text | None = Field(default=None, description="path of a recording of the speaker alone")
    episode: Text | None = Field(
        default=None, description="guid (or id) of an episode in which the speaker talks alone"
    )
    start: Instant = Field(default=None, ge=0, description="where the speaker starts, in seconds")
    end: Instant = Field(default=None, gt=0, description="where the speaker ends, in seconds")

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"file": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if (self.file is None) == (self.episode is None):
            raise ValueError("expected a path, or {episode: GUID, start: 12.0, end: 31.5}")
        if self.file is not None and (self.start, self.end) != (None, None):
            raise ValueError("a file is taken whole; start and end go with an episode")
        if self.episode is not None and (self.start is None or self.end is None or self.end <= self.start):
            raise ValueError("a span of an episode needs a start and, after it, an end, in seconds")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> Any:
        return self.file if self.file is not None else handler(self)


class Speaker(Section):
    """Who the dataset is of, how to know them, and their consent."""

    name: Text = Field(description="the speaker's name, as it shall stand in the dataset")
    enroll: Annotated[tuple[Enrolment, ...] | None, BeforeValidator(as_list_of_some)] = Field(
        default=None, description="recordings of the speaker alone, 10 s or more in all"
    )
    auto: bool = Field(default=False, description="true: the speaker is whoever speaks most in the episodes")
    consent: Text | None = Field(default=None, description="path of the speaker's consent, a JSON record")

    @model_validator(mode="after")
    def _is_known_somehow(self) -> Self:
        if self.auto and self.enroll:
            raise ValueError("auto: true and enroll exclude each other; keep enroll where there is a recording")
        if not self.auto and not self.enroll:
            raise ValueError("say how to know the speaker: enroll: [recording.flac], or auto: true (who speaks most)")
        return self


class Models(Section):
    """Which model does what: NAME, or NAME:MODEL. Short forms: `models: embedded`, `models: neural`."""

    speech: str = Field(default="webrtc", description="finds speech: webrtc, silero or pyannote[:FOLDER]")
    diarizer: str = Field(default="ge2e", description="tells speakers apart: ge2e or pyannote[:FOLDER or HUB-ID]")
    transcriber: str = Field(
        default="pocketsphinx",
        description="writes text where none is published: pocketsphinx or whisper[:MODEL], a name or a checkpoint",
    )
    aligner: str = Field(
        default="pocketsphinx",
        description="puts text in time: pocketsphinx or whisper[:MODEL], else the transcriber's model",
    )
    language: str = Field(default="en", description="what is spoken: a code such as en, or auto (whisper only)")
    names: Annotated[tuple[Text, ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="names and words of the show as they are written, told to whisper besides the feed's"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="where neural models run: auto (a GPU where there is one), cpu or cuda"
    )
    precision: Literal["auto", "fp16", "fp32"] = Field(
        default="auto", description="of whisper's numbers: auto (fp16 on a GPU), fp16 or fp32"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_set(cls, value: Any) -> Any:
        if isinstance(value, str) and value in SETS:
            return dict(SETS[value])
        if isinstance(value, str):
            raise ValueError(f"there is no set of models called {value!r}; {nearest(value, list(SETS))}")
        return value

    @field_validator(*MODELS)
    @classmethod
    def _is_known(cls, value: str, info: Any) -> str:
        parse_choice(info.field_name, value)
        return value

    @field_validator("language")
    @classmethod
    def _is_a_language(cls, value: str) -> str:
        return parse_language(value)

    @model_validator(mode="after")
    def _language_is_known(self) -> Self:
        embedded = [stage for stage in ("transcriber", "aligner") if self.choice(stage).name != "whisper"]
        if self.language != "en" and embedded:
            raise ValueError(
                f"{self.choice(embedded[0]).name} knows English only, language is {self.language}; "
                f"write {embedded[0]}: whisper"
            )
        return self

    def choice(self, stage: str) -> ModelChoice:
        """What a stage is done with; where whisper is named without a model, the transcriber's, else turbo."""
        choice = parse_choice(stage, getattr(self, stage))
        if choice.name != "whisper" or choice.argument:
            return choice
        other = parse_choice("transcriber", self.transcriber)
        return ModelChoice("whisper", other.argument or DEFAULT_WHISPER)


class Clips(Section):
    """What a clip is: seconds, and samples a second."""

    min_seconds: float = Field(default=1.0, ge=0.3, description="shortest clip, in seconds")
    max_seconds: float = Field(default=15.0, le=30.0, description="longest clip, in seconds")
    sampling_rate: int = Field(default=24_000, description=f"samples a second: {_RATES}")

    @field_validator("sampling_rate")
    @classmethod
    def _is_a_rate(cls, value: int) -> int:
        if value not in SAMPLING_RATES:
            raise ValueError(f"expected one of {_RATES}, got {value}")
        return value

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        least, most = self.min_seconds, self.max_seconds
        if most < least + 1.0:
            raise ValueError(f"max_seconds ({most:g}) has to be at least a second more than min_seconds ({least:g})")
        return self


class TextChecks(Section):
    """What is done about the text besides putting it in time."""

    verify: bool = Field(
        default=False,
        description="score how likely each clip's text holds no wrong word, and leave out clips in doubt; costs more "
        "than all the rest of a build",
    )


class Selection(Section):
    """Which clips are chosen: a profile, and thresholds that differ from it. Short form: `select: strict`."""

    model_config = ConfigDict(extra="allow")

    profile: str = Field(default="default", description="default, strict or permissive; thresholds beside it change it")

    @model_validator(mode="before")
    @classmethod
    def _from_profile(cls, value: Any) -> Any:
        return {"profile": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _thresholds_are_known(self) -> Self:
        mistakes = {}
        for name, value in self._given.items():
            try:
                thresholds_from({name: value})
            except ConfigurationError as error:
                mistakes[name] = str(error)
        if mistakes:
            raise several(mistakes)
        return self

    @property
    def _given(self) -> dict[str, Any]:
        return {"profile": self.profile, **(self.model_extra or {})}

    @property
    def thresholds(self) -> Thresholds:
        """The limits that decide, with those of the profile where none is given."""
        return thresholds_from(self._given)

    @property
    def resolved(self) -> dict[str, Any]:
        """The profile's name and every limit in force, as plain data that makes the same Selection."""
        limits = dataclasses.asdict(self.thresholds)
        return {"profile": self.profile} | {
            name: list(limit) if isinstance(limit, tuple) else limit for name, limit in limits.items()
        }


class Gates(Section):
    """What the dataset has to fulfil as a whole: a name and its limit each. Null takes a limit away."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _gates_are_known(self) -> Self:
        mistakes = {}
        for name, value in (self.model_extra or {}).items():
            try:
                parse_limit(name, value)
            except ValueError as error:
                mistakes[name] = str(error)
        if mistakes:
            raise several(mistakes)
        return self

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits that were given, by name."""
        return {name: parse_limit(name, value) for name, value in (self.model_extra or {}).items()}


class Train(Section):
    """What `realtalk build --then train` trains; for everything else there is `realtalk train`."""

    preset: Literal["cpu", "gpu", "large"] | None = Field(
        default=None, description="cpu, gpu or large; else what `realtalk train` takes by itself"
    )
    max_minutes: float | None = Field(default=None, gt=0, description="longest time to train for, in minutes")
    tier: Literal["strict", "default", "permissive"] | None = Field(
        default=None, description="which clips to learn from: strict, default or permissive"
    )
    out: Text | None = Field(
        default=None, description="a folder of voices, one for each version of the dataset; else OUTPUT-voices"
    )

    @field_validator("out")
    @classmethod
    def _is_a_folder(cls, value: str | None) -> str | None:
        if value and "://" in value:
            raise ValueError("a voice is trained in a folder of this machine; name one")
        return value


class Download(Section):
    """How episodes are fetched. `max_bytes` decides what is fetched, the rest how politely."""

    max_bytes: int = Field(default=4_000_000_000, ge=1, description="largest file, in bytes")
    max_seconds: float = Field(default=7200.0, gt=0, description="longest time for one file, in seconds")
    stall_seconds: float = Field(default=30.0, gt=0, description="silence of a host after which it is tried again")
    tries: int = Field(default=4, ge=1, le=20, description="how often a file is tried for before it is given up")
    connections_per_host: int = Field(default=2, ge=1, le=32, description="connections to one host at a time")
    contact: str = Field(default="", description="where operators of feeds reach you: a page or a mail address")
    allow_hosts: Annotated[tuple[Text, ...], BeforeValidator(_as_tuple)] = Field(
        default=(), description="hosts of a private network that feeds may send to, besides those named in sources"
    )
    revalidate: bool = Field(default=True, description="ask the host whether a downloaded episode has changed")

    @field_validator("contact")
    @classmethod
    def _fits_a_header(cls, value: str) -> str:
        if not re.fullmatch(r"[\x20-\x7e]*", value):
            raise ValueError(f"expected plain ASCII, such as a mail address, got {value!r}")
        return value


class Splits(Section):
    """Shares of the episodes; a split is decided by hash of the episode."""

    train: float = Field(default=0.9, ge=0, le=1, description="share of the episodes that are trained on")
    validation: float = Field(default=0.05, ge=0, le=1, description="share of the episodes to watch training with")
    test: float = Field(default=0.05, ge=0, le=1, description="share of the episodes to measure the voice with")

    @model_validator(mode="after")
    def _is_a_whole(self) -> Self:
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"train, validation and test have to add up to 1, these add up to {total:g}")
        return self

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of train, validation and test; they add up to 1 also where they were written with few decimals."""
        total = self.train + self.validation + self.test
        return self.train / total, self.validation / total, self.test / total

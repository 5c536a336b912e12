"""The configuration of a build: one YAML file, checked at once and as a whole.

What is written is kept as written; relative paths are resolved against the file's folder when they are used.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import unquote, urlsplit

import yaml
from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, field_validator, model_validator

from pipeline.config_errors import Origin, explain
from pipeline.config_sections import (
    Clips,
    Download,
    Gates,
    Models,
    Section,
    Selection,
    SourceEntry,
    Speaker,
    Splits,
    Text,
    TextChecks,
    Train,
    as_list_of_some,
)
from pipeline.located_yaml import parse_yaml
from pipeline.overrides import apply_overrides
from schemas.errors import ConfigurationError
from schemas.ids import digest
from schemas.verdict import PROFILES, Thresholds
from transforms.models.voice_scale import SCALES, VoiceScale

_RESOLVED = (
    "# As resolved. Relative paths start from the folder of the configuration that was built from, not from here.\n"
)
_URI = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_uri(location: str) -> bool:
    """Whether a location names a scheme (gs://..., https://...), and so is no path of this machine."""
    return bool(_URI.match(location))


# What is no part of the content, or in it in another form.
_NO_CONTENT = {"output", "workers", "select", "gates", "download", "train"}


class Config(Section):
    """A whole configuration. Made by `load_config`, which knows the folder that relative paths start from."""

    name: Text = Field(description="a name for the dataset, such as readings")
    output: Text | None = Field(
        default=None, description="where the dataset goes: a folder or gs://BUCKET/PATH; else ./NAME"
    )
    sources: Annotated[tuple[SourceEntry, ...], BeforeValidator(as_list_of_some)] = Field(
        description="say where the episodes are, such as [{feed: https://example.org/feed.xml}]"
    )
    speaker: Speaker = Field(description="say who the dataset is of, such as {name: Host, enroll: [host.flac]}")
    models: Models = Field(default=Models(), description="embedded, neural, or a model for each stage")
    clips: Clips = Field(default=Clips(), description="how long clips are, and their sampling rate")
    text: TextChecks = Field(default=TextChecks(), description="whether wrong words are looked for")
    select: Selection = Field(default=Selection(), description="which clips are chosen")
    gates: Gates = Field(default=Gates(), description="what `realtalk audit` asks of the whole dataset: {hours: 5}")
    download: Download = Field(default=Download(), description="how episodes are fetched")
    train: Train = Field(default=Train(), description="what `realtalk build --then train` trains")
    workers: int = Field(default=1, ge=1, le=256, description="processes that the local runner works with")
    splits: Splits = Field(default=Splits(), description="shares of the episodes for training, validation and test")

    _folder: Path = PrivateAttr(default=Path("."))

    @field_validator("output")
    @classmethod
    def _can_be_written(cls, value: str | None) -> str | None:
        if value and value.lower().startswith(("http://", "https://")):
            raise ValueError("a dataset can't be written to a web address; name a folder, or gs://BUCKET/PATH")
        return value

    @model_validator(mode="after")
    def _text_can_be_verified(self) -> Self:
        if self.text.verify and self.models.language != "en":
            raise ValueError(
                f"text.verify knows English only, models.language is {self.models.language}; leave text.verify out"
            )
        return self

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from: that of the configuration file."""
        return self._folder

    def locate(self, location: str) -> str:
        """Where a path of the configuration leads: absolute, or the URI as it is."""
        if location.lower().startswith("file://"):
            return unquote(urlsplit(location).path)
        if is_uri(location):
            return location
        return os.path.normpath(self._folder / Path(location).expanduser())

    @property
    def output_location(self) -> str:
        """The dataset's folder: an absolute path or a URI."""
        return self.locate(self.output if self.output is not None else f"./{self.name}")

    @property
    def selection(self) -> Selection:
        """`select`, with the limit on speaker_similarity of the diarizer's own scale where none is given."""
        given = self.select.model_extra or {}
        if "speaker_similarity" in given:
            return self.select
        gate = self._scale.gates[self.select.profile]
        return Selection.model_validate({"profile": self.select.profile, **given, "speaker_similarity": gate})

    @property
    def profiles(self) -> dict[str, Thresholds]:
        """The limits of every profile, on the scale of the diarizer; the strictest first."""
        return {name: replace(limits, speaker_similarity=self._scale.gates[name]) for name, limits in PROFILES.items()}

    @property
    def _scale(self) -> VoiceScale:
        return SCALES[self.models.choice("diarizer").name]

    def content(self) -> dict[str, Any]:
        """What decides the dataset's content, as plain data: all but where to, with how many hands and how politely."""
        plain = self.model_dump(mode="json", exclude=_NO_CONTENT, exclude_none=True)
        del plain["models"]["device"]
        return {**plain, "select": self.selection.resolved, "download": {"max_bytes": self.download.max_bytes}}

    def resolved_yaml(self) -> str:
        """What decides the dataset's content as YAML, defaults filled in, and the gates.

        Paths are as given, so that a dataset says the same wherever it lies; they start from the folder of the file
        that was built from.
        """
        # Gates decide nothing of the content, but an audit finds them here. Null is a limit taken away.
        gates = self.gates.model_dump(mode="json")
        document = {**self.content(), **({"gates": gates} if gates else {})}
        return _RESOLVED + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)

    @property
    def hash(self) -> str:
        """Identity of what decides the content (16 hexadecimal digits)."""
        return digest("config", self.content())


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration file and put `overrides` ("a.b=c") in.

    Raises ConfigurationError with one line for each mistake, all at once: file and line, what, what to do.
    """
    file = Path(path)
    config = parse_config(_read(file), str(file), overrides)
    config._folder = file.parent.absolute()
    return config


def parse_config(text: str, file: str, overrides: Sequence[str] = ()) -> Config:
    """A configuration from its YAML, as `load_config` does; `file` names it in the lines of errors."""
    document = parse_yaml(text)
    problems = [f"{file}:{problem.line}: {problem.text}".replace(":0: ", ": ") for problem in document.problems]
    if document.values is None and not problems:
        problems.append(f"{file}: is empty; `realtalk init DIR` writes one to start from")
    elif document.values is not None and not isinstance(document.values, dict):
        problems.append(f"{file}:1: expected keys with values, such as 'name: readings'; see `realtalk init DIR`")
    if not isinstance(document.values, dict):
        raise ConfigurationError("\n".join(problems))
    values, origins, wrong = apply_overrides(document.values, overrides, Config)
    config, mistakes = _validated(values, Origin(file, document, origins))
    problems += [*mistakes, *wrong]
    if config is None or problems:
        raise ConfigurationError("\n".join(problems))
    return config


def _validated(values: dict[str, Any], origin: Origin) -> tuple[Config | None, list[str]]:
    try:
        return Config.model_validate(values), []
    except ValidationError as error:
        return None, explain(error, Config, origin)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(f"{file}: no such file; `realtalk init DIR` writes one to start from") from None
    except IsADirectoryError:
        raise ConfigurationError(f"{file}: is a folder; name the configuration file in it") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{file}: can't be read: {error.strerror}") from None

"""Which clips shall be chosen anew: a profile and limits from the command line, over what the dataset has."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from pipeline.config import Config, parse_config
from pipeline.config_errors import Origin, explain
from pipeline.config_sections import Selection
from pipeline.inspect import open_dataset
from pipeline.located_yaml import Document, Path
from pipeline.overrides import parse_assignment
from schemas.errors import ConfigurationError, RealtalkError

_MEND = "restore it, or run realtalk build to write it anew"


def current_configuration(dataset: str) -> Config:
    """What a dataset was built by: its dataset.yaml. Raises RealtalkError where it is missing or damaged."""
    opened, place = open_dataset(dataset), f"{dataset.rstrip('/')}/dataset.yaml"
    try:
        with opened.filesystem.open_input_stream(f"{opened.root}/dataset.yaml") as file:
            content = file.read()
    except OSError as error:
        raise RealtalkError(f"{place}: can't be read; {_MEND}") from error
    return resolved_configuration(content, place)


def resolved_configuration(content: bytes, place: str) -> Config:
    """The configuration that a dataset's dataset.yaml holds; raises RealtalkError for damage, with its `place`."""
    try:
        return parse_config(content.decode("utf-8"), place)
    except UnicodeDecodeError as error:
        raise RealtalkError(f"{place}: not UTF-8 text (byte {error.start + 1}); {_MEND}") from None
    except ConfigurationError as error:
        first, *more = str(error).splitlines()
        also = f" (and {len(more)} more)" if more else ""
        raise RealtalkError(f"{first}{also}; {_MEND}") from None


def new_selection(current: Selection, profile: str | None, overrides: Sequence[str]) -> Selection:
    """The limits of `profile`, else those of the dataset (`current`), changed by `overrides` ("snr_db=12").

    A profile among the overrides is one too. Raises ConfigurationError with a line for each mistake, also where nothing
    is to be changed.
    """
    if profile is None and not overrides:
        raise ConfigurationError("say what to choose by: --profile strict, or --set dnsmos_ovrl=3.0")
    changes: dict[str, Any] = {}
    origins: dict[Path, str] = {}
    problems: list[str] = []
    for override in overrides:
        try:
            name, value = parse_assignment(override)
        except ValueError as error:
            problems.append(f"--set {override}: {error}")
            continue
        changes[name.removeprefix("select.")] = value
        origins[(name.removeprefix("select."),)] = override
    if profile is not None:
        changes = {"profile": profile, **changes}
    try:
        selection = Selection.model_validate(changes if "profile" in changes else {**current.resolved, **changes})
    except ValidationError as error:
        problems += explain(error, Selection, Origin("--profile", Document(), origins))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return selection

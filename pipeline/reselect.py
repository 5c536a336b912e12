"""Which clips shall be chosen anew: a profile and limits from the command line, over what the dataset has."""

from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.config_errors import Origin, explain
from pipeline.config_sections import Selection
from pipeline.inspect import open_dataset
from pipeline.located_yaml import Document, Path
from pipeline.overrides import parse_assignment
from schemas.errors import ConfigurationError, RealtalkError


def current_configuration(dataset: str) -> str:
    """The dataset.yaml of a dataset; raises RealtalkError where there is none."""
    opened = open_dataset(dataset)
    try:
        with opened.filesystem.open_input_stream(f"{opened.root}/dataset.yaml") as file:
            return str(file.read().decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RealtalkError(f"{dataset}/dataset.yaml: can't be read; restore it, or build again") from error


def new_selection(current_yaml: str, profile: str | None, overrides: Sequence[str]) -> Selection:
    """The limits of `profile`, else those of the dataset (its dataset.yaml), changed by `overrides` ("snr_db=12").

    Raises ConfigurationError with a line for each mistake, also where nothing is to be changed.
    """
    if profile is None and not overrides:
        raise ConfigurationError("say what to choose by: --profile strict, or --set dnsmos_ovrl=3.0")
    chosen: dict[str, Any] = {"profile": profile} if profile is not None else _current(current_yaml)
    origins: dict[Path, str] = {}
    problems: list[str] = []
    for override in overrides:
        try:
            name, value = parse_assignment(override)
        except ValueError as error:
            problems.append(f"--set {override}: {error}")
            continue
        chosen[name.removeprefix("select.")] = value
        origins[(name.removeprefix("select."),)] = override
    try:
        selection = Selection.model_validate(chosen)
    except ValidationError as error:
        problems += explain(error, Selection, Origin("--profile", Document(), origins))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return selection


def _current(dataset_yaml: str) -> dict[str, Any]:
    """What the dataset was chosen by."""
    return dict((yaml.safe_load(dataset_yaml) or {}).get("select") or {})

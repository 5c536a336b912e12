"""--set a.b=c: changes to a configuration from the command line."""

import copy
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from pipeline.config_errors import dotted, section_at, shown, unknown_key
from pipeline.located_yaml import Path, parse_yaml
from transforms.models.choice import SETS


def apply_overrides(
    values: dict[str, Any], overrides: Sequence[str], root: type[BaseModel]
) -> tuple[dict[str, Any], dict[Path, str], list[str]]:
    """The values with `overrides` ("clips.max_seconds=12", "sources.0.limit=3") put in, in their order.

    A value is YAML: numbers, true, [lists], {mappings}. Returns the new values, the override of every changed path,
    and one line for each override that names nothing.
    """
    changed = copy.deepcopy(values)
    origins: dict[Path, str] = {}
    problems: list[str] = []
    for override in overrides:
        try:
            path, value = _parse(override)
            _put(changed, path, value, root)
        except ValueError as error:
            problems.append(f"--set {override}: {error}")
        else:
            origins[path] = override
    return changed, origins, problems


def parse_assignment(override: str) -> tuple[str, Any]:
    """ "a.b=c" as its dotted name and the YAML value; raises ValueError with a line."""
    name, equals, text = override.partition("=")
    if not equals or not name.strip():
        raise ValueError("expected NAME=VALUE, such as clips.max_seconds=12")
    document = parse_yaml(text)
    if document.problems:
        raise ValueError(f"the value is {document.problems[0].text}")
    return name.strip(), document.values


def _parse(override: str) -> tuple[Path, Any]:
    name, value = parse_assignment(override)
    return tuple(int(part) if part.isdecimal() else part for part in name.split(".")), value


def _put(values: dict[str, Any], path: Path, value: Any, root: type[BaseModel]) -> None:
    holder: Any = values
    for depth, part in enumerate(path):
        above, last = path[:depth], depth == len(path) - 1
        if isinstance(holder, list):
            position = _position(part, holder, above)
            if last:
                holder[position] = value
            holder = holder[position]
            continue
        section = section_at(root, above)
        if section is None or not isinstance(holder, dict):
            raise ValueError(f"{dotted(above)} holds one value, no keys")
        if part not in section.model_fields and section.model_config.get("extra") == "forbid":
            raise ValueError(unknown_key(str(part), above, root))
        if last:
            holder[part] = value
        else:
            holder[part] = _opened(holder.get(part), (*above, part), path[depth + 1])
            holder = holder[part]


def _opened(value: Any, path: Path, following: str | int) -> Any:
    """What stands at `path`, as something that `following` can be put into."""
    if isinstance(value, (dict, list)):
        return value
    if isinstance(following, int):
        raise ValueError(f"{dotted(path)} holds {shown(value)}, no list")
    # The short forms of the two sections that have one: models: neural, select: strict.
    if value in SETS and path == ("models",):
        return dict(SETS[value])
    if isinstance(value, str) and path == ("select",):
        return {"profile": value}
    if value is not None:
        raise ValueError(f"{dotted(path)} holds {shown(value)}, no keys")
    return {}


def _position(part: str | int, items: list[Any], path: Path) -> int:
    if not isinstance(part, int):
        raise ValueError(f"{dotted(path)} is a list; say which one: {dotted((*path, 0, part))}")
    if part >= len(items):
        held = f"0 to {len(items) - 1}" if items else "nothing"
        raise ValueError(f"{dotted((*path, part))}: there is no such entry; {dotted(path)} holds {held}")
    return part

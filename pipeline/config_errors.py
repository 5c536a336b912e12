"""What is wrong with a configuration, in the user's words: one line a mistake, with the place where it stands."""

import difflib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from pipeline.located_yaml import Document, Path

_SEVERAL = "several"


@dataclass
class Origin:
    """Where the values came from: a file with its lines, and the --set options that changed them."""

    file: str
    document: Document
    overrides: dict[Path, str] = field(default_factory=dict)

    def of(self, path: Path) -> str:
        """ "dataset.yaml:12", or "--set a.b=c" where that is where the value came from."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.overrides:
                return f"--set {self.overrides[path[:length]]}"
        line = self.document.line_of(path)
        return f"{self.file}:{line}" if line else self.file


def explain(error: ValidationError, root: type[BaseModel], origin: Origin) -> list[str]:
    """One line for each mistake that pydantic found, in the order of the file."""
    found: list[tuple[Path, str]] = []
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        if detail["type"] == _SEVERAL:
            found += [((*path, name), text) for name, text in detail["ctx"].items()]
        else:
            found.append((path, _line(detail, root)))
    found.sort(key=lambda item: origin.document.line_of(item[0]))
    return list(dict.fromkeys(f"{origin.of(path)}: {text}" for path, text in found))


def several(mistakes: Mapping[str, str]) -> PydanticCustomError:
    """What a validator raises that finds fault with several keys of its section at once: key -> whole line."""
    return PydanticCustomError(_SEVERAL, "several mistakes", dict(mistakes))


def nearest(word: str, names: typing.Iterable[str]) -> str | None:
    """The name that a misspelt word most likely means; None where none is like it."""
    close = difflib.get_close_matches(word.lower(), list(names), n=1, cutoff=0.6)
    return close[0] if close else None


def dotted(path: Path) -> str:
    """A path as --set writes it: sources.0.limit."""
    return ".".join(str(part) for part in path)


def section_at(root: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The part of the configuration that a path names; None where the path names a plain value."""
    section: type[BaseModel] | None = root
    for part in path:
        if isinstance(part, int):
            continue
        known = section.model_fields.get(part) if section else None
        section = next(_sections_in(known.annotation), None) if known else None
    return section


def unknown_key(key: str, parent: Path, root: type[BaseModel]) -> str:
    """The line for a key that a section does not have: names the nearest one, or the section where it belongs."""
    section = section_at(root, parent)
    names = list(section.model_fields) if section else []
    where = dotted(parent) or "the configuration"
    if guess := nearest(key, names):
        return f"{key}: unknown key in {where}; did you mean {guess}?"
    everywhere = {str(path[-1]): dotted(path) for path in _all_paths(root)}
    if guess := nearest(key, everywhere):
        return f"{key}: unknown key in {where}; did you mean {everywhere[guess]}?"
    return f"{key}: unknown key in {where}; it holds {', '.join(names)}"


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _sections_in(part)


def _all_paths(section: type[BaseModel], prefix: Path = ()) -> Iterator[Path]:
    for name, known in section.model_fields.items():
        yield (*prefix, name)
        first: Path = (0,) if "tuple" in str(known.annotation) else ()
        for inner in _sections_in(known.annotation):
            yield from _all_paths(inner, (*prefix, name, *first))


def _line(detail: ErrorDetails, root: type[BaseModel]) -> str:
    path, kind = detail["loc"], detail["type"]
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), path[:-1], root)
    name = dotted(path) or "the configuration"
    if kind == "missing":
        return f"{name}: missing; {_description(root, path)}"
    return f"{name}: {_said(kind, detail.get('ctx', {}), detail['input'], detail['msg'])}"


def _description(root: type[BaseModel], path: Path) -> str:
    section = section_at(root, path[:-1])
    known = section.model_fields.get(str(path[-1])) if section else None
    return (known.description if known else None) or "add it"


def _said(kind: str, context: Mapping[str, Any], value: Any, message: str) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind].format(**context)}, got {shown(value)}{_mend(kind, value)}"
    if kind in _STATED:
        return _STATED[kind].format(**context)
    return f"{message[:1].lower()}{message[1:]}, got {shown(value)}"


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "literal_error": "{expected}",
    "finite_number": "a number that is not infinite",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}
_STATED = {
    "string_too_short": "is empty; fill it in",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is blank, or holds a line break or another control character",
}


def _mend(kind: str, value: Any) -> str:
    if kind == "string_type" and value is not None and not isinstance(value, (list, dict)):
        return "; put it in quotes"
    if kind in ("int_type", "float_type") and isinstance(value, str) and (number := _number(value)) is not None:
        return f"; write {number}"
    return ""


def _number(text: str) -> str | None:
    """A number that YAML took for text ("1e9", "2_000.") as YAML would read it."""
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return str(int(number)) if number.is_integer() else str(number)


def shown(value: Any) -> str:
    """A value as it stands in the file, short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "keys with values"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

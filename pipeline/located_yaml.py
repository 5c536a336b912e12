"""YAML that remembers on which line each value stands, so that an error can point at it."""

from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """Something wrong at a line (1 is the first); 0 where no line is to blame."""

    line: int
    text: str


@dataclass
class Document:
    """What a YAML text says, the line of every value by its path, and what is wrong with it."""

    values: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """The line of a path, or of the nearest thing that holds it; 0 where there is none."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


_HINTS = (
    ("mapping values are not allowed", "a text that holds ': ' goes in quotes"),
    ("'\\t'", "indent with spaces, not with tabs"),
    ("could not find expected ':'", "each line is 'key: value'"),
    ("expected <block end>", "lines that belong together have the same indentation"),
    ("'@'", "a text that starts with @ goes in quotes"),
    ("'%'", "a text that starts with % goes in quotes"),
    ("undefined alias", "a text that starts with * goes in quotes"),
)


def parse_yaml(text: str) -> Document:
    """Read one YAML document. Never raises for what is in the text: what is wrong stands in `problems`."""
    document = Document()
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.problems.append(Problem(line, f"not text: character {error.character:#x} does not belong in YAML"))
        return document
    try:
        node = loader.get_single_node()
        if node is not None:
            document.values = _Reader(loader, document).read(node, ())
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax_problem(error))
    except yaml.YAMLError as error:
        document.problems.append(Problem(0, f"not YAML: {' '.join(str(error).split())}"))
    except ValueError as error:
        # A date such as 2024-02-31 looks like one to YAML and is none.
        document.problems.append(Problem(0, f"a value can't be read: {error}"))
    except RecursionError:
        document.problems.append(Problem(0, "brackets or lists are nested too deep"))
    finally:
        loader.dispose()
    return document


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    if "expected a single document" in said:
        said = "more than one document in the file; keep the part before the second '---'"
    hint = next((advice for words, advice in _HINTS if words in said), "")
    return Problem(mark.line + 1 if mark else 0, f"not YAML: {said}" + (f"; {hint}" if hint else ""))


class _Reader:
    """Turns nodes into values and notes their lines."""

    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self.loader = loader
        self.document = document
        self.open: list[yaml.Node] = []

    def read(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.document.lines.setdefault(path, line)
        if any(node is outer for outer in self.open):
            self.document.problems.append(Problem(line, "an anchor (&) holds itself"))
            return None
        self.open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(item, (*path, position)) for position, item in enumerate(node.value)]
            return self._scalar(node, line)
        finally:
            self.open.pop()

    def _scalar(self, node: yaml.Node, line: int) -> Any:
        try:
            return self.loader.construct_object(node, deep=True)
        except ValueError as error:
            self.document.problems.append(Problem(line, f"{node.value} can't be read: {error}"))
            return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        self._note_duplicates(node, path)
        self.loader.flatten_mapping(node)
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.document.problems.append(Problem(key_node.start_mark.line + 1, "a key is a name, not a list"))
                continue
            # As written: YAML itself would read a bare no, on or 12 as a value of another type.
            key = key_node.value
            self.document.lines[(*path, key)] = key_node.start_mark.line + 1
            values[key] = self.read(value_node, (*path, key))
        return values

    def _note_duplicates(self, node: yaml.MappingNode, path: Path) -> None:
        first: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in first and key != "<<":
                name = ".".join(str(part) for part in (*path, key))
                self.document.problems.append(Problem(line, f"{name}: given twice, first on line {first[key]}"))
            first.setdefault(key, line)

"""What a command prints: tables for people, JSON for programs. Results go to stdout, all else to stderr."""

import json
import math
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Wide enough that no row is folded where a program or a file reads what a table says.
_UNFOLDED_WIDTH = 10_000


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """A column of a table; figures stand on the right."""

    title: str
    figure: bool = False


def printable(text: str) -> str:
    """Text from outside on one line, without the control characters by which it could steer a terminal."""
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") else letter for letter in text)


def print_table(
    columns: Sequence[Column | str], rows: Sequence[Sequence[object]], title: str = "", stream: TextIO | None = None
) -> None:
    """Print rows below their columns; a value None is an empty cell."""
    table = Table(box=box.SIMPLE_HEAD, title=_title(title), title_justify="left", pad_edge=False)
    for column in columns:
        known = column if isinstance(column, Column) else Column(column)
        table.add_column(known.title, justify="right" if known.figure else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    _print(table, stream)


def print_facts(facts: Mapping[str, object], title: str = "", stream: TextIO | None = None) -> None:
    """Print names and values, one pair a line; a value None is left out."""
    table = Table(box=None, show_header=False, title=_title(title), title_justify="left", pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value is not None:
            table.add_row(Text(name), _cell(value))
    _print(table, stream)


def print_line(text: str, stream: TextIO | None = None) -> None:
    """Print one line as it is: no markup, no folding."""
    print(printable(text), file=stream or sys.stdout)


def print_json(value: Any, stream: TextIO | None = None) -> None:
    """Print plain data as JSON (RFC 8259: a number that is not finite is null)."""
    print(json.dumps(_finite(value), ensure_ascii=False, indent=2, allow_nan=False), file=stream or sys.stdout)


def say(text: str) -> None:
    """Tell the person at the terminal something that is no result; each line of it on its own."""
    print("\n".join(printable(line) for line in text.split("\n")), file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds as a person says them: "42 s", "12 min", "3 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def clock(seconds: float) -> str:
    """A place in a recording: "1:02:03.45"."""
    hundredths = round(seconds * 100)
    hours, rest = divmod(hundredths, 360_000)
    minutes, rest = divmod(rest, 6_000)
    return f"{hours}:{minutes:02d}:{rest / 100:05.2f}" if hours else f"{minutes}:{rest / 100:05.2f}"


def size(count: float) -> str:
    """Bytes as a person says them, in powers of 1000."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit in ("bytes", "kB") or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("every size has a unit")


def shortened(text: str, width: int = 60) -> str:
    """Text of at most `width` characters; an ellipsis stands for what is left out."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _title(text: str) -> Text | None:
    return Text(printable(text), style="bold") if text else None


def _cell(value: object) -> Text:
    return Text("" if value is None else printable(str(value)))


def _print(table: Table, stream: TextIO | None) -> None:
    target = stream or sys.stdout
    if target.isatty():
        Console(file=target, highlight=False).print(table)
        return
    console = Console(file=target, highlight=False, width=_UNFOLDED_WIDTH)
    with console.capture() as capture:
        console.print(table)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    print("\n".join(lines).strip("\n"), end="\n\n", file=target)

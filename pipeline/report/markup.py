"""HTML in pieces: whatever text goes in comes out escaped, and numbers look the same everywhere."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal


class Html(str):
    """Text that is markup already; every other text is escaped where it is put in."""

    __slots__ = ()


_WITHOUT_END = frozenset({"input", "meta"})
#: What stands where there is no number.
NONE = "–"


def html(value: object) -> Html:
    """A value as markup: escaped, unless it is markup."""
    return value if isinstance(value, Html) else Html(escape(str(value), quote=True))


def tag(element: str, /, *content: object, **attributes: object) -> Html:
    """An element; `class_` and `aria_label` are the attributes class and aria-label. None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if element in _WITHOUT_END:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{join(content)}</{element}>")


def join(parts: Iterable[object], between: str = "") -> Html:
    """Parts one after another."""
    return Html(html(between).join(html(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: "number"s stand to the right, "text" gets the room that it needs."""

    name: str
    kind: Literal["number", "text"] | None = None


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> Html:
    """A table in a box that scrolls sideways by itself; the first cell of a row is its heading."""
    head = join(tag("th", column.name, scope="col", class_=column.kind) for column in columns)
    body = join(tag("tr", join(_cells(columns, row))) for row in rows)
    inner = tag("table", tag("caption", tag("span", caption)), tag("thead", tag("tr", head)), tag("tbody", body))
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cells(columns: Sequence[Column], row: Sequence[object]) -> Iterable[Html]:
    for place, (column, value) in enumerate(zip(columns, row, strict=True)):
        yield tag("th", value, scope="row", class_=column.kind) if place == 0 else tag("td", value, class_=column.kind)


def hours(seconds: float | None) -> str:
    """Hours where there is one, minutes or seconds where there is less."""
    if seconds is None:
        return NONE
    size = abs(seconds)
    if size >= 3600:
        return f"{seconds / 3600:,.1f} h"
    return f"{seconds / 60:.1f} min" if size >= 60 else f"{seconds:.1f} s"


def change(seconds: float) -> str:
    """A time more or less, with its sign."""
    return f"{'−' if seconds < 0 else '+'}{hours(abs(seconds))}"


def count(value: float | None) -> str:
    """A whole number with its thousands apart."""
    return NONE if value is None else f"{value:,.0f}"


def number(value: float | None, places: int = 4) -> str:
    """A number in at most so many significant digits, without an exponent."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    size = abs(value)
    digits = max(0, places - len(str(int(size)))) if size >= 1 else places
    text = f"{value:,.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def percent(share: float | None) -> str:
    """A share in percent."""
    return NONE if share is None else f"{100 * share:.1f} %"


def bytes_of(size: float) -> str:
    """A size in decimal units."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size:.0f} B"


def data(name: str, value: Any) -> Html:
    """JSON that a script finds by an id. Nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="{html(name)}">{text}</script>')

"""Lines of lists whose columns stand between "|": written only where their readers get back what was written.

Trainers read such lists in two ways: by the csv module, which knows quotes, and by cutting each line at every "|".
"""

import csv
import io
import unicodedata

from pipeline.export.clips import RefusedError

_BAR = "|"


def cut_line(*columns: str) -> str:
    """A line for readers that cut at every "|"; raises RefusedError where a column would not come back the same."""
    _check(columns)
    for column in columns:
        if _BAR in column:
            raise RefusedError(f'its text holds a "|", at which this format\'s readers cut: {column!r}')
    return _BAR.join(columns)


def csv_line(*columns: str) -> str:
    """A line for readers by the csv module; raises RefusedError where a column would not come back the same."""
    _check(columns)
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=_BAR, lineterminator="").writerow(columns)
    line = buffer.getvalue()
    if next(csv.reader([line], delimiter=_BAR)) != list(columns):
        raise RefusedError(f"its text does not survive the csv module: {columns[-1]!r}")
    return line


def _check(columns: tuple[str, ...]) -> None:
    for column in columns:
        # Some readers end a line at more than a newline (str.splitlines), and most strip what is around a column.
        if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in column):
            raise RefusedError(f"its text holds a line break or a control character: {column!r}")
        if column != column.strip():
            raise RefusedError(f"its text begins or ends with a space, which readers strip: {column!r}")
        if not column:
            raise RefusedError("a column of it is empty")

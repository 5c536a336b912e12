"""Items made one ahead: in order, no more than one early, errors where they belong, the source closed."""

import threading
from collections.abc import Iterator

import pytest

from transforms.ahead import ahead


def test_the_items_come_in_order_and_no_more_than_one_is_made_early() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(6):
            made.append(number)
            yield number

    for item in ahead(numbers()):
        assert len(made) <= item + 2
    assert made == list(range(6))
    assert list(ahead([])) == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise OSError("no room")

    found = []
    with pytest.raises(OSError, match="no room"):
        for item in ahead(numbers()):
            found.append(item)
    assert found == [1]


def test_a_reader_that_stops_leaves_no_thread() -> None:
    before = threading.active_count()
    items = ahead(iter(range(100)))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before

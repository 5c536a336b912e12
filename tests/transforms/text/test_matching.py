"""What was heard, found among the words of a text."""

import pytest

from transforms.text.matching import Place, confirmed, find_place

TEXT = "so the brown fox ran home and the dog was lazy all day".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("heard", "place"),
    [
        ("the dog was lazy", Place(7, 11, 1.0)),
        ("the dog lazy", Place(7, 11, 0.75)),
        ("um the dog was lazy", Place(6, 11, 0.8)),
        ("ran home then the dog", Place(4, 9, 0.8)),
        ("seven elephants", None),
        ("", None),
    ],
)
def test_the_stretch_at_the_least_distance(heard: str, place: Place | None) -> None:
    assert find_place(heard.split(), TEXT) == place


def test_of_equal_stretches_the_one_in_the_middle() -> None:
    found = find_place(["yes"], ["yes", "no", "no", "yes", "no", "no", "yes"])
    assert found == Place(3, 4, 1.0)


def test_words_are_confirmed_one_by_one() -> None:
    assert confirmed(["a", "b", "c"], ["a", "b", "c"]) == [True, True, True]
    assert confirmed(["a", "b", "c"], ["a", "x", "c"]) == [True, False, True]
    assert confirmed(["a", "b", "c"], ["a", "um", "b", "c"]) == [False, True, True]
    assert confirmed(["a", "b"], []) == [False, False]
    assert confirmed([], ["a"]) == []

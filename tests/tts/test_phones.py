"""Texts as the acoustic model reads them."""

import pytest

from tts.phones import COMMA, EDGE, FIRST, IDS, LAST, NO_MARK, ONLY, PAUSE, QUESTION, STOP, mark_of, symbols_of


def test_a_pause_stands_before_the_first_word_and_after_each() -> None:
    symbols = symbols_of([("I", ["AY"]), ("see.", ["S", "IY"])])
    assert symbols.ids.tolist() == [PAUSE, IDS["AY"], PAUSE, IDS["S"], IDS["IY"], PAUSE]
    assert symbols.places.tolist()[1:5] == [ONLY, 4, FIRST, LAST]
    assert symbols.marks[[0, 2, 5]].tolist() == [EDGE, NO_MARK, STOP]


def test_a_question_is_heard_in_all_of_its_clause() -> None:
    symbols = symbols_of([("Well,", ["W"]), ("who", ["HH"]), ("is", ["IH"]), ("it?", ["T"])])
    assert [mark for mark, one in zip(symbols.marks, symbols.ids, strict=True) if one != PAUSE] == [
        COMMA,
        *[QUESTION] * 3,
    ]


def test_what_is_not_said_marks_the_pause_before_it() -> None:
    symbols = symbols_of([("so", ["S"]), ("-", []), ("what", ["W"])])
    assert symbols.marks[2] == COMMA
    assert symbols_of([("-", []), ("so", ["S"])]).marks[0] == EDGE


@pytest.mark.parametrize(
    ("word", "mark"),
    [("end.", STOP), ('"Really?"', QUESTION), ("so,", COMMA), ("plain", NO_MARK), ("(aside)", COMMA), ("...", STOP)],
)
def test_marks_of_words(word: str, mark: int) -> None:
    assert mark_of(word) == mark


def test_what_is_no_phone_is_named() -> None:
    with pytest.raises(ValueError, match="'XX' is no phone"):
        symbols_of([("x", ["XX"])])

"""Words of either spelling are compared as they are said, and errors counted by the cheapest way."""

import pytest

from tts.evaluation.words import WordErrors, least_errors, plain_words, said_words, word_errors


@pytest.mark.parametrize(
    ("reference", "heard", "expected"),
    [
        ("a b c", "a b c", WordErrors(0, 0, 0, 3)),
        ("a b c", "a x c", WordErrors(1, 0, 0, 3)),
        ("a b c", "a c", WordErrors(0, 1, 0, 3)),
        ("a b c", "a b b c", WordErrors(0, 0, 1, 3)),
        ("a b c", "", WordErrors(0, 3, 0, 3)),
        ("", "a b", WordErrors(0, 0, 2, 0)),
        ("a b c d", "b c d e", WordErrors(0, 1, 1, 4)),
        ("a b", "b a", WordErrors(2, 0, 0, 2)),
    ],
)
def test_errors_are_the_fewest_edits(reference: str, heard: str, expected: WordErrors) -> None:
    assert word_errors(reference.split(), heard.split()) == expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It's 5%.", "it is five percent"),
        ("Don't! They're late, I'm not.", "do not they are late i am not"),
        ("We can't, won't, cannot.", "we can not will not can not"),
        ("Ada's book", "ada's book"),
        ("“That’s it,” he said.", "that is it he said"),
        ("Twenty-one dogs' bones", "twenty one dogs bones"),
        ("", ""),
    ],
)
def test_words_have_one_spelling(written: str, said: str) -> None:
    assert said_words(written) == tuple(said.split())


def test_spoken_words_and_written_ones_meet() -> None:
    assert plain_words(["don't", "stop"]) == said_words("Do not stop!")


def test_a_text_that_may_be_read_in_two_ways_is_judged_by_the_better_one() -> None:
    ways = (("two", "thousand", "and", "ten"), ("twenty", "ten"))
    assert least_errors(ways, ("twenty", "ten")) == WordErrors(0, 0, 0, 2)

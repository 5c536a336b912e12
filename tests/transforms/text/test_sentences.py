"""Where sentences and clauses end, for cutting."""

import pytest

from transforms.text.sentences import is_clause_end, is_sentence_end


def ends(text: str) -> list[str]:
    words = text.split()
    return [word for word, following in zip(words, [*words[1:], ""], strict=True) if is_sentence_end(word, following)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It works. Really! Does it? Yes… No... Fine.", ["works.", "Really!", "it?", "Yes…", "No...", "Fine."]),
        ("I met Dr. Smith and J. K. Rowling, e.g. today.", ["today."]),
        ('He said "No." Then "what?" she asked.', ['"No."', "asked."]),
        ("It cost $3.50 in 1984. Then version 3.5 came.", ["1984.", "came."]),
        ("At 5 p.m. He left the U.S. Army etc. The U.S. That is it.", ["p.m.", "etc.", "U.S.", "it."]),
        ("at 5 p.m. he left", []),
        ("No. 5 is not. No. Yes.", ["not.", "No.", "Yes."]),
        ("so am I. Then he and I went", ["I."]),
        ("well... maybe not", []),
        ("see podnews.net. Bye.", ["podnews.net.", "Bye."]),
        ("(It is.) And so", ["is.)"]),
        ("all lower case. like this. it goes", ["case.", "this."]),
    ],
)
def test_sentence_ends(text: str, expected: list[str]):
    assert ends(text) == expected


def test_the_end_of_the_text_ends_an_abbreviation():
    assert is_sentence_end("etc.")
    assert is_sentence_end("St.")
    assert not is_sentence_end("word")


@pytest.mark.parametrize("word", ["one,", "two;", "three:", "four—", "five –", 'six,"', "seven --"])
def test_clause_ends(word: str):
    assert is_clause_end(word)


def test_a_dash_after_a_word_ends_its_clause():
    assert is_clause_end("word", "—")
    assert not is_clause_end("word", "next")
    assert not is_clause_end("well-", "known")

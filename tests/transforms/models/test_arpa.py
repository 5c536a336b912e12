"""Language models written by hand are proper: everything that may follow adds up to one."""

import itertools

import pytest

from transforms.models.arpa import write_arpa


def read(text: str) -> dict[tuple[str, ...], tuple[float, float]]:
    table = {}
    for line in text.splitlines():
        if "\t" in line:
            probability, gram, *backoff = line.split("\t")
            table[tuple(gram.split())] = (float(probability), float(backoff[0]) if backoff else 0.0)
    return table


def probability(table: dict, gram: tuple[str, ...]) -> float:
    if gram in table:
        return 10 ** table[gram][0]
    return 10 ** table.get(gram[:-1], (0.0, 0.0))[1] * probability(table, gram[1:])


def test_what_may_follow_adds_up_to_one() -> None:
    table = read(write_arpa([["a", "b", "a", "c"], ["b", "a"], ["c"]]))
    words = ["a", "b", "c", "</s>"]
    for history in [("<s>",), *itertools.product("abc"), ("<s>", "a"), *itertools.product("abc", "abc")]:
        assert sum(probability(table, (*history, word)) for word in words) == pytest.approx(1.0, abs=0.002)


def test_what_was_said_is_likelier_than_what_was_not() -> None:
    table = read(write_arpa([["a", "b", "c"], ["a", "b", "d"], ["c", "d"]]))
    assert probability(table, ("a", "b", "c")) > probability(table, ("d", "b", "a"))


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sentence"):
        write_arpa([[], []])

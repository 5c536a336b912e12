"""Captions found again: shifts, jumps, drifts and no times at all, with an aligner that hears perfectly."""

from collections.abc import Sequence

import pytest

from schemas.text import Caption, Word
from transforms.find_text import Hit, Locator, anchor_of, locate
from transforms.passages import Passage
from transforms.script import Script, read_script

SECONDS = 5.0
WORDS = 12
PASSAGES = tuple(Passage(t, t + SECONDS, t - 0.3, t + SECONDS + 0.3) for t in range(0, 1800, 10))


def text_of(passage: Passage) -> str:
    """Twelve words that are said in no other passage."""
    number = round(passage.start / 10)
    letters = "bcdfghjklmnpqrstvwxz"
    name = letters[number // 20 % 20] + "a" + letters[number % 20] + "o"
    return " ".join(f"{name}{letter}a" for letter in letters[:WORDS])


def captions(shift=lambda time: 0.0, timed: bool = True) -> list[Caption]:
    return [
        Caption(text_of(p), p.start + shift(p.start), p.end + shift(p.start)) if timed else Caption(text_of(p))
        for p in PASSAGES
    ]


class PerfectEar:
    """Hears exactly what is said, if it is among the words it may look for; counts how often it was asked."""

    def __init__(self, script: Script, deaf: Sequence[Passage] = ()) -> None:
        self.script, self.deaf, self.asked, self.most = script, deaf, 0, 0

    def __call__(self, passage: Passage, first: int, last: int) -> Sequence[Hit]:
        self.asked += 1
        self.most = max(self.most, last - first)
        said = tuple(text_of(passage).split())
        for place in range(first, last - len(said) + 1):
            if self.script.words[place : place + len(said)] == said and passage not in self.deaf:
                step = SECONDS / len(said)
                times = [passage.start + step * number for number in range(len(said))]
                return [Hit(place + k, Word(w, t, t + step)) for k, (w, t) in enumerate(zip(said, times, strict=True))]
        return ()


def found_by(locator: Locator, script: Script, passage: Passage, margin: float = 3.0) -> bool:
    first, last = locator.window(passage, margin)
    return " ".join(text_of(passage).split()) in " ".join(script.words[first:last])


@pytest.mark.parametrize("off", [0.0, 3.0, -3.0, 30.0, -60.0])
def test_a_shift_of_everything_is_found(off: float) -> None:
    script = read_script(captions(lambda time: -off))
    locator = locate(script, PASSAGES, PerfectEar(script))
    assert locator.timed
    assert locator.shift == pytest.approx(off, abs=0.2)
    assert locator.jumps == ()
    assert all(found_by(locator, script, passage) for passage in PASSAGES)


def test_only_a_handful_of_passages_is_asked_for_where_the_times_are_right() -> None:
    script = read_script(captions())
    ear = PerfectEar(script)
    locate(script, PASSAGES, ear)
    assert 6 <= ear.asked <= 15
    assert ear.most < 60


def test_an_advertisement_put_in_shifts_what_follows_and_the_gap_is_searched_on_both_sides() -> None:
    script = read_script(captions(lambda time: 0.0 if time < 700 else -45.0))
    locator = locate(script, PASSAGES, PerfectEar(script))
    ((start, end, by),) = locator.jumps
    assert start < 700 <= end
    assert by == pytest.approx(45.0, abs=0.5)
    assert all(found_by(locator, script, passage) for passage in PASSAGES)


def test_a_drift_is_followed() -> None:
    script = read_script(captions(lambda time: 0.01 * time))
    locator = locate(script, PASSAGES, PerfectEar(script))
    assert all(found_by(locator, script, passage) for passage in PASSAGES)


def test_an_anchor_alone_against_its_neighbours_is_no_anchor() -> None:
    script = read_script(captions())
    ear = PerfectEar(script)

    def mishears_once(passage: Passage, first: int, last: int) -> Sequence[Hit]:
        hits = ear(passage, first, last)
        if passage.start == 900 or passage.start == 890:
            return [Hit(hit.index - WORDS, hit.word) for hit in hits]
        return hits

    locator = locate(script, PASSAGES, mishears_once)
    assert locator.jumps == ()
    assert all(found_by(locator, script, passage) for passage in PASSAGES)


def test_a_text_without_times_is_found_by_halves() -> None:
    script = read_script(captions(timed=False))
    ear = PerfectEar(script, deaf=PASSAGES[85:92])
    locator = locate(script, PASSAGES, ear)
    assert not locator.timed
    assert locator.shift == 0.0
    windows = [locator.window(passage, 3.0) for passage in PASSAGES]
    assert all(found_by(locator, script, passage) for passage in PASSAGES)
    assert max(last - first for first, last in windows) < 500
    assert ear.asked < 60


def test_times_that_fit_nowhere_are_given_up() -> None:
    script = read_script(list(reversed(captions())))
    backwards = [Caption(c.text, 10.0 * n, 10.0 * n + 5) for n, c in enumerate(reversed(captions()))]
    script = read_script(list(reversed(backwards)))
    locator = locate(script, PASSAGES, PerfectEar(script))
    assert not locator.timed


def test_a_long_text_is_never_looked_through_in_one_piece() -> None:
    filler = [Caption(" ".join(["filler"] * 40)) for _ in range(250)]
    script = read_script([*filler, *captions(timed=False)])
    ear = PerfectEar(script)
    locator = locate(script, PASSAGES, ear)
    assert ear.most <= 3000
    assert all(found_by(locator, script, passage) for passage in PASSAGES)


def test_what_is_learnt_narrows_what_follows() -> None:
    script = read_script(captions(timed=False))
    locator = Locator(script, (), timed=False)
    assert locator.window(PASSAGES[50], 3.0) == (0, len(script.words))
    ear = PerfectEar(script)
    for passage in (PASSAGES[49], PASSAGES[52]):
        locator.learn(anchor_of(script, ear(passage, 0, len(script.words))))
    first, last = locator.window(PASSAGES[50], 3.0)
    assert last - first < 5 * WORDS
    assert found_by(locator, script, PASSAGES[50])


def test_a_transcript_of_something_else_gives_no_anchor() -> None:
    script = read_script([Caption("quite another story altogether", 10.0 * n, 10.0 * n + 4) for n in range(100)])
    locator = locate(script, PASSAGES, PerfectEar(script))
    assert locator.timed
    assert locator.shift == 0.0

"""A transcript as a line of words: times where captions give them, honest where they don't."""

import numpy as np
import pytest

from schemas.text import Caption
from transforms.script import read_script


def test_a_script_is_said_in_its_own_language() -> None:
    captions = (Caption("3 Dr. Müller", 0.0, 2.0), Caption("Привет", 2.0, 3.0))
    assert read_script(captions, "de").words == ("dr", "muller", "привет")
    assert read_script(captions[:1]).words == ("three", "doctor", "muller")


def test_words_keep_their_token_and_label_and_get_times_inside_their_caption() -> None:
    script = read_script([Caption("It cost $3.50.", 10.0, 13.0, "Ann"), Caption("Really?", 13.5, 14.0, "Bob")])
    assert script.timed
    assert script.words == ("it", "cost", "three", "dollars", "and", "fifty", "cents", "really")
    assert script.token_of == (0, 1, 2, 2, 2, 2, 2, 3)
    assert [script.label(word) for word in (0, 6, 7)] == ["Ann", "Ann", "Bob"]
    assert list(script.times) == sorted(script.times)
    assert 10.0 < script.times[0] < script.times[6] < 13.0
    assert 13.5 < script.times[7] < 14.0


def test_an_end_that_is_not_given_is_the_next_start_or_what_the_text_takes() -> None:
    script = read_script([Caption("one two", 0.0), Caption("three four", 100.0), Caption("five six", 102.0)])
    assert script.timed
    assert script.times[1] < 3.0
    assert 100.0 < script.times[2] < script.times[3] < 102.0 < script.times[5] < 104.0


def test_captions_of_minutes_say_too_little_of_when() -> None:
    long = " ".join(["word"] * 400)
    assert not read_script([Caption(long, 0.0), Caption(long, 200.0)]).timed
    assert not read_script([Caption("no times at all"), Caption("none here")]).timed


def test_without_times_the_length_of_the_text_counts() -> None:
    script = read_script([Caption("some words here"), Caption("and some more of them")])
    assert (np.diff(script.times) > 0).all()


def test_a_caption_without_a_time_goes_on_after_the_one_before() -> None:
    script = read_script([Caption("one two", 5.0, 6.0), Caption("three"), Caption("four", 9.0, 10.0)])
    assert script.timed
    assert script.times[1] <= script.times[2] <= script.times[3]


def test_stage_directions_are_no_words() -> None:
    script = read_script([Caption("[music]", 0.0, 5.0), Caption("- Hello.", 5.0, 6.0)])
    assert script.words == ("hello",)
    assert script.times[0] == pytest.approx(5.5)


def test_nothing_is_nothing() -> None:
    assert read_script([]).words == ()
    assert read_script([Caption("", 0.0, 1.0), Caption("♪", 1.0, 2.0)]).words == ()

import numpy as np
import pytest

from tts.frontend.script import SaidWord, Sentence
from tts.phones import PAUSE, symbols_of
from tts.timing import Timing, faded, gain_curve, limited, silence_between, timing_of

SYMBOLS = symbols_of([("one", ("W", "AH", "N")), ("two", ("T", "UW"))])
RATE = 24_000
FRAMES_A_SECOND = RATE / 256


def test_rounding_errors_are_carried_on() -> None:
    frames = np.array([5.0, 3.4, 3.4, 3.4, 0.3, 3.4, 3.4, 8.0], np.float32)
    timing = timing_of(SYMBOLS, frames, 1.0)
    assert timing.durations.tolist() == [5, 3, 4, 3, 0, 4, 3, 8]
    assert timing.durations[1:-1].sum() == round(5 * 3.4)


def test_rates_divide_durations_but_a_phone_is_a_frame_long() -> None:
    frames = np.array([5.0, 8, 8, 8, 4, 8, 2, 8], np.float32)
    rates = np.array([1, 1, 1, 1, 1, 2, 8, 1], np.float32)
    assert timing_of(SYMBOLS, frames, rates).durations.tolist() == [5, 8, 8, 8, 4, 4, 1, 8]
    assert timing_of(SYMBOLS, frames, 4.0).durations[SYMBOLS.ids != PAUSE].min() == 1


def test_sentences_begin_and_end_in_a_little_silence() -> None:
    for edge, lead, tail in ((0.0, 3, 6), (300.0, 10, 20)):
        timing = timing_of(SYMBOLS, np.array([edge, 5, 5, 5, 0, 5, 5, edge], np.float32), 1.0)
        assert (timing.durations[0], timing.durations[-1]) == (lead, tail)
        assert (timing.lead, timing.tail) == (edge, edge)


@pytest.mark.parametrize(
    ("natural", "paragraph", "pause", "seconds"),
    [
        (10.0, False, None, 0.25),
        (40.0, False, None, 40 / FRAMES_A_SECOND),
        (200.0, False, None, 0.6),
        (10.0, True, None, 0.6),
        (200.0, True, None, 1.0),
        (10.0, True, 2.0, 2.0),
        (10.0, True, 0.0, 14 / FRAMES_A_SECOND),
    ],
)
def test_pauses_are_as_the_voice_makes_them_within_limits(
    natural: float, paragraph: bool, pause: float | None, seconds: float
) -> None:
    durations = np.array([4, 5, 10], np.int64)
    before, after = Timing(durations, 4, natural - 4), Timing(durations, 4, natural - 4)
    sentence = Sentence((SaidWord("a", ("AH",)),), pause, paragraph)
    own = 14 / FRAMES_A_SECOND
    assert silence_between(sentence, before, after, FRAMES_A_SECOND) + own == pytest.approx(seconds)


def test_gains_glide_and_are_the_same_in_pieces() -> None:
    gains, durations = np.array([1.0, 0.5], np.float32), np.array([4, 4], np.int64)
    whole = gain_curve(gains, durations, 256, 0, 8)
    assert np.abs(np.diff(whole)).max() < 0.5 / 200
    assert (whole[0], whole[-1]) == (1.0, 0.5)
    pieces = [gain_curve(gains, durations, 256, *ends) for ends in ((0, 3), (3, 8))]
    assert np.array_equal(np.concatenate(pieces), whole)


def test_fades_begin_and_end_at_nothing() -> None:
    found = faded(np.ones(1000, np.float32), RATE, begins=True, ends=True)
    assert found[0] == 0.0
    assert found[-1] < 0.02
    assert (found[96:904] == 1.0).all()


def test_what_is_loud_is_bent_and_the_rest_left_alone() -> None:
    samples = np.linspace(-3, 3, 1001, dtype=np.float32)
    found = limited(samples)
    assert np.abs(found).max() <= 0.99
    assert (np.diff(found) >= 0).all()
    quiet = np.abs(samples) <= 0.9
    assert np.array_equal(found[quiet], samples[quiet])

"""Pauses, and spans of several voices."""

import numpy as np
import pytest

from schemas.turn import Span
from transforms.overlap import (
    PauseSettings,
    find_pauses,
    levels_of,
    merged,
    overlap_share,
    shared_seconds,
    without,
)

RATE = 16_000


def test_levels_are_rms_in_dbfs_every_ten_milliseconds() -> None:
    sine = np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    levels = levels_of(sine * 0.1, RATE)
    assert levels.shape == (100,)
    assert set(levels.tolist()) == {-23}
    assert levels_of(np.zeros(RATE, np.float32), RATE).tolist() == [-100] * 100


def speech_with(gaps: list[tuple[float, float]], floor: float = -60.0, seconds: float = 12.0) -> np.ndarray:
    levels = np.full(round(seconds * 100), -20, np.int8)
    for start, end in gaps:
        levels[round(start * 100) : round(end * 100)] = floor
    return levels


def test_pauses_are_found_where_the_level_falls_for_long_enough() -> None:
    pauses = find_pauses(speech_with([(3.0, 3.3), (6.0, 6.05)]), PauseSettings(min_seconds=0.1))
    assert len(pauses) == 1
    assert pauses[0].start == pytest.approx(3.0, abs=0.021)
    assert pauses[0].end == pytest.approx(3.3, abs=0.021)


def test_a_pause_is_measured_against_the_speech_around_it() -> None:
    # A dip to -40 dBFS is a pause beside loud speech and none beside soft speech.
    loud, soft = speech_with([(3.0, 3.3)], -50.0), speech_with([(3.0, 3.3)], -50.0)
    soft[:] = np.where(soft == -20, -35, soft)
    assert find_pauses(loud, PauseSettings())
    assert not find_pauses(soft, PauseSettings())


def test_what_was_not_listened_to_is_a_pause_and_does_not_count_as_quiet_speech() -> None:
    levels = np.full(3000, -100, np.int8)
    levels[1000:1200] = -20
    pauses = find_pauses(levels, PauseSettings())
    assert any(pause.end == pytest.approx(10.0, abs=0.021) for pause in pauses)
    assert any(pause.start == pytest.approx(12.0, abs=0.021) for pause in pauses)


def test_no_levels_no_pauses() -> None:
    assert find_pauses(np.zeros(0, np.int8), PauseSettings()) == ()


def test_overlap_share() -> None:
    overlaps = (Span(1.0, 2.0), Span(5.0, 5.5))
    assert overlap_share(overlaps, 0.0, 4.0) == pytest.approx(0.25)
    assert overlap_share(overlaps, 1.5, 5.5) == pytest.approx(0.25)
    assert overlap_share(overlaps, 2.0, 5.0) == 0.0
    assert overlap_share(overlaps, 3.0, 3.0) == 0.0
    assert shared_seconds([Span(0, 10)], 2, 3) == 1


def test_merged_joins_what_touches_or_is_near() -> None:
    spans = [Span(5, 6), Span(0, 1), Span(1, 2), Span(2.3, 3)]
    assert merged(spans) == (Span(0, 2), Span(2.3, 3), Span(5, 6))
    assert merged(spans, 0.5) == (Span(0, 3), Span(5, 6))
    assert merged([Span(0, 10), Span(2, 3)]) == (Span(0, 10),)


def test_without_cuts_holes() -> None:
    assert without([Span(0, 10)], [Span(2, 3), Span(2.5, 4), Span(9, 12)]) == (Span(0, 2), Span(4, 9))
    assert without([Span(0, 1)], [Span(0, 1)]) == ()
    assert without([Span(0, 1)], [Span(3, 4)]) == (Span(0, 1),)

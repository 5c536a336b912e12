"""Captions' names against voices: shifted, wrong and missing ones."""

from dataclasses import replace

import pytest

from schemas.text import Caption
from schemas.turn import Diarization, Turn
from transforms.caption_labels import caption_shift, label_seconds

# (cluster, label, start, end); lengths that no shift repeats.
TALK = [
    ("S0", "Host", 5.0, 12.3),
    ("S1", "Guest", 13.0, 17.1),
    ("S0", "Host", 18.0, 20.4),
    ("S1", "Guest", 21.0, 33.7),
    ("S0", "Host", 34.1, 43.9),
    ("S1", "Guest", 45.2, 50.5),
    ("S0", "Host", 51.0, 63.3),
]
DIARIZATION = Diarization("", tuple(Turn(start, end, cluster) for cluster, _, start, end in TALK), ())


def cues(shift: float = 0.0, named: bool = True) -> list[Caption]:
    """Two captions a turn, `shift` seconds early."""
    found = []
    for _, label, start, end in TALK:
        middle = (start + end) / 2
        for first, last in ((start, middle), (middle, end)):
            found.append(Caption("words", first - shift, last - shift, label if named else ""))
    return found


def test_seconds_of_each_label_in_each_cluster() -> None:
    assert label_seconds(DIARIZATION, cues()) == (("S0", "Host", 31.8), ("S1", "Guest", 22.1))


@pytest.mark.parametrize("shift", [3.0, -7.5, 41.25, 0.0])
def test_a_common_shift_is_found_and_taken_out(shift: float) -> None:
    assert caption_shift(DIARIZATION, cues(shift)) == shift
    assert {label: cluster for cluster, label, seconds in label_seconds(DIARIZATION, cues(shift)) if seconds > 1} == {
        "Host": "S0",
        "Guest": "S1",
    }


def test_silences_are_enough_where_nobody_is_named() -> None:
    assert caption_shift(DIARIZATION, cues(3.0, named=False)) == 3.0
    assert label_seconds(DIARIZATION, cues(3.0, named=False)) == ()


def test_a_wrong_name_among_right_ones_does_not_move_the_shift() -> None:
    wrong = [replace(cue, speaker="Guest") if index in (0, 1) else cue for index, cue in enumerate(cues(3.0))]
    assert caption_shift(DIARIZATION, wrong) == 3.0
    found = {(cluster, label): seconds for cluster, label, seconds in label_seconds(DIARIZATION, wrong)}
    assert found["S0", "Guest"] == pytest.approx(7.3, abs=0.01)


def test_captions_without_times_name_nobody() -> None:
    untimed = [replace(cue, start=None, end=None) for cue in cues()]
    assert label_seconds(DIARIZATION, untimed) == ()
    assert caption_shift(DIARIZATION, untimed) == 0.0


def test_nothing_to_compare() -> None:
    assert label_seconds(Diarization("", (), ()), cues()) == ()
    assert label_seconds(DIARIZATION, []) == ()
    assert caption_shift(Diarization("", (), ()), cues()) == 0.0

"""Passages: short enough, cut at pauses, with room for the aligner, honest about edges in running speech."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas.recording import Recording
from schemas.turn import Span
from transforms.models.base import MODEL_RATE
from transforms.passages import Passage, find_passages


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """A minute of noise at one level, with dips to silence at 20.0-20.1 s and 31.0-31.1 s."""
    samples = np.random.default_rng(0).normal(0, 0.1, 60 * MODEL_RATE).astype(np.float32)
    for at in (20.0, 31.0):
        samples[round(at * MODEL_RATE) : round((at + 0.1) * MODEL_RATE)] = 0
    path = tmp_path / "noise.flac"
    soundfile.write(path, samples, MODEL_RATE)
    return Recording(str(path), "0" * 64, 60.0, MODEL_RATE, MODEL_RATE, 1)


def spans(*pairs: tuple[float, float]) -> tuple[Span, ...]:
    return tuple(Span(*pair) for pair in pairs)


def find(recording: Recording, target: tuple[Span, ...], speech: tuple[Span, ...]) -> tuple[Passage, ...]:
    return find_passages(recording, target, speech, preferred=12.0, longest=16.0)


def test_a_short_turn_is_one_passage_with_silence_around_it(recording: Recording) -> None:
    (passage,) = find(recording, spans((5, 10)), spans((5.2, 7), (7.3, 9.8)))
    assert (passage.start, passage.end) == (5.2, 9.8)
    assert passage.read_start == pytest.approx(4.9)
    assert passage.read_end == pytest.approx(10.1)
    assert not any((passage.open_before, passage.open_after, passage.cut_before, passage.cut_after))


def test_what_is_read_stops_before_others_speak(recording: Recording) -> None:
    (passage,) = find(recording, spans((5, 10)), spans((0, 4.9), (5, 10), (10.05, 20)))
    assert passage.read_start == pytest.approx(4.9)
    assert passage.read_end == pytest.approx(10.05)


def test_where_speech_runs_on_beyond_the_target_the_edge_is_open_and_more_is_read(recording: Recording) -> None:
    (passage,) = find(recording, spans((5, 10)), spans((2, 10)))
    assert passage.open_before
    assert not passage.open_after
    assert passage.read_start == pytest.approx(4.75)


def test_long_speech_is_cut_at_its_longest_pause(recording: Recording) -> None:
    speech = spans((0.5, 5), (5.2, 9), (9.9, 14), (14.2, 19))
    found = find(recording, spans((0, 20)), speech)
    assert [(one.start, one.end) for one in found] == [(0.5, 9), (9.9, 19)]


def test_no_passage_spans_a_long_silence(recording: Recording) -> None:
    found = find(recording, spans((0, 20)), spans((1, 3), (6, 8)))
    assert [(one.start, one.end) for one in found] == [(1, 3), (6, 8)]


def test_running_speech_is_cut_at_its_weakest_place_and_says_so(recording: Recording) -> None:
    found = find(recording, spans((10, 40)), spans((10, 40)))
    assert all(one.duration <= 16.0 for one in found)
    assert found[0].start == 10
    assert found[-1].end == 40
    cuts = [one.end for one in found[:-1]]
    assert cuts == [one.start for one in found[1:]]
    assert all(one.cut_after for one in found[:-1])
    assert all(one.cut_before for one in found[1:])
    assert not found[0].cut_before
    assert not found[-1].cut_after
    assert any(20.0 <= cut <= 20.1 for cut in cuts)
    assert any(31.0 <= cut <= 31.1 for cut in cuts)


def test_no_target_or_no_speech_is_no_passage(recording: Recording) -> None:
    assert find(recording, (), spans((1, 3))) == ()
    assert find(recording, spans((1, 3)), ()) == ()
    assert find(recording, spans((1, 3)), spans((3, 5))) == ()


def test_nothing_is_read_outside_of_the_recording(recording: Recording) -> None:
    found = find(recording, spans((0, 60)), spans((0.1, 4), (58, 60)))
    assert found[0].read_start == 0.0
    assert found[-1].read_end == 60.0

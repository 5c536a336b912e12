"""What others say into the target's speech is taken out of it; the detector is a level meter."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas.errors import EpisodeError
from schemas.recording import Recording
from schemas.turn import Diarization, Span, TargetSpeech, Turn
from transforms.interjections import InterjectionSettings, find_interjections, without_interjections
from transforms.models.base import MODEL_RATE, OverlapDetector, Samples

SETTINGS = InterjectionSettings(threshold=3.0, lower=1.0, usual_quartile=-1.0, edge=0.1)
LENGTH = 400.0


class Level(OverlapDetector):
    """Log-odds of 100 times the mean of a frame; remembers the longest stretch it was given."""

    longest = 0

    @property
    def identity(self) -> str:
        return "level"

    @property
    def frame_seconds(self) -> float:
        return 0.05

    def log_odds(self, samples: Samples) -> np.ndarray:
        self.longest = max(self.longest, len(samples))
        return 100 * samples[: len(samples) // 800 * 800].reshape(-1, 800).mean(axis=1)


def recording(folder: Path, usual: float, loud: list[tuple[float, float, float]]) -> Recording:
    """Samples at `usual`, and at a level from start to end for each of `loud`."""
    samples = np.full(round(LENGTH * MODEL_RATE), usual, np.float32)
    for start, end, level in loud:
        samples[round(start * MODEL_RATE) : round(end * MODEL_RATE)] = level
    path = folder / "levels.flac"
    soundfile.write(path, samples, MODEL_RATE, subtype="PCM_16")
    return Recording(str(path), "0" * 64, LENGTH, MODEL_RATE, MODEL_RATE, 1)


def test_what_stands_out_of_the_targets_own_speech_is_found(tmp_path: Path) -> None:
    made = recording(tmp_path, 0.0, [(5.0, 6.0, 0.1), (12.0, 12.4, 0.1), (20.0, 21.0, 0.1)])
    found = find_interjections(made, [Span(2.0, 10.0), Span(11.0, 14.0)], Level(), SETTINGS)
    assert len(found) == 2, "nobody asked about the rest"
    assert found[0].start == pytest.approx(4.9, abs=0.15)
    assert found[0].end == pytest.approx(6.1, abs=0.15)
    assert found[1].start == pytest.approx(11.9, abs=0.15)


def test_a_voice_that_always_sounds_a_little_like_two_is_taken_as_it_is(tmp_path: Path) -> None:
    made = recording(tmp_path, 0.05, [(50.0, 51.0, 0.15)])
    found = find_interjections(made, [Span(0.0, 300.0)], Level(), SETTINGS)
    assert [round(span.start) for span in found] == [50]
    # A few seconds tell little of what is usual.
    assert find_interjections(made, [Span(10.0, 12.0)], Level(), SETTINGS) != ()


def test_a_weak_score_alone_is_no_interjection(tmp_path: Path) -> None:
    made = recording(tmp_path, 0.0, [(5.0, 6.0, 0.015)])
    assert find_interjections(made, [Span(2.0, 10.0)], Level(), SETTINGS) == ()


def test_frames_of_two_spans_are_not_one_interjection(tmp_path: Path) -> None:
    made = recording(tmp_path, 0.0, [(9.0, 31.0, 0.1)])
    found = find_interjections(made, [Span(0.0, 10.0), Span(30.0, 45.0)], Level(), SETTINGS)
    assert [(round(span.start), round(span.end)) for span in found] == [(9, 10), (30, 31)]


def test_long_speech_is_listened_to_in_blocks_and_times_stay_right(tmp_path: Path) -> None:
    made = recording(tmp_path, 0.0, [(350.0, 351.0, 0.1)])
    meter = Level()
    found = find_interjections(made, [Span(0.52, 1.53), Span(3.0, 390.0)], meter, SETTINGS)
    assert [(round(span.start), round(span.end)) for span in found] == [(350, 351)]
    assert meter.longest <= 113 * MODEL_RATE


def test_no_speech_of_the_target_nothing_to_hear(tmp_path: Path) -> None:
    assert find_interjections(recording(tmp_path, 0.0, []), [], Level(), SETTINGS) == ()


def test_an_unreadable_recording_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "bad.flac").write_bytes(b"fLaC no more")
    bad = Recording(str(tmp_path / "bad.flac"), "0" * 64, 10.0, MODEL_RATE, MODEL_RATE, 1)
    with pytest.raises(EpisodeError, match=r"recording-unreadable: .*bad\.flac.*build again"):
        find_interjections(bad, [Span(1.0, 5.0)], Level(), SETTINGS)


def test_the_targets_spans_and_turns_tell_of_it() -> None:
    turns = (Turn(0.0, 10.0, "S0", is_target=True), Turn(11.0, 20.0, "S1"))
    target = TargetSpeech(turns, (Span(0.0, 10.0),), "S0", 0.9)
    diarization = Diarization("", turns, (), (Span(9.5, 11.5),))
    alone = without_interjections(target, (Span(3.0, 4.0), Span(4.4, 5.0)), diarization, SETTINGS)
    assert alone.spans == (Span(0.0, 3.0), Span(5.0, 10.0)), "0.4 s between two of them are nobody's"
    assert alone.overlaps == (Span(3.0, 4.0), Span(4.4, 5.0))
    assert alone.turns[0].overlap == pytest.approx(0.21)
    assert alone.turns[1] == turns[1]

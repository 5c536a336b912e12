"""Pauses: found where it is really quiet, whatever the aligner said; levels the same in blocks as at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_speech import RATE, noise, recording_of, spoken, syllable

from schemas.turn import Span
from transforms.audio import read_span
from transforms.pauses import dip_between, level_track, pause_after, pause_before, pause_between
from transforms.room_tone import RoomTone
from transforms.silence import frame_levels

WORDS = [("one", 0.5, 0.9), ("two", 1.3, 1.8), ("three", 1.8, 2.2), ("four", 3.0, 3.4)]


@pytest.mark.parametrize("off", [-0.05, 0.0, 0.05])
def test_the_quiet_is_where_it_is_heard_not_where_the_aligner_puts_it(off: float, tmp_path: Path) -> None:
    track = level_track(recording_of(spoken(WORDS, 4.0), tmp_path))
    pause = pause_between(track, 0.9 + off, 1.3 + off)
    assert pause is not None
    assert pause.after.start == pytest.approx(0.9, abs=0.02)
    assert pause.before.end == pytest.approx(1.3, abs=0.02)
    assert pause.seconds == pytest.approx(0.4, abs=0.03)


def test_there_is_none_between_words_that_run_together(tmp_path: Path) -> None:
    joined = [("long", 0.5, 2.5)]
    track = level_track(recording_of(spoken(joined, 4.0), tmp_path))
    assert pause_between(track, 1.45, 1.45) is None


def test_the_burst_after_a_closure_belongs_to_its_word(tmp_path: Path) -> None:
    samples = spoken([("that", 0.5, 0.9), ("is", 1.4, 1.7)], 3.0)
    burst = syllable(0.03, 200, 900)
    samples[round(0.98 * RATE) : round(0.98 * RATE) + len(burst)] += burst
    pause = pause_between(level_track(recording_of(samples, tmp_path)), 0.95, 1.4)
    assert pause is not None
    assert pause.after.start == pytest.approx(1.01, abs=0.02)


def test_sound_between_two_words_is_noticed(tmp_path: Path) -> None:
    track = level_track(recording_of(spoken([("a", 0.5, 0.9), ("um", 1.3, 1.8), ("b", 2.2, 2.6)], 4.0), tmp_path))
    pause = pause_between(track, 0.9, 2.2)
    assert pause is not None
    assert pause.after.end < 1.35
    assert pause.before.start > 1.75
    assert pause.noise_seconds == pytest.approx(0.5, abs=0.05)


def test_the_quiet_around_a_text_reaches_no_further_than_it_may(tmp_path: Path) -> None:
    track = level_track(recording_of(spoken(WORDS, 4.0), tmp_path))
    before, after = pause_before(track, 0.5, 0.4), pause_after(track, 3.4, 3.45)
    assert before is not None
    assert after is not None
    assert before.before.start >= 0.4
    assert after.after.end <= 3.45
    assert pause_before(track, 1.8, 1.3) is None


def test_a_dip_will_do_where_a_room_never_falls_silent(tmp_path: Path) -> None:
    samples = spoken([("one", 0.5, 1.0), ("two", 1.2, 1.7)], 2.5)
    tail = noise(0.7, -42) * np.exp(-np.linspace(0, 1.0, round(0.7 * RATE)))
    samples[round(1.0 * RATE) : round(1.7 * RATE)] += tail.astype(np.float32)
    track = level_track(recording_of(samples, tmp_path))
    dip = dip_between(track, 1.0, 1.2)
    assert dip is not None
    assert dip.dip
    assert 1.0 < dip.after.start < dip.before.end < 1.2
    assert dip_between(track, 0.7, 0.75) is None


def test_a_voice_that_brings_its_own_noise_has_pauses_too(tmp_path: Path) -> None:
    samples = spoken([("one", 2.5, 3.2), ("two", 3.7, 4.4), ("three", 4.4, 5.2)], 8.0, floor_db=-80)
    samples[round(2.3 * RATE) : round(5.4 * RATE)] += noise(3.1, -42)
    track = level_track(recording_of(samples, tmp_path))
    assert pause_between(track, 3.2, 3.7) is None
    pause = pause_between(track.inside(2.4, 5.3), 3.2, 3.7)
    assert pause is not None
    assert pause.seconds == pytest.approx(0.5, abs=0.05)


def test_levels_in_blocks_are_the_levels_at_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = np.concatenate([noise(31.0, level, seed) for seed, level in enumerate(rng.uniform(-60, -20, 4))])
    recording = recording_of(samples, tmp_path)
    whole = frame_levels(read_span(recording.path, 0.0, recording.duration), 16_000)
    blocks = level_track(recording).levels
    assert abs(len(blocks) - len(whole)) <= 1
    count = min(len(blocks), len(whole))
    assert np.abs(blocks[:count] - whole[:count]).max() < 0.2


def test_an_empty_or_silent_recording_has_levels(tmp_path: Path) -> None:
    track = level_track(recording_of(np.zeros(RATE, np.float32), tmp_path))
    assert track.levels.max() == -100.0
    assert RoomTone(track, ()).near(0.2, 0.5) is None or RoomTone(track, ()).near(0.2, 0.5).duration > 0


def test_room_tone_is_quiet_near_and_of_this_room(tmp_path: Path) -> None:
    samples = np.concatenate([noise(10.0, -55, 1), spoken(WORDS, 4.0, -50), noise(10.0, -50, 2), np.zeros(2 * RATE)])
    samples = samples.astype(np.float32)
    speech = (Span(10.4, 13.5),)
    tone = RoomTone(level_track(recording_of(samples, tmp_path)), speech).near(10.4, 13.5)
    assert tone is not None
    assert tone.duration == pytest.approx(0.3)
    # The quieter of the two rooms near by, and not the digital silence at the end.
    assert tone.end <= 10.4


def test_room_tone_holds_no_speech(tmp_path: Path) -> None:
    samples = spoken([("a", 0.0, 2.0), ("b", 2.1, 4.0), ("c", 4.5, 8.0)], 8.0)
    tone = RoomTone(level_track(recording_of(samples, tmp_path)), ()).near(5.0, 6.0)
    assert tone is not None
    assert tone.start >= 4.0
    assert tone.end <= 4.51


def test_where_it_is_never_quiet_the_tone_is_what_is_least_loud(tmp_path: Path) -> None:
    music = np.concatenate([noise(4.0, -20, 1), noise(1.0, -30, 2), noise(4.0, -20, 3)])
    track = level_track(recording_of(music, tmp_path))
    never_quiet = replace(track, thresholds=np.full_like(track.thresholds, -100.0))
    tone = RoomTone(never_quiet, (Span(0.0, 9.0),)).near(1.0, 3.0)
    assert tone is not None
    assert 4.0 <= tone.start < tone.end <= 5.0

"""Rendering: as long as planned, faded at both ends, joined with room tone without a click; FLAC as it should be."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_speech import RATE, noise, recording_of, spoken, words_of

from schemas.clip import Cut
from transforms.render import FADE_SECONDS, encode_flac, render_cut


def cut(start: float, end: float, **tone: float) -> Cut:
    return Cut(start, end, "a", "a", (), (), "publisher:vtt", 0.0, 1.0, **tone)


def test_a_clip_is_the_recording_between_fades(tmp_path: Path) -> None:
    samples = spoken(words_of("one two three", 0.5), 3.0)
    recording = recording_of(samples, tmp_path)
    clip = render_cut(recording, cut(0.4, 1.9), RATE)
    fade = round(FADE_SECONDS * RATE)
    assert len(clip) == round(1.5 * RATE)
    assert np.allclose(clip[fade:-fade], samples[round(0.4 * RATE) : round(1.9 * RATE)][fade:-fade], atol=1e-4)
    assert clip[0] == 0.0
    assert clip[-1] == 0.0


def test_a_clip_is_as_loud_as_its_recording_at_any_rate(tmp_path: Path) -> None:
    recording = recording_of(spoken(words_of("one two three", 0.5), 3.0), tmp_path)
    levels = [np.sqrt(np.mean(render_cut(recording, cut(0.4, 1.4), rate) ** 2)) for rate in (16_000, 22_050, RATE)]
    assert levels == pytest.approx([levels[0]] * 3, rel=0.01)


def test_room_tone_fills_the_edges_up_without_a_step(tmp_path: Path) -> None:
    floor = noise(4.0, -40)
    recording = recording_of(floor, tmp_path)
    filled = cut(2.0, 3.0, leading_tone=0.1, trailing_tone=0.08, tone_start=0.5, tone_end=0.8)
    clip = render_cut(recording, filled, RATE)
    assert len(clip) == round(filled.duration * RATE)
    assert np.allclose(
        clip[round(0.11 * RATE) : round(1.09 * RATE)], floor[round(2.01 * RATE) : round(2.99 * RATE)], atol=1e-4
    )
    for second in (0.05, 0.1, 1.1, 1.14):
        here = clip[round((second - 0.01) * RATE) : round((second + 0.01) * RATE)]
        assert 20 * np.log10(np.sqrt(np.mean(here**2))) == pytest.approx(-40, abs=1.5)
    steps = np.abs(np.diff(clip))
    joints = np.concatenate(
        [steps[round(0.095 * RATE) : round(0.11 * RATE)], steps[round(1.09 * RATE) : round(1.105 * RATE)]]
    )
    assert joints.max() < 1.3 * steps.max()
    assert not np.array_equal(clip[: round(0.08 * RATE)], clip[-round(0.08 * RATE) :])


def test_more_tone_than_there_is_is_mirrored_not_looped(tmp_path: Path) -> None:
    recording = recording_of(noise(2.0, -40), tmp_path)
    clip = render_cut(recording, cut(1.0, 1.5, leading_tone=0.3, tone_start=0.2, tone_end=0.3), RATE)
    assert len(clip) == round(0.8 * RATE)
    assert np.abs(np.diff(clip)).max() < 0.1
    assert np.sqrt(np.mean(clip[round(0.1 * RATE) : round(0.3 * RATE)] ** 2)) > 0.005


def test_flac_is_finished_repeatable_and_holds_the_samples() -> None:
    samples = noise(0.5, -20)
    data = encode_flac(samples, RATE)
    assert data == encode_flac(samples, RATE)
    info = soundfile.info(io.BytesIO(data))
    assert (info.format, info.subtype, info.channels, info.samplerate, info.frames) == (
        "FLAC",
        "PCM_16",
        1,
        RATE,
        12_000,
    )
    # The number of samples is in the header itself: 36 bits after the rate in STREAMINFO.
    assert int.from_bytes(data[21:26], "big") & 0xFFFFFFFFF == 12_000
    assert np.abs(soundfile.read(io.BytesIO(data))[0] - samples).max() < 1 / 32768


def test_flac_limits_what_is_beyond_full_scale() -> None:
    data = encode_flac(np.array([2.0, -2.0, 0.0] * 100, np.float32), RATE)
    decoded = soundfile.read(io.BytesIO(data), dtype="int16")[0]
    assert (decoded.max(), decoded.min()) == (32767, -32768)

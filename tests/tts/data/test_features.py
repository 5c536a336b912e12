"""Clips as a network learns from them: symbols in time, spectrograms, pitch."""

import numpy as np
import pytest
import torch
from small_dataset import flac, noise_bursts

from schemas.errors import RealtalkError
from tts.data.features import LOUDNESS, FeatureSettings, MelSpectrogram, example_of, gain_of, timed_symbols
from tts.phones import IDS, PAUSE

SETTINGS = FeatureSettings()
FRAMES_PER_SECOND = SETTINGS.sampling_rate / SETTINGS.hop


def phones(*spans: tuple[str, float, float]) -> list[dict]:
    return [{"symbol": symbol, "start": start, "end": end} for symbol, start, end in spans]


def words(*spans: tuple[str, float, float]) -> list[dict]:
    return [{"text": text, "start": start, "end": end} for text, start, end in spans]


SAID = phones(("SIL", 0.0, 0.2), ("AY", 0.2, 0.4), ("SIL", 0.4, 0.7), ("S", 0.7, 0.8), ("IY", 0.8, 1.0))
TEXT = words(("I,", 0.2, 0.4), ("see.", 0.7, 1.0))


def test_durations_add_up_to_the_frames_and_pauses_take_what_nobody_says() -> None:
    timed = timed_symbols(TEXT, SAID, 120, SETTINGS)
    assert timed is not None
    symbols, durations = timed
    assert symbols.ids.tolist() == [PAUSE, IDS["AY"], PAUSE, IDS["S"], IDS["IY"], PAUSE]
    assert durations.sum() == 120
    seconds = durations / FRAMES_PER_SECOND
    assert seconds[:5] == pytest.approx([0.2, 0.2, 0.3, 0.1, 0.2], abs=1 / FRAMES_PER_SECOND)


def test_words_that_run_into_each_other_have_a_pause_without_time() -> None:
    said = phones(("AY", 0.0, 0.4), ("S", 0.4, 0.8), ("IY", 0.8, 1.2))
    timed = timed_symbols(words(("I", 0.0, 0.4), ("see", 0.4, 1.2)), said, 112, SETTINGS)
    assert timed is not None
    assert timed[1][2] == 0


def test_what_has_no_phones_or_foreign_ones_is_not_learned_from() -> None:
    assert timed_symbols(TEXT, phones(("SIL", 0.0, 1.0)), 100, SETTINGS) is None
    assert timed_symbols(TEXT, phones(("ɸ", 0.0, 1.0)), 100, SETTINGS) is None
    assert timed_symbols([], SAID, 100, SETTINGS) is None


def test_a_frame_of_a_spectrogram_is_in_the_middle_of_its_hop() -> None:
    samples = torch.zeros(1, 256 * 40)
    samples[0, 256 * 20 : 256 * 21] = torch.randn(256, generator=torch.Generator().manual_seed(0))
    mel = MelSpectrogram(SETTINGS)(samples)[0].mean(dim=0)
    assert mel.shape == (40,)
    assert int(mel.argmax()) == 20


def test_clips_are_made_as_loud_as_each_other_and_nowhere_clipped() -> None:
    samples = np.array([0.1, -0.05], np.float32)
    assert gain_of(LOUDNESS - 6.02, samples) == pytest.approx(2.0, abs=0.01)
    assert gain_of(-60.0, samples) == pytest.approx(9.9)
    assert gain_of(None, samples) == 1.0


def row(**changes: object) -> dict:
    audio = {"bytes": flac(noise_bursts(1)), "path": None}
    return {
        "id": "c", "audio": audio, "words": TEXT, "phones": SAID, "loudness_lufs": -23.0, "text": "I, see.", **changes,
    }  # fmt: skip


def test_an_example_has_everything_in_the_same_frames() -> None:
    example = example_of(row(), MelSpectrogram(SETTINGS))
    assert example is not None
    assert len(example.samples) == len(example.mel) * SETTINGS.hop
    assert example.durations.sum() == len(example.mel)
    assert len(example.pitch) == len(example.energy) == len(example.symbols)


def test_audio_that_is_broken_or_of_another_rate_is_named() -> None:
    with pytest.raises(RealtalkError, match=r"clip c: does not decode"):
        example_of(row(audio={"bytes": b"no audio", "path": None}), MelSpectrogram(SETTINGS))
    with pytest.raises(RealtalkError, match=r"clip c: has 16000 Hz"):
        example_of(row(audio={"bytes": flac(noise_bursts(1), 16_000), "path": None}), MelSpectrogram(SETTINGS))

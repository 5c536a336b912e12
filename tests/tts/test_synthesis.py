import subprocess
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from small_voice import ACOUSTIC, write_small_voice

from schemas.errors import ConfigurationError, RealtalkError
from tts.frontend.script import Manner, SaidWord, Sentence
from tts.frontend.text import FrontEnd
from tts.phones import SYMBOLS
from tts.synthesis import speak, speak_sentences
from tts.timing import pieces
from tts.utterance import samples_of, utterance_of
from tts.voice import Voice, load_voice

TEXT = "It was a bright cold day in April, and the clocks were striking thirteen. Nobody minded."
LONG = Sentence((*[SaidWord("longer", ("L", "AO", "NG", "ER"))] * 30, SaidWord("end.", ("EH", "N", "D"))))


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    return load_voice(write_small_voice(tmp_path_factory.mktemp("voice")))


@pytest.fixture(scope="module")
def refined(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    settings = replace(ACOUSTIC, refiner_width=32, refiner_blocks=1, refiner_steps=2)
    return load_voice(write_small_voice(tmp_path_factory.mktemp("refined"), acoustic=settings))


@pytest.fixture(scope="module")
def front_end() -> FrontEnd:
    return FrontEnd()


def spoken(voice: Voice, front_end: FrontEnd, text: str = TEXT, **manner: float) -> np.ndarray:
    return np.concatenate(list(speak(voice, text, front_end=front_end, **manner)))  # type: ignore[arg-type]


def test_the_same_voice_text_and_seed_give_the_same_samples(refined: Voice, front_end: FrontEnd) -> None:
    first, again, other = (spoken(refined, front_end, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert first.shape == other.shape
    assert np.abs(first - other).max() > 1e-4


def test_a_sentence_sounds_the_same_whatever_was_said_before(refined: Voice, front_end: FrontEnd) -> None:
    alone = spoken(refined, front_end, "Nobody minded.")
    assert np.array_equal(spoken(refined, front_end)[-len(alone) :], alone)


@pytest.mark.parametrize("name", ["voice", "refined"])
def test_pieces_joined_are_the_whole(name: str, request: pytest.FixtureRequest) -> None:
    voice: Voice = request.getfixturevalue(name)
    whole, in_pieces = (utterance_of(voice, LONG, Manner(), 0) for _ in range(2))
    frames = whole.spectrogram.frames
    with torch.inference_mode():
        mel = whole.spectrogram.until(frames)
        expected = voice.vocoder(mel)[0].numpy()
    ends = list(pieces(frames))
    joined = np.concatenate([samples_of(voice, in_pieces, start, end) for start, end in ends])
    assert len(ends) > 2
    assert joined.shape == expected.shape == (frames * 256,)
    assert (in_pieces.spectrogram.until(frames) - mel).abs().max() < 1e-4
    assert np.abs(joined - expected).max() < 1e-4 * np.abs(expected).max()


def test_pieces_cover_every_frame_once_and_grow() -> None:
    for frames in (1, 31, 32, 33, 63, 64, 100, 5000):
        found = list(pieces(frames))
        assert [start for start, _ in found] == [0, *(end for _, end in found[:-1])]
        assert found[-1][1] == frames
    assert [end - start for start, end in pieces(2000)][:3] == [32, 128, 512]


def test_the_first_samples_come_before_the_others_are_made(voice: Voice) -> None:
    first = next(speak_sentences(voice, [LONG]))
    assert 0 < len(first) <= 32 * 256


def test_rate_pitch_and_volume_change_what_they_say(voice: Voice) -> None:
    plain = utterance_of(voice, LONG, Manner(), 0)
    slow = utterance_of(voice, LONG, Manner(rate=0.5), 0)
    inner = slice(1, -1)
    assert slow.timing.durations[inner].sum() == pytest.approx(2 * plain.timing.durations[inner].sum(), rel=0.1)
    high = utterance_of(voice, LONG, Manner(pitch=3.0), 0)
    assert np.array_equal(high.timing.durations, plain.timing.durations)
    assert not torch.allclose(*(one.spectrogram.until(10) for one in (high, plain)))
    usual, quiet = (np.concatenate(list(speak_sentences(voice, [LONG], Manner(volume=v)))) for v in (-20.0, -26.0))
    assert np.abs(quiet - usual * 10**-0.3).max() < 1e-4


def test_one_word_may_be_said_differently(voice: Voice) -> None:
    words = list(LONG.words)
    words[3] = replace(words[3], manner=Manner(rate=0.5))
    slow, plain = (utterance_of(voice, sentence, Manner(), 0) for sentence in (Sentence(tuple(words)), LONG))
    changed = slow.timing.durations - plain.timing.durations
    word = slice(1 + 3 * 5, 1 + 3 * 5 + 4)
    assert (changed[word] > 0).all()
    assert np.abs(np.delete(changed, np.r_[1 + 3 * 5 : 2 + 4 * 5])).max() <= 1


def test_a_pause_lasts_as_long_as_it_is_asked_for(voice: Voice) -> None:
    short, long = (sum(map(len, speak_sentences(voice, [replace(LONG, pause=pause), LONG]))) for pause in (1.0, 2.5))
    assert long - short == 1.5 * 24_000
    only = sum(map(len, speak_sentences(voice, [LONG])))
    assert sum(map(len, speak_sentences(voice, [Sentence((), pause=0.5), LONG]))) - only == 12_000


def test_sentences_are_joined_in_silence_without_clicks(voice: Voice) -> None:
    parts = [part for part in speak_sentences(voice, [LONG, LONG]) if len(part)]
    silent = [number for number, part in enumerate(parts) if not part.any()]
    assert len(silent) <= 1
    starts = [0, *(number + 1 for number in silent)]
    for number in starts:
        assert parts[number][0] == 0.0


def test_nothing_is_louder_than_full_scale(voice: Voice, front_end: FrontEnd) -> None:
    loud = spoken(voice, front_end, volume=20.0)
    assert 0.9 < np.abs(loud).max() <= 0.99
    assert loud.dtype == np.float32


@pytest.mark.parametrize("manner", [{"rate": 0.1}, {"rate": 5}, {"pitch": 13}, {"volume": 30}, {"rate": float("nan")}])
def test_what_no_voice_can_do_is_refused_before_anything_is_said(voice: Voice, manner: dict[str, float]) -> None:
    name = next(iter(manner))
    with pytest.raises(ConfigurationError, match=f"^{name} .*: has to be "):
        speak(voice, "Hello.", **manner)  # type: ignore[arg-type]


def test_text_that_cannot_be_said_is_refused_before_anything_is_said(voice: Voice, front_end: FrontEnd) -> None:
    with pytest.raises(RealtalkError, match="nothing in it can be said"):
        speak(voice, "你好", front_end=front_end)


def test_long_texts_are_read_as_they_are_spoken(voice: Voice) -> None:
    asked = 0

    def endless() -> object:
        nonlocal asked
        while True:
            asked += 1
            yield LONG

    list(islice(speak_sentences(voice, endless()), 2))  # type: ignore[arg-type]
    assert asked == 1


def test_every_phone_has_a_symbol() -> None:
    assert {phone for word in LONG.words for phone in word.phones} <= set(SYMBOLS)


def test_sentences_of_phones_need_no_dictionary() -> None:
    program = """
import sys
sys.modules.update(dict.fromkeys(("num2words", "pocketsphinx", "pydantic", "typer", "soxr", "scipy")))
import tts.synthesis, tts.audio_files
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

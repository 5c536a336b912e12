"""Fingerprints: the same audio matches through encoders, gains and other cuts; other audio and other readings don't."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from made_speech import RATE, babble, noise, through_mp3

from transforms.fingerprint import SAME_SHARE, buckets, fingerprint, same_audio, similarity


def share_a_bucket(a: str, b: str) -> bool:
    return bool(set(buckets(a)) & set(buckets(b)))


@pytest.mark.parametrize("seed", range(4))
def test_another_gain_encoder_rate_and_cut_are_the_same_audio(seed: int) -> None:
    original = babble(5.0, seed)
    copy = soxr.resample(through_mp3(0.3 * original, RATE), RATE, 22_050)[round(0.037 * 22_050) : -round(0.3 * 22_050)]
    a, b = fingerprint(original, RATE), fingerprint(copy, 22_050)
    assert similarity(a, b) > SAME_SHARE + 0.1
    assert same_audio(a, b)
    assert same_audio(b, a)
    assert share_a_bucket(a, b)


def test_a_part_is_the_same_audio() -> None:
    original = babble(8.0, 1)
    part = fingerprint(original[round(2.5 * RATE) : round(5.0 * RATE)], RATE)
    assert same_audio(fingerprint(original, RATE), part)


def test_an_advertisement_between_other_words_is_found_only_if_it_is_half_of_a_clip() -> None:
    advertisement = babble(4.0, 2)
    episodes = [np.concatenate([babble(seconds, seed), advertisement]) for seconds, seed in ((3.0, 3), (2.0, 4))]
    assert same_audio(*(fingerprint(episode, RATE) for episode in episodes))
    drowned = np.concatenate([babble(9.0, 5), advertisement[:RATE]])
    assert not same_audio(fingerprint(drowned, RATE), fingerprint(episodes[0], RATE))


def test_other_audio_is_not_the_same_and_seldom_in_one_bucket() -> None:
    prints = [fingerprint(babble(5.0, seed), RATE) for seed in range(20)]
    pairs = list(combinations(prints, 2))
    assert max(similarity(a, b) for a, b in pairs) < SAME_SHARE / 2
    assert np.mean([share_a_bucket(a, b) for a, b in pairs]) < 0.05


def test_silence_noise_and_next_to_nothing_match_nothing() -> None:
    silent = fingerprint(np.zeros(RATE * 2, np.float32), RATE)
    hiss = [fingerprint(noise(3.0, -60, seed), RATE) for seed in range(3)]
    assert fingerprint(np.zeros(100, np.float32), RATE) == ""
    assert not same_audio("", "")
    assert not same_audio(silent, silent)
    assert not any(same_audio(a, b) for a, b in combinations(hiss, 2))


def test_it_is_compact_plain_text_and_always_the_same() -> None:
    samples = babble(6.0, 9)
    text = fingerprint(samples, RATE)
    assert text == fingerprint(samples.copy(), RATE)
    assert set(text) <= set("0123456789abcdef")
    assert len(text) % 12 == 0
    assert len(text) < 120 * 6
    assert buckets(text) == buckets(text)
    assert len(buckets(text)) < 40 * 6


def test_real_readers(recordings: Path) -> None:
    paths = sorted((recordings / "ljspeech" / "wavs").glob("*.wav"))[:10]
    paths += sorted((recordings / "guests").glob("*.flac"))[:6]
    originals, copies = [], []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        originals.append(fingerprint(samples, rate))
        again = through_mp3(soxr.resample(samples, rate, 44_100), 44_100)
        copies.append(fingerprint(again[round(0.037 * 44_100) : -round(0.3 * 44_100)], 44_100))
    assert all(same_audio(a, b) for a, b in zip(originals, copies, strict=True))
    assert np.mean([share_a_bucket(a, b) for a, b in zip(originals, copies, strict=True)]) > 0.95
    others = [(a, b) for i, a in enumerate(originals) for j, b in enumerate(copies) if i != j]
    assert not any(same_audio(a, b) for a, b in others)


def test_the_same_words_at_another_pace_are_another_reading(recordings: Path) -> None:
    import librosa

    for path in sorted((recordings / "ljspeech" / "wavs").glob("*.wav"))[:3]:
        samples, rate = soundfile.read(path, dtype="float32")
        slower = librosa.effects.time_stretch(samples, rate=0.93)
        assert not same_audio(fingerprint(samples, rate), fingerprint(slower, rate))

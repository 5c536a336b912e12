"""DNSMOS: the reference implementation's scores for the same window, and sense in what it says."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from transforms.models.base import MODEL_RATE
from transforms.models.dnsmos import Dnsmos, scored_window


def test_a_short_clip_is_repeated_and_a_long_one_heard_in_its_middle() -> None:
    short = np.arange(1, 50_001, dtype=np.float32)
    window = scored_window(short)
    assert window.shape == (144_160,)
    assert np.array_equal(window[:50_000], short)
    assert np.array_equal(window[50_000:100_000], short)
    long = np.arange(200_000, dtype=np.float32)
    assert scored_window(long)[0] == (200_000 - 144_160) // 2
    assert np.array_equal(scored_window(long[:144_160]), long[:144_160])
    assert not scored_window(long[:0]).any()


def test_scores_are_the_reference_implementations(recordings: Path) -> None:
    from speechmos import dnsmos as reference

    folder = Path(reference.__file__).parent / "dnsmos_models"
    theirs = reference.DNSMOS(str(folder / "sig_bak_ovr.onnx"), str(folder / "model_v8.onnx"))
    # P.808, which is not asked for, would cost 20 s of compiling librosa's filters.
    theirs.audio_melspec = lambda audio: np.zeros((900, 120))
    ours = Dnsmos()
    for path in sorted((recordings / "ljspeech" / "wavs").glob("*.wav"))[:2]:
        samples, rate = soundfile.read(path, dtype="float32")
        samples = soxr.resample(samples, rate, MODEL_RATE).clip(-1, 1)
        expected = theirs(scored_window(samples), MODEL_RATE, False)
        quality = ours.score(samples)
        assert quality.overall == pytest.approx(expected["ovrl_mos"], abs=1e-4)
        assert quality.signal == pytest.approx(expected["sig_mos"], abs=1e-4)
        assert quality.background == pytest.approx(expected["bak_mos"], abs=1e-4)


def test_noise_makes_the_background_worse(recordings: Path) -> None:
    samples, rate = soundfile.read(
        next(iter(sorted((recordings / "ljspeech" / "wavs").glob("*.wav")))), dtype="float32"
    )
    samples = soxr.resample(samples, rate, MODEL_RATE)
    hiss = np.random.default_rng(0).normal(0, np.sqrt(np.mean(samples**2)) / 3, len(samples)).astype(np.float32)
    scorer = Dnsmos()
    clean, noisy = scorer.score(samples), scorer.score(samples + hiss)
    assert clean.background > noisy.background + 1.0
    assert clean.overall > noisy.overall


def test_silence_and_nothing_have_a_score_and_a_worker_can_be_sent_one() -> None:
    scorer = Dnsmos()
    before = scorer.score(np.zeros(0, np.float32))
    assert 0.0 < before.overall < 5.5
    sent = pickle.loads(pickle.dumps(scorer))
    assert sent.identity == scorer.identity
    assert sent.score(np.zeros(0, np.float32)) == before

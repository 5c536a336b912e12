"""A voice as ONNX gives what torch gives, at every length, and speaks without torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_voice import ACOUSTIC, write_small_voice

from schemas.errors import ConfigurationError, RealtalkError
from tts.models.presets import AcousticSettings
from tts.models.vocoder import InverseStft
from tts.onnx.export import export_voice
from tts.onnx.graphs import AcousticGraph, RealInverseStft, whole_durations
from tts.onnx.voice import OnnxVoice, load_onnx_voice, noise, samples_of, spectrogram
from tts.phones import ARPABET, Symbols, symbols_of
from tts.voice import Voice, load_voice

REFINED = AcousticSettings(
    width=32, encoder_blocks=1, decoder_blocks=1, heads=2, refiner_width=32, refiner_blocks=1, refiner_steps=2
)
WORDS = (1, 2, 13, 60)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=[ACOUSTIC, REFINED], ids=["plain", "attention and refiner"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Voice, OnnxVoice]:
    folder = tmp_path_factory.mktemp("onnx")
    voice = load_voice(write_small_voice(folder / "voice", acoustic=request.param))
    export_voice(voice, folder / "onnx")
    return voice, load_onnx_voice(folder / "onnx")


def sentence(words: int, seed: int = 0) -> Symbols:
    drawn = np.random.default_rng(seed)
    return symbols_of(
        ("word," if number % 5 == 4 else "word.", drawn.choice(ARPABET, drawn.integers(1, 6)).tolist())
        for number in range(words)
    )


def by_torch(voice: Voice, symbols: Symbols, rate: float, pitch: float, seed: int) -> np.ndarray:
    given = [torch.from_numpy(one)[None] for one in (symbols.ids, symbols.marks, symbols.places)]
    shift = torch.tensor([pitch / 12 * np.log(2) / voice.facts.norms.pitch_deviation], dtype=torch.float32)
    drawn = torch.from_numpy(noise(voice.facts.features.mels, 40 * len(symbols), seed))
    with torch.inference_mode():
        mel, durations = AcousticGraph(voice.acoustic)(*given, torch.tensor([rate]), shift, drawn)
    assert durations.sum() == mel.shape[2]
    return np.asarray(mel[0].numpy())


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("rate", "pitch"), [(1.0, 0.0), (0.5, 4.0), (1.7, -3.0)])
def test_the_spectrogram_is_that_of_torch(both: tuple[Voice, OnnxVoice], words: int, rate: float, pitch: float) -> None:
    voice, exported = both
    symbols = sentence(words)
    expected = by_torch(voice, symbols, rate, pitch, seed=3)
    found = spectrogram(exported, symbols, rate, pitch, seed=3)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-3


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 64, 500])
def test_the_samples_are_those_of_torch(both: tuple[Voice, OnnxVoice], frames: int) -> None:
    voice, exported = both
    mel = np.random.default_rng(frames).normal(-6, 2, (80, frames)).astype(np.float32)
    with torch.inference_mode():
        expected = voice.vocoder(torch.from_numpy(mel)[None])[0].numpy()
    found = samples_of(exported, mel)
    assert found.shape == expected.shape == (frames * 256,)
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_only_a_refiner_hears_the_seed(both: tuple[Voice, OnnxVoice]) -> None:
    voice, exported = both
    symbols = sentence(5)
    first, same, other = (spectrogram(exported, symbols, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert np.array_equal(first, other) == (voice.acoustic.refiner is None)


def test_slow_speech_gets_all_the_noise_it_needs(
    both: tuple[Voice, OnnxVoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    voice, exported = both
    expected = spectrogram(exported, sentence(6), rate=0.5, seed=3)
    monkeypatch.setattr("tts.onnx.voice._NOISE_FRAMES_A_SYMBOL", 1)
    found = spectrogram(exported, sentence(6), rate=0.5, seed=3)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("n_fft", "hop", "frames"), [(1024, 256, 1), (1024, 256, 9), (64, 16, 40), (512, 256, 5)])
def test_the_inverse_stft_needs_no_complex_numbers(n_fft: int, hop: int, frames: int) -> None:
    torch.manual_seed(1)
    inverse = InverseStft(n_fft, hop)
    real, imaginary = torch.randn(2, 2, n_fft // 2 + 1, frames)
    torch.testing.assert_close(
        RealInverseStft(inverse)(real, imaginary), inverse(real, imaginary), atol=1e-4, rtol=1e-4
    )


def test_whole_durations_keep_the_sum() -> None:
    frames = torch.rand(2, 300) * 8
    whole = whole_durations(frames)
    assert (whole >= 0).all()
    assert (torch.cumsum(whole, 1) - torch.cumsum(frames.double(), 1)).abs().max() <= 0.5


def test_speaking_loads_no_torch(both: tuple[Voice, OnnxVoice]) -> None:
    code = (
        "import sys\n"
        "from tts.onnx.voice import load_onnx_voice, samples_of, spectrogram\n"
        "from tts.phones import symbols_of\n"
        f"voice = load_onnx_voice({str(both[1].folder)!r})\n"
        "mel = spectrogram(voice, symbols_of([('Hello.', ['HH', 'AH', 'L', 'OW'])]))\n"
        "print(len(samples_of(voice, mel)) == 256 * mel.shape[1], sorted({'torch', 'onnx'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split("\n")[0] == "True []"


def test_the_files_say_whose_voice_it_is(both: tuple[Voice, OnnxVoice]) -> None:
    import onnx

    voice, exported = both
    assert exported.facts.origin["consent_id"] == voice.facts.origin.consent_id
    for name in ("acoustic.onnx", "vocoder.onnx"):
        told = {one.key: one.value for one in onnx.load(exported.folder / name).metadata_props}
        assert json.loads(told["realtalk.voice"])["origin"]["speaker"] == "Reader"


def test_a_trained_voice_is_not_written_over(both: tuple[Voice, OnnxVoice]) -> None:
    voice, _ = both
    with pytest.raises(ConfigurationError, match="a trained voice is there; name another folder"):
        export_voice(voice, voice.folder)
    assert load_voice(voice.folder).facts == voice.facts


def test_what_is_missing_or_damaged_is_named(both: tuple[Voice, OnnxVoice], tmp_path: Path) -> None:
    voice, exported = both
    with pytest.raises(RealtalkError, match="no voice is here, voice.json is missing; write one by realtalk onnx"):
        load_onnx_voice(tmp_path)
    with pytest.raises(RealtalkError, match="is not of a voice written as ONNX"):
        load_onnx_voice(voice.folder)
    (tmp_path / "voice.json").write_bytes((exported.folder / "voice.json").read_bytes())
    with pytest.raises(RealtalkError, match="acoustic.onnx: is missing"):
        load_onnx_voice(tmp_path)
    (tmp_path / "acoustic.onnx").write_bytes((exported.folder / "acoustic.onnx").read_bytes()[:1000])
    with pytest.raises(RealtalkError, match="acoustic.onnx: is damaged"):
        load_onnx_voice(tmp_path)

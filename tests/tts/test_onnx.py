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
from tts import synthesis
from tts import utterance as by_torch
from tts.frontend.script import PLAIN, Manner, SaidWord, Sentence
from tts.frontend.text import FrontEnd
from tts.models.presets import AcousticSettings
from tts.models.vocoder import InverseStft
from tts.onnx.export import export_voice
from tts.onnx.graphs import RealInverseStft, timing
from tts.onnx.voice import OnnxVoice, load_onnx_voice, samples_of, speak, utterance_of
from tts.phones import ARPABET
from tts.timing import timing_of
from tts.voice import Voice, load_voice

TEXT = "The kettle is on. The letters of the morning are on the table, as they are on every day.\n\nNobody minds."
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


@pytest.fixture(scope="module")
def front_end() -> FrontEnd:
    return FrontEnd()


def sentence(words: int, seed: int = 0, manner: Manner = PLAIN) -> Sentence:
    drawn = np.random.default_rng(seed)
    return Sentence(
        tuple(
            SaidWord("word," if number % 5 == 4 else "word", tuple(drawn.choice(ARPABET, drawn.integers(1, 6))), manner)
            for number in range(words)
        )
    )


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("manner", [PLAIN, Manner(0.5, 4.0), Manner(1.7, -3.0), Manner(4.0)])
def test_the_spectrogram_and_its_timing_are_those_of_torch(
    both: tuple[Voice, OnnxVoice], words: int, manner: Manner
) -> None:
    voice, exported = both
    said = sentence(words, seed=words, manner=Manner(1.1, 1.0))
    expected = by_torch.utterance_of(voice, said, manner, seed=3)
    found = utterance_of(exported, said, manner, seed=3)
    np.testing.assert_array_equal(found.timing.durations, expected.timing.durations)
    assert found.timing.lead == pytest.approx(expected.timing.lead, rel=1e-4)
    assert found.timing.tail == pytest.approx(expected.timing.tail, rel=1e-4)
    frames = expected.spectrogram.frames
    with torch.inference_mode():
        mel = expected.spectrogram.until(frames)[0].numpy()
    assert found.mel.shape == mel.shape
    assert np.abs(found.mel - mel).max() < 1e-3


@pytest.mark.parametrize("manner", [{}, {"rate": 0.6, "pitch": -2.0, "volume": -3.0}], ids=["plain", "changed"])
def test_it_says_what_torch_says(both: tuple[Voice, OnnxVoice], front_end: FrontEnd, manner: dict[str, float]) -> None:
    voice, exported = both
    given = {"seed": 5, "front_end": front_end, **manner}
    expected = np.concatenate(list(synthesis.speak(voice, TEXT, **given)))  # type: ignore[arg-type]
    found = np.concatenate(list(speak(exported, TEXT, **given)))  # type: ignore[arg-type]
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_pieces_joined_are_the_whole(both: tuple[Voice, OnnxVoice]) -> None:
    exported = both[1]
    laid_out = utterance_of(exported, sentence(20))
    frames = laid_out.mel.shape[1]
    joined = [samples_of(exported, laid_out, start, min(start + 37, frames)) for start in range(0, frames, 37)]
    whole = samples_of(exported, laid_out, 0, frames)
    assert np.abs(np.concatenate(joined) - whole).max() < 1e-5


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 64, 500])
def test_the_samples_are_those_of_torch(both: tuple[Voice, OnnxVoice], frames: int) -> None:
    voice, exported = both
    mel = np.random.default_rng(frames).normal(-6, 2, (80, frames)).astype(np.float32)
    with torch.inference_mode():
        expected = voice.vocoder(torch.from_numpy(mel)[None])[0].numpy()
    found = exported.vocoder.run(["samples"], {"mel": mel[None]})[0][0]
    assert found.shape == expected.shape == (frames * 256,)
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_only_a_refiner_hears_the_seed(both: tuple[Voice, OnnxVoice]) -> None:
    voice, exported = both
    first, same, other = (utterance_of(exported, sentence(5), seed=seed).mel for seed in (1, 1, 2))
    assert np.array_equal(first, same)
    assert np.array_equal(first, other) == (voice.acoustic.refiner is None)


def test_slow_speech_gets_all_the_noise_it_needs(
    both: tuple[Voice, OnnxVoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = both[1]
    expected = utterance_of(exported, sentence(6), Manner(0.5), seed=3).mel
    monkeypatch.setattr("tts.onnx.voice._NOISE_FRAMES_A_SYMBOL", 1)
    np.testing.assert_array_equal(utterance_of(exported, sentence(6), Manner(0.5), seed=3).mel, expected)


@pytest.mark.parametrize(("n_fft", "hop", "frames"), [(1024, 256, 1), (1024, 256, 9), (64, 16, 40), (512, 256, 5)])
def test_the_inverse_stft_needs_no_complex_numbers(n_fft: int, hop: int, frames: int) -> None:
    torch.manual_seed(1)
    inverse = InverseStft(n_fft, hop)
    real, imaginary = torch.randn(2, 2, n_fft // 2 + 1, frames)
    torch.testing.assert_close(
        RealInverseStft(inverse)(real, imaginary), inverse(real, imaginary), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_graph_times_symbols_as_speaking_does(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    symbols = sentence(30, seed).symbols()
    # Halves show whether both round the same way.
    frames = drawn.integers(0, 20, len(symbols)).astype(np.float32) / 2
    rates = drawn.choice(np.array([0.5, 1.0, 2.0], np.float32), len(symbols))
    expected = timing_of(symbols, frames, rates)
    given = (torch.from_numpy(one)[None] for one in (symbols.ids, frames, rates))
    durations, edges = timing(*given)
    np.testing.assert_array_equal(durations[0].numpy(), expected.durations)
    assert edges.tolist() == [expected.lead, expected.tail]


def test_speaking_loads_no_torch(both: tuple[Voice, OnnxVoice]) -> None:
    code = (
        "import sys\n"
        "from tts.onnx.voice import load_onnx_voice, speak\n"
        f"pieces = list(speak(load_onnx_voice({str(both[1].folder)!r}), 'Hello. It speaks.'))\n"
        "print(len(pieces) > 1, sorted({'torch', 'onnx', 'pydantic'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split("\n")[0] == "True []"


def test_the_files_say_whose_voice_it_is(both: tuple[Voice, OnnxVoice]) -> None:
    import onnx

    voice, exported = both
    assert exported.facts.origin == voice.facts.origin
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
    with pytest.raises(RealtalkError, match=r"no voice is here, voice\.json is missing; write one by realtalk onnx"):
        load_onnx_voice(tmp_path)
    with pytest.raises(RealtalkError, match="is not of a voice written as ONNX"):
        load_onnx_voice(voice.folder)
    (tmp_path / "voice.json").write_bytes((exported.folder / "voice.json").read_bytes())
    with pytest.raises(RealtalkError, match=r"acoustic\.onnx: is missing"):
        load_onnx_voice(tmp_path)
    (tmp_path / "acoustic.onnx").write_bytes((exported.folder / "acoustic.onnx").read_bytes()[:1000])
    with pytest.raises(RealtalkError, match=r"acoustic\.onnx: is damaged"):
        load_onnx_voice(tmp_path)

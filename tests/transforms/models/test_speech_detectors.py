"""The two detectors: their contract, what they say of noise, what they are called, and what they refuse."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from schemas.errors import ConfigurationError
from transforms.models.base import MODEL_RATE, Samples, SpeechDetector
from transforms.models.frames import whole_frames
from transforms.models.silero import SileroDetector
from transforms.models.webrtc import WebRtcDetector

ROOT = Path(__file__).resolve().parents[3]
DETECTORS: list[SpeechDetector] = [WebRtcDetector(), WebRtcDetector(3, 30), SileroDetector()]
IDS = ["webrtc", "webrtc-3-30ms", "silero"]


@pytest.fixture(scope="module")
def speech(recordings: Path) -> Samples:
    """Some 20 s of a real reader."""
    files = sorted((recordings / "guests").glob("*.flac"))[:2]
    return np.concatenate([soundfile.read(file, dtype="float32")[0] for file in files])


@pytest.mark.parametrize("detector", DETECTORS, ids=IDS)
def test_one_probability_a_whole_frame(detector: SpeechDetector) -> None:
    frame = round(detector.frame_seconds * MODEL_RATE)
    assert frame == detector.frame_seconds * MODEL_RATE
    noise = np.random.default_rng(0).normal(0, 0.01, 10 * frame + frame - 1).astype(np.float32)
    for count in (0, frame - 1, frame, 10 * frame, 11 * frame - 1):
        found = detector.probabilities(noise[:count])
        assert found.dtype == np.float32
        assert found.shape == (count // frame,)
        assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("detector", DETECTORS, ids=IDS)
def test_a_call_starts_afresh_and_repeats_itself(detector: SpeechDetector, speech: Samples) -> None:
    first = detector.probabilities(speech)
    assert np.array_equal(detector.probabilities(speech), first)
    assert first.mean() > 0.5


@pytest.mark.parametrize("detector", DETECTORS, ids=IDS)
@pytest.mark.parametrize("block", [100, 512, 4_800, 77_777])
def test_a_stream_carries_its_state_from_block_to_block(detector: SpeechDetector, block: int, speech: Samples) -> None:
    samples = speech[: 8 * MODEL_RATE] if block < 512 else speech
    blocks = (samples[start : start + block] for start in range(0, len(samples), block))
    streamed = np.concatenate(list(detector.stream(blocks)))
    assert np.abs(streamed - detector.probabilities(samples)).max() < 1e-4


@pytest.mark.parametrize("detector", DETECTORS, ids=IDS)
def test_quiet_noise_and_silence_are_no_speech(detector: SpeechDetector) -> None:
    noise = np.random.default_rng(0).normal(0, 10 ** (-60 / 20), 5 * MODEL_RATE).astype(np.float32)
    assert detector.probabilities(noise)[50:].mean() < 0.05
    assert detector.probabilities(np.zeros(5 * MODEL_RATE, np.float32))[50:].mean() < 0.05


def test_silero_rejects_music(recordings: Path) -> None:
    music, rate = soundfile.read(recordings / "music" / "vibe_ace.ogg", frames=44_100 * 12)
    mono = music.mean(axis=1) if music.ndim == 2 else music
    resampled = np.interp(np.arange(0, len(mono), rate / MODEL_RATE), np.arange(len(mono)), mono).astype(np.float32)
    assert (SileroDetector().probabilities(resampled) > 0.5).mean() < 0.3


def test_silero_is_what_its_own_package_computes(speech: Samples, tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from silero_vad import load_silero_vad; "
        "model = load_silero_vad(sequence=True); np.save(sys.argv[2], model.audio_forward(np.load(sys.argv[1])))"
    )
    np.save(tmp_path / "in.npy", speech)
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "in.npy", tmp_path / "out.npy"], check=True, capture_output=True
    )
    theirs = np.load(tmp_path / "out.npy")
    ours = SileroDetector().probabilities(speech)
    assert np.abs(ours - theirs[: len(ours)]).max() < 1e-5


def test_silero_runs_without_torch() -> None:
    code = (
        "import sys, numpy as np; from transforms.models.silero import SileroDetector; "
        "SileroDetector().probabilities(np.zeros(16_000, np.float32)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_loud_samples_do_not_wrap_around() -> None:
    loud = 3.0 * np.sin(2 * np.pi * 200 * np.arange(MODEL_RATE) / MODEL_RATE).astype(np.float32)
    clipped = np.clip(loud, -1.0, 1.0)
    detector = WebRtcDetector()
    assert np.array_equal(detector.probabilities(loud), detector.probabilities(clipped))


def test_a_detectors_name_tells_what_changes_its_answers(tmp_path: Path) -> None:
    assert WebRtcDetector().identity == "webrtcvad-2.0.10:aggressiveness=2+3,frame=20ms"
    assert len({WebRtcDetector(level).identity for level in range(4)} | {WebRtcDetector(3, 30).identity}) == 5
    copy = tmp_path / "other.onnx"
    copy.write_bytes(b"other weights")
    assert SileroDetector().identity.startswith("silero-vad:")
    assert SileroDetector(copy).identity != SileroDetector().identity


@pytest.mark.parametrize("wrong", [4, -1, (), (2, 7)])
def test_an_unknown_aggressiveness_is_a_mistake_in_the_configuration(wrong: int | tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="aggressiveness"):
        WebRtcDetector(wrong)


def test_other_mistakes_in_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="10, 20 or 30"):
        WebRtcDetector(3, 25)
    with pytest.raises(ConfigurationError, match="nowhere"):
        SileroDetector(tmp_path / "nowhere.onnx")


def test_frames_come_whole_and_in_order() -> None:
    blocks = [np.arange(start, end, dtype=np.float32) for start, end in ((0, 3), (3, 4), (4, 11), (11, 11), (11, 14))]
    frames = list(whole_frames(blocks, 4))
    assert np.concatenate(frames).tolist() == np.arange(12).reshape(3, 4).tolist()
    assert list(whole_frames([], 4)) == []

"""pyannote.audio itself, on pipelines in its real file format; `make test-pyannote` makes an environment for it."""

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("pyannote.audio", reason="pyannote.audio is not installed: make test-pyannote")

from pyannote_folder import make_band_folder, make_untrained_folder

from schemas.errors import ConfigurationError
from schemas.recording import Recording
from transforms.diarize_pieces import PieceSettings, diarize_pieces
from transforms.models import pyannote_pipeline
from transforms.models.base import MODEL_RATE
from transforms.models.pyannote_diarizer import PyannoteDiarizer
from transforms.models.pyannote_embedder import PyannoteEmbedder
from transforms.models.pyannote_pipeline import PyannotePipeline
from transforms.models.pyannote_speech import PyannoteDetector
from transforms.models.voice_scale import PYANNOTE_SCALE
from transforms.windows import load_windows

# Voice, start, end (s): three take turns, two of them at once for two seconds.
TALK = [(0, 1.0, 12.0), (1, 12.5, 24.0), (2, 25.0, 38.0), (0, 36.0, 48.0), (1, 49.0, 60.0), (2, 61.0, 74.0)]
SECONDS = 76.0


@pytest.fixture(scope="session")
def bands(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_band_folder(tmp_path_factory.mktemp("pipelines") / "bands"))


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_untrained_folder(tmp_path_factory.mktemp("pipelines") / "untrained"))


def talk() -> np.ndarray:
    from band_models import TONES

    samples = np.random.default_rng(1).normal(0, 1e-4, round(SECONDS * MODEL_RATE))
    for voice, start, end in TALK:
        times = np.arange(round(start * MODEL_RATE), round(end * MODEL_RATE))
        samples[times] += 0.2 * np.sin(2 * np.pi * TONES[voice] * times / MODEL_RATE)
    return samples.astype(np.float32)


def test_an_untrained_pipeline_gives_turns_in_order_and_inside_of_the_recording(untrained: str) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 23 * MODEL_RATE).astype(np.float32)
    found = PyannoteDiarizer(untrained, "cpu").segment(noise)
    assert found.turns
    assert list(found.turns) == sorted(found.turns)
    assert all(0 <= start < end <= 23.0 for start, end, _ in found.turns)
    assert {voice for _, _, voice in found.turns} == set(range(len(found.centroids)))
    assert found.centroids.shape[1] == 32
    lengths = np.linalg.norm(found.centroids, axis=1)
    # A voice that the clusters do not know has no centroid.
    assert np.all(np.isclose(lengths, 1.0, atol=1e-5) | (lengths == 0))


def test_turns_overlaps_and_voices_are_those_of_the_talk(bands: str) -> None:
    found = PyannoteDiarizer(bands, "cpu").segment(talk())
    assert len(found.centroids) == 3
    assert len(found.turns) == len(TALK)
    for (start, end, _), (_, begun, ended) in zip(found.turns, TALK, strict=True):
        assert (start, end) == pytest.approx((begun, ended), abs=0.15)
    heard = [voice for _, _, voice in found.turns]
    assert heard[0] == heard[3]
    assert heard[1] == heard[4]
    assert heard[2] == heard[5]
    assert len(found.overlaps) == 1
    assert (found.overlaps[0].start, found.overlaps[0].end) == pytest.approx((36.0, 38.0), abs=0.15)
    alike = found.centroids @ found.centroids.T
    assert np.allclose(np.diag(alike), 1.0, atol=1e-5)


def test_silence_is_nobody(bands: str) -> None:
    found = PyannoteDiarizer(bands, "cpu").segment(np.zeros(3 * MODEL_RATE, np.float32))
    assert (found.turns, found.overlaps, found.centroids.shape) == ((), (), (0, 32))


def test_pieces_give_the_same_speakers_as_the_whole(bands: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "talk.flac", talk(), MODEL_RATE, subtype="PCM_16")
    recording = Recording(str(tmp_path / "talk.flac"), "0" * 64, SECONDS, MODEL_RATE, MODEL_RATE, 1)
    segmenter = PyannoteDiarizer(bands, "cpu")
    settings = PieceSettings(PYANNOTE_SCALE.linked)
    whole = diarize_pieces(recording, segmenter, settings, tmp_path / "whole.npz")
    in_pieces = replace(settings, piece=30.0, shared=8.0)
    pieces = diarize_pieces(recording, segmenter, in_pieces, tmp_path / "pieces.npz")
    assert [turn.speaker for turn in pieces.turns] == [turn.speaker for turn in whole.turns]
    assert len(pieces.clusters) == len(whole.clusters) == 3
    for one, other in zip(pieces.turns, whole.turns, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=0.1)
    for one, other in zip(pieces.clusters, whole.clusters, strict=True):
        assert np.dot(one.centroid, other.centroid) > 0.99
    assert load_windows(pieces.windows_path).embedding.shape[1] == 32


def test_the_embedder_gives_unit_rows_whatever_the_batch(untrained: str) -> None:
    embedder = pickle.loads(pickle.dumps(PyannoteEmbedder(untrained, "cpu")))
    windows = np.random.default_rng(1).normal(0, 0.1, (35, 25_600)).astype(np.float32)
    found = embedder.embed(windows)
    assert found.shape == (35, embedder.dimension)
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    assert np.allclose(embedder.embed(windows[34:]), found[34:], atol=1e-4)
    assert embedder.embed(windows[:0]).shape == (0, 32)


def test_the_detector_hears_speech_where_it_is_and_blocks_change_nothing(bands: str) -> None:
    detector = PyannoteDetector(bands, "cpu")
    samples = talk()
    found = detector.probabilities(samples)
    assert found.shape == (len(samples) // 320,)
    middles = (np.arange(len(found)) + 0.5) * detector.frame_seconds
    truth = np.zeros(len(found), bool)
    for _, start, end in TALK:
        truth |= (middles > start) & (middles < end)
    assert np.mean((found > 0.5) == truth) > 0.99
    blocks = [samples[:32_000], samples[32_000:640_000], samples[640_000:]]
    assert np.allclose(np.concatenate(list(detector.stream(blocks))), found, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.0, 0.03, 4.0, 10.0, 15.01])
def test_the_detector_takes_recordings_of_any_length(bands: str, seconds: float) -> None:
    samples = np.zeros(round(seconds * MODEL_RATE), np.float32)
    assert PyannoteDetector(bands, "cpu").probabilities(samples).shape == (len(samples) // 320,)


def test_nothing_is_told_to_anybody(bands: str) -> None:
    assert PyannotePipeline(bands, "cpu").loaded
    from pyannote.audio.telemetry.metrics import is_metrics_enabled

    assert os.environ["PYANNOTE_METRICS_ENABLED"] == "0"
    assert not is_metrics_enabled()


def test_one_pipeline_is_loaded_for_all_that_share_it(bands: str) -> None:
    assert PyannotePipeline(bands, "cpu").loaded is PyannoteDiarizer(bands, "cpu")._pipeline.loaded


@pytest.mark.parametrize("name", ["segmentation/pytorch_model.bin", "embedding/pytorch_model.bin", "plda/plda.npz"])
@pytest.mark.parametrize("damage", [b"no weights", None])
def test_damaged_or_missing_weights_are_one_line(
    untrained: str, tmp_path: Path, name: str, damage: bytes | None
) -> None:
    folder = Path(shutil.copytree(untrained, tmp_path / "pipeline"))
    (folder / name).unlink()
    if damage is not None:
        (folder / name).write_bytes(damage)
    with pytest.raises(ConfigurationError, match=r"fetch the pipeline's folder again") as raised:
        assert PyannotePipeline(str(folder), "cpu").loaded
    assert "\n" not in str(raised.value)
    assert str(folder) in str(raised.value)


def test_a_folder_that_is_another_pipeline_is_told(untrained: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(untrained, tmp_path / "pipeline"))
    (folder / "config.yaml").write_text(
        "pipeline:\n  name: pyannote.audio.pipelines.VoiceActivityDetection\n"
        "  params: {segmentation: $model/segmentation}\n"
    )
    with pytest.raises(ConfigurationError, match="is no pipeline that tells speakers apart"):
        assert PyannotePipeline(str(folder), "cpu").loaded


def test_a_gpu_that_is_not_there_is_told(bands: str) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ConfigurationError, match="torch sees no GPU"):
        assert PyannotePipeline(bands, "cuda").loaded


def test_a_hub_out_of_reach_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    def unreachable(*_: object, **__: object) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("cannot find the requested files\nand more")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    with pytest.raises(ConfigurationError, match=r"check the network") as raised:
        assert PyannotePipeline().identity
    assert "\n" not in str(raised.value)


def test_the_revision_in_the_cache_is_part_of_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    cached = "/cache/models--pyannote--x/snapshots/0123abcd/config.yaml"
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: cached)
    assert PyannotePipeline("pyannote/x").identity.endswith(":pyannote/x@0123abcd")


def test_memory_that_ends_while_loading_is_one_line(untrained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyannote.audio import Pipeline

    def too_large(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 20 MiB\nmore")

    pyannote_pipeline._load.cache_clear()
    monkeypatch.setattr(Pipeline, "from_pretrained", too_large)
    with pytest.raises(ConfigurationError, match="not enough memory to load"):
        assert PyannotePipeline(untrained, "cpu").loaded

"""A whole build with pyannote.audio as detector and diarizer, on a talk of three voices that are tones."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

pytest.importorskip("pyannote.audio", reason="pyannote.audio is not installed: make test-pyannote")

from band_models import TONES
from pyannote_folder import make_band_folder

from pipeline.build import run_build
from pipeline.config import Config, load_config
from pipeline.reselect import current_configuration
from pipeline.result import BuildResult
from transforms.models.base import MODEL_RATE
from transforms.models.voice_scale import PYANNOTE_SCALE

# Voice, start, end (s); the third speaks most.
TALK = [(0, 1.0, 12.0), (1, 12.5, 24.0), (2, 25.0, 40.0), (0, 41.0, 50.0), (2, 51.0, 66.0)]
SECONDS = 68.0


def talk() -> np.ndarray:
    samples = np.random.default_rng(1).normal(0, 1e-4, round(SECONDS * MODEL_RATE))
    for voice, start, end in TALK:
        times = np.arange(round(start * MODEL_RATE), round(end * MODEL_RATE))
        samples[times] += 0.2 * np.sin(2 * np.pi * TONES[voice] * times / MODEL_RATE)
    return samples.astype(np.float32)


def config_of(folder: Path) -> Config:
    path = folder / "dataset.yaml"
    path.write_text(
        "name: talk\noutput: ./dataset\nsources: [{files: ./talk.flac}]\nspeaker: {name: Ada Example, auto: true}\n"
        "models: {speech: 'pyannote:./bands', diarizer: 'pyannote:./bands', device: cpu}\n"
    )
    return load_config(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pyannote")
    make_band_folder(folder / "bands")
    soundfile.write(folder / "talk.flac", talk(), MODEL_RATE)
    return folder


@pytest.fixture(scope="module")
def built(folder: Path) -> BuildResult:
    return run_build(config_of(folder))


def test_turns_are_those_of_the_talk_and_the_target_is_who_speaks_most(built: BuildResult) -> None:
    turns = pq.read_table(f"{built.output}/turns").to_pylist()
    assert [(turn["start"], turn["end"]) for turn in turns] == [
        (pytest.approx(start, abs=0.2), pytest.approx(end, abs=0.2)) for _, start, end in TALK
    ]
    assert [turn["is_target"] for turn in turns] == [voice == 2 for voice, _, _ in TALK]
    speakers = [turn["speaker"] for turn in turns]
    assert speakers[0] == speakers[3] != speakers[1]
    assert speakers[2] == speakers[4]


def test_no_stage_failed_and_the_models_are_named(built: BuildResult) -> None:
    (row,) = pq.read_table(f"{built.output}/episodes").to_pylist()
    assert not row["error"]
    assert row["target_seconds"] == pytest.approx(30.0, abs=0.5)
    assert "pyannote-" in built.manifest.models["diarizer"]
    assert "pyannote-" in built.manifest.models["speech"]


def test_the_dataset_says_the_limit_of_the_embedder_that_it_was_made_with(built: BuildResult) -> None:
    assert current_configuration(built.output).selection.thresholds.speaker_similarity == PYANNOTE_SCALE.gate_default


def test_a_second_build_does_nothing(built: BuildResult, folder: Path) -> None:
    assert run_build(config_of(folder)).unchanged

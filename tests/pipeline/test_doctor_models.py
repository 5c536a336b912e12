"""What doctor and plan say of the neural models that a configuration names."""

import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from pipeline.config import Config, parse_config
from pipeline.config_sections import Models
from pipeline.doctor import WORKER_BYTES, Check, Status
from pipeline.doctor_models import check_models, check_pyannote, check_whisper, worker_bytes
from pipeline.plan_models import Left, neural_seconds, planned_models, seconds_an_hour
from transforms.models.choice import ModelChoice

HAS_WHISPER = importlib.util.find_spec("whisper") is not None
needs_whisper = pytest.mark.skipif(not HAS_WHISPER, reason="openai-whisper (the extra whisper) is not installed")


def configuration(models: str) -> Config:
    text = "name: x\nsources: [{files: a.mp3}]\nspeaker: {name: Host, auto: true}\n"
    return parse_config(f"{text}models: {models}\n", "dataset.yaml", ())


def statuses(models: str) -> dict[str, Status]:
    return {check.name: check.status for check in check_models(configuration(models))}


def test_the_embedded_models_have_no_checks_of_their_own() -> None:
    assert list(check_models(configuration("embedded"))) == []
    assert worker_bytes(configuration("embedded")) == WORKER_BYTES


def test_neural_models_want_more_memory_a_worker() -> None:
    assert worker_bytes(configuration("neural")) == 8_000_000_000
    assert worker_bytes(configuration("{diarizer: pyannote}")) == 6_000_000_000


@pytest.mark.parametrize(("package", "extra", "models"), [
    ("openai-whisper", "whisper", "{transcriber: whisper}"),
    ("pyannote.audio", "pyannote", "{diarizer: pyannote}"),
])  # fmt: skip
def test_a_package_that_is_not_there_is_named_with_its_extra(
    package: str, extra: str, models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        assert name == package
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    first = next(iter(check_models(configuration(models))))
    assert first.status is Status.MISSING
    assert (first.found, first.mend) == (f"{package} is not installed", f"pip install 'realtalk[{extra}]'")


@needs_whisper
def test_weights_of_whisper_are_looked_for_where_it_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = configuration("{transcriber: whisper}")
    choice = ModelChoice("whisper", "turbo")
    absent = check_whisper("w", choice, config)
    assert absent.status is Status.WARNING
    assert "https://" in absent.mend
    file = tmp_path / "whisper" / "large-v3-turbo.pt"
    file.parent.mkdir()
    file.write_bytes(b"0" * 2_000_000)
    assert check_whisper("w", choice, config) == Check("w", Status.OK, f"weights: {file}, 2 MB, MIT")
    wrong = check_whisper("w", ModelChoice("whisper", "tubro"), config)
    assert (wrong.status, "did you mean 'turbo'?" in wrong.found) == (Status.MISSING, True)


@needs_whisper
def test_a_checkpoint_that_is_not_there_is_missing(tmp_path: Path) -> None:
    found = statuses("{transcriber: 'whisper:./none.pt', device: cpu}")
    assert found["transcriber: whisper:./none.pt"] is Status.MISSING
    assert found["models.device"] is Status.WARNING, "a CPU is slow"


def test_a_pipeline_of_pyannote_is_a_whole_folder_or_needs_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub comes with the extra pyannote")
    config = configuration("{diarizer: pyannote}")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    without = check_pyannote("p", ModelChoice("pyannote"), config)
    assert without.status is Status.MISSING
    assert "CC-BY-4.0" in without.found
    assert "https://hf.co/pyannote/speaker-diarization-community-1" in without.mend
    monkeypatch.setenv("HF_TOKEN", "x")
    assert check_pyannote("p", ModelChoice("pyannote"), config).status is Status.WARNING
    folder = ModelChoice("pyannote", str(tmp_path))
    assert check_pyannote("p", folder, config).status is Status.MISSING
    (tmp_path / "config.yaml").touch()
    assert check_pyannote("p", folder, config).status is Status.OK
    assert check_pyannote("p", ModelChoice("pyannote", "./none"), config).status is Status.MISSING


def test_what_models_hear_and_what_that_costs_is_planned() -> None:
    left = {"speech": Left(2.0, 1.0), "diarization": Left(3.0, 1.0), "utterances": Left(4.0, 1.0)}
    assert planned_models(Models(), left, 0.5) == ()
    neural = configuration("neural").models
    hours = {one.task: one.hours for one in planned_models(neural, left, 0.5)}
    assert hours == {"speech": 2.0, "diarizer": 3.0, "transcriber": 0.5, "aligner": 2.0}
    for one in planned_models(neural, left, 0.5):
        assert one.gpu_seconds == pytest.approx(one.hours * seconds_an_hour(neural.choice(one.task)))
    assert neural_seconds(Models(), True) == {}
    with_text, without = neural_seconds(neural, True), neural_seconds(neural, False)
    assert without["utterances"] == 2 * with_text["utterances"], "it is transcribed as well"


@pytest.mark.parametrize(
    ("argument", "same"),
    [("turbo", "large-v3-turbo"), ("large", "large-v3"), ("small", "small.en"), ("large", "./my.pt")],
)
def test_a_model_goes_by_its_size(argument: str, same: str) -> None:
    assert seconds_an_hour(ModelChoice("whisper", argument)) == seconds_an_hour(ModelChoice("whisper", same))

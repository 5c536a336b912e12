"""What a user reads where pyannote.audio, its weights or access to them are missing. Runs with and without it."""

import importlib.metadata
from pathlib import Path

import pytest

from schemas.errors import ConfigurationError, EpisodeError
from transforms.models import pyannote_pipeline
from transforms.models.base import Needs
from transforms.models.pyannote_pipeline import DEFAULT_SOURCE, PyannotePipeline, memory_errors


class RefusedError(OSError):
    """As huggingface_hub raises it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status} Client Error\nand much more")
        self.response = type("Response", (), {"status_code": status})()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyannote_pipeline, "version", lambda name: "4.0.7")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def told(error: Exception) -> str:
    with pytest.raises(ConfigurationError) as raised, pyannote_pipeline._hub_errors(DEFAULT_SOURCE):
        raise error
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_package_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(pyannote_pipeline, "version", missing)
    with pytest.raises(ConfigurationError, match=r"pip install 'realtalk\[pyannote\]'"):
        PyannotePipeline()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_what_to_accept_and_where(status: int) -> None:
    line = told(RefusedError(status))
    assert f"https://hf.co/{DEFAULT_SOURCE}" in line
    assert "no token in HF_TOKEN" in line
    assert "https://hf.co/settings/tokens" in line


@pytest.mark.usefixtures("installed")
def test_a_token_without_access_is_told_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", "hf_other")
    line = told(RefusedError(403))
    assert "the token given has no access" in line
    assert "hf_other" not in line


def test_a_hub_that_does_not_answer_is_no_matter_of_tokens() -> None:
    line = told(ConnectionError("Name or service not known"))
    assert "Name or service not known" in line
    assert "check the network" in line


def test_an_unknown_name_on_the_hub_is_told() -> None:
    assert "has no pipeline called" in told(RefusedError(404))


@pytest.mark.usefixtures("installed")
def test_a_folder_without_a_configuration_is_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"has no config.yaml"):
        PyannotePipeline(str(tmp_path))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("source", ["./nowhere", "/no/where", "nowhere", "a/b/c"])
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(source: str) -> None:
    with pytest.raises(ConfigurationError, match="is not there"):
        PyannotePipeline(source)


@pytest.mark.usefixtures("installed")
def test_the_identity_of_a_folder_is_the_bytes_in_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("pipeline: {}\n")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "pytorch_model.bin").write_bytes(b"one")
    before = PyannotePipeline(str(tmp_path)).identity
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "date").write_text("today")
    assert PyannotePipeline(str(tmp_path), "cpu").identity == before
    (tmp_path / "weights" / "pytorch_model.bin").write_bytes(b"two")
    assert PyannotePipeline(str(tmp_path)).identity != before


@pytest.mark.usefixtures("installed")
def test_an_accelerator_is_wanted_unless_the_cpu_was_asked_for() -> None:
    assert PyannotePipeline().needs == Needs(accelerator=True, memory_gb=6)
    assert PyannotePipeline(device="cpu").needs == Needs(accelerator=False, memory_gb=6)


@pytest.mark.parametrize("error", [MemoryError("batch_size"), RuntimeError("CUDA out of memory. Tried to allocate")])
def test_too_little_memory_is_one_line(error: Exception) -> None:
    with pytest.raises(EpisodeError, match=r"out-of-memory: pyannote: folder: .* 20 minutes .*fewer workers"), \
            memory_errors("folder", "a piece of 20 minutes"):  # fmt: skip
        raise error


def test_other_errors_pass_through() -> None:
    with pytest.raises(RuntimeError, match="shape"), memory_errors("folder", "a piece"):
        raise RuntimeError("shape mismatch")

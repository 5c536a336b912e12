"""A whole build with Whisper of random weights: it writes nonsense, and every clip of it says why it is none."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from espeak_speech import HOST, record
from whisper_checkpoint import write_checkpoint

from pipeline.build import run_build
from pipeline.config import Config, load_config
from pipeline.guests import Guests
from pipeline.planning import make_plan
from pipeline.result import BuildResult
from schemas.errors import ConfigurationError
from schemas.verdict import EVIDENCE, reason_code
from transforms.store import Store

# Builds and trainings in processes of their own: minutes of them.
pytestmark = pytest.mark.slow

SENTENCES = [
    "Printing, as we know it, differs from most of the other arts.",
    "The earliest book of all was very beautiful, and it stayed so.",
    "They were never surpassed by other printers of that time.",
]


def config_of(folder: Path, models: str, *changes: str) -> Config:
    path = folder / "dataset.yaml"
    path.write_text(
        "name: talk\noutput: ./dataset\nsources: [{files: ./talk.flac}]\n"
        f"speaker: {{name: Ada Example, auto: true}}\nmodels: {models}\n"
    )
    return load_config(path, changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neural")
    write_checkpoint(folder / "tiny.pt")
    record(folder, [(HOST, sentence) for sentence in SENTENCES])
    return folder


@pytest.fixture(scope="module")
def built(folder: Path) -> BuildResult:
    return run_build(config_of(folder, "{transcriber: 'whisper:./tiny.pt', aligner: whisper, device: cpu}"))


def test_nonsense_becomes_candidates_and_each_has_its_reasons(built: BuildResult) -> None:
    rows = pq.read_table(f"{built.output}/candidates").to_pylist()
    assert rows
    for row in rows:
        assert row["transcript_source"] == "recognised:whisper"
        assert row["verdict"] == "rejected"
        codes = {reason_code(reason) for reason in row["reasons"]}
        assert {"log_probability", "language_probability", "disagreement"} <= codes
        assert "transcript_source" not in codes, "whose words they are is no reason: what they are is"
        assert all(row[column] is not None for column in EVIDENCE)


def test_its_words_are_in_order_inside_of_their_clips(built: BuildResult) -> None:
    for row in pq.read_table(f"{built.output}/candidates").to_pylist():
        words = row["words"]
        assert " ".join(word["text"] for word in words) == row["text"]
        times = [time for word in words for time in (word["start"], word["end"])]
        assert times == sorted(times)
        assert 0 <= times[0] < times[-1] <= row["duration"]


def test_the_models_column_names_the_weights(built: BuildResult, folder: Path) -> None:
    config = config_of(folder, "{transcriber: 'whisper:./tiny.pt', aligner: whisper, device: cpu}")
    models = make_plan(config, Store(config.output_location)).facts.models
    assert models["transcriber"].startswith("whisper:tiny.pt sha256:")
    assert models["aligner"].startswith("whisper:tiny.pt sha256:")
    assert models == built.manifest.models


def test_weights_and_settings_name_the_kept_text(folder: Path, tmp_path: Path) -> None:
    write_checkpoint(folder / "other.pt", seed=1)
    identities = set()
    for transcriber, change in (("tiny", "en"), ("other", "en"), ("tiny", "auto")):
        config = config_of(
            folder, f"{{transcriber: 'whisper:./{transcriber}.pt', aligner: whisper}}", f"models.language={change}"
        )
        identities.add(Guests(config).transcriber.identity)
    assert len(identities) == 3


def test_where_it_runs_is_no_part_of_the_content(folder: Path) -> None:
    here, there = (config_of(folder, f"{{device: {device}}}") for device in ("cpu", "auto"))
    assert here.hash == there.hash


@pytest.mark.parametrize(
    ("models", "line"),
    [
        ("{transcriber: 'whisper:trubo'}", "there is no Whisper model 'trubo'; did you mean 'turbo'?"),
        ("{transcriber: 'whisper:./none.pt'}", "no Whisper checkpoint can be read there"),
    ],
)
def test_a_model_that_is_not_there_is_told_before_anything_runs(folder: Path, models: str, line: str) -> None:
    config = config_of(folder, models)
    with pytest.raises(ConfigurationError, match=r"^[^\n]+$") as raised:
        make_plan(config, Store(config.output_location))
    assert line in str(raised.value)

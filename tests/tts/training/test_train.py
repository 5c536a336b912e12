"""Training: to the end, on after a stop with the same weights, and never without a consent that nobody excused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch
from safetensors.torch import load_file
from small_dataset import change_manifest, write_dataset

from schemas.errors import ConfigurationError, RealtalkError
from schemas.manifest import NO_CONSENT
from tts.data.dataset import open_dataset
from tts.models.presets import AcousticSettings, Preset, TrainingSettings, VocoderSettings
from tts.origin import recording_key
from tts.training import options as options_module
from tts.training.options import TrainOptions
from tts.training.train import arguments_of, require_consent, train
from tts.voice import load_voice, read_facts, write_facts

TINY = Preset(
    AcousticSettings(width=16, encoder_blocks=1, decoder_blocks=1, heads=2, refiner_width=16, refiner_blocks=1),
    VocoderSettings(width=16, blocks=1),
    TrainingSettings(frames=600, segments=2, segment=16, warmup=2),
)


#: The same with discriminators from the third step on.
ADVERSARIAL = replace(TINY, vocoder=replace(TINY.vocoder, adversarial_from=2))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("training") / "dataset")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options_module, "PRESETS", {"tiny": TINY, "adversarial": ADVERSARIAL, **options_module.PRESETS})
    # One process: the other would not know the tiny preset.
    monkeypatch.setattr(os, "cpu_count", lambda: 1)


def told(dataset: Path, out: Path, steps: int = 4, **others: object) -> TrainOptions:
    settings = {"preset": "tiny", "steps": steps, "schedule": "constant", "cache": out.parent / "features", **others}
    return TrainOptions(dataset=str(dataset), out=out, **settings)  # type: ignore[arg-type]


def copied(dataset: Path, folder: Path, **changes: object) -> Path:
    """The dataset with another manifest."""
    shutil.copytree(dataset, folder / "dataset", ignore=shutil.ignore_patterns("work"))
    change_manifest(folder / "dataset", **changes)
    return folder / "dataset"


def last_line(out: Path) -> dict:
    """Of metrics.jsonl; a slow machine writes more than one."""
    return json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])


def quiet(_: str) -> None:
    return


def weights(out: Path) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": tensor
        for name in ("acoustic", "vocoder")
        for key, tensor in load_file(str(out / f"{name}.safetensors")).items()
    }


def test_a_voice_is_a_folder_that_speaks_and_says_where_it_is_from(dataset: Path, tmp_path: Path) -> None:
    facts = train(told(dataset, tmp_path / "voice", seed=3), quiet)
    assert facts.steps == {"acoustic": 4, "vocoder": 4}
    assert facts.origin.dataset_version == open_dataset(str(dataset)).version
    assert (facts.origin.consent_id, facts.origin.speaker) == ("c0" * 8, "Host")
    assert facts.origin.clips > 0
    opened = open_dataset(str(dataset))
    heard = {
        row["recording_sha256"] for shard in opened.of("train") for row in opened.rows(shard, ["recording_sha256"])
    }
    assert facts.origin.recordings == tuple(sorted(recording_key(sha256) for sha256 in heard)) != ()
    assert read_facts(tmp_path / "voice") == facts
    voice = load_voice(tmp_path / "voice")
    assert not voice.acoustic.training
    samples = list((tmp_path / "voice" / "samples").glob("*.wav"))
    assert samples
    for path in samples:
        assert soundfile.SoundFile(path).comment.startswith("Synthetic speech made by realtalk; voice voice")
    lines = [json.loads(line) for line in (tmp_path / "voice" / "metrics.jsonl").read_text().splitlines()]
    assert {line["part"] for line in lines} == {"acoustic", "vocoder"}
    assert all({"step", "mel", "steps_per_second", "waited"} <= set(line) for line in lines)
    card = (tmp_path / "voice" / "README.md").read_text()
    assert "may not be used for" in card
    assert "c0" * 8 in card


def test_going_on_after_a_stop_gives_the_weights_of_no_stop(dataset: Path, tmp_path: Path) -> None:
    train(told(dataset, tmp_path / "whole", steps=6), quiet)
    train(told(dataset, tmp_path / "parts", steps=3), quiet)
    # Whatever is random is decided by the seed and the step.
    train(told(dataset, tmp_path / "parts", steps=6), quiet)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    for name, tensor in whole.items():
        assert torch.equal(tensor, parts[name]), name


@pytest.mark.slow
def test_discriminators_join_in_and_are_gone_on_with(dataset: Path, tmp_path: Path) -> None:
    vocoder = {"preset": "adversarial", "parts": ("vocoder",)}
    train(told(dataset, tmp_path / "whole", steps=4, **vocoder), quiet)
    train(told(dataset, tmp_path / "parts", steps=3, **vocoder), quiet)
    train(told(dataset, tmp_path / "parts", steps=4, **vocoder), quiet)
    assert {"discriminator", "generator", "features"} <= set(last_line(tmp_path / "whole"))
    whole, parts = (load_file(str(tmp_path / name / "vocoder.safetensors")) for name in ("whole", "parts"))
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


def test_bfloat16_learns_too(dataset: Path, tmp_path: Path) -> None:
    train(told(dataset, tmp_path / "voice", bf16=True, parts=("acoustic",)), quiet)
    assert 0 < last_line(tmp_path / "voice")["mel"] < 10


def test_a_training_that_is_done_does_nothing_more(dataset: Path, tmp_path: Path) -> None:
    train(told(dataset, tmp_path / "voice"), quiet)
    before = weights(tmp_path / "voice")
    assert train(told(dataset, tmp_path / "voice"), quiet).steps == {"acoustic": 4, "vocoder": 4}
    assert all(torch.equal(before[name], tensor) for name, tensor in weights(tmp_path / "voice").items())


def test_another_dataset_or_preset_does_not_go_into_a_voice(dataset: Path, tmp_path: Path) -> None:
    train(told(dataset, tmp_path / "voice"), quiet)
    with pytest.raises(RealtalkError, match=r"holds a voice of dataset version .*, preset tiny"):
        train(told(dataset, tmp_path / "voice", preset="cpu"), quiet)


def test_a_voice_is_fine_tuned_from_another(dataset: Path, tmp_path: Path) -> None:
    train(told(dataset, tmp_path / "first", steps=3), quiet)
    earlier = read_facts(tmp_path / "first")
    earlier = replace(earlier, origin=replace(earlier.origin, recordings=("0" * 16,)))
    write_facts(tmp_path / "first", earlier)
    facts = train(told(dataset, tmp_path / "second", steps=1, init_from=tmp_path / "first"), quiet)
    assert facts.origin.initialised_from == "first"
    assert facts.origin.recordings[0] == "0" * 16, "it has heard what the earlier one had"
    assert len(facts.origin.recordings) > 1
    first, second = weights(tmp_path / "first"), weights(tmp_path / "second")
    apart = max(float((first[name] - tensor).abs().max()) for name, tensor in second.items())
    assert 0 < apart < 0.02
    with pytest.raises(RealtalkError, match="can only go on from one of the same networks"):
        train(told(dataset, tmp_path / "third", preset="cpu", init_from=tmp_path / "first"), quiet)


def test_damaged_states_are_named(dataset: Path, tmp_path: Path) -> None:
    train(told(dataset, tmp_path / "voice"), quiet)
    (tmp_path / "voice" / "training" / "acoustic.safetensors").write_bytes(b"nothing")
    with pytest.raises(RealtalkError, match=r"training/acoustic\.safetensors: can't be gone on from"):
        train(told(dataset, tmp_path / "voice", steps=9), quiet)


def test_a_dataset_without_consent_is_refused_unless_a_reason_is_given(dataset: Path, tmp_path: Path) -> None:
    dataset = copied(dataset, tmp_path, consent=NO_CONSENT, consent_id="")
    with pytest.raises(RealtalkError, match="no consent of the speaker is on record"):
        train(told(dataset, tmp_path / "voice"), quiet)
    assert not (tmp_path / "voice").exists()
    facts = train(told(dataset, tmp_path / "voice", without_consent="I am the speaker"), quiet)
    assert facts.origin.without_consent == "I am the speaker"
    assert "**NO CONSENT ON RECORD.**" in (tmp_path / "voice" / "README.md").read_text()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"consent_scope": ("research",)}, "the consent allows research, not tts-training"),
        ({"consent_scope": ("tts-training",), "consent_expiry": "2020-01-31"}, "the consent ended on 2020-01-31"),
    ],
)
def test_a_consent_has_to_cover_a_voice_today(
    dataset: Path, tmp_path: Path, changes: dict[str, object], line: str
) -> None:
    dataset = copied(dataset, tmp_path, **changes)
    with pytest.raises(RealtalkError, match=line):
        require_consent(open_dataset(str(dataset)), "")
    require_consent(open_dataset(str(dataset)), "a lawyer said so")


def test_only_clips_of_the_tier_are_learned_from(dataset: Path, tmp_path: Path) -> None:
    by_default = train(told(dataset, tmp_path / "default", steps=1), quiet)
    permissive = train(told(dataset, tmp_path / "permissive", steps=1, tier="permissive"), quiet)
    assert permissive.origin.clips >= by_default.origin.clips > 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"preset": "huge"}, "--preset: there is no 'huge'; there are tiny, adversarial, cpu, gpu, large"),
        ({"tier": "best"}, "--tier: there is no 'best'"),
        ({"steps": 0}, "--max-steps: has to be at least 1"),
        ({"minutes": -1.0}, "--max-minutes: has to be more than 0"),
        ({"parts": ("ears",)}, "--parts: expected acoustic or vocoder, got ears"),
    ],
)
def test_options_that_are_wrong_are_named(dataset: Path, tmp_path: Path, change: dict[str, object], line: str) -> None:
    with pytest.raises(ConfigurationError, match=line):
        told(dataset, tmp_path / "voice", **change)


@pytest.mark.slow
def test_a_signal_ends_it_with_a_checkpoint_and_both_processes(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "voice"
    options = replace(told(dataset, out), preset="cpu", steps=None, minutes=30.0, checkpoint_minutes=0.02)
    command = [sys.executable, "-m", "tts", *arguments_of(options)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 90
    while not all((out / f"{part}.safetensors").exists() for part in ("acoustic", "vocoder")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, lines = process.communicate(timeout=60)
    assert process.returncode == 130, lines
    assert "stopped, run it again to go on" in lines
    facts = read_facts(out)
    assert facts.steps["acoustic"] > 0
    assert facts.steps["vocoder"] > 0


@pytest.mark.slow
def test_torchrun_trains_in_two_processes(dataset: Path, tmp_path: Path) -> None:
    options = replace(told(dataset, tmp_path / "voice"), preset="cpu", steps=2, device="cpu", schedule=None)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29517"]
    result = subprocess.run(
        [*command, "-m", "tts", *arguments_of(options)], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert read_facts(tmp_path / "voice").steps == {"acoustic": 2, "vocoder": 2}
    # One goes on where two were.
    assert train(replace(options, steps=3), quiet).steps == {"acoustic": 3, "vocoder": 3}


def test_tensorboard_sees_the_losses(dataset: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard (the extra tensorboard) reads them",
    )
    train(told(dataset, tmp_path / "voice", tensorboard=True), quiet)
    events = accumulator.EventAccumulator(str(tmp_path / "voice" / "training" / "tensorboard" / "acoustic"))
    events.Reload()
    assert {"acoustic/mel", "acoustic/duration"} <= set(events.Tags()["scalars"])

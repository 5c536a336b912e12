"""A whole evaluation: a voice of random weights beside eSpeak NG's recordings, which a recogniser understands."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
import soxr
from espeak_speech import HOST, speak
from small_dataset import RATE, YAML, change_clips, flac, write_dataset
from small_voice import write_small_voice

from pipeline.cli import main
from pipeline.demo.espeak import Voice
from schemas.errors import ConfigurationError, RealtalkError
from tts.data.dataset import open_dataset
from tts.evaluation.evaluate import Options, evaluate, require_held_out
from tts.evaluation.utterances import COPY, ORIGINAL, SPOKEN, VERSIONS
from tts.origin import recording_key
from tts.voice import read_facts

# Builds and trainings in processes of their own: minutes of them.
pytestmark = pytest.mark.slow

TEXTS = ("He said that he would be.", "We want more money.")
# Of eSpeak's voices one that pocketsphinx understands.
READER = Voice("en-us", rate=150)
TEST_SHARD = "data/test-00000-of-00001.parquet"
# One of the two episodes is held out.
HELD_OUT = YAML + "splits: {train: 0.8, validation: 0.0, test: 0.2}\n"


@dataclass(frozen=True)
class Bed:
    """A voice, a dataset with two held-out sentences, and what an evaluation of the one on the other wrote."""

    voice: Path
    dataset: Path
    out: Path
    result: Mapping[str, Any]


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    place = tmp_path_factory.mktemp("evaluation")
    dataset = write_dataset(place / "dataset", yaml=HELD_OUT, clips=2)
    change_clips(dataset, _with_sentences, TEST_SHARD)
    voice = write_small_voice(place / "voice")
    others = place / "others"
    others.mkdir()
    soundfile.write(others / "other.wav", speak(TEXTS[0], HOST).samples, 16_000)
    arguments = ["--out", str(place / "out"), "--others", str(others), "--workers", "1"]
    assert main(["evaluate", str(voice), str(dataset), *arguments]) == 0
    return Bed(voice, dataset, place / "out", json.loads((place / "out" / "evaluation.json").read_text("utf-8")))


def _with_sentences(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["text"] = TEXTS[int(row["id"][-1])]
        row["spoken"] = row["text"].lower().rstrip(".")
        samples = soxr.resample(speak(row["text"], READER).samples, 16_000, RATE)
        row["audio"] = {**row["audio"], "bytes": flac(samples)}


def test_the_recordings_are_understood_and_noise_is_not(bed: Bed) -> None:
    rates = bed.result["word_error_rate"]
    assert rates[ORIGINAL]["value"] <= 0.5
    assert rates[SPOKEN]["value"] >= 0.8
    difference = bed.result["word_error_rate_difference"][SPOKEN]
    assert difference["value"] == pytest.approx(rates[SPOKEN]["value"] - rates[ORIGINAL]["value"])
    assert difference["low"] <= difference["value"] <= difference["high"]
    assert (bed.result["clips"], bed.result["episodes"], bed.result["words"]) == (2, 1, 10)


def test_recordings_are_more_like_the_speaker_than_anything_else(bed: Bed) -> None:
    likeness = {name: found["value"] for name, found in bed.result["speaker_similarity"].items()}
    assert set(likeness) == {*VERSIONS, "others"}
    assert max(likeness, key=likeness.__getitem__) == ORIGINAL


def test_a_recording_sounds_better_than_noise_and_is_no_distance_from_itself(bed: Bed) -> None:
    assert bed.result["dnsmos"][ORIGINAL]["signal"]["value"] > bed.result["dnsmos"][SPOKEN]["signal"]["value"]
    assert set(bed.result["distance"]) == {COPY, SPOKEN}
    assert bed.result["distance"][COPY]["cepstral_db"]["value"] > 3
    # The vocoder keeps the length; what is spoken has its own.
    assert bed.result["distance"][COPY]["cepstral_db"]["n"] == 2
    assert all(clip["versions"][ORIGINAL]["distance"] is None for clip in bed.result["per_clip"])


def test_speed_and_models_are_told(bed: Bed) -> None:
    assert 0 < bed.result["speed"]["cpu_a_second"] < 5
    assert 0 < bed.result["speed"]["first_audio_p50"] <= bed.result["speed"]["first_audio_p95"]
    assert bed.result["models"]["recogniser"].startswith("pocketsphinx:")
    assert bed.result["models"]["quality"].startswith("dnsmos:")


def test_the_page_plays_every_version(bed: Bed) -> None:
    page = (bed.out / "index.html").read_text("utf-8")
    for clip in bed.result["per_clip"]:
        assert clip["text"] in page
        for version in VERSIONS:
            path = f"audio/{clip['id']}-{version}.flac"
            comment = soundfile.SoundFile(bed.out / path).comment
            assert comment.startswith("Synthetic speech made by realtalk") == (version != "original")
            assert f'src="{path}"' in page
            assert soundfile.info(bed.out / path).samplerate == RATE


def test_elsewhere_leaves_the_voice_as_it_is(bed: Bed) -> None:
    assert read_facts(bed.voice).figures == {}
    assert not (bed.voice / "evaluation.json").exists()


def test_the_figures_go_onto_the_voices_card(bed: Bed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    voice = shutil.copytree(bed.voice, tmp_path / "voice")
    arguments = ["--limit", "1", "--workers", "2", "--format", "json"]
    assert main(["evaluate", str(voice), str(bed.dataset), *arguments]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["clips"] == 1
    assert read_facts(voice).figures["evaluation"] == printed
    alone = json.loads((voice / "evaluation.json").read_text("utf-8"))["per_clip"][0]
    # In one process or in two, of one clip or of more: what is heard of a clip is the same.
    (before,) = (clip for clip in bed.result["per_clip"] if clip["id"] == alone["id"])
    for version in VERSIONS:
        for name in ("heard", "words", "overall", "distance"):
            assert alone["versions"][version][name] == before["versions"][version][name]


def test_a_voice_is_not_judged_on_what_it_learned_from(bed: Bed, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(bed.voice), str(bed.dataset), "--split", "train"]) == 2
    assert "was trained on that split of readings" in capsys.readouterr().err


def test_another_version_of_its_dataset_is_pointed_out(bed: Bed) -> None:
    facts, dataset = read_facts(bed.voice), open_dataset(str(bed.dataset))
    told: list[str] = []
    require_held_out(facts, dataset, "test", told.append)
    assert "trained on version v1" in told[0]
    told.clear()
    same = replace(facts, origin=replace(facts.origin, dataset_version=dataset.version))
    require_held_out(same, dataset, "test", told.append)
    require_held_out(replace(facts, origin=replace(facts.origin, dataset="another")), dataset, "train", told.append)
    assert told == []


def test_a_recording_that_a_voice_learned_from_is_held_out_nowhere(bed: Bed) -> None:
    facts, dataset = read_facts(bed.voice), open_dataset(str(bed.dataset))
    (test,) = {row["recording_sha256"] for row in dataset.rows(dataset.of("test")[0], ("recording_sha256",))}
    (other,) = {row["recording_sha256"] for row in dataset.rows(dataset.of("train")[0], ("recording_sha256",))}
    told: list[str] = []
    # Another name of the dataset, and other splits: what was heard was heard.
    apart = replace(facts.origin, dataset="another", recordings=(recording_key(other),))
    require_held_out(replace(facts, origin=apart), dataset, "test", told.append)
    require_held_out(replace(facts, origin=replace(apart, dataset="readings")), dataset, "test", told.append)
    assert told == [], "that nothing of it was heard is known, whatever the version"
    heard = replace(apart, recordings=tuple(sorted((recording_key(test), recording_key(other)))))
    with pytest.raises(ConfigurationError, match="learned from 1 of the 1 recordings of that split of readings"):
        require_held_out(replace(facts, origin=heard), dataset, "test", told.append)


def test_a_split_without_clips_says_what_to_do(bed: Bed) -> None:
    with pytest.raises(RealtalkError, match=r"no clip is in the split 'validation'.*splits:"):
        evaluate(bed.voice, str(bed.dataset), Options(split="validation"), lambda line: None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(recogniser="pocketsphynx"), "--recogniser: there is no transcriber called 'pocketsphynx'"),
        (Options(split="tset"), "--split tset: there are train, validation, test"),
        (Options(device="cuda:77"), "device cuda:77: this machine has [0-9] GPUs; say --device cpu"),
        (Options(others=Path("/nowhere/at/all")), "--others /nowhere/at/all: is no folder"),
    ],
)
def test_wrong_options_are_told_before_anything_is_spoken(bed: Bed, options: Options, message: str) -> None:
    told: list[str] = []
    with pytest.raises(ConfigurationError, match=message):
        evaluate(bed.voice, str(bed.dataset), options, told.append)
    assert told == []

"""Corrected texts of reviews: in time by the real aligner, put in by select and build, on their own audio only."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soxr
from espeak_speech import HOST, speak
from small_dataset import RATE, SECONDS, SHARD, candidate, write_dataset

from pipeline import corrections
from pipeline.audit import audit
from pipeline.cli import main
from pipeline.corrections import kept_corrections
from pipeline.judging import Scored, read_fingerprints, rows_of
from pipeline.review import reviewed, take_review
from schemas.clip import candidate_schema
from schemas.errors import RealtalkError
from schemas.manifest import read_manifest
from schemas.verdict import DEFAULT, judge
from transforms.corrections import with_corrections
from transforms.models.base import MODEL_RATE
from transforms.select import judge_table
from transforms.store import Store

SAID = "The printed letters should be beautiful."
HEADER = "id,verdict,corrected_text,note,reviewer,time"
WHO = "Ada,2026-05-01T10:00:00Z"
RIGHT = f'{HEADER}\ne0-0,wrong_text,"{SAID}",,{WHO}\n'
CLIP = "e0-0"


def spoken_clip() -> np.ndarray:
    """What SAID says, 0.15 s into a clip of SECONDS in a quiet room."""
    room = np.random.default_rng(0).normal(0, 0.0005, round(SECONDS * MODEL_RATE))
    samples = speak(SAID, HOST).samples
    room[2400 : 2400 + len(samples)] += samples
    return soxr.resample(room, MODEL_RATE, RATE)[: round(SECONDS * RATE)].astype(np.float32)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corrected") / "whole"
    return write_dataset(folder, episodes=1, audio={CLIP: spoken_clip()})


@pytest.fixture(scope="module")
def corrected(committed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset with a corrected text taken in, not chosen anew yet."""
    folder = tmp_path_factory.mktemp("reviewed") / "dataset"
    shutil.copytree(committed, folder, ignore=shutil.ignore_patterns("work"))
    taken = take_review(str(folder), csv(folder, RIGHT))
    assert (taken.corrected, dict(taken.refused), taken.left_out) == (1, {}, 0)
    return folder


@pytest.fixture
def dataset(corrected: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(corrected, tmp_path / "dataset"))


def csv(dataset: Path, content: str) -> Path:
    path = dataset.parent / "review.csv"
    path.write_text(content)
    return path


def candidates(dataset: Path) -> pa.Table:
    return pq.read_table(dataset / "candidates" / "e0.parquet", partitioning=None)


def row(dataset: Path, clip: str = CLIP) -> dict[str, Any]:
    return next(row for row in candidates(dataset).to_pylist() if row["id"] == clip)


def test_a_corrected_clip_is_chosen_with_its_new_text(dataset: Path) -> None:
    before = row(dataset)
    assert main(["select", str(dataset)]) == 0
    after = row(dataset)
    assert (after["text"], after["spoken"]) == (SAID, "the printed letters should be beautiful")
    assert [word["text"] for word in after["words"]] == SAID.split()
    assert after["words"][0]["start"] == pytest.approx(0.15, abs=0.1)
    assert {phone["symbol"] for phone in after["phones"]} > {"SIL", "B", "Y", "UW"}
    assert after["transcript_source"] == "corrected:vtt"
    assert -7.4 < after["alignment_score"] < -3
    assert after["chars_per_second"] != before["chars_per_second"]
    assert (after["verdict"], after["reasons"], after["tier"]) == ("kept", [], "strict")
    (chosen,) = (one for one in pq.read_table(dataset / SHARD, partitioning=None).to_pylist() if one["id"] == CLIP)
    assert (chosen["text"], chosen["words"], chosen["phones"]) == (SAID, after["words"], after["phones"])
    assert audit(str(dataset)).passed
    # Now the corrected text is what somebody listens to beside.
    version = read_manifest(dataset).version
    assert take_review(str(dataset), csv(dataset, f"{HEADER}\n{CLIP},ok,,,Bob,2026-05-02\n")).left_out == 0
    assert main(["select", str(dataset)]) == 0
    assert read_manifest(dataset).version == version


def test_what_is_kept_of_it_says_who_and_when(dataset: Path) -> None:
    kept = kept_corrections(Store(str(dataset)))[CLIP]
    assert (kept.written, kept.reviewer, kept.time) == (SAID, "Ada", "2026-05-01T10:00:00Z")
    assert kept.aligner.startswith("pocketsphinx:")
    assert kept.is_of(row(dataset))


def test_a_build_puts_in_what_a_choice_does(dataset: Path) -> None:
    """Candidates as the stages leave them, and as an earlier choice did."""
    found = reviewed(Store(str(dataset)))
    once, left_out = with_corrections(candidates(dataset), found)
    twice, _ = with_corrections(once, found)
    assert once.equals(twice)
    assert once.schema == candidates(dataset).schema
    assert left_out == {}
    others = [row for row in once.to_pylist() if row["id"] != CLIP]
    assert others == [row for row in candidates(dataset).to_pylist() if row["id"] != CLIP]


@pytest.mark.parametrize("changed", [{"fingerprint": "another"}, {"duration": SECONDS + 0.01}])
def test_no_text_is_put_onto_other_audio(changed: dict[str, Any], dataset: Path) -> None:
    rows = [{**row, **(changed if row["id"] == CLIP else {})} for row in candidates(dataset).to_pylist()]
    table = pa.Table.from_pylist(rows, schema=candidate_schema())
    same, left_out = with_corrections(table, reviewed(Store(str(dataset))))
    assert same.equals(table)
    assert left_out == {CLIP: "wrong_text"}, "and the clip whose text is wrong stays out"


def test_the_same_review_again_runs_no_model(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "_align", lambda *_: pytest.fail("it is aligned already"))
    before = (dataset / "review" / "texts.json").read_bytes()
    taken = take_review(str(dataset), csv(dataset, RIGHT))
    assert (taken.changed, taken.corrected) == (0, 1)
    assert (dataset / "review" / "texts.json").read_bytes() == before


def test_a_text_that_is_not_said_leaves_the_clip_out_and_says_why(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = (
        f"{HEADER}\n{CLIP},wrong_text,The printed letters should be дом.,,{WHO}\ne0-1,wrong_text,Noise speaks,,{WHO}\n"
    )
    assert main(["review", str(dataset), str(csv(dataset, wrong))]) == 0
    out = capsys.readouterr().out
    assert f"{CLIP}: its corrected text is not put in, and it is left out: nobody can pronounce 'дом.' here" in out
    assert "e0-1: its corrected text is not put in, and it is left out: " in out
    found = reviewed(Store(str(dataset)))
    table, left_out = with_corrections(candidates(dataset), found)
    assert left_out == {CLIP: "wrong_text", "e0-1": "wrong_text"}
    assert table["text"][0].as_py() == SAID, "what an earlier choice may have put in is put in by a build too"


def test_another_verdict_leaves_a_corrected_clip_out(dataset: Path) -> None:
    taken = take_review(str(dataset), csv(dataset, f"{HEADER}\n{CLIP},bad_audio,,,Bob,2026-05-02\n"))
    assert taken.left_out == 1
    assert with_corrections(candidates(dataset), reviewed(Store(str(dataset))))[1] == {CLIP: "bad_audio"}


def test_a_verifier_and_a_recogniser_have_no_say_in_it() -> None:
    found = {
        **candidate(CLIP, 0.0, "f", 0),
        "models": '{"verifier":"x"}',
        "transcript_source": "corrected:recognised:x",
    }
    assert judge(found, DEFAULT).kept
    unverified = {**found, "transcript_source": "publisher:vtt"}
    assert judge(unverified, DEFAULT).reasons == ("text_score missing",)
    table = pa.Table.from_pylist([found, unverified], schema=candidate_schema())
    assert judge_table(table, DEFAULT)[0].to_pylist() == ["kept", "rejected"]


def test_what_depends_on_the_old_text_is_gone(dataset: Path) -> None:
    old = {"text_score": 0.1, "disagreement": 0.9, "stock_words": 1.0, "no_speech": 0.2, "language_probability": 0.9}
    source = {"transcript_source": "recognised:whisper"}
    rows = [{**one, **old, **source} for one in candidates(dataset).to_pylist()]
    table, _ = with_corrections(pa.Table.from_pylist(rows, schema=candidate_schema()), reviewed(Store(str(dataset))))
    first = table.to_pylist()[0]
    assert {name for name in old if first[name] is None} == {"text_score", "disagreement", "stock_words"}
    assert first["transcript_source"] == "corrected:recognised:whisper"


def test_of_two_copies_a_corrected_one_counts_as_published(dataset: Path, tmp_path: Path) -> None:
    path = dataset / "candidates" / "e0.parquet"
    scored = Scored("e0", None, "sha", str(path), "")
    found = list(rows_of([read_fingerprints(scored, Store(str(dataset)), reviewed(Store(str(dataset))))]))
    assert [one["transcript_source"] for one in found] == ["corrected:vtt", "vtt", "vtt"]


def test_a_clip_without_its_audio_keeps_nothing(dataset: Path) -> None:
    shutil.rmtree(dataset / "review")
    (dataset / "clips" / "e0.parquet").unlink()
    with pytest.raises(RealtalkError, match=r"clips/e0\.parquet: can't be read .*; run realtalk build to make it anew"):
        take_review(str(dataset), csv(dataset, RIGHT))
    assert not (dataset / "review").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"e0-0": {"written": 3}}'])
def test_damaged_texts_are_one_line(content: str, dataset: Path) -> None:
    (dataset / "review" / "texts.json").write_text(content)
    with pytest.raises(RealtalkError, match=r"texts\.json: damaged \(.*; restore it, or remove it") as caught:
        reviewed(Store(str(dataset)))
    assert "\n" not in str(caught.value)

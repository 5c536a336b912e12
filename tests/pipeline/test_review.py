"""Reviews: verdicts of people are taken in whole or not at all, kept with the dataset, and decide what is chosen."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_dataset import SHARD, write_dataset

from pipeline.audit import audit
from pipeline.cli import main
from pipeline.review import Review, kept_reviews, take_review
from schemas.errors import ConfigurationError, RealtalkError
from schemas.manifest import read_manifest
from transforms.store import Store

HEADER = "id,verdict,corrected_text,note,reviewer,time"
WHO = "Ada,2026-05-01T10:00:00.000Z"
GOOD = f"{HEADER}\ne0-0,wrong_speaker,,a guest,{WHO}\ne1-2,ok,,,{WHO}\n"


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("review") / "whole")


@pytest.fixture
def dataset(committed: Path, tmp_path: Path) -> Path:
    shutil.copytree(committed, tmp_path / "dataset", ignore=shutil.ignore_patterns("work"))
    return tmp_path / "dataset"


def csv(dataset: Path, content: str | bytes) -> Path:
    path = dataset.parent / "review.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fault(dataset: Path, content: str | bytes) -> list[str]:
    """The lines that a file costs, without its name; nothing of it may have been kept."""
    path = csv(dataset, content)
    with pytest.raises(ConfigurationError) as caught:
        take_review(str(dataset), path)
    assert not (dataset / "review").exists()
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines)
    return [line.removeprefix(str(path)) for line in lines]


def chosen(dataset: Path) -> list[str]:
    return pq.read_table(dataset / SHARD, columns=["id"], partitioning=None)["id"].to_pylist()


def test_what_was_found_wrong_is_left_out_by_the_next_select(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in dataset.rglob("*") if path.is_file()}
    assert main(["review", str(dataset), str(csv(dataset, GOOD)), "--format", "json"]) == 0
    out, err = capsys.readouterr()
    counts = {"ok": 1, "wrong_text": 0, "wrong_speaker": 1, "bad_audio": 0, "other": 0}
    assert json.loads(out) == {"reviews": counts, "changed": 2, "corrected": 0, "refused": {}, "left_out": 1}
    assert err == f"Next: realtalk select {dataset}\n"
    # The dataset itself is what it was until it is chosen anew.
    assert all(path.read_bytes() == content for path, content in before.items())

    assert main(["select", str(dataset)]) == 0
    assert "review" in capsys.readouterr().out
    assert chosen(dataset) == ["e0-1", "e0-2", "e1-0", "e1-1", "e1-2"]
    rows = {row["id"]: row for row in pq.read_table(dataset / "candidates/e0.parquet", partitioning=None).to_pylist()}
    assert (rows["e0-0"]["verdict"], rows["e0-0"]["tier"]) == ("rejected", "")
    assert rows["e0-0"]["reasons"] == ["review wrong_speaker != ok"]
    assert rows["e0-1"]["verdict"] == "kept"
    assert audit(str(dataset)).passed
    assert kept_reviews(Store(str(dataset)))["e0-0"] == Review("wrong_speaker", "", "a guest", *WHO.split(","))


def test_no_profile_brings_it_back_but_a_later_verdict_does(dataset: Path) -> None:
    assert main(["select", str(dataset), "--profile", "default"]) == 0
    version = read_manifest(dataset).version
    take_review(str(dataset), csv(dataset, GOOD))
    for profile in ("permissive", "default"):
        assert main(["select", str(dataset), "--profile", profile]) == 0
        assert "e0-0" not in chosen(dataset)
    taken = take_review(str(dataset), csv(dataset, f"{HEADER}\ne0-0,ok,,listened again,Bob,2026-05-02\n"))
    assert (taken.changed, taken.left_out) == (1, 0)
    assert main(["select", str(dataset)]) == 0
    assert chosen(dataset) == [f"e{n}-{m}" for n in range(2) for m in range(3)]
    assert read_manifest(dataset).version == version


def test_a_build_honours_it_too(dataset: Path) -> None:
    from pipeline.config import load_config
    from pipeline.planning import make_plan

    take_review(str(dataset), csv(dataset, GOOD))
    config = dataset.parent / "c.yaml"
    config.write_text("name: readings\nsources: [{files: ./x}]\nspeaker: {name: Host, auto: true}\noutput: ./dataset\n")
    assert make_plan(load_config(config), Store(str(dataset))).reviewed.left_out == {"e0-0": "wrong_speaker"}


def test_the_same_file_twice_changes_nothing(dataset: Path) -> None:
    take_review(str(dataset), csv(dataset, GOOD))
    place = dataset / "review" / "verdicts.json"
    before = place.read_bytes(), place.stat().st_mtime_ns
    assert take_review(str(dataset), csv(dataset, GOOD)).changed == 0
    assert (place.read_bytes(), place.stat().st_mtime_ns) == before


def test_a_wrong_text_is_left_out_and_its_correction_kept(dataset: Path) -> None:
    take_review(str(dataset), csv(dataset, f'{HEADER}\ne0-0,wrong_text,"What, was ""said""\nhere",,{WHO}\n'))
    assert kept_reviews(Store(str(dataset)))["e0-0"].corrected_text == 'What, was "said"\nhere'
    assert main(["select", str(dataset)]) == 0
    assert "e0-0" not in chosen(dataset)


def test_as_spreadsheets_write_it(dataset: Path) -> None:
    other = "\ufeffreviewer,time,id,note,verdict,corrected_text\r\nAda,2026-05-01, e0-0 ,,other,\r\n\r\n"
    assert take_review(str(dataset), csv(dataset, other)).left_out == 1


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            f"{HEADER}\nzz,ok,,,{WHO}\n",
            [":2: {dataset} has no clip with the id 'zz'; give whole ids, as candidates/ has"],
        ),
        (
            f"{HEADER}\ne0,ok,,,{WHO}\n",
            [":2: {dataset} has no clip with the id 'e0'; give whole ids, as candidates/ has"],
        ),
        (f"{HEADER}\ne0-0,wrong_speeker,,,{WHO}\n", [":2: 'wrong_speeker' is no verdict; did you mean wrong_speaker?"]),
        (
            f"{HEADER}\ne0-0,,,,{WHO}\n",
            [":2: '' is no verdict; there are ok, wrong_text, wrong_speaker, bad_audio, other"],
        ),
        (
            f"{HEADER}\n,ok,,,{WHO}\ne0-1,bad,,,,\n",
            [
                ":2: id is empty; name the clip",
                ":3: 'bad' is no verdict; there are ok, wrong_text, wrong_speaker, bad_audio, other",
                ":3: reviewer is empty; say who listened",
                ":3: time has to be an instant such as 2026-05-01T10:00:00Z, not ''",
            ],
        ),
        (
            f"id,verdict,note,reviewer,time\ne0-0,ok,,{WHO}\n",
            [f":1: there is no column corrected_text; the first line has to be {HEADER}"],
        ),
        (
            f"{HEADER},verdct\n",
            [":1: 'verdct' is no column of a review; did you mean verdict?"],
        ),
        (f"{HEADER},id\n", [":1: the column id is there more than once"]),
        (f"{HEADER}\ne0-0,ok\n", [":2: has 2 fields, the first line names 6 columns"]),
        (f"{HEADER}\ne0-0,ok,,,{WHO}\ne0-0,other,,,{WHO}\n", [":3: 'e0-0' is on line 2 already; keep one of them"]),
        (
            f"{HEADER}\ne0-0,ok,What.,,{WHO}\n",
            [":2: corrected_text goes with the verdict wrong_text; change one of them"],
        ),
        (f"{HEADER}\ne0-0,other,,\x1b[2J,{WHO}\n", [":2: note holds a control character; remove it"]),
        (f"{HEADER}\ne0-0,other,,{'x' * 2001},{WHO}\n", [":2: note has 2001 characters; at most 2000 are kept"]),
        (HEADER, [":1: holds no review; there is nothing to take in"]),
        ("", [f":1: there is no column {name}; the first line has to be {HEADER}" for name in HEADER.split(",")]),
        (b"\xff\xfe", [": not UTF-8 text (byte 1); save it as CSV in UTF-8"]),
    ],
)
def test_a_fault_is_a_line_and_nothing_is_taken(content: str | bytes, lines: list[str], dataset: Path) -> None:
    assert fault(dataset, content) == [line.replace("{dataset}", str(dataset)) for line in lines]


@pytest.mark.parametrize("content", [f'{HEADER}\ne0-0,"ok', f'{HEADER}\ne0-0,"o"k,,,{WHO}\n', "a" * 200_000])
def test_what_is_no_csv_is_one_line(content: str, dataset: Path) -> None:
    (line,) = fault(dataset, content)
    assert "not CSV: " in line
    assert line.endswith("; save it as comma-separated UTF-8")


def test_one_bad_row_keeps_the_good_ones_out(dataset: Path) -> None:
    assert len(fault(dataset, GOOD + f"e0-1,good,,,{WHO}\nnone,ok,,,{WHO}\n")) == 2
    many = "".join(f"none-{number},ok,,,{WHO}\n" for number in range(70))
    assert fault(dataset, GOOD + many)[-1] == ": and 20 more faults"


def test_faults_are_wrong_use_and_no_traceback(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = csv(dataset, f"{HEADER}\n\x1b[31m../../x\u202e,ok,,,{WHO}\n")
    assert main(["review", str(dataset), str(hostile)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "\x1b" not in err
    assert "\u202e" not in err
    assert "Traceback" not in err
    assert main(["review", str(dataset), str(dataset / "none.csv")]) == 2
    assert "can't be read: No such file" in capsys.readouterr().err
    assert main(["review", str(dataset.parent / "nowhere"), str(hostile)]) == 1
    assert "no dataset is ready here" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", '{"e0-0": {"verdict": "bad"}}', '{"e0-0": 3}'])
def test_kept_verdicts_that_were_damaged_are_one_line(content: str, dataset: Path) -> None:
    (dataset / "review").mkdir()
    (dataset / "review" / "verdicts.json").write_text(content)
    with pytest.raises(RealtalkError) as caught:
        take_review(str(dataset), csv(dataset, GOOD))
    assert "\n" not in str(caught.value)
    assert "verdicts.json: damaged (" in str(caught.value)
    assert main(["select", str(dataset)]) == 1


def test_select_without_a_wish_is_still_a_mistake_where_nothing_was_reviewed(dataset: Path, capsys) -> None:
    assert main(["select", str(dataset)]) == 2
    assert "say what to choose by" in capsys.readouterr().err

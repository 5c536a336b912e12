"""A build and a choice write what they made into report/report.json."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from espeak_speech import HOST, record

from pipeline.build import run_build
from pipeline.config import load_config
from pipeline.reselect import current_configuration, new_selection
from pipeline.selection import run_select

SENTENCES = [
    "Printing, as we know it, differs from most of the other arts.",
    "The earliest book of all was very beautiful, and it stayed so.",
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    record(folder, [(HOST, sentence) for sentence in SENTENCES])
    (folder / "dataset.yaml").write_text(
        "name: talk\noutput: ./dataset\nsources: [{files: ./talk.flac}]\nspeaker: {name: Ada Example, auto: true}\n"
        "select: permissive\n"
    )
    return run_build(load_config(folder / "dataset.yaml")).output


def report_in(dataset: str) -> dict:
    return json.loads(Path(dataset, "report", "report.json").read_text(encoding="utf-8"))


def test_its_numbers_are_those_of_the_dataset(dataset: str) -> None:
    report = report_in(dataset)
    manifest = json.loads(Path(dataset, "manifest.json").read_text(encoding="utf-8"))
    candidates = pq.read_table(f"{dataset}/candidates").to_pylist()
    (episode,) = pq.read_table(f"{dataset}/episodes").to_pylist()
    assert report["dataset"]["version"] == manifest["version"]
    assert report["candidates"]["clips"] == len(candidates) > 0
    kept = [row for row in candidates if row["verdict"] == "kept"]
    assert report["kept"] == {"clips": len(kept), "seconds": pytest.approx(sum(row["duration"] for row in kept))}
    funnel = {stage["stage"]: stage for stage in report["funnel"]}
    assert list(funnel)[:6] == ["listed", "speech", "target", "aligned", "candidates", "kept"]
    assert funnel["listed"]["seconds"] == pytest.approx(episode["seconds"])
    assert funnel["kept"]["clips"] == len(kept)
    assert sum(funnel[split]["clips"] for split in report["splits"]) == len(kept)
    (told,) = report["episodes"]
    assert told["kept"] == episode["kept"]


def test_choosing_anew_writes_it_anew(dataset: str) -> None:
    before = report_in(dataset)
    run_select(dataset, new_selection(current_configuration(dataset).selection, None, ["duration=[20,30]"]))
    after = report_in(dataset)
    assert (after["kept"]["clips"], after["candidates"]) == (0, before["candidates"])
    assert after["dataset"]["version"] != before["dataset"]["version"]
    assert {reason["code"] for reason in after["reasons"]} >= {"duration"}
    run_select(dataset, new_selection(current_configuration(dataset).selection, None, ["duration=[0.5,30]"]))
    assert report_in(dataset)["kept"] == before["kept"]

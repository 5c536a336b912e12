"""The report that an audit writes: with its checks and gates, and no audit is lost where it can't be written."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_dataset import change_manifest, write_dataset

from pipeline.audit import audit
from pipeline.audit_report import rewrite_report
from pipeline.cli import main
from pipeline.review import take_review
from schemas.errors import RealtalkError


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("reports") / "whole")


@pytest.fixture
def dataset(committed: Path, tmp_path: Path) -> Path:
    shutil.copytree(committed, tmp_path / "dataset", ignore=shutil.ignore_patterns("work"))
    return tmp_path / "dataset"


def report_in(dataset: Path) -> dict[str, Any]:
    return json.loads((dataset / "report" / "report.json").read_text(encoding="utf-8"))


def test_a_build_leaves_open_what_only_an_audit_sees(committed: Path) -> None:
    report = report_in(committed)
    gates = {gate["name"]: gate for gate in report["gates"]}
    assert report["verdict"]["audited"] is False
    assert gates["duplicates"]["passed"] is None
    assert "realtalk audit" in gates["duplicates"]["text"]
    assert report["checks"] == []


def test_an_audit_writes_what_it_found_and_the_rest_as_the_build_did(dataset: Path) -> None:
    before = report_in(dataset)
    assert main(["audit", str(dataset), "--format", "json"]) in (0, 3)
    after = report_in(dataset)
    assert [check["name"] for check in after["checks"]] == [check.name for check in audit(str(dataset)).checks]
    assert after["verdict"]["audited"] is True
    changed = {key for key in after if after[key] != before[key]}
    assert changed <= {"verdict", "gates", "checks"}
    assert {gate["name"] for gate in after["gates"]} == {gate["name"] for gate in before["gates"]}


def test_clips_beyond_those_inside_of_the_page_lie_beside_it_and_go_with_the_next_report(dataset: Path) -> None:
    queue = [clip["id"] for clip in report_in(dataset)["queue"]]
    found = audit(str(dataset))
    rewrite_report(found, embed=1)
    assert sorted(path.stem for path in (dataset / "report" / "clips").iterdir()) == sorted(queue[1:])
    page = (dataset / "report" / "index.html").read_text(encoding="utf-8")
    assert page.count("data:audio/mpeg") == 1
    assert f"clips/{queue[1]}.mp3" in page
    rewrite_report(found)
    assert list((dataset / "report" / "clips").iterdir()) == []


def test_no_report_is_written_where_none_is_wanted(dataset: Path) -> None:
    before = (dataset / "report" / "index.html").stat().st_mtime_ns
    main(["audit", str(dataset), "--no-report"])
    assert (dataset / "report" / "index.html").stat().st_mtime_ns == before


def test_damage_costs_the_report_and_not_the_audit(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (next((dataset / "candidates").iterdir())).write_bytes(b"no Parquet")
    before = report_in(dataset)
    assert main(["audit", str(dataset)]) == 3
    err = capsys.readouterr().err
    assert "the report is not written anew" in err
    assert "check files failed" in err
    assert report_in(dataset) == before


def test_a_dataset_that_changed_since_the_audit_is_not_reported_on(dataset: Path) -> None:
    found = audit(str(dataset))
    change_manifest(dataset, name="another")
    with pytest.raises(RealtalkError, match="changed since it was audited"):
        rewrite_report(found)


def test_the_queue_of_the_report_can_be_reviewed(dataset: Path, tmp_path: Path) -> None:
    clip = report_in(dataset)["queue"][0]["id"]
    sheet = tmp_path / "review.csv"
    sheet.write_text(
        f"id,verdict,corrected_text,note,reviewer,time\n{clip},bad_audio,,hum,Ada,2026-05-01T10:00:00Z\n",
        encoding="utf-8",
    )
    assert take_review(str(dataset), sheet).left_out == 1

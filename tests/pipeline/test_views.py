"""The table at the end of a build: hours in, hours through each stage, clips chosen, why the rest went."""

import json
from dataclasses import replace

import pytest

from pipeline.console import Format, clock, duration, print_json, print_table, printable, size
from pipeline.result import BuildResult
from pipeline.troubles import Trouble
from pipeline.views import show_build
from schemas.manifest import Manifest, SplitTotal, Totals
from transforms.summarize import Summary, merge


@pytest.fixture
def result() -> BuildResult:
    """Two episodes: one with a clip chosen and one rejected, one that failed."""
    done = {"state": "done", "seconds": 3600.0, "speech_seconds": 3000.0, "target_seconds": 1800.0}
    clips = [
        {"duration": 10.0, "verdict": "kept", "split": "train", "tier": "strict", "reasons": []},
        {"duration": 5.0, "verdict": "rejected", "split": "train", "tier": "", "reasons": ["snr_db 3.0 < 8.0"]},
    ]
    failed = {"state": "failed", "seconds": None, "failed_stage": "media", "error": "http-404"}
    troubles = (Trouble("e2", "The second", "media", "http-404", "GET http://x answered 404"),)
    summary = merge(Summary.of_episode(done, clips), Summary.of_episode(failed, (), announced_seconds=1800.0))
    totals = Totals(2, 1, 3600.0, 3000.0, 2, 15.0, 1, 10.0, {"train": SplitTotal(1, 10.0)})
    manifest = Manifest("a", 24_000, (), (), totals, "hash", {})
    costs = {"recording": {"audio_seconds": 3600.0, "cpu_seconds": 90.0, "wall_seconds": 100.0}}
    return BuildResult("/data/a", manifest, summary.to_dict(), unchanged=False, costs=costs, troubles=troubles)


def test_a_person_sees_where_the_hours_went(result: BuildResult, capsys: pytest.CaptureFixture[str]) -> None:
    show_build(result, Format.TABLE)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "listed 2 1 h 30 min 100%" in rows
    assert "speech 1 50 min 56%" in rows
    assert "the speaker alone 1 30 min 33%" in rows
    assert "chosen 1 1 10 s 0%" in rows
    assert "snr_db 1 5 s 1" in rows
    assert "The second download http-404 GET http://x answered 404" in rows
    assert "clips 1, 10 s (train 1)" in rows
    assert "episodes 2, 1 failed" in rows
    assert "consent NO CONSENT ON RECORD" in rows
    assert "CPU time 2 min, 90 s for an hour of audio" in rows
    assert "dataset /data/a" in rows


def test_a_program_reads_the_same(result: BuildResult, capsys: pytest.CaptureFixture[str]) -> None:
    show_build(result, Format.JSON)
    found = json.loads(capsys.readouterr().out)
    assert found["totals"]["clips"] == 1
    assert found["funnel"][0]["seconds"] == 5400.0
    assert found["failures"] == [{"stage": "media", "code": "http-404", "episodes": 1}]
    assert found["troubles"][0]["why"] == "GET http://x answered 404"
    assert found["consent"] == "NO CONSENT ON RECORD"


def test_many_troubles_are_counted(result: BuildResult, capsys: pytest.CaptureFixture[str]) -> None:
    troubles = tuple(Trouble(f"e{n}", f"episode {n}", "media", "http-404", "gone") for n in range(10_000))
    show_build(replace(result, troubles=troubles), Format.TABLE)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) < 80
    assert "episode 0 download http-404 gone" in rows
    assert "and 9975 more; --format json and episodes/ have all" in rows
    assert "download http-404 10000" in rows


def test_a_build_that_found_all_done_tells_no_costs(result: BuildResult, capsys: pytest.CaptureFixture[str]) -> None:
    show_build(BuildResult(result.output, result.manifest, result.summary, unchanged=True, costs={}), Format.TABLE)
    out = capsys.readouterr().out
    assert "unchanged" in out
    assert "CPU time" not in out


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (5400, "1 h 30 min")]
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_places_and_sizes() -> None:
    assert (clock(3.456), clock(59.999), clock(3723.5)) == ("0:03.46", "1:00.00", "1:02:03.50")
    assert [size(count) for count in (5, 999, 1500, 2.5e6, 4e9, 3e15)] == [
        *("5 bytes", "999 bytes", "2 kB", "2.5 MB", "4.0 GB", "3000 TB"),
    ]


def test_markup_and_control_characters_are_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["[b]a[/b]"], [["[red]x[/red]\n\x1b[2J"]], title="[t]")
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "[t]" in out
    assert "\x1b" not in out
    assert printable("a\u202eb\u2028c") == "a b c"


def test_json_has_no_number_that_json_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [float("nan"), 1.5], "b": float("inf")})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5], "b": None}

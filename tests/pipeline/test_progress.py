"""What a person reads while a build runs is what the workers did."""

import io
from pathlib import Path

from pipeline.progress import EventReader, ProgressDisplay, Tally, describe
from schemas.episode import Episode
from schemas.errors import Failure
from schemas.state import EpisodeState
from transforms.progress import ProgressLog
from transforms.store import Store


def state(name: str) -> EpisodeState:
    return EpisodeState(Episode(id=name, guid=name, feed_guid="f", source_url="a.mp3", title=f"Title {name}"))


def finish(log: ProgressLog, stage: str, name: str, cached: bool = False, seconds: float = 1800.0) -> None:
    log.finished(stage, state(name), cached=cached, audio_seconds=seconds, cpu_seconds=2.0, wall_seconds=3.0)


def test_events_of_a_worker_add_up(tmp_path: Path) -> None:
    log, tally = ProgressLog(Store(str(tmp_path))), Tally()
    folder = tmp_path / "work" / "progress"
    folder.mkdir(parents=True)
    reader = EventReader(folder)
    log.note("feeds", listed=3)
    log.started("recording", state("a"))
    finish(log, "recording", "a")
    finish(log, "recording", "b", cached=True)
    log.failed(Failure("c", "media", "http-404", "gone"), state("c"), "")
    for event in reader.new_events():
        tally.add(event)
    assert list(reader.new_events()) == [], "nothing is counted twice"
    assert tally.listed == 3
    assert tally.hours == 1.0
    assert tally.finished == {"recording": 2}
    assert tally.cached == {"recording": 1}
    assert tally.costs["recording"]["cpu_seconds"] == 2.0, "what was kept cost nothing"
    assert tally.failures[0]["what"] == "http-404"


def test_a_line_that_is_being_written_waits(tmp_path: Path) -> None:
    reader = EventReader(tmp_path)
    file = tmp_path / "1.jsonl"
    file.write_text('{"event":"note","stage":"feeds","lis')
    assert list(reader.new_events()) == []
    file.write_text('{"event":"note","stage":"feeds","listed":2}\n')
    assert [event["listed"] for event in reader.new_events()] == [2]


def test_the_line_names_episodes_hours_stage_speed_and_time_left() -> None:
    tally = Tally(listed=4, finished={"media": 2, "recording": 2, "diarization": 2, "candidates": 1})
    tally.durations = {"a": 3600.0, "b": 3600.0}
    tally.running = {"b": ("utterances", "Second")}
    line = describe(tally, 60.0)
    assert "1 of 4 episodes" in line
    assert "2.00 h" in line
    assert "align text: Second" in line
    assert "120x real time" in line
    assert "left" in line


def test_failures_are_told_on_lines_of_their_own_where_no_terminal_is(tmp_path: Path) -> None:
    stream, folder = io.StringIO(), tmp_path / "work" / "progress"
    with ProgressDisplay(folder, stream=stream):
        log = ProgressLog(Store(str(tmp_path)))
        log.note("feeds", listed=1)
        log.failed(Failure("a", "recording", "no-audio", "it is HTML"), state("a"), "")
    lines = stream.getvalue().splitlines()
    assert "  failed: Title a: decode: no-audio: it is HTML" in lines
    assert "\x1b" not in stream.getvalue()


def test_names_of_others_do_not_steer_the_terminal(tmp_path: Path) -> None:
    stream = io.StringIO()
    with ProgressDisplay(tmp_path / "work" / "progress", stream=stream):
        log = ProgressLog(Store(str(tmp_path)))
        log.note("feeds", listed=2, line="no-files: bad\x1b[31m.mp3")
        log.failed(Failure("a", "recording", "no-audio", "bad\x1b]0;owned\x07.mp3 is HTML"), state("a\x1b[2J"), "")
        log.started("recording", state("b\x1b[2J"))
    assert "is HTML" in stream.getvalue()
    assert not {"\x1b", "\x07"} & set(stream.getvalue())

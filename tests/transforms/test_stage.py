"""A stage works once, says what failed, and lets the other episodes go on."""

import ctypes
import errno
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from schemas.episode import Episode
from schemas.errors import ConfigurationError, EpisodeError
from schemas.state import EpisodeState, Speech
from schemas.turn import Span
from transforms.episodes import EpisodeStages, Workers
from transforms.stage import Stage, failure_of, load_result, run_stage
from transforms.store import Store
from transforms.workers import WorkerPool


@dataclass(frozen=True)
class CountingSpeech(Stage):
    """Finds one span; writes down every time it works.

    "bad" in a title fails, "worse" fails without a reason, "crash" reads address 0, "once" is killed the first time.
    """

    ledger: str
    onset: float = 0.5
    name = "speech"
    result = Speech

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return (state.episode.guid, self.onset)

    def work(self, state: EpisodeState, key: str, store: Store) -> Speech:
        with open(self.ledger, "a") as file:
            file.write(state.episode.guid + "\n")
        if "bad" in state.episode.title:
            raise EpisodeError("no-audio: a.mp3 holds no audio; give another file")
        if "nowhere" in state.episode.title:
            raise ConfigurationError("fp16 needs a GPU; say precision: fp32")
        if "worse" in state.episode.title:
            raise ZeroDivisionError("float division by zero")
        if "crash" in state.episode.title:
            ctypes.string_at(0)
        if "once" in state.episode.title and Path(self.ledger).read_text().count(state.episode.guid) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        with store.create(store.path("work", f"{key}.bin")) as partial:
            partial.write_bytes(b"x")
        return Speech(spans=(Span(0.0, self.onset),), bandwidth_hz=8000.0)

    def files(self, result: Speech) -> tuple[str, ...]:
        return ()


def test_what_is_wrong_with_the_configuration_ends_the_build_at_once(
    store: Store, ledger: Path, workers: WorkerPool
) -> None:
    with pytest.raises(ConfigurationError, match="say precision: fp32"):
        run_stage(CountingSpeech(str(ledger)), state("a", "nowhere"), store, workers)


class WithFile(CountingSpeech):
    """Says that a file goes with its result, which somebody else wrote."""

    def files(self, result: Speech) -> tuple[str, ...]:
        return (self.ledger + ".gone",)


def state(guid: str, title: str = "") -> EpisodeState:
    return EpisodeState(Episode(id=f"id-{guid}", guid=guid, feed_guid="f", source_url="a.mp3", title=title))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "out"))


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger"
    path.touch()
    return path


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerPool]:
    with WorkerPool() as pool:
        yield pool


def events(store: Store) -> list[dict[str, Any]]:
    paths = Path(store.path("work", "progress")).glob("*.jsonl")
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_the_second_run_does_no_work(store: Store, ledger: Path, workers: WorkerPool) -> None:
    stage = CountingSpeech(str(ledger))
    first, second = (run_stage(stage, state("a"), store, workers) for _ in range(2))
    assert ledger.read_text().splitlines() == ["a"]
    assert first == second
    assert first.speech == Speech((Span(0.0, 0.5),), 8000.0)


def test_another_setting_makes_another_result_beside_the_first(store: Store, ledger: Path, workers: WorkerPool) -> None:
    stage = CountingSpeech(str(ledger))
    other = replace(stage, onset=0.7)
    assert run_stage(stage, state("a"), store, workers).keys != run_stage(other, state("a"), store, workers).keys
    run_stage(stage, state("a"), store, workers)
    assert ledger.read_text().splitlines() == ["a", "a"]


def test_a_result_whose_file_is_gone_is_made_again(store: Store, ledger: Path, workers: WorkerPool) -> None:
    stage = WithFile(str(ledger))
    Path(f"{ledger}.gone").touch()
    run_stage(stage, state("a"), store, workers)
    assert load_result(stage, stage.key(state("a")), store) is not None
    Path(f"{ledger}.gone").unlink()
    assert load_result(stage, stage.key(state("a")), store) is None


class WithOwnFile(CountingSpeech):
    """Says that the file it writes goes with its result."""

    def files(self, result: Speech) -> tuple[str, ...]:
        return (str(Path(self.ledger).parent / "out" / "work" / f"{self.key(state('a'))}.bin"),)


class WithHashedFile(WithOwnFile):
    has_hashes = True


@pytest.mark.parametrize(
    ("kind", "content"), [(WithOwnFile, b""), (WithOwnFile, b"xy"), (WithHashedFile, b""), (WithHashedFile, b"y")]
)
def test_a_result_whose_file_is_damaged_is_made_again(
    kind: type[WithOwnFile], content: bytes, store: Store, ledger: Path, workers: WorkerPool
) -> None:
    stage = kind(str(ledger))
    first = run_stage(stage, state("a"), store, workers)
    (path,) = stage.files(first.speech)
    Path(path).write_bytes(content)
    assert run_stage(stage, state("a"), store, workers) == first
    assert Path(path).read_bytes() == b"x"
    assert ledger.read_text().splitlines() == ["a", "a"]


@pytest.mark.parametrize("content", [b'{"spans": 3', b"\xff\xfe", b"[]", b'{"result": 3, "files": []}', b""])
def test_a_damaged_result_is_made_again(content: bytes, store: Store, ledger: Path, workers: WorkerPool) -> None:
    stage = CountingSpeech(str(ledger))
    run_stage(stage, state("a"), store, workers)
    kept = next(Path(store.path("work", "results", "speech")).glob("*.json"))
    kept.write_bytes(content)
    run_stage(stage, state("a"), store, workers)
    assert ledger.read_text().splitlines() == ["a", "a"]


def test_a_failure_says_what_and_why_and_is_not_kept(store: Store, ledger: Path, workers: WorkerPool) -> None:
    stage = CountingSpeech(str(ledger))
    for _ in range(2):
        failure = run_stage(stage, state("a", "bad"), store, workers).failure
        assert failure
        assert (failure.what, failure.why) == ("no-audio", "a.mp3 holds no audio; give another file")
        assert failure.stage == "speech"
    assert len(ledger.read_text().splitlines()) == 2, "a failed stage is tried again by the next build"


def test_an_error_nobody_expected_costs_one_episode(store: Store, ledger: Path, workers: WorkerPool) -> None:
    failure = run_stage(CountingSpeech(str(ledger)), state("a", "worse"), store, workers).failure
    assert failure
    assert failure.what == "unexpected-ZeroDivisionError"
    (told,) = [event for event in events(store) if event["event"] == "failed"]
    assert "in work\n" in told["detail"], "the traceback of the worker process is in the log of events"


def test_a_crash_of_a_library_costs_one_episode(store: Store, ledger: Path, workers: WorkerPool) -> None:
    stage = CountingSpeech(str(ledger))
    for build in (1, 2):
        failure = run_stage(stage, state("a", "crash"), store, workers).failure
        assert failure
        assert (failure.stage, failure.what) == ("speech", "worker-died")
        assert "signal 11 (Segmentation fault), 2 times in a row" in failure.why
        assert "leave it out, or choose another model" in failure.why
        tries = ledger.read_text().splitlines().count("a")
        assert tries == 2 * build, "tried twice, not kept, and tried again by the next build"
    assert run_stage(stage, state("b"), store, workers).speech, "a fresh process does the next one's work"


def test_a_worker_that_was_killed_once_is_harmless(store: Store, ledger: Path, workers: WorkerPool) -> None:
    done = run_stage(CountingSpeech(str(ledger)), state("a", "once"), store, workers)
    assert done.failure is None
    assert done.speech == Speech((Span(0.0, 0.5),), 8000.0)
    assert ledger.read_text().splitlines() == ["a", "a"]
    assert [event["event"] for event in events(store)] == ["started", "finished"]


def test_a_full_disk_is_named() -> None:
    failure = failure_of(OSError(errno.ENOSPC, "No space left on device"), "recording", "x")
    assert failure.what == "disk-full"
    assert "free some" in failure.why


@pytest.mark.parametrize(("processes", "at_once"), [(1, 1), (2, 6)])
def test_good_episodes_go_on_beside_bad_ones(store: Store, ledger: Path, processes: int, at_once: int) -> None:
    def good_and_bad(outputs: list[tuple[str, str]]) -> None:
        assert sorted(outputs) == [("done", "a"), ("done", "c"), ("done", "e"), ("failed", "b"), ("failed", "d")]

    workers = Workers(processes, at_once)
    with workers.pool(), beam.Pipeline(FnApiRunner()) as pipeline:
        states = pipeline | beam.Create(
            [state("a"), state("b", "bad"), state("c", "once"), state("d", "crash"), state("e")]
        )
        outputs = states | EpisodeStages([CountingSpeech(str(ledger))], store, workers)
        done = outputs.done | "Done" >> beam.Map(lambda s: ("done", s.episode.guid))
        failed = outputs.failed | "Failed" >> beam.Map(lambda s: ("failed", s.episode.guid))
        assert_that((done, failed) | beam.Flatten(), good_and_bad)

"""A stage works once, says what failed, and lets the other episodes go on."""

import errno
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.pvalue import TaggedOutput
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from schemas.episode import Episode
from schemas.errors import EpisodeError
from schemas.state import EpisodeState, Speech
from schemas.turn import Span
from transforms.stage import EpisodeStage, RunStage, Stage, failure_of, load_result
from transforms.store import Store


@dataclass(frozen=True)
class CountingSpeech(Stage):
    """Finds one span; writes down every time it works. "bad" in a title fails, "worse" fails without a reason."""

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
        if "worse" in state.episode.title:
            raise ZeroDivisionError("float division by zero")
        with store.create(store.path("work", f"{key}.bin")) as partial:
            partial.write_bytes(b"x")
        return Speech(spans=(Span(0.0, self.onset),), bandwidth_hz=8000.0)

    def files(self, result: Speech) -> tuple[str, ...]:
        return ()


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


def run(stage: Stage, store: Store, one: EpisodeState) -> list[Any]:
    return list(RunStage(stage, store).process(one))


def test_the_second_run_does_no_work(store: Store, ledger: Path) -> None:
    stage = CountingSpeech(str(ledger))
    first, second = run(stage, store, state("a")), run(stage, store, state("a"))
    assert ledger.read_text().splitlines() == ["a"]
    assert first == second
    assert first[0].speech == Speech((Span(0.0, 0.5),), 8000.0)


def test_another_setting_makes_another_result_and_keeps_the_first(store: Store, ledger: Path) -> None:
    stage = CountingSpeech(str(ledger))
    other = replace(stage, onset=0.7)
    assert run(stage, store, state("a"))[0].keys != run(other, store, state("a"))[0].keys
    run(stage, store, state("a"))
    assert ledger.read_text().splitlines() == ["a", "a"]


def test_a_result_whose_file_is_gone_is_made_again(store: Store, ledger: Path) -> None:
    class WithFile(CountingSpeech):
        def files(self, result: Speech) -> tuple[str, ...]:
            return (str(ledger) + ".gone",)

    stage = WithFile(str(ledger))
    run(stage, store, state("a"))
    assert load_result(stage, stage.key(state("a")), store) is None


def test_a_damaged_result_is_made_again(store: Store, ledger: Path) -> None:
    stage = CountingSpeech(str(ledger))
    run(stage, store, state("a"))
    kept = next(Path(store.path("work", "results", "speech")).glob("*.json"))
    kept.write_text('{"spans": 3')
    run(stage, store, state("a"))
    assert ledger.read_text().splitlines() == ["a", "a"]


def test_a_failure_says_what_and_why_and_is_not_kept(store: Store, ledger: Path) -> None:
    stage = CountingSpeech(str(ledger))
    for _ in range(2):
        (output,) = run(stage, store, state("a", "bad"))
        assert isinstance(output, TaggedOutput)
        assert output.value.failure.what == "no-audio"
        assert output.value.failure.why == "a.mp3 holds no audio; give another file"
        assert output.value.failure.stage == "speech"
    assert len(ledger.read_text().splitlines()) == 2, "a failed stage is tried again by the next build"


def test_an_error_nobody_expected_costs_one_episode(store: Store, ledger: Path) -> None:
    (output,) = run(CountingSpeech(str(ledger)), store, state("a", "worse"))
    assert output.value.failure.what == "unexpected-ZeroDivisionError"


def test_a_full_disk_is_named() -> None:
    failure = failure_of(OSError(errno.ENOSPC, "No space left on device"), "recording", "x")
    assert failure.what == "disk-full"
    assert "free some" in failure.why


def test_good_episodes_go_on_beside_bad_ones(store: Store, ledger: Path) -> None:
    def good_and_bad(outputs: list[tuple[str, str]]) -> None:
        assert sorted(outputs) == [("done", "a"), ("done", "c"), ("failed", "b")]

    with beam.Pipeline(FnApiRunner()) as pipeline:
        states = pipeline | beam.Create([state("a"), state("b", "bad"), state("c")])
        outputs = states | EpisodeStage(CountingSpeech(str(ledger)), store)
        done = outputs.done | "Done" >> beam.Map(lambda s: ("done", s.episode.guid))
        failed = outputs.failed | "Failed" >> beam.Map(lambda s: ("failed", s.episode.guid))
        assert_that((done, failed) | beam.Flatten(), good_and_bad)

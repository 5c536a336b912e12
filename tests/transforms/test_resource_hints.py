"""What the graph asks an engine for: an accelerator for the stages whose model wants one, and for no other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.portability.common_urns import resource_hints
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from schemas.episode import Episode
from schemas.state import EpisodeState
from transforms.episodes import ACCELERATOR, EpisodeStages, Workers
from transforms.models.base import Model, Needs
from transforms.one_model import OneModel
from transforms.stage import Stage
from transforms.store import Store


class Small(Model):
    identity = "small"


class Large(Model):
    identity = "large"
    needs = Needs(accelerator=True, memory_gb=6)


@dataclass(frozen=True)
class Named(Stage):
    """Counts the letters of the guid; `name` tells it from the others."""

    name: str
    model: OneModel[Model]
    result = int
    keeps = False
    supervised = False

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return (state.episode.guid,)

    def work(self, state: EpisodeState, key: str, store: Store) -> int:
        if state.episode.guid == "bad":
            raise ValueError("bad")
        return len(state.episode.guid)

    def apply(self, state: EpisodeState, result: int, key: str) -> EpisodeState:
        return state


def stages(middle: type[Model]) -> list[Stage]:
    models = {"speech": Small, "captions": Small, "diarization": middle, "target": Small}
    return [Named(name, OneModel(model)) for name, model in models.items()]


def hints_of(pipeline: beam.Pipeline) -> dict[str, dict[str, bytes]]:
    """Hints by step of EpisodeStages, as the engine gets them: of the DoFn that does the work."""
    components = pipeline.to_runner_api().components
    return {
        step.unique_name.split("/")[-2]: dict(components.environments[step.environment_id].resource_hints)
        for step in components.transforms.values()
        if step.unique_name.endswith("/ParDo(RunStages)")
    }


def state(guid: str) -> EpisodeState:
    return EpisodeState(Episode(id=guid, guid=guid, feed_guid="feed", source_url=guid))


def outputs(pipeline: beam.Pipeline, folder: Path, middle: type[Model], guids: list[str]) -> Any:
    states = pipeline | beam.Create([state(guid) for guid in guids])
    return states | EpisodeStages(stages(middle), Store(str(folder)), Workers())


def test_only_the_stage_whose_model_wants_an_accelerator_asks_for_one(tmp_path: Path) -> None:
    pipeline = beam.Pipeline(FnApiRunner())
    outputs(pipeline, tmp_path, Large, ["a"])
    assert hints_of(pipeline) == {
        "Run speech, captions": {},
        "Run diarization": {
            resource_hints.ACCELERATOR.urn: ACCELERATOR.encode(),
            resource_hints.MIN_RAM_BYTES.urn: b"6000000000",
        },
        "Run target": {},
    }


def test_models_that_want_nothing_are_one_step_without_hints(tmp_path: Path) -> None:
    pipeline = beam.Pipeline(FnApiRunner())
    outputs(pipeline, tmp_path, Small, ["a"])
    assert hints_of(pipeline) == {"Run speech, captions, diarization, target": {}}


@pytest.mark.parametrize("middle", [Small, Large])
def test_the_local_runner_gives_the_same_with_and_without_hints(tmp_path: Path, middle: type[Model]) -> None:
    with beam.Pipeline(FnApiRunner()) as pipeline:
        found = outputs(pipeline, tmp_path, middle, ["a", "bad", "c"])
        done = found.done | "Done" >> beam.Map(lambda one: ("done", one.episode.guid))
        failed = found.failed | "Failed" >> beam.Map(lambda one: (one.failure.stage, one.episode.guid))
        assert_that((done, failed) | beam.Flatten(), equal_to([("done", "a"), ("done", "c"), ("speech", "bad")]))

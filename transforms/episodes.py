"""Episodes on their way through stages, several at once: what the graph is made of."""

import concurrent.futures
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.shared import Shared
from apache_beam.utils.thread_pool_executor import UnboundedThreadPoolExecutor
from apache_beam.utils.windowed_value import WindowedValue

from schemas.state import EpisodeState
from transforms.models.base import Needs
from transforms.stage import Stage, run_stage
from transforms.store import Store
from transforms.workers import WorkerPool, nothing

FAILED = "failed"
#: The smallest GPU that is common; as Dataflow reads it.
ACCELERATOR = "type:nvidia-tesla-t4;count:1;install-nvidia-driver"


@dataclass(frozen=True)
class Workers:
    """The pool of worker processes that everything in one process of the engine shares.

    `at_once` episodes of a bundle are on their way together: an engine that runs here has one bundle for all of them,
    while one that moves elements between machines has to see when each is done, and gives one at a time.
    """

    processes: int = 1
    at_once: int = 1
    prepare: Callable[[], None] = nothing
    _shared: Shared = field(default_factory=Shared)

    def pool(self) -> WorkerPool:
        """The pool of this process, made on first use."""
        pool: WorkerPool = self._shared.acquire(lambda: WorkerPool(self.processes, self.prepare))
        return pool


class Outputs(NamedTuple):
    """Episodes that are through, and those that a stage failed on."""

    done: beam.PCollection
    failed: beam.PCollection


class EpisodeStages(beam.PTransform):
    """Episode states through stages, one after the other; `.done` and `.failed` out.

    Neighbours that want the same machine are one step of the graph: a stage whose model wants an accelerator holds no
    machine that has one while others work.
    """

    def __init__(self, stages: Sequence[Stage], store: Store, workers: Workers) -> None:
        super().__init__()
        self.runs = [
            (needs, RunStages(tuple(group), store, workers))
            for needs, group in itertools.groupby(stages, key=lambda stage: stage.needs)
        ]

    def expand(self, states: beam.PCollection) -> Any:
        failed = []
        for needs, run in self.runs:
            names = ", ".join(stage.name for stage in run.stages)
            step = with_hints(beam.ParDo(run), needs).with_outputs(FAILED, main="done")
            outputs = states | f"Run {names}" >> step
            states = outputs.done
            failed.append(outputs[FAILED])
        return Outputs(states, failed[0] if len(failed) == 1 else tuple(failed) | "All failed" >> beam.Flatten())


def with_hints(step: beam.ParDo, needs: Needs) -> Any:
    """A step that asks the engine for what its models want; an engine that can't choose its machines ignores it."""
    hints: dict[str, str] = {}
    if needs.accelerator:
        hints["accelerator"] = ACCELERATOR
    if needs.memory_gb:
        hints["min_ram"] = f"{needs.memory_gb}GB"
    return step.with_resource_hints(**hints) if hints else step


class RunStages(beam.DoFn):
    """Runs stages on episode states; failures go to the output tagged `FAILED`.

    Each episode has a thread that waits for its turn in a worker process, stage by stage: no worker is idle while any
    episode has something left to do, however different they are in length.
    """

    def __init__(self, stages: tuple[Stage, ...], store: Store, workers: Workers) -> None:
        self.stages = stages
        self.store = store
        self.workers = workers

    def setup(self) -> None:
        self._pool = self.workers.pool()
        # Its threads are daemons: a download that hangs does not hold up the end of a build that was stopped.
        self._threads = UnboundedThreadPoolExecutor()

    def start_bundle(self) -> None:
        self._under_way: set[concurrent.futures.Future[EpisodeState]] = set()

    def process(self, state: EpisodeState) -> Iterator[Any]:
        self._under_way.add(self._threads.submit(self._through, state))
        while len(self._under_way) >= self.workers.at_once:
            yield from map(tagged, self._arrived())

    def finish_bundle(self) -> Iterator[Any]:
        while self._under_way:
            for state in self._arrived():
                yield tagged(state, in_global_window)

    def teardown(self) -> None:
        self._threads.shutdown(wait=False)

    def _through(self, state: EpisodeState) -> EpisodeState:
        for stage in self.stages:
            state = run_stage(stage, state, self.store, self._pool)
            if state.failure:
                break
        return state

    def _arrived(self) -> list[EpisodeState]:
        """Those that are through, once there are any."""
        arrived, self._under_way = concurrent.futures.wait(
            self._under_way, return_when=concurrent.futures.FIRST_COMPLETED
        )
        return [future.result() for future in arrived]


def in_global_window(state: EpisodeState) -> WindowedValue:
    """A value as runners want it at the end of a bundle."""
    return WindowedValue(state, GlobalWindow().max_timestamp(), (GlobalWindow(),))


def tagged(state: EpisodeState, value: Callable[[EpisodeState], Any] = lambda state: state) -> Any:
    """A state for the output that it belongs to."""
    return TaggedOutput(FAILED, value(state)) if state.failure else value(state)

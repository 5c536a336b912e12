"""What every stage of an episode has in common: do it once, say what failed, tell how it goes.

A stage is a plain function of an episode's state. `run_stage` looks its result up under a key of content hash, settings
and model identity, lets a worker process make it where there is none, and hands on the state with the result in it.
What it can't do becomes a `Failure` in the state, and the other episodes go on.
"""

import json
import time
import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from pydantic import TypeAdapter

from schemas.errors import ConfigurationError, EpisodeError, Failure
from schemas.ids import digest, file_sha256
from schemas.state import EpisodeState
from transforms.models.base import Needs
from transforms.progress import ProgressLog
from transforms.store import Store
from transforms.workers import Done, PoolClosedError, WorkerPool


@runtime_checkable
class Needy(Protocol):
    """Holds a model, and says what that wants of a machine."""

    @property
    def needs(self) -> Needs: ...


class Stage(ABC):
    """One step on an episode's way. Instances travel to workers: they hold settings, and load models in `work`."""

    #: Name of the stage, and of the field of EpisodeState that it fills.
    name: str
    #: Raised by one when the same inputs and settings give another result than before.
    version: int = 1
    #: The type of the result (a dataclass that JSON can hold).
    result: type

    @abstractmethod
    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        """Everything that the result depends on: keys of earlier stages, settings, model identities."""

    @abstractmethod
    def work(self, state: EpisodeState, key: str, store: Store) -> Any:
        """Do the work; raises EpisodeError. `key` names the result, for files that go with it."""

    def files(self, result: Any) -> tuple[str, ...]:
        """Files that have to be there for a kept result to be of use."""
        return ()

    def key(self, state: EpisodeState) -> str:
        """The name of the result: a hash of all that it depends on."""
        return digest(self.name, self.version, *self.inputs(state))

    #: Whether kept files are known by their SHA-256 and not by their size alone: where a dataset links to them, a
    #: program that writes to the dataset writes to them too.
    has_hashes: bool = False

    #: Whether the result is kept under its key. A download keeps its own books, and asks its server each time.
    keeps: bool = True

    #: Whether the work is done in a worker process. What waits for a network, and runs nothing native, has no need to.
    supervised: bool = True

    @property
    def needs(self) -> Needs:
        """What its models want of a machine: an accelerator where one of them does, and memory for the largest."""
        wanted = [field.needs for field in vars(self).values() if isinstance(field, Needy)]
        return Needs(any(one.accelerator for one in wanted), max((one.memory_gb for one in wanted), default=0))

    def apply(self, state: EpisodeState, result: Any, key: str) -> EpisodeState:
        """The state with the result in it."""
        return replace(state, **{self.name: result}, keys={**state.keys, self.name: key})

    def audio_seconds(self, state: EpisodeState) -> float:
        """Seconds of audio that the stage works on; for rates and forecasts."""
        return state.recording.duration if state.recording else 0.0


def kept_result_path(store: Store, stage: str, key: str) -> str:
    """Where the result of a stage is kept."""
    return store.path("work", "results", stage, f"{key}.json")


def load_result(stage: Stage, key: str, store: Store) -> Any | None:
    """The kept result of a stage; None where there is none, or where it or a file that goes with it is damaged."""
    try:
        text = store.read_text(kept_result_path(store, stage.name, key))
        if text is None:
            return None
        kept = json.loads(text)
        result: Any = TypeAdapter(stage.result).validate_python(store.located(kept["result"]))
        is_whole = kept["files"] == [_file_identity(stage, path, store) for path in stage.files(result)]
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return result if is_whole else None


def keep_result(stage: Stage, key: str, result: Any, store: Store) -> None:
    """Keep a result under its key, with what tells later whether the files that go with it are still what they were."""
    kept = {
        "result": store.relocatable(TypeAdapter(stage.result).dump_python(result, mode="json")),
        "files": [_file_identity(stage, path, store) for path in stage.files(result)],
    }
    store.write_text(kept_result_path(store, stage.name, key), json.dumps(kept, separators=(",", ":"), sort_keys=True))


def _file_identity(stage: Stage, path: str, store: Store) -> str | int:
    """SHA-256 of a file, or its size in bytes; raises OSError where it is gone."""
    return file_sha256(store.fetch(path)) if stage.has_hashes else store.size(path)


@dataclass(frozen=True)
class Work:
    """What a worker process does for a stage: the work, and keeping what came of it."""

    stage: Stage
    store: Store

    def __call__(self, state: EpisodeState, key: str) -> Any:
        result = self.stage.work(state, key, self.store)
        if self.stage.keeps:
            keep_result(self.stage, key, result, self.store)
        return result


def run_stage(stage: Stage, state: EpisodeState, store: Store, workers: WorkerPool) -> EpisodeState:
    """The state with the stage's result in it, kept from before or made now; or with its `failure`."""
    log = ProgressLog(store)
    try:
        key = stage.key(state)
        cpu, wall = time.thread_time(), time.monotonic()
        result = load_result(stage, key, store) if stage.keeps else None
        cached = result is not None
        if result is None:
            done = _work(stage, state, key, store, workers, log)
        else:
            done = Done(result, time.thread_time() - cpu, time.monotonic() - wall)
        after = stage.apply(state, done.value, key)
        log.finished(
            stage.name,
            state,
            cached=cached,
            audio_seconds=stage.audio_seconds(after),
            cpu_seconds=done.cpu_seconds,
            wall_seconds=done.wall_seconds,
            is_first=done.is_first,
        )
    except (PoolClosedError, ConfigurationError):
        # What stops one episode so stops them all.
        raise
    except Exception as error:  # noqa: BLE001 - one bad episode never stops the others; the error is recorded
        failure = failure_of(error, stage.name, state.episode.id)
        log.failed(failure, state, _detail(error) if not isinstance(error, EpisodeError) else "")
        return replace(state, failure=failure)
    return after


def _work(stage: Stage, state: EpisodeState, key: str, store: Store, workers: WorkerPool, log: ProgressLog) -> Done:
    if stage.supervised:
        return workers.run(Work(stage, store), state, key, begun=lambda: log.started(stage.name, state))
    log.started(stage.name, state)
    cpu, wall = time.thread_time(), time.monotonic()
    result = Work(stage, store)(state, key)
    return Done(result, time.thread_time() - cpu, time.monotonic() - wall)


def _detail(error: Exception) -> str:
    """The traceback, with that of the worker process where the error comes from one."""
    return "".join(traceback.format_exception(error))


def failure_of(error: Exception, stage: str, episode_id: str) -> Failure:
    """A Failure from an exception: "code: line" of an EpisodeError, the type and line of any other."""
    line = " ".join(str(error).split())
    if isinstance(error, EpisodeError):
        code, _, why = line.partition(": ")
        return Failure(episode_id, stage, code if why else "failed", why or line)
    if isinstance(error, OSError) and error.errno == 28:
        return Failure(episode_id, stage, "disk-full", f"no space left on the disk; free some and run again ({line})")
    return Failure(episode_id, stage, f"unexpected-{type(error).__name__}", line or type(error).__name__)

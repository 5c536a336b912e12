"""The driver of a build: from a configuration to a committed dataset, followed by a person."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam

from pipeline.config import Config
from pipeline.graph import SUMMARY_PATH, build_graph
from pipeline.logs import logged_to
from pipeline.planning import make_plan
from pipeline.progress import ProgressDisplay, Tally
from pipeline.ready import committed_manifest
from pipeline.runners import choose_engine, named_in_errors
from pipeline.timings import keep_timings
from pipeline.troubles import Trouble, read_troubles
from schemas.errors import EpisodeError, RealtalkError
from schemas.manifest import MANIFEST_NAME, Manifest
from transforms.store import Store


@dataclass(frozen=True)
class BuildResult:
    """What a build ended with: the manifest, the summary's numbers, what the stages cost, and what went wrong."""

    output: str
    manifest: Manifest
    summary: dict[str, Any]
    unchanged: bool
    costs: dict[str, dict[str, float]]
    troubles: tuple[Trouble, ...] = ()


def run_build(config: Config, beam_arguments: Sequence[str] = (), workers: int | None = None) -> BuildResult:
    """Run the pipeline to its end; raises RealtalkError where it can't come to one.

    Episodes that fail are in the result's summary. One build at a time writes to an output.
    """
    began = time.monotonic()
    store = Store(config.output_location)
    engine = choose_engine(beam_arguments, workers or config.workers, store)
    # A plan reads the reviews that are kept there.
    require_reachable(store)
    plan = make_plan(config, store)
    with one_build_at_a_time(store), logged_to(Path(log_path(store)) if store.is_local else None) as terminal:
        display = ProgressDisplay(Path(store.path("work", "progress")), terminal) if store.is_local else nullcontext()
        with display as progress, engine.workers.pool(), named_in_errors(engine):
            pipeline = beam.Pipeline(runner=engine.runner, options=engine.options)
            build_graph(pipeline, plan, engine.workers)
            pipeline.run().wait_until_finish()
        tally = progress.tally if progress else Tally()
    if tally.costs:
        # The dataset is whole already; only forecasts read them.
        with suppress(EpisodeError):
            keep_timings(store, tally, time.monotonic() - began, workers or config.workers)
    return read_result(store, tally)


def require_reachable(store: Store) -> None:
    """Raises RealtalkError where a remote output can't be asked for a file: better at once than after hours of work."""
    if store.is_local:
        return
    try:
        store.exists(store.path(MANIFEST_NAME))
    except Exception as error:
        why = " ".join(str(error).split())
        raise RealtalkError(f"{store.root}: can't be reached ({why}); choose another output, or mend that") from error


def read_result(store: Store, tally: Tally) -> BuildResult:
    """What a run that has ended made; raises RealtalkError where it made no dataset."""
    manifest, summary = committed_manifest(store), store.read_text(store.path(*SUMMARY_PATH))
    if manifest is None or summary is None:
        raise RealtalkError(f"{store.root}: the build ended without a dataset; see {log_path(store)} and run it again")
    return BuildResult(
        output=store.root,
        manifest=manifest,
        summary=json.loads(summary),
        unchanged=tally.result == "unchanged",
        costs=tally.costs,
        troubles=read_troubles(store),
    )


@contextmanager
def one_build_at_a_time(store: Store) -> Iterator[None]:
    """Hold the output for this process; a lock of a process that died is gone with it."""
    if not store.is_local:
        yield
        return
    path = Path(store.path("work", "lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - held until the build ends
    except OSError as error:
        raise RealtalkError(f"{store.root}: can't be written to ({error.strerror}); choose another output") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RealtalkError(
                f"{store.root}: another build (process {file.read().strip() or '?'}) is writing here; wait for its end"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def log_path(store: Store) -> str:
    """Where the log of a build goes."""
    return store.path("work", "build.log")

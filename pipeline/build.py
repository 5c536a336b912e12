"""The driver of a build: from a configuration to a committed dataset, followed by a person."""

import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import apache_beam as beam

from pipeline.config import Config
from pipeline.graph import build_graph
from pipeline.hold import one_build_at_a_time
from pipeline.logs import log_path, logged_to
from pipeline.planning import make_plan
from pipeline.progress import ProgressDisplay, Tally
from pipeline.result import BuildResult, read_result
from pipeline.runners import choose_engine, named_in_errors
from pipeline.timings import keep_timings
from schemas.errors import EpisodeError, RealtalkError
from schemas.manifest import MANIFEST_NAME
from transforms.store import Store


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
    return read_result(store, tally.result == "unchanged", tally.costs)


def require_reachable(store: Store) -> None:
    """Raises RealtalkError where a remote output can't be asked for a file: better at once than after hours of work."""
    if store.is_local:
        return
    try:
        store.exists(store.path(MANIFEST_NAME))
    except Exception as error:
        why = " ".join(str(error).split())
        raise RealtalkError(f"{store.root}: can't be reached ({why}); choose another output, or mend that") from error

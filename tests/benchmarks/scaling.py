#!/usr/bin/env python3
"""What more workers gain: builds with one and several, beside bare process pools that call the same stages' functions.

    scaling.py CONFIG [--workers 2] [--format json]

CONFIG has four episodes or more, from files, and an enrolment by files. Wall time is from start to end of each, with
the start of processes in it; the four are run in turn. The ratio says how much of the pool's gain the build has.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stage_runs import chosen, configured, enrolled, listed, through

from pipeline.graph import Plan
from pipeline.logs import only_errors
from schemas.state import EpisodeState


def bare_pool(config: Path, output: Path, workers: int) -> None:
    """The stages of all episodes in a pool; the choice of the target between, as it needs all of them."""
    _, plan = configured(config, output)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        identity = pool.apply_async(enrolled, (plan,))
        heard = pool.map(partial(_first, plan), listed(plan), chunksize=1)
        choice = chosen(plan, heard, identity.get())
        aimed = [
            replace(state, identity=choice.identity, target_clusters=tuple(choice.clusters.get(state.episode.id, ())))
            for state in heard
        ]
        pool.map(partial(_second, plan), aimed, chunksize=1)


def _first(plan: Plan, state: EpisodeState) -> EpisodeState:
    return through(plan.until_voices, state, plan.store)


def _second(plan: Plan, state: EpisodeState) -> EpisodeState:
    return through(plan.after_target, state, plan.store)


def build(config: Path, output: Path, workers: int) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "build", str(config), "--set", f"output={output}"]
    subprocess.run(
        [*command, "--workers", str(workers)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@dataclass(frozen=True)
class Walls:
    """Seconds with one worker and with several."""

    one: float
    several: float

    @property
    def gain(self) -> float:
        return self.one / self.several


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    given = parser.parse_args()
    only_errors()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="realtalk-scaling-") as name:

        def wall(run: Callable[[Path, Path, int], None], workers: int) -> float:
            began = time.monotonic()
            run(given.config, Path(name, f"{run.__name__}-{workers}"), workers)
            return time.monotonic() - began

        pool_one, build_one = wall(bare_pool, 1), wall(build, 1)
        pool_several, build_several = wall(bare_pool, given.workers), wall(build, given.workers)
    pool, ours = Walls(pool_one, pool_several), Walls(build_one, build_several)
    facts = {"cores": os.cpu_count(), "load": round(os.getloadavg()[1], 2), "ratio": round(ours.gain / pool.gain, 3)}
    if given.format == "json":
        print(json.dumps({"build": vars(ours), "pool": vars(pool), **facts}, indent=1))
        return
    print(f"{'':8}{'1 worker':>10}{f'{given.workers} workers':>11}{'gain':>7}")
    for label, walls in (("build", ours), ("pool", pool)):
        print(f"{label:8}{walls.one:>8.1f} s{walls.several:>9.1f} s{walls.gain:>7.2f}")
    print(f"the build has {facts['ratio']:.2f} of the pool's gain; {facts['cores']} cores, load {facts['load']}")


if __name__ == "__main__":
    main()

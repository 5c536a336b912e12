#!/usr/bin/env python3
"""What a build costs beside the models that it calls: CPU time of a whole build over that of the models alone.

    overhead.py CONFIG [--repeat 1] [--format json]

One build writes down every call of a model (what, on which samples). Then, in turn: a build as users run it, and a bare
process that decodes the episodes and makes the same calls on the same samples, nothing else. CPU time is that of a
process with all its children, from its start to its end (getrusage).
"""

import argparse
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from recorded_calls import Recorded, replay
from stage_runs import listed

import pipeline.build
from pipeline.build import run_build
from pipeline.config import Config, load_config
from pipeline.graph import Plan
from pipeline.logs import only_errors
from pipeline.planning import make_plan
from schemas.recording import Media
from transforms.decode import decode
from transforms.one_model import OneModel
from transforms.store import Store

HERE = Path(__file__).resolve()


def record(config: Path, output: Path, calls: Path) -> None:
    """A build that writes its calls of models down."""

    def recording_plan(loaded: Config, store: Store) -> Plan:
        plan = make_plan(loaded, store)
        changed = [tuple(recorded(stage, calls) for stage in part) for part in (plan.until_voices, plan.after_target)]
        return dataclasses.replace(
            plan, until_voices=changed[0], after_target=changed[1], enrolment=recorded(plan.enrolment, calls)
        )

    pipeline.build.make_plan = recording_plan
    run_build(load_config(config, [f"output={output}"]), workers=1)


def recorded(holder: Any, calls: Path) -> Any:
    """A stage or plan whose models are recorded."""
    fields = {field.name: getattr(holder, field.name) for field in dataclasses.fields(holder)}
    models = {name: one for name, one in fields.items() if isinstance(one, OneModel)}
    return dataclasses.replace(holder, **{n: OneModel(Recorded(one.make, str(calls))) for n, one in models.items()})


def direct(config: Path, calls: Path, folder: Path) -> dict[str, float]:
    """Decoding and the calls alone; CPU seconds by part."""
    plan = make_plan(load_config(config, [f"output={folder}"]), Store(str(folder)))
    began = time.process_time()
    for number, state in enumerate(listed(plan)):
        path = Path(state.episode.source_url)
        decode(Media(str(path), "", path.stat().st_size, str(path)), folder / f"{number}.flac")
    return {"decode": time.process_time() - began, **replay(calls)}


def cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="its sources are files")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--calls", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    only_errors()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="realtalk-overhead-") as name:
        folder = Path(name)
        if given.calls:
            print(json.dumps(direct(given.config, given.calls, folder)))
            return
        calls = folder / "calls"
        calls.mkdir()
        record(given.config, folder / "recorded", calls)
        builds, bare, parts = [], [], {}
        for turn in range(given.repeat):
            build = [sys.executable, "-m", "pipeline.cli", "build", str(given.config)]
            builds.append(cpu_seconds([*build, "--set", f"output={folder / str(turn)}", "--workers", "1"]))
            told = folder / "parts.json"
            program = [sys.executable, str(HERE), str(given.config), "--calls", str(calls)]
            bare.append(cpu_seconds(["sh", "-c", f'exec "$@" > {told}', "sh", *program]))
            parts = json.loads(told.read_text())
        cached = cpu_seconds([*build, "--set", f"output={folder / '0'}", "--workers", "1"])
        stages = json.loads((folder / "0" / "work" / "timings.json").read_text())["stages"]
    report(statistics.median(builds), statistics.median(bare), cached, parts, stages, given.format)


def report(
    build: float, bare: float, cached: float, parts: dict[str, float], stages: dict[str, dict[str, float]], how: str
) -> None:
    models = sum(parts.values())
    found = {
        "build": build,
        "build again, nothing to do": cached,
        "stages, by their own account": sum(stage["cpu_seconds"] for stage in stages.values()),
        "bare process": bare,
        "decoding and models in it": models,
        "build over bare process": build / bare,
        "build over decoding and models": build / models,
    }
    rounded = {name: round(value, 3) for name, value in found.items()}
    if how == "json":
        costs = {name: round(stage["cpu_seconds"], 2) for name, stage in stages.items()}
        print(json.dumps({**rounded, "models": parts, "stages": costs}, indent=1))
        return
    for name, value in rounded.items():
        print(f"{name:34}{value:>9.2f}" + ("" if "over" in name else " CPU s"))
    for name, value in parts.items():
        print(f"  {name:32}{value:>9.2f} CPU s")
    for name, stage in stages.items():
        print(f"  stage {name:26}{stage['cpu_seconds']:>9.2f} CPU s")


if __name__ == "__main__":
    main()

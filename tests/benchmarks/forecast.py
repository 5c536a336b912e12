#!/usr/bin/env python3
"""How well `realtalk plan` foretells a build: build some episodes, plan the others, build them, compare.

    forecast.py CONFIG OUTPUT [--first 1] [--workers 1]

CONFIG is a configuration whose first source is a feed; OUTPUT a folder that is not there yet.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path


def realtalk(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "pipeline.cli", *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode > 1:
        raise SystemExit(f"forecast: realtalk {arguments[0]} ended with {done.returncode}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--first", type=int, default=1, help="episodes that are built before the plan")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    common = [str(given.config), "--set", f"output={given.output.resolve()}", "--set", f"workers={given.workers}"]
    realtalk("build", *common, "--set", f"sources.0.limit={given.first}")
    plan = json.loads(realtalk("plan", *common, "--format", "json"))
    timings = given.output / "work" / "timings.json"
    before = cpu_seconds(timings)
    began = time.monotonic()
    realtalk("build", *common)
    took = {"time": time.monotonic() - began, "CPU time of stages": cpu_seconds(timings) - before}
    said = {"time": plan["wall_seconds"], "CPU time of stages": plan["cpu_seconds"]}
    for name, seconds in took.items():
        print(f"{name:20} said {said[name]:7.1f} s, took {seconds:7.1f} s: {said[name] / seconds - 1:+.0%}")


def cpu_seconds(timings: Path) -> float:
    return sum(cost["cpu_seconds"] for cost in json.loads(timings.read_text())["stages"].values())


if __name__ == "__main__":
    main()

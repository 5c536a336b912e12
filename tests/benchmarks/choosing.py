#!/usr/bin/env python3
"""What choosing anew costs: `realtalk select` over made-up candidates, beside plain reads of the same files by pyarrow.

    choosing.py [--candidates 100000] [--episodes 200] [--seconds 2] [--reads 3] [--folder DIR] [--format json]

Both work on candidates/*.parquet and clips/*.parquet. A plain read is pyarrow.parquet.read_table of each, all columns,
one file after another. Select is the whole command in a process of its own, its imports and the writing of shards with
audio included. Wall time, in turn, after a read that counts for nothing, so that all find the files in memory if they
fit. The ratio is select's time over that of all the reads. The copies, for comparison, are of the shards that the last
select wrote: by `shutil.copyfile`, as they are left to the system (which select does too), and until they are on the
disk (fsync).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from made_dataset import SECONDS, make_dataset


def read_all(dataset: Path) -> float:
    """Seconds that pyarrow takes to read every candidate and its audio."""
    began = time.monotonic()
    for folder in ("candidates", "clips"):
        for path in sorted((dataset / folder).glob("*.parquet")):
            pq.read_table(path, partitioning=None)
    return time.monotonic() - began


def select(dataset: Path, profile: str) -> float:
    """Seconds of the command."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pipeline.cli", "select", str(dataset), "--profile", profile]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"choosing: select ended with {done.returncode}: {done.stdout[-2000:]}")
    return time.monotonic() - began


def copy_shards(dataset: Path) -> tuple[float, float]:
    """Seconds of a plain copy of the shards: until the system has them, until the disk has."""
    folder = dataset / "copy"
    folder.mkdir()
    began = time.monotonic()
    for path in sorted((dataset / "data").glob("*.parquet")):
        shutil.copyfile(path, folder / path.name)
    copied = time.monotonic() - began
    for path in folder.iterdir():
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
    written = time.monotonic() - began
    shutil.rmtree(folder)
    return copied, written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each clip's audio")
    parser.add_argument("--reads", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the dataset is made, or was; left there")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="realtalk-choosing-") as name:
        dataset = given.folder or Path(name, "dataset")
        if not (dataset / "manifest.json").is_file():
            make_dataset(dataset, given.candidates, given.episodes, given.seconds)
        read_all(dataset)
        reads = [read_all(dataset) for _ in range(given.reads)]
        seconds = {profile: select(dataset, profile) for profile in ("permissive", "strict")}
        # What the selects left to the system is written first, so that the copy pays for itself alone.
        os.sync()
        copy = copy_shards(dataset)
        sizes = {
            folder: sum(path.stat().st_size for path in (dataset / folder).glob("*.parquet"))
            for folder in ("candidates", "clips", "data")
        }
    worst = max(seconds.values())
    facts = {"ratio": round(worst / sum(reads), 2), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}
    if given.format == "json":
        print(json.dumps({"reads": reads, "select": seconds, "copy": copy, "bytes": sizes, **facts}, indent=1))
        return
    print("  ".join(f"{folder} {size / 1e6:.0f} MB" for folder, size in sizes.items()))
    print(f"plain reads {' '.join(f'{one:.1f}' for one in reads)} s, select", end=" ")
    print(", ".join(f"{profile} {one:.1f} s" for profile, one in seconds.items()), end=": ")
    print(f"{facts['ratio']:.2f} times the reads; {facts['cores']} cores, load {facts['load']}")
    print(f"plain copies of the shards {copy[0]:.1f} s, {copy[1]:.1f} s with fsync")


if __name__ == "__main__":
    main()

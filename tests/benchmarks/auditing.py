#!/usr/bin/env python3
"""What an audit costs: `realtalk audit` of a dataset, beside sha256sum of its files and plain decoding of its clips.

    auditing.py [DATASET] [--candidates 10000] [--episodes 20] [--rounds 3] [--format json]

Without a dataset one is made up and chosen from. The plain side is `sha256sum` of every Parquet file of the manifest,
then a process that reads each clip of the shards by pyarrow and decodes it by soundfile, nothing else. Wall time, in
turn, each a process of its own, after a pass that counts for nothing; of several rounds each side's quickest. The ratio
is the plain side's time over the audit's: the audit's speed; 0.5 and more is aimed at.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import soundfile

from schemas.manifest import read_manifest

_GATE_FAILED = 3


def decode_all(dataset: Path) -> None:
    """Decode every chosen clip."""
    for shard in read_manifest(dataset).shards:
        with pq.ParquetFile(dataset / shard.name, pre_buffer=False) as file:
            for batch in file.iter_batches(8, columns=["audio"]):
                for content in batch.column("audio").field("bytes").to_pylist():
                    soundfile.read(io.BytesIO(content), dtype="int16")


def plain(dataset: Path) -> float:
    """Seconds of hashing and decoding."""
    manifest = read_manifest(dataset)
    began = time.monotonic()
    names = [str(dataset / record.name) for record in (*manifest.files, *manifest.shards)]
    subprocess.run(["sha256sum", *names], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, __file__, str(dataset), "--decode"], check=True)
    return time.monotonic() - began


def audit(dataset: Path) -> float:
    """Seconds of the command; a gate that fails is none of its costs."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pipeline.cli", "audit", str(dataset)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode not in (0, _GATE_FAILED):
        raise SystemExit(f"auditing: audit ended with {done.returncode}: {done.stdout[-2000:]}")
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decode", action="store_true", help="only decode")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    given = parser.parse_args()
    if given.decode:
        return decode_all(given.dataset)
    with tempfile.TemporaryDirectory(prefix="realtalk-auditing-") as name:
        dataset = given.dataset
        if dataset is None:
            # Beam comes with it, which decoding does without.
            from made_dataset import make_dataset

            dataset = Path(name, "dataset")
            make_dataset(dataset, given.candidates, given.episodes)
            select = [sys.executable, "-m", "pipeline.cli", "select", str(dataset), "--profile", "permissive"]
            subprocess.run(select, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        plain(dataset)
        rounds = [(plain(dataset), audit(dataset)) for _ in range(given.rounds)]
        seconds = {"plain": min(one for one, _ in rounds), "audit": min(one for _, one in rounds)}
        clips = read_manifest(dataset).totals.clips
    ratio, load = round(seconds["plain"] / seconds["audit"], 2), round(os.getloadavg()[0], 2)
    facts = {"clips": clips, "ratio": ratio, "cores": os.cpu_count(), "load": load}
    if given.format == "json":
        print(json.dumps({**seconds, **facts}, indent=1))
        return
    print(f"{clips} clips: plain {seconds['plain']:.1f} s, audit {seconds['audit']:.1f} s", end=": ")
    print(f"the audit has {ratio:.2f} of the plain speed; {facts['cores']} cores, load {load}")


if __name__ == "__main__":
    main()

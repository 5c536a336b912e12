"""Datasets that are ready but hold next to nothing, for tests of what follows a commit."""

import sys
from pathlib import Path

from schemas.ids import file_sha256
from schemas.manifest import CONSENTED, MANIFEST_NAME, Manifest, ShardRecord, Totals, manifest_bytes

SHARD = "data/train-00000-of-00001.parquet"


def commit_version(folder: Path, content: str) -> str:
    """Let a dataset be ready with a shard of some content, at once as a build does it; returns the version."""
    shard = folder / SHARD
    shard.parent.mkdir(parents=True, exist_ok=True)
    shard.write_text(content)
    manifest = Manifest(
        name="readings",
        sampling_rate=24_000,
        shards=(ShardRecord(SHARD, "train", 1, shard.stat().st_size, file_sha256(shard)),),
        files=(),
        totals=Totals(1, 0, 60.0, 50.0, 3, 9.0, 2, 1800.0),
        config_hash="0" * 16,
        models={},
        consent=CONSENTED,
        consent_id="c0" * 8,
    )
    partial = folder / ".manifest.partial"
    partial.write_bytes(manifest_bytes(manifest))
    partial.replace(folder / MANIFEST_NAME)
    return manifest.version


if __name__ == "__main__":
    commit_version(Path(sys.argv[1]), sys.argv[2])

"""WebDataset: SPLIT-NNNNNN.tar, one for each shard; a clip is ID.flac as it is kept, ID.txt (the text as written) and
ID.json (all its columns)."""

from pipeline.export.clips import read_clips
from pipeline.export.tars import append, as_json, tar_file
from pipeline.export.unit import Unit
from pipeline.inspect import Dataset


def work(unit: Unit, dataset: Dataset) -> None:
    """One shard: its tar."""
    with tar_file(unit.out / f"{unit.split}-{unit.number:06d}.tar") as tar:
        for clip in read_clips(dataset, unit.source):
            append(tar, f"{clip.id}.flac", clip.flac)
            append(tar, f"{clip.id}.txt", (clip["text"] or "").encode("utf-8"))
            append(tar, f"{clip.id}.json", as_json(clip.row))
            unit.count(clip["duration"])

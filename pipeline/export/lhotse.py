"""Lhotse: a MonoCut for each clip, with text, speaker, words and phones in time, and the scores as `custom`.

As cuts: SPLIT_cuts.jsonl and recordings/ID.flac, named by absolute path. As Shar: in SPLIT/, for each shard of the
dataset, cuts.NNNNNN.jsonl.gz and recording.NNNNNN.tar, which are read in order and hold the audio too.
"""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.export.clips import Clip, read_clips
from pipeline.export.tars import append, known, tar_file
from pipeline.export.unit import Unit, creating
from pipeline.inspect import Dataset

# What a supervision says in fields of its own.
_ELSEWHERE = frozenset({"id", "text", "words", "phones", "duration", "sampling_rate", "speaker"})


def write(clip: Clip, unit: Unit) -> None:
    """One clip as a cut of a file of its own."""
    path = unit.out / "recordings" / f"{clip.id}.flac"
    if not path.exists():
        unit.write(f"recordings/{path.name}", clip.flac)
    unit.add(f"{unit.split}_cuts.jsonl", json.dumps(_cut(clip, _recording(clip, "file", str(path)))))


def shar_work(unit: Unit, dataset: Dataset) -> None:
    """One shard as Shar: cuts and audio side by side."""
    folder, number = unit.out / unit.split, f"{unit.number:06d}"
    with (
        tar_file(folder / f"recording.{number}.tar") as tar,
        creating(folder / f"cuts.{number}.jsonl.gz") as partial,
        open(partial, "wb") as file,
        # Without a name and a time in it, so that the same cuts give the same bytes.
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as cuts,
    ):
        for clip in read_clips(dataset, unit.source):
            recording = _recording(clip, "shar", "")
            append(tar, f"{clip.id}.flac", clip.flac)
            append(tar, f"{clip.id}.json", _line(recording))
            cuts.write(_line(_cut(clip, recording)))
            unit.count(clip["duration"])


def _recording(clip: Clip, kind: str, source: str) -> dict[str, Any]:
    import soundfile

    info = soundfile.info(io.BytesIO(clip.flac))
    return {
        "id": clip.id,
        "sources": [{"type": kind, "channels": [0], "source": source}],
        "sampling_rate": info.samplerate,
        "num_samples": info.frames,
        "duration": info.frames / info.samplerate,
        "channel_ids": [0],
    }


def _cut(clip: Clip, recording: Mapping[str, Any]) -> dict[str, Any]:
    whole = {"start": 0.0, "duration": recording["duration"], "channel": 0}
    custom = {name: value for name, value in known(clip.row).items() if name not in _ELSEWHERE}
    supervision = {
        "id": clip.id,
        "recording_id": clip.id,
        **whole,
        "text": clip["text"],
        "speaker": clip["speaker"],
        "custom": custom,
        "alignment": {
            "word": _alignment(clip["words"] or (), "text"),
            "phone": _alignment(clip["phones"] or (), "symbol"),
        },
    }
    return {"id": clip.id, **whole, "supervisions": [supervision], "recording": recording, "type": "MonoCut"}


def _alignment(items: Sequence[Mapping[str, Any]], label: str) -> list[list[Any]]:
    """[symbol, start, duration, score] as lhotse has them; times in seconds."""
    return [
        [item[label], item["start"], round(item["end"] - item["start"], 8), known(item).get("score")] for item in items
    ]


def _line(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document) + "\n").encode("ascii")

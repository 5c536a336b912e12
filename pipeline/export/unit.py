"""A unit of an export: what is made from one file of the dataset, and done or not done as a whole.

Files appear at their place when they are whole. Lines of lists are kept with the unit until all units are done.
"""

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from pipeline.export.clips import Clip

_FULL_SCALE = 32_768.0


@dataclass
class Made:
    """What a unit came to: lines by list, (clip id, why) of the refused, how many clips or episodes, how long (s)."""

    lists: dict[str, list[str]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0
    seconds: float = 0.0


@dataclass
class Unit:
    """Where a unit is written. `split` is "train", "validation", "test", or "" where a format knows none.

    `number` counts the units of the split from 0; `rate` (Hz) is that of WAV files; `step` tells of progress.
    """

    out: Path
    source: str
    split: str
    number: int
    rate: int
    step: Callable[[], None] = lambda: None
    made: Made = field(default_factory=Made)

    def count(self, seconds: float) -> None:
        """Count a clip, or an episode, that is in the export."""
        self.made.count += 1
        self.made.seconds += seconds
        self.step()

    def refuse(self, clip: str, why: str) -> None:
        """Note a clip that the format can't hold."""
        self.made.refused.append((clip, why))

    def add(self, name: str, line: str) -> None:
        """Append a line to the list `name` of the export."""
        self.made.lists.setdefault(name, []).append(line)

    def wav(self, clip: Clip, name: str) -> Path:
        """Write a clip as 16-bit PCM at the export's rate to `name`; a file that an earlier run wrote stays."""
        path = self.out / name
        if not path.exists():
            write_wav(path, clip.flac, self.rate)
        return path

    def write(self, name: str, content: bytes) -> None:
        """Let `name` hold `content`, at once."""
        with creating(self.out / name) as partial:
            partial.write_bytes(content)


@contextmanager
def creating(path: Path) -> Iterator[Path]:
    """A path beside `path` that takes its place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same name in every run: what a killed run left is written over, and nothing piles up.
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_wav(path: Path, flac: bytes, rate: int) -> None:
    """Write FLAC as 16-bit PCM: sample for sample where it has the rate (Hz) already, else resampled."""
    import soundfile

    samples, own_rate = soundfile.read(io.BytesIO(flac), dtype="int16")
    if own_rate != rate:
        import soxr

        resampled = soxr.resample(samples.astype(np.float32), own_rate, rate)
        samples = np.rint(resampled).clip(-_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    with creating(path) as partial:
        soundfile.write(partial, samples, rate, format="WAV", subtype="PCM_16")


def keep(made: Made, path: Path) -> None:
    """Mark a unit as done."""
    with creating(path) as partial:
        partial.write_text(json.dumps(asdict(made), ensure_ascii=False), encoding="utf-8")


def kept(path: Path) -> Made | None:
    """What a unit came to in an earlier run; None where it was not done, or its mark can't be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["refused"] = [(clip, why) for clip, why in document["refused"]]
        return Made(**document)
    except (FileNotFoundError, ValueError, TypeError, LookupError):
        return None

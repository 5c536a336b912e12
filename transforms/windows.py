"""What the speaker model heard in one recording: kept on disk, so that no later stage runs it again."""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import EpisodeError

#: The speaker of a window that is none of the clusters.
NOBODY = -1
# Archives carry dates; one that never changes keeps the bytes the same.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows in the order of time.

    `start`, `end` seconds, shape (n,); `embedding` shape (n, d), unit length, half precision; `speaker` index into the
    clusters of the diarization, shape (n,), -1 nobody; `levels` dBFS of every 10 ms (int8, -100 unheard).
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    embedding: NDArray[np.float16]
    speaker: NDArray[np.int16]
    levels: NDArray[np.int8]

    @property
    def middle(self) -> NDArray[np.float64]:
        """The middle of every window (s), shape (n,)."""
        return (self.start + self.end) / 2

    def __len__(self) -> int:
        return len(self.start)


def save_windows(path: str | Path, windows: Windows) -> None:
    """Write a .npz, all of it or nothing; the same windows give the same bytes."""
    arrays = {
        "start": windows.start.astype(np.float32, copy=False),
        "end": windows.end.astype(np.float32, copy=False),
        "embedding": windows.embedding.astype(np.float16, copy=False),
        "speaker": windows.speaker.astype(np.int16, copy=False),
        "levels": windows.levels.astype(np.int8, copy=False),
    }
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy", _DATE), "w") as file:
                    np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load_windows(path: str | Path) -> Windows:
    """Read what save_windows wrote; raises EpisodeError where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Windows(
                arrays["start"].astype(np.float64),
                arrays["end"].astype(np.float64),
                arrays["embedding"],
                arrays["speaker"],
                arrays["levels"],
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise EpisodeError(
            f"windows-unreadable: {path} can't be read ({error}); remove it and build again, the episode is heard anew"
        ) from error

"""Write a mono FLAC block by block, and know why when it can't be written."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from schemas.errors import NO_ROOM, EpisodeError, disk_full

_FULL_SCALE = 32_768.0


class FlacFile:
    """A 16-bit mono FLAC being written. Raises EpisodeError "disk-full" or "write-failed"."""

    def __init__(self, path: Path, rate: int) -> None:
        import soundfile

        self.path = path
        self.frames = 0
        try:
            self._sink = _Sink(open(path, "wb"))  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise _write_error(path, error) from error
        try:
            self._file = soundfile.SoundFile(
                self._sink, "w", samplerate=rate, channels=1, format="FLAC", subtype="PCM_16"
            )
        except soundfile.LibsndfileError as error:
            self._sink.close()
            raise _write_error(path, self._sink.error or OSError(0, str(error))) from error

    def write(self, samples: NDArray[np.float32]) -> None:
        """Append samples, shape (n,), float32; what lies beyond -1..1 is clipped, as a player does."""
        pcm = np.rint(samples * np.float32(_FULL_SCALE)).clip(-_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
        self._guarded(partial(self._file.write, pcm))
        self.frames += len(pcm)

    def close(self) -> None:
        """Finish the header; the file is whole when this returns."""
        try:
            self._guarded(self._file.close)
        finally:
            self._sink.close()
        if self._sink.error:
            raise _write_error(self.path, self._sink.error)

    def _guarded(self, step: Callable[[], None]) -> None:
        import soundfile

        try:
            step()
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise _write_error(self.path, self._sink.error or OSError(0, str(error))) from error
        if self._sink.error:
            raise _write_error(self.path, self._sink.error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            import soundfile

            # What went wrong first is what the caller wants to know.
            with suppress(soundfile.LibsndfileError):
                self._file.close()
            self._sink.close()


class _Sink:
    """The file under libsndfile. Its callbacks can't raise, so the first error is kept for the caller."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.error:
            return 0
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            return 0

    def read(self, count: int = -1) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.error = self.error or error
            return 0

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            self.error = self.error or error

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.error = self.error or error


def _write_error(path: Path, error: OSError) -> EpisodeError:
    why = error.strerror or str(error)
    if error.errno in NO_ROOM:
        return disk_full(path.parent, f"no room for a recording ({why})")
    return EpisodeError(f"write-failed: {path} could not be written ({why})")

"""Where files live: a folder or any Beam file system, behind four verbs. Files appear whole or not at all."""

import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import NO_ROOM, RealtalkError, disk_full
from schemas.ids import digest

if TYPE_CHECKING:
    from apache_beam.io.filesystems import FileSystems

_REMOTE_MARK = "://"
_COPY_BYTES = 1 << 20
# No stage works on one episode for longer.
_UNUSED_SECONDS = 12 * 3600.0


def file_systems() -> "type[FileSystems]":
    """Beam's file systems, imported on first use."""
    # Half a second of imports and 100 MB, which a worker process with a local store does without.
    from apache_beam.io.filesystems import FileSystems

    return FileSystems


def copies_folder() -> Path:
    """Where copies of remote files are kept for all processes of this user; nobody else can read or plant any."""
    folder = Path(tempfile.gettempdir()) / f"realtalk-files-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise RealtalkError(f"{folder} is somebody else's; remove it, or set TMPDIR to a folder of your own")
    return folder


def remove_unused(folder: Path, seconds: float = _UNUSED_SECONDS) -> None:
    """Remove copies that nobody has asked for lately: of a long build the disk would hold every recording."""
    oldest = time.time() - seconds
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                file.unlink()


@dataclass(frozen=True)
class Store:
    """A root folder or URI ("gs://bucket/readings"). Paths it is asked for are relative to the root."""

    root: str

    @property
    def is_local(self) -> bool:
        """Whether the root is a folder of this machine."""
        return _REMOTE_MARK not in self.root

    def path(self, *parts: str) -> str:
        """Absolute path or URI of something below the root."""
        return os.path.join(self.root, *parts) if self.is_local else file_systems().join(self.root, *parts)

    def exists(self, path: str) -> bool:
        """Whether something is at an absolute path or URI."""
        return os.path.exists(path) if _REMOTE_MARK not in path else file_systems().exists(path)

    def fetch(self, path: str) -> str:
        """A local file with the content of `path`: itself where it is local, else a copy kept for this machine."""
        if _REMOTE_MARK not in path:
            return path
        found = file_systems().match([path])[0].metadata_list[0]
        name = f"{digest(path, found.size_in_bytes, found.last_updated_in_seconds)}{Path(path).suffix}"
        local = copies_folder() / name
        if not local.exists():
            remove_unused(local.parent)
            partial = local.with_name(f".{uuid.uuid4().hex}.partial")
            try:
                with file_systems().open(path) as source, open(partial, "wb") as target:
                    shutil.copyfileobj(source, target, _COPY_BYTES)
                os.replace(partial, local)
            finally:
                partial.unlink(missing_ok=True)
        os.utime(local)
        return str(local)

    @contextmanager
    def create(self, path: str) -> Iterator[Path]:
        """A local path to write to; what is there when the block ends without an error becomes `path`, at once.

        Raises EpisodeError ("disk-full") where there is no room for it.
        """
        if _REMOTE_MARK not in path:
            target = Path(path)
            partial = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}.partial{target.suffix}")
        else:
            partial = Path(tempfile.gettempdir()) / f"realtalk-{uuid.uuid4().hex}{Path(path).suffix}"
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            if _REMOTE_MARK not in path:
                os.replace(partial, path)
            else:
                with open(partial, "rb") as source, file_systems().create(path) as target_file:
                    shutil.copyfileobj(source, target_file, _COPY_BYTES)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise disk_full(partial.parent, os.strerror(error.errno)) from error
            raise
        finally:
            partial.unlink(missing_ok=True)

    def read_bytes(self, path: str) -> bytes | None:
        """The content of a small file; None where there is none."""
        if _REMOTE_MARK not in path:
            try:
                return Path(path).read_bytes()
            except FileNotFoundError:
                return None
        if not file_systems().exists(path):
            return None
        with file_systems().open(path) as file:
            content: bytes = file.read()
        return content

    def read_text(self, path: str) -> str | None:
        """The text of a file; None where there is none. Raises UnicodeDecodeError where it is no text."""
        content = self.read_bytes(path)
        return None if content is None else content.decode("utf-8")

    def write_text(self, path: str, text: str) -> None:
        """Let a file hold a text, at once; raises EpisodeError ("disk-full") where there is no room for it."""
        self.write(path, text.encode("utf-8"))

    def write(self, path: str, content: bytes) -> None:
        """Let a file hold some bytes, at once; raises EpisodeError ("disk-full") where there is no room for them."""
        with self.create(path) as partial:
            partial.write_bytes(content)

    def is_same(self, source: str, path: str) -> bool:
        """Whether both names are of one file, which has to be there."""
        return source == path or (_REMOTE_MARK not in path and os.path.samefile(source, path))

    def publish(self, source: str, path: str) -> None:
        """Let `path` hold what `source` holds; a link where the file system has links, else a copy."""
        there = self.exists(path)
        if there and self.is_same(source, path):
            return
        if not there and _REMOTE_MARK in source and _REMOTE_MARK in path:
            # Inside of a bucket, and nothing travels.
            file_systems().copy([source], [path])
            return
        with self.create(path) as partial:
            local = self.fetch(source)
            try:
                os.link(local, partial)
            except OSError:
                shutil.copyfile(local, partial)

    def names(self, folder: str) -> list[str]:
        """Names of the files directly in a folder below the root, sorted; [] where there is no such folder."""
        target = self.path(folder)
        if self.is_local:
            if not os.path.isdir(target):
                return []
            return sorted(entry.name for entry in os.scandir(target) if entry.is_file())
        matched = file_systems().match([file_systems().join(target, "*")])[0].metadata_list
        return sorted(found.path.rsplit("/", 1)[1] for found in matched)

    def tree(self, folder: str) -> list[str]:
        """Paths, relative to a folder below the root, of all files in it and its folders, sorted; [] without one."""
        target = self.path(folder)
        if self.is_local:
            return sorted(str(path.relative_to(target)) for path in Path(target).rglob("*") if path.is_file())
        matched = file_systems().match([file_systems().join(target, "**")])[0].metadata_list
        return sorted(found.path.removeprefix(f"{target}/") for found in matched)

    def remove_tree(self, folder: str) -> None:
        """Delete a folder below the root with all that is in it, where there is one."""
        if self.is_local:
            shutil.rmtree(self.path(folder), ignore_errors=True)
            return
        for name in self.tree(folder):
            self.remove(self.path(folder, *name.split("/")))

    def size(self, path: str) -> int:
        """Size of a file in bytes; raises OSError or LookupError where there is none."""
        if _REMOTE_MARK not in path:
            return os.path.getsize(path)
        return int(file_systems().match([path])[0].metadata_list[0].size_in_bytes)

    def remove(self, path: str) -> None:
        """Delete a file, where there is one."""
        if _REMOTE_MARK not in path:
            Path(path).unlink(missing_ok=True)
        elif file_systems().exists(path):
            file_systems().delete([path])

    def relocatable(self, value: Any) -> Any:
        """JSON data in which paths below the root are written relative to it."""
        return _map_strings(value, lambda text: _ROOT_MARK + text[len(self._prefix) :] if self._holds(text) else text)

    def located(self, value: Any) -> Any:
        """The inverse of `relocatable`, for the root of today."""
        mark = len(_ROOT_MARK)
        return _map_strings(value, lambda text: self._prefix + text[mark:] if text.startswith(_ROOT_MARK) else text)

    @property
    def _prefix(self) -> str:
        return self.root.rstrip("/") + "/"

    def _holds(self, text: str) -> bool:
        return text.startswith(self._prefix)


_ROOT_MARK = "{root}/"


def _map_strings(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _map_strings(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_map_strings(item, change) for item in value]
    return value

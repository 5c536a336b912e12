"""A Beam file system "folder://" that is a local folder: what a build does on a bucket, without a bucket."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata, FileSystem

SCHEME = "folder"
PREFIX = f"{SCHEME}://"


def local(path: str) -> Path:
    return Path("/" + path.removeprefix(PREFIX).lstrip("/"))


class FolderFileSystem(FileSystem):
    """Objects have no folders and appear when they are closed, as in a bucket."""

    @classmethod
    def scheme(cls) -> str:
        return SCHEME

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *(path.strip("/") for path in paths)])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        pass

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        root = local(dir_or_prefix)
        folder = root if root.is_dir() else root.parent
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and str(path).startswith(str(root)):
                # A bucket lists what is there at one moment.
                with suppress(FileNotFoundError):
                    found = path.stat()
                    yield FileMetadata(PREFIX + str(path), found.st_size, found.st_mtime)

    def create(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        local(path).parent.mkdir(parents=True, exist_ok=True)
        return open(local(path), "wb")

    def open(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> Any:
        return open(local(path), "rb")

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            local(destination).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(local(source), local(destination))

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            os.replace(local(source), local(destination))

    def exists(self, path: str) -> bool:
        return local(path).is_file()

    def size(self, path: str) -> int:
        return local(path).stat().st_size

    def last_updated(self, path: str) -> float:
        return local(path).stat().st_mtime

    def checksum(self, path: str) -> str:
        return str(local(path).stat().st_size)

    def metadata(self, path: str) -> FileMetadata:
        if not self.exists(path):
            raise BeamIOError(f"there is no {path}")
        return FileMetadata(path, self.size(path), self.last_updated(path))

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            local(path).unlink()

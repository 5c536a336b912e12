"""Where the files of a version are: in the dataset's own folders while it is the current one, then in versions/VERSION.

Who has read a manifest goes on with its files, whole, while the next version is written. The shards of the version
before the current one are kept; of older ones there is only the manifest.
"""

import hashlib
from typing import Any

from schemas.errors import RealtalkError
from schemas.manifest import MANIFEST_NAME, FileRecord, Manifest, ShardRecord, parse_manifest

VERSIONS_FOLDER = "versions"
#: What is kept of the version before the current one: all that readers of shards read.
KEPT_FOLDERS = ("data", "episodes", "turns")
_CHUNK_BYTES = 1 << 20


def kept_name(version: str, name: str) -> str:
    """Where a file of an earlier version is, below the dataset's folder."""
    return f"{VERSIONS_FOLDER}/{version}/{name}"


def open_record(filesystem: Any, root: str, manifest: Manifest, record: FileRecord | ShardRecord) -> Any:
    """A file of `manifest`'s version, opened for random access (pyarrow.NativeFile), wherever it is by now.

    `filesystem` is a pyarrow.fs.FileSystem, `root` the dataset's folder in it. The file at its own place is the
    record's where the manifest that is there now has the same record: manifests go before files change, and files of
    the version before are kept before that. Else the kept one is, or one whose SHA-256 is the record's. Raises
    RealtalkError where there is none: the dataset was chosen anew twice since, or is damaged.
    """
    # Opened first: a file that is open stays what it is when another takes its name.
    own = _opened(filesystem, f"{root}/{record.name}", record.bytes)
    is_current = record in _records(filesystem, root)
    if own is not None and is_current:
        return own
    kept = _opened(filesystem, f"{root}/{kept_name(manifest.version, record.name)}", record.bytes)
    if kept is not None:
        return kept
    if own is not None and _sha256(own) == record.sha256:
        return own
    if is_current:
        raise RealtalkError(
            f"{root}/{record.name}: can't be read (missing, or not of {record.bytes} bytes as the manifest says); "
            "run realtalk build to make it anew"
        )
    raise RealtalkError(
        f"{root}/{record.name}: is not that of version {manifest.version}, and {VERSIONS_FOLDER}/ has it no more; "
        "begin anew with the version that is there now"
    )


def _opened(filesystem: Any, path: str, size: int) -> Any | None:
    try:
        file = filesystem.open_input_file(path)
    except FileNotFoundError:
        return None
    return file if file.size() == size else None


def _records(filesystem: Any, root: str) -> tuple[FileRecord | ShardRecord, ...]:
    """Of the version that is ready now; () where none is, or its manifest is damaged."""
    path = f"{root}/{MANIFEST_NAME}"
    try:
        with filesystem.open_input_stream(path) as file:
            manifest = parse_manifest(file.read(), path)
    except (FileNotFoundError, RealtalkError):
        return ()
    return manifest.records


def _sha256(file: Any) -> str:
    hasher = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        hasher.update(chunk)
    file.seek(0)
    return hasher.hexdigest()

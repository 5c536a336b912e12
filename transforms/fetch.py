"""One large file from the web onto the disk, going on where it broke off where that is safe."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from schemas.errors import disk_full
from transforms.http import HttpClient, HttpError, shown

_BUFFER_BYTES = 1 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server says by which to know a file again (RFC 9110, 8.8)."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Validators":
        return cls(headers.get("etag", ""), headers.get("last-modified", ""))

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)

    def conditions(self) -> dict[str, str]:
        """Headers of a GET that is to be answered 304 where nothing has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came whole; it still has the name of a partial one."""

    path: Path
    sha256: str
    bytes: int
    media_type: str
    validators: Validators


@dataclass(frozen=True, slots=True)
class _Promise:
    """What the rest of a partial file has to agree with. Kept beside it, and only while it holds for all of it."""

    url: str
    etag: str
    total: int


@dataclass(frozen=True, slots=True)
class Partial:
    """A file on its way: `path`, and a small JSON file beside it without which it is never gone on with."""

    path: Path

    @property
    def _promise_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def promise(self, url: str) -> _Promise | None:
        """What was promised for the bytes that are there; None where they can't be gone on with."""
        try:
            promise = _Promise(**json.loads(self._promise_path.read_text(encoding="utf-8")))
            size = self.path.stat().st_size
        except (OSError, ValueError, TypeError):
            return None
        return promise if promise.url == url and 0 < size < promise.total else None

    def start(self, promise: _Promise | None) -> None:
        """Begin anew. In this order no kill leaves old bytes with a new promise."""
        self._promise_path.unlink(missing_ok=True)
        with open(self.path, "wb"):
            pass
        if promise is not None:
            write_whole(self._promise_path, json.dumps(asdict(promise)))

    def discard(self) -> None:
        self._promise_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Give the file its name, at once."""
        self._promise_path.unlink(missing_ok=True)
        os.replace(self.path, target)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a small file so that it is there whole or as it was before."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def fetch(
    url: str,
    partial: Partial,
    client: HttpClient,
    *,
    max_bytes: int,
    max_seconds: float,
    known: Validators | None = None,
) -> Fetched | None:
    """GET a file into `partial`; None where the server says that what `known` stands for has not changed.

    A broken-off file goes on only under If-Range with a strong ETag and the same total length (advertisements are
    inserted anew at each request, so two halves of two answers make no whole); else it starts again. `max_seconds`
    holds for each try. Raises HttpError, OSError.
    """

    def attempt() -> Fetched | None:
        promise = partial.promise(url)
        headers = {"Accept-Encoding": "identity"}
        if promise is not None:
            headers |= {"Range": f"bytes={partial.path.stat().st_size}-", "If-Range": promise.etag}
        elif known:
            headers |= known.conditions()
        try:
            with client.stream(url, headers=headers, max_seconds=max_seconds) as response:
                if response.status_code == 304:
                    return None
                if promise is None or response.status_code != 206:
                    promise = None
                    _begin(partial, response, url, max_bytes)
                else:
                    _check_rest(partial, response, promise)
                return _receive(partial, response, url, max_bytes)
        except HttpError as error:
            if error.status == 416 and promise is not None:
                partial.discard()
                raise _changed(url) from error
            raise

    return client.retrying(attempt)


def _begin(partial: Partial, response: httpx.Response, url: str, max_bytes: int) -> None:
    status = response.status_code
    if status not in (200, 203):
        code = "empty-file" if status in (204, 205) else f"http-{status}"
        raise HttpError(f"{code}: GET {shown(url)} answered {status}, which holds no file", status=status)
    total = _length(response)
    if total is not None and total > max_bytes:
        raise HttpError(f"too-large: {shown(url)} has {total} bytes, more than the limit of {max_bytes}")
    etag = response.headers.get("etag", "")
    strong = etag.startswith('"') and total is not None
    partial.start(_Promise(url, etag, total) if strong and total is not None else None)
    _check_space(partial.path, total)


def _check_rest(partial: Partial, response: httpx.Response, promise: _Promise) -> None:
    have = partial.path.stat().st_size
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    fits = found is not None and (int(found[1]), int(found[2]), int(found[3])) == (
        have,
        promise.total - 1,
        promise.total,
    )
    encoded = response.headers.get("content-encoding", "identity") not in ("", "identity")
    if not fits or encoded or response.headers.get("etag", promise.etag) != promise.etag:
        partial.discard()
        raise _changed(promise.url)
    _check_space(partial.path, promise.total - have)


def _changed(url: str) -> HttpError:
    return HttpError(f"changed: {shown(url)} changed while it was fetched; it starts again", retryable=True)


def _receive(partial: Partial, response: httpx.Response, url: str, max_bytes: int) -> Fetched:
    hasher = hashlib.sha256()
    with open(partial.path, "rb+", buffering=_BUFFER_BYTES) as file:
        while chunk := file.read(_BUFFER_BYTES):
            hasher.update(chunk)
        size = already = file.tell()
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > max_bytes:
                break
            hasher.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if size > max_bytes:
        partial.discard()
        raise HttpError(f"too-large: {shown(url)} has more than the limit of {max_bytes} bytes")
    expected = _length(response)
    if expected is not None and size - already != expected:
        raise HttpError(
            f"connection-lost: GET {shown(url)}: {size - already} of {expected} bytes came; try again later",
            retryable=True,
        )
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(partial.path, hasher.hexdigest(), size, media_type, Validators.of(response.headers))


def _length(response: httpx.Response) -> int | None:
    """Bytes of the body as they are written; None where the server does not say, or packs them."""
    text = response.headers.get("content-length", "")
    packed = response.headers.get("content-encoding", "identity") not in ("", "identity")
    return int(text) if text.isascii() and text.isdigit() and not packed else None


def _check_space(path: Path, needed: int | None) -> None:
    free = shutil.disk_usage(path.parent).free
    if needed is not None and needed > free:
        raise disk_full(path.parent, f"{needed} bytes are to come, {free} are free")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a small JSON file; {} where there is none, or none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}

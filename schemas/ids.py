"""Identities: hashes of content, the same on every machine and in every order of work."""

import hashlib
import json
from pathlib import Path
from typing import Any

Seconds = float


def digest(*parts: Any, length: int = 16) -> str:
    """Hash JSON-able parts to `length` hexadecimal digits (of SHA-256)."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()[:length]


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no canonical form to hash")


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a local file, whatever its size (hexadecimal)."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Which code runs: its version, and where it is a checkout its commit and what was changed since."""

import hashlib
import subprocess
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("schemas", "transforms", "pipeline", "tts")
_SECONDS = 20.0


def code_identity(root: Path = _ROOT) -> dict[str, str]:
    """{"version"} of the package, and of a git checkout {"commit", "diff"}.

    `diff` is the hash of what differs from the commit ("" for nothing): tracked changes and new files.
    """
    found = {"version": _version()}
    # An installed package may lie inside of somebody else's repository.
    if not (root / ".git").exists():
        return found
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return found
    changes = _git(root, "diff", "HEAD", "--", *_PACKAGES)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "--", *_PACKAGES)
    if changes is None or new is None:
        return {**found, "commit": commit.decode().strip()}
    return {**found, "commit": commit.decode().strip(), "diff": _hash_of(root, changes, new.decode().splitlines())}


def _hash_of(root: Path, changes: bytes, new: list[str]) -> str:
    if not changes and not new:
        return ""
    seen = hashlib.sha256(changes)
    for name in new:
        seen.update(name.encode())
        seen.update((root / name).read_bytes())
    return seen.hexdigest()[:16]


def _git(root: Path, *arguments: str) -> bytes | None:
    command = ["git", "-c", "core.quotePath=false", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _version() -> str:
    try:
        return metadata.version("realtalk")
    except metadata.PackageNotFoundError:
        return ""

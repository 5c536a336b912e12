"""The manifest of a dataset: written last and at once, so that a dataset is ready exactly when it is there.

It holds no time of day and no path of a machine: the same dataset has the same manifest, byte for byte.
"""

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.errors import RealtalkError
from schemas.ids import digest

MANIFEST_NAME = "manifest.json"
#: Splits, in the order of a dataset.
SPLITS = ("train", "validation", "test")
#: Folders that a dataset's Parquet files are in; what a build didn't make leaves them.
FOLDERS = ("data", "candidates", "clips", "turns", "episodes")
FORMAT = 1
CONSENTED = "consented"
NO_CONSENT = "NO CONSENT ON RECORD"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of the dataset: its path below the dataset's folder, rows, size in bytes, SHA-256 (hexadecimal)."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """A file of chosen clips: as FileRecord, and the split that it belongs to."""

    name: str
    split: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SplitTotal:
    """The chosen clips of one split, and how long they are together."""

    clips: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Totals:
    """What the dataset holds. `seconds` is the episodes' length, `speech_seconds` how much of it is speech."""

    episodes: int
    failed_episodes: int
    seconds: float
    speech_seconds: float
    candidates: int
    candidate_seconds: float
    clips: int
    clip_seconds: float
    splits: dict[str, SplitTotal] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A dataset's contents. `models` is identity by task; `consent` is CONSENTED or NO_CONSENT.

    `files` are all Parquet files but the shards (candidates, clips, episodes, turns). A `consent_id` is there exactly
    where `consent` is CONSENTED, and what it allows (`consent_scope`) until when (`consent_expiry`, YYYY-MM-DD, "" for
    no end) are its own words. `from_version` is the version that this one was chosen anew from, "" of a build; it is
    no part of the identity.
    """

    name: str
    sampling_rate: int
    shards: tuple[ShardRecord, ...]
    files: tuple[FileRecord, ...]
    totals: Totals
    config_hash: str
    models: dict[str, str]
    consent: str = NO_CONSENT
    consent_id: str = ""
    consent_scope: tuple[str, ...] = ()
    consent_expiry: str = ""
    from_version: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.consent not in (CONSENTED, NO_CONSENT):
            raise ValueError(f"consent is {self.consent!r}, neither {CONSENTED!r} nor {NO_CONSENT!r}")
        if (self.consent == CONSENTED) != bool(self.consent_id):
            raise ValueError(f"consent is {self.consent!r}, but consent_id is {self.consent_id!r}")

    @property
    def records(self) -> tuple[FileRecord | ShardRecord, ...]:
        """All of its files."""
        return (*self.shards, *self.files)

    @cached_property
    def version(self) -> str:
        """Identity of this state of the dataset: the hash of all that it holds (16 hexadecimal digits).

        The same content has the same version, whatever it was chosen from.
        """
        content = asdict(self)
        del content["from_version"]
        for name in ("consent_scope", "consent_expiry"):
            # A dataset that was written before manifests had them keeps its version.
            if not content[name]:
                del content[name]
        return digest("manifest", content)


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as its file has it."""
    document = {"format": manifest.format, "version": manifest.version, **asdict(manifest)}
    document["models"] = dict(sorted(manifest.models.items()))
    document["totals"]["splits"] = dict(sorted(document["totals"]["splits"].items()))
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def read_manifest(folder: str | Path) -> Manifest:
    """The manifest of a dataset in a local folder; raises RealtalkError where there is none, or a damaged one."""
    path = Path(folder) / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RealtalkError(
            f"{folder}: no dataset is ready here, {MANIFEST_NAME} is missing; run realtalk build to its end"
        ) from None
    except OSError as error:
        raise RealtalkError(f"{path}: can't be read ({error.strerror}); check its permissions") from None
    return parse_manifest(content, str(path))


def parse_manifest(content: bytes, where: str) -> Manifest:
    """A manifest from its bytes; `where` names them in the line of the RealtalkError that damage raises."""
    mend = "restore it, or run realtalk build again to write it anew"
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RealtalkError(f"{where}: not readable as JSON ({error}); {mend}") from None
    if not isinstance(document, dict):
        raise RealtalkError(f"{where}: not a manifest, it holds a JSON {type(document).__name__}; {mend}")
    if document.get("format") != FORMAT:
        raise RealtalkError(
            f"{where}: has format {document.get('format')!r}, this realtalk reads format {FORMAT}; "
            "update realtalk, or build the dataset anew"
        )
    version = document.pop("version", None)
    try:
        manifest = TypeAdapter(Manifest).validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise RealtalkError(f"{where}: {place}: {first['msg']}; {mend}") from None
    if version != manifest.version:
        raise RealtalkError(
            f"{where}: its content does not fit its version {version!r} (that would be {manifest.version!r}): "
            f"it was changed after it was written; {mend}"
        )
    return manifest

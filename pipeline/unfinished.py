"""What a commit is about to put in place, noted in work/ so that a run after a killed one can finish it.

Without it a dataset whose `select` was killed could be mended by a build alone, which needs all of its sources.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from schemas.errors import RealtalkError
from schemas.manifest import Manifest, manifest_bytes, parse_manifest
from transforms.shards import keep_content
from transforms.store import Store

_PLACE = ("work", "commit.json")


@dataclass(frozen=True)
class Publication:
    """A file in work/ and its name in the dataset."""

    name: str
    path: str


@dataclass(frozen=True)
class Unfinished:
    """What `commit` is called with."""

    manifest: Manifest
    published: tuple[Publication, ...]
    config_yaml: str
    documents: Mapping[str, str]


@dataclass(frozen=True)
class _Note:
    manifest: str
    published: list[Publication]
    config_yaml: str
    documents: dict[str, str]


_NOTE = TypeAdapter(_Note)


def note_commit(
    store: Store, manifest: Manifest, published: Sequence[Publication], config_yaml: str, documents: Mapping[str, str]
) -> None:
    """Note a commit before anything of the dataset changes."""
    note = _Note(manifest_bytes(manifest).decode("utf-8"), list(published), config_yaml, dict(documents))
    content = store.relocatable(_NOTE.dump_python(note, mode="json"))
    keep_content(store, store.path(*_PLACE), json.dumps(content, ensure_ascii=False).encode("utf-8"))


def forget_commit(store: Store) -> None:
    """Take the note away: the commit has come to its end."""
    store.remove(store.path(*_PLACE))


def unfinished_commit(store: Store) -> Unfinished | None:
    """The commit that was noted; None without one, and where it can't be finished for what is gone since."""
    content = store.read_bytes(store.path(*_PLACE))
    if content is None:
        return None
    try:
        note = _NOTE.validate_python(store.located(json.loads(content)))
        manifest = parse_manifest(note.manifest.encode("utf-8"), store.path(*_PLACE))
    except (ValueError, ValidationError, RealtalkError):
        return None
    if not all(store.exists(one.path) for one in note.published):
        return None
    return Unfinished(manifest, tuple(note.published), note.config_yaml, note.documents)

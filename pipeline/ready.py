"""The dataset at a place, and its manifest where it is ready."""

import os

from pipeline.config import is_uri
from schemas.errors import RealtalkError
from schemas.manifest import MANIFEST_NAME, Manifest, parse_manifest
from transforms.store import Store

#: Where a dataset says what became of each episode, and how it was made.
EPISODES_NAME = "episodes/episodes.parquet"
CONFIG_NAME = "dataset.yaml"


def store_of(dataset: str) -> Store:
    """The store of a dataset in a folder or at a URI."""
    return Store(dataset.rstrip("/") if is_uri(dataset) else os.path.abspath(dataset))


def committed_manifest(store: Store) -> Manifest | None:
    """The manifest of the dataset that is ready in a store; None without one. Raises RealtalkError for damage."""
    path = store.path(MANIFEST_NAME)
    try:
        content = store.read_bytes(path)
    except OSError as error:
        raise RealtalkError(f"{path}: can't be read ({error.strerror or error}); check its permissions") from None
    return None if content is None else parse_manifest(content, path)


def ready_manifest(store: Store) -> Manifest:
    """As `committed_manifest`; raises RealtalkError also where no dataset is ready."""
    found = committed_manifest(store)
    if found is None:
        raise not_ready(store.root)
    return found


def not_ready(location: str) -> RealtalkError:
    """What is raised where a dataset has no manifest."""
    return RealtalkError(f"{location}: no dataset is ready here; run realtalk build to its end first")

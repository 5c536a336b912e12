"""The version before the current one, kept for who reads it while the next is written."""

from pipeline.ready import committed_manifest
from schemas.errors import RealtalkError
from schemas.manifest import MANIFEST_NAME, Manifest, manifest_bytes
from schemas.versions import KEPT_FOLDERS, VERSIONS_FOLDER, kept_name
from transforms.store import Store


def version_before(store: Store) -> Manifest | None:
    """The version that a commit takes the place of; None where none is ready, or its manifest is damaged."""
    try:
        return committed_manifest(store)
    except RealtalkError:
        return None


def keep_version(store: Store, before: Manifest, following: str) -> None:
    """Keep what readers of `before` read, and of older versions only the manifests; `following` comes next.

    Has to end before any file of the dataset changes. A file that is lost already is left out. Run again, after it was
    stopped at any point, it does the rest.
    """
    kept = set(store.tree(f"{VERSIONS_FOLDER}/{before.version}"))
    for record in before.records:
        folder = record.name.partition("/")[0]
        source = store.path(*record.name.split("/"))
        target = store.path(*kept_name(before.version, record.name).split("/"))
        if folder not in KEPT_FOLDERS or (record.name in kept and store.size(target) == record.bytes):
            continue
        if store.exists(source) and store.size(source) == record.bytes:
            store.publish(source, target)
    # Last: a folder of versions/ with a manifest is as whole as it gets.
    store.write_text(
        store.path(*kept_name(before.version, MANIFEST_NAME).split("/")), manifest_bytes(before).decode("utf-8")
    )
    # Before the manifest goes: a run after a killed one doesn't know which of two was the one before. What comes next
    # may be the older one again, and its readers have no other copy until it is there.
    for version in {path.partition("/")[0] for path in store.tree(VERSIONS_FOLDER)} - {before.version, following}:
        forget_version(store, version)


def forget_version(store: Store, version: str) -> None:
    """Remove the files of a version in versions/; its manifest stays."""
    for folder in KEPT_FOLDERS:
        store.remove_tree(f"{VERSIONS_FOLDER}/{version}/{folder}")

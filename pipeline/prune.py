"""What work/ holds of versions that are gone: each time that clips are chosen anew it grows by a dataset's size."""

from collections.abc import Iterable, Iterator, Set

from pipeline.judging import read_shard_record
from schemas.errors import RealtalkError
from schemas.manifest import MANIFEST_NAME, Manifest, parse_manifest
from schemas.versions import VERSIONS_FOLDER
from transforms.store import Store


def prune(store: Store, current: Manifest) -> None:
    """Remove shards and verdicts that are neither of the current version nor of one that versions/ has whole.

    And what a killed run left of a shard. To choose between two versions in turn writes none of them again.
    """
    manifests = [current, *_kept(store)]
    hashes = {record.sha256 for one in manifests for record in one.records}
    for name in (*_other_shards(store, hashes), *_other_candidates(store, hashes)):
        store.remove(store.path(*name.split("/")))


def _kept(store: Store) -> Iterator[Manifest]:
    """The manifests of versions of which versions/ has more than that."""
    paths = [path.partition("/") for path in store.tree(VERSIONS_FOLDER)]
    for version in sorted({version for version, _, rest in paths if rest != MANIFEST_NAME}):
        place = store.path(VERSIONS_FOLDER, version, MANIFEST_NAME)
        content = store.read_bytes(place)
        try:
            if content is not None:
                yield parse_manifest(content, place)
        except RealtalkError:
            continue


def _other_shards(store: Store, hashes: Set[str]) -> Iterator[str]:
    names = store.names("work/shards")
    records = ((name, read_shard_record(store, store.path("work", "shards", name))) for name in _ending(names, ".json"))
    known = {name.removesuffix(".json") for name, record in records if record is not None and record.sha256 in hashes}
    return (f"work/shards/{name}" for name in names if name.rpartition(".")[0] not in known)


def _other_candidates(store: Store, hashes: Set[str]) -> Iterator[str]:
    """Files are called EPISODE-HASH.parquet, with the first 16 digits."""
    known = {sha256[:16] for sha256 in hashes}
    names = store.names("work/candidates")
    return (f"work/candidates/{name}" for name in names if name.rpartition(".")[0].rpartition("-")[2] not in known)


def _ending(names: Iterable[str], ending: str) -> list[str]:
    return [name for name in names if name.endswith(ending)]

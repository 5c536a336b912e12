"""A file that lies still is read once; one that was changed or put in another's place is read again."""

import os
from pathlib import Path

import pytest
from folder_filesystem import PREFIX

from schemas.ids import file_sha256
from transforms.checksums import Checksums
from transforms.store import Store

HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def write(path: Path, content: bytes, ago: float = HOUR) -> Path:
    path.write_bytes(content)
    status = path.stat()
    os.utime(path, (status.st_atime, status.st_mtime - ago))
    return path


def kept(store: Store, *paths: Path) -> Checksums:
    """What another run knows of files that one asked for."""
    checksums = Checksums.of(store)
    for path in paths:
        checksums.sha256(str(path))
    checksums.keep()
    return Checksums.of(store)


def test_what_was_read_is_known_to_the_next_run(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"one")
    known = kept(store, path)
    status = path.stat()
    path.write_bytes(b"two")
    assert known.sha256(str(path)) == file_sha256(path), "the time of change tells"
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert known.sha256(str(path)) != file_sha256(path), "so it wasn't read: only its identity was looked at"


def test_a_file_in_the_place_of_another_is_read(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"one")
    known, time = kept(store, path), path.stat().st_mtime_ns
    other = write(tmp_path / "b", b"two")
    os.utime(other, ns=(time, time))
    os.replace(other, path)
    assert known.sha256(str(path)) == file_sha256(path)


def test_another_name_of_a_file_is_known_with_it(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a", b"one")
    known, sha256 = kept(store, path), file_sha256(path)
    os.link(path, tmp_path / "b")
    monkeypatch.setattr("transforms.checksums.file_sha256", lambda path: "read")
    assert known.sha256(str(tmp_path / "b")) == sha256


def test_a_file_that_was_just_written_is_read_again(store: Store, tmp_path: Path) -> None:
    known = kept(store, write(tmp_path / "a", b"one", ago=0.0))
    assert not known.known, "a change in the same tick of the clock would go unseen"


def test_what_nobody_asks_for_any_more_is_forgotten(store: Store, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", b"one"), write(tmp_path / "b", b"two")
    assert len(kept(store, a, b).known) == 2
    assert list(kept(store, b).known.values()) == [file_sha256(b)]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"a": 1}'])
def test_what_can_not_be_read_knows_nothing(store: Store, tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "a", b"one")
    kept(store, path)
    Path(store.path("work", "checksums.json")).write_bytes(content)
    assert not Checksums.of(store).known
    assert kept(store, path).known


def test_learned_is_as_good_as_read(store: Store, tmp_path: Path) -> None:
    checksums = Checksums.of(store)
    checksums.learn(str(write(tmp_path / "a", b"one")), "said")
    checksums.learn(str(tmp_path / "gone"), "said")
    assert list(checksums.used.values()) == ["said"]
    assert checksums.sha256(str(tmp_path / "a")) == "said"


def test_of_a_remote_store_nothing_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"one")
    remote = Store(f"{PREFIX}{tmp_path}")
    assert not kept(remote, path).known
    assert not (tmp_path / "work").exists()

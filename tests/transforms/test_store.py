"""Files appear whole or not at all, and paths of a dataset survive its moving."""

import os
from pathlib import Path

import pytest
from folder_filesystem import PREFIX

from schemas.errors import RealtalkError
from transforms.store import Store, copies_folder, remove_unused


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "dataset"))


def test_a_file_that_is_not_finished_never_appears(store: Store) -> None:
    path = store.path("data", "a.bin")
    with pytest.raises(RuntimeError), store.create(path) as partial:
        partial.write_bytes(b"half")
        raise RuntimeError("killed")
    assert not os.path.exists(path)
    assert os.listdir(store.path("data")) == [], "the partial file is taken away too"


def test_what_was_there_stays_until_the_new_file_is_whole(store: Store) -> None:
    path = store.path("a.txt")
    store.write_text(path, "old")
    with store.create(path) as partial:
        partial.write_text("new")
        assert store.read_text(path) == "old"
    assert store.read_text(path) == "new"


def test_a_partial_file_keeps_its_suffix_because_writers_choose_the_format_by_it(store: Store) -> None:
    with store.create(store.path("a.flac")) as partial:
        assert partial.suffix == ".flac"
        partial.write_bytes(b"x")


def test_publishing_links_where_links_exist(store: Store) -> None:
    source = store.path("work", "a.bin")
    store.write_text(source, "content")
    store.publish(source, store.path("data", "a.bin"))
    assert os.path.samefile(source, store.path("data", "a.bin"))
    store.publish(source, store.path("data", "a.bin"))
    assert store.read_text(store.path("data", "a.bin")) == "content"


def test_kept_paths_follow_the_dataset_when_it_is_moved(tmp_path: Path) -> None:
    before, after = Store(str(tmp_path / "before")), Store(str(tmp_path / "after"))
    kept = before.relocatable({"path": before.path("work", "a.flac"), "url": "https://example.org/a", "n": [1, 2.5]})
    assert str(tmp_path) not in str(kept)
    assert after.located(kept) == {"path": after.path("work", "a.flac"), "url": "https://example.org/a", "n": [1, 2.5]}


def test_missing_things_are_answers_not_errors(store: Store) -> None:
    assert store.read_text(store.path("nothing")) is None
    assert store.names("nothing") == []
    store.remove(store.path("nothing"))


def test_a_remote_store_gives_what_was_put_there(tmp_path: Path) -> None:
    remote = Store(f"{PREFIX}{tmp_path}/bucket")
    path = remote.path("data", "a.txt")
    assert remote.read_text(path) is None
    remote.write_text(path, "content")
    assert remote.read_text(path) == "content"
    assert remote.exists(path)
    assert remote.size(path) == len("content")
    assert remote.names("data") == ["a.txt"]
    assert Path(remote.fetch(path)).read_text() == "content"
    remote.publish(path, remote.path("published", "b.txt"))
    assert remote.read_text(remote.path("published", "b.txt")) == "content"
    remote.remove(path)
    assert not remote.exists(path)


def test_what_fails_while_it_is_written_never_reaches_a_remote_store(tmp_path: Path) -> None:
    remote = Store(f"{PREFIX}{tmp_path}/bucket")
    with pytest.raises(RuntimeError), remote.create(remote.path("a.bin")) as partial:
        partial.write_bytes(b"half")
        raise RuntimeError("killed")
    assert not remote.exists(remote.path("a.bin"))


def test_copies_of_remote_files_are_for_one_user_and_go_when_nobody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remote = Store(f"{PREFIX}{tmp_path}/bucket")
    copies = []
    for name in ("a.txt", "b.txt"):
        remote.write_text(remote.path(name), name)
        copies.append(Path(remote.fetch(remote.path(name))))
    assert copies[0].parent.stat().st_mode & 0o077 == 0
    os.utime(copies[0], (0, 0))
    remove_unused(copies[0].parent)
    assert [copy.exists() for copy in copies] == [False, True]
    assert Path(remote.fetch(remote.path("a.txt"))).read_text() == "a.txt"


def test_a_folder_that_somebody_else_made_for_copies_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"realtalk-files-{os.getuid()}").symlink_to(tmp_path / "theirs")
    with pytest.raises(RealtalkError, match="is somebody else's"):
        copies_folder()

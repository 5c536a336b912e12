"""Watchers of a bucket: on one machine, and on several that know of each other by the bucket alone."""

import threading
import time
from pathlib import Path

import pytest
from folder_filesystem import PREFIX
from ready_dataset import commit_version
from watch_processes import lines, said_until, shell, until, wait_until, watcher

from pipeline.watch.claims import LEASE_SECONDS, Claims, claimed
from pipeline.watch.ledger import State, ledger_of
from transforms.store import Store

# Builds and trainings in processes of their own: minutes of them.
pytestmark = pytest.mark.slow

FOLDER = ("work", "watch", "train", "claims")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "bucket").mkdir()
    return Store(f"{PREFIX}{tmp_path / 'bucket'}")


def machine(tmp_path: Path, name: str) -> dict[str, str]:
    """The environment of a machine that shares nothing with others but the bucket."""
    return {"XDG_STATE_HOME": str(tmp_path / name)}


def test_watchers_on_two_machines_run_each_version_once(tmp_path: Path, store: Store) -> None:
    bucket, trace = tmp_path / "bucket", tmp_path / "trace"
    command = shell(f'echo "$REALTALK_VERSION $REALTALK_DATASET" >>{trace}; sleep 0.3')
    with (
        watcher(store.root, command=command, environment=machine(tmp_path, "a")),
        watcher(store.root, command=command, environment=machine(tmp_path, "b")),
    ):
        versions = []
        for content in ("one", "two"):
            versions.append(commit_version(bucket, content))
            wait_until(lambda: len(lines(trace)) == len(versions))
            entry = ledger_of(store.root).entry
            wait_until(lambda: getattr(entry(versions[-1]), "state", None) is State.FINISHED)  # noqa: B023
        # Who is done takes the claim away.
        wait_until(lambda: not list((bucket / "work/watch/train/claims").iterdir()))
    assert lines(trace) == [f"{version} {store.root}" for version in versions]


def test_a_killed_watcher_is_followed_on_its_machine_at_once_and_its_command_is_not_doubled(
    tmp_path: Path, store: Store
) -> None:
    version, trace, go = commit_version(tmp_path / "bucket", "one"), tmp_path / "trace", tmp_path / "go"
    command = shell(f"echo started >>{trace}; {until(go)}")
    with watcher(store.root, command=command, environment=machine(tmp_path, "a")) as process:
        wait_until(lambda: lines(trace))
        process.kill()
        process.wait()
    with watcher(store.root, "--once", command=command, environment=machine(tmp_path, "a")) as process:
        said_until(process, "another watcher is at work")
        go.touch()
        assert process.wait(30) == 0
    assert lines(trace) == ["started"]
    entry = ledger_of(store.root).entry(version)
    assert entry is not None
    assert (entry.state, entry.starts) == (State.FINISHED, 1)


def test_of_many_that_claim_at_the_same_time_never_do_two_have_the_turn(tmp_path: Path, store: Store) -> None:
    barrier, inside, most = threading.Barrier(6, timeout=30), [0], [0]

    def claim(owner: str) -> None:
        claims = Claims(store, FOLDER, owner)
        for _ in range(20):
            barrier.wait()
            if claims.take():
                inside[0] += 1
                time.sleep(0.002)
                most[0] = max(most[0], inside[0])
                inside[0] -= 1
                claims.give_back()

    threads = [threading.Thread(target=claim, args=(f"owner{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] <= 1


def test_a_claim_of_a_machine_that_is_gone_ends_by_itself(store: Store) -> None:
    now = [1000.0]
    gone, other = (Claims(store, FOLDER, owner, lambda: now[0]) for owner in ("gone", "other"))
    assert gone.take()
    now[0] += LEASE_SECONDS - 1
    assert not other.take()
    gone.renew()
    now[0] += LEASE_SECONDS - 1
    assert not other.take()
    now[0] += 2
    assert other.take()


def test_a_claim_that_can_not_be_read_is_respected(store: Store, tmp_path: Path) -> None:
    store.write_text(store.path(*FOLDER, "strange.json"), "{")
    with claimed(store, FOLDER, tmp_path, print) as mine:
        assert not mine

"""A disk that fills up during a build: no half file, one line at the end, and the next build goes on."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile
import yaml

from pipeline.cli import main
from pipeline.demo.podcast import write_podcast
from pipeline.demo.script import EPISODES
from transforms.store import Store

# Builds and trainings in processes of their own: minutes of them.
pytestmark = pytest.mark.slow

pytest.importorskip("espeakng_loader", reason="eSpeak NG (the extra demo) speaks the podcast of these tests")

SCRIPT = ((EPISODES[0][0], EPISODES[0][1][:4]),)
ROOM, MOST_BUILDS, COUNTER = 12, 12, "REALTALK_TEST_ROOM"


class FillingStore(Store):
    """A store whose disk has room for so many more files as a file says; the next ones fail when they are half written.

    The file's name is in the environment, because stages write in processes of their own.
    """

    @contextmanager
    def create(self, path: str) -> Iterator[Path]:
        with super().create(path) as partial:
            yield partial
            counter = Path(os.environ[COUNTER])
            room = int(counter.read_text())
            if room <= 0:
                # A link takes no room of its own, and its content is another's.
                if partial.stat().st_nlink == 1:
                    os.truncate(partial, partial.stat().st_size // 2)
                # The kernel's own error.
                with open("/dev/full", "wb", buffering=0) as full:
                    full.write(b"\0")
            counter.write_text(str(room - 1))


@pytest.fixture(scope="module")
def podcast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("podcast")
    write_podcast(folder, "http://127.0.0.1", SCRIPT)
    return folder


@pytest.fixture(scope="module")
def whole(podcast: Path) -> dict[str, bytes]:
    """The dataset as a build with enough room makes it."""
    assert build(podcast, podcast / "whole") == 0
    return dataset(podcast / "whole")


def build(podcast: Path, output: Path) -> int:
    config = podcast / f"{output.name}.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "name": "workshop",
                "output": str(output),
                "sources": [{"files": "episodes"}],
                "speaker": {"name": "Host", "enroll": "enroll.flac", "consent": "consent.json"},
            }
        )
    )
    return main(["build", str(config)])


def dataset(folder: Path) -> dict[str, bytes]:
    """Everything but work/ and earlier versions (a run that lost an episode to the full disk commits the rest)."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.relative_to(folder).parts[0] not in ("work", "versions")
    }


READERS: dict[str, Callable[[Path], object]] = {
    ".parquet": pq.read_table,
    ".json": lambda path: json.loads(path.read_text()),
    ".flac": soundfile.read,
}


def assert_all_whole(folder: Path) -> None:
    """Every file that has the name of one can be read, and no part of one is left."""
    for path in folder.rglob("*"):
        assert ".part" not in path.name, path
        assert not path.name.endswith(".tmp"), path
        if path.is_file() and path.suffix in READERS:
            READERS[path.suffix](path)


def last_line(capfd: pytest.CaptureFixture[str]) -> str:
    said = capfd.readouterr().err
    assert "Traceback" not in said
    return said.strip().splitlines()[-1]


def test_a_disk_with_room_for_one_more_file_at_a_time(
    podcast: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    """Every step of a build meets the full disk, because each run gets a file or two further than the one before."""
    monkeypatch.setattr("pipeline.build.Store", FillingStore)
    counter = tmp_path / "room"
    monkeypatch.setenv(COUNTER, str(counter))
    codes: list[int] = []
    while 0 not in codes and len(codes) < MOST_BUILDS:
        counter.write_text(str(ROOM))
        codes.append(build(podcast, tmp_path / "set"))
        assert_all_whole(tmp_path / "set")
        line = last_line(capfd)
        assert codes[-1] == 0 or "free some space and run" in line
    assert codes[-1] == 0
    assert len(codes) > 2, "it was full at many steps"
    assert dataset(tmp_path / "set") == whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own in memory, to be resized."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk has to be mounted, which only root may")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_small_disk_that_grows(podcast: Path, whole: dict[str, bytes], small_disk: Path, capfd) -> None:
    codes = []
    for kilobytes in (4, 64, 1000, 8000):
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(small_disk)], check=True)
        codes.append(build(podcast, small_disk / "set"))
        assert_all_whole(small_disk)
        assert codes[-1] == 0 or "free some space and run" in last_line(capfd)
    assert codes == [1] * (len(codes) - 1) + [0]
    assert dataset(small_disk / "set") == whole

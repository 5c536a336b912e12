"""What tests share: one torch thread, and the recordings of real people where they are at hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs of tests are not among those of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REALTALK_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recordings beside the checkout (speech/, guests/, ljspeech/, feeds/, ...)."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("recordings of real people are not beside this checkout (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def podcast_tool() -> Path:
    """The program that assembles podcasts with exact truth from those recordings."""
    tool = SHARED / "tools" / "make_podcast.py"
    if not tool.is_file():
        pytest.skip("the podcast maker is not beside this checkout (../shared/tools/make_podcast.py)")
    return tool

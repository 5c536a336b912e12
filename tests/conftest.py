"""What tests share: one torch thread, and the recordings of real people where they are at hand."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
SHARED = Path(__file__).resolve().parents[2] / "shared"


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

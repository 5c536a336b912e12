"""The episodes that an enrolment names."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.enrol import EmbedEnrolment, EnrolmentPlan, EpisodeSpan, passages_of
from schemas.episode import Episode, episode_id
from schemas.errors import RealtalkError
from schemas.recording import Recording
from schemas.state import EpisodeState
from schemas.turn import Identity
from transforms.stages import OneModel
from transforms.store import Store


def heard(feed: str) -> EpisodeState:
    """Episode "1" of a feed."""
    found = Episode(episode_id(feed, "1"), "1", feed, f"https://e.org/{feed}.mp3")
    return EpisodeState(found, recording=Recording(f"{feed}.flac", "0" * 64, 60.0, 16_000, 16_000, 1))


class Pool:
    """Instead of a worker process: keeps what it was given to embed."""

    def __init__(self) -> None:
        self.passages: list[Any] = []

    def pool(self) -> "Pool":
        return self

    def run(self, _: Any, passages: Sequence[Any]) -> SimpleNamespace:
        self.passages += passages
        return SimpleNamespace(value=Identity("", (1.0,), "fake"))


def enrol(name: str, folder: Path) -> list[Any]:
    """The passages that an enrolment by a span of episode `name` is made of."""
    model: Any = OneModel(lambda: SimpleNamespace(identity="fake"))  # type: ignore[type-var]
    plan = EnrolmentPlan("Host", (), (EpisodeSpan(name, 1.0, 9.0), EpisodeSpan(name, 20.0, 29.0)), model)
    found = [passage for feed in ("A", "B") for passage in passages_of(heard(feed), plan)]
    pool: Any = Pool()
    list(EmbedEnrolment(plan, Store(str(folder)), pool).process(found))
    return list(pool.passages)


def test_a_guid_that_two_feeds_use_names_no_episode(tmp_path: Path) -> None:
    # Taken from both, the voice would be a mixture of two people.
    with pytest.raises(RealtalkError, match="2 episodes have the guid '1'; give the id of one"):
        enrol("1", tmp_path)


def test_an_id_names_one_of_them(tmp_path: Path) -> None:
    assert enrol(episode_id("B", "1"), tmp_path) == [("B.flac", 1.0, 9.0), ("B.flac", 20.0, 29.0)]

"""Enrolment by spans of episodes: whose recordings are heard, and when nothing can be; no audio is read."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.enrol import EmbedEnrolment, EnrolmentPlan, EpisodeSpan, attach_target, passages_of
from schemas.episode import Episode, episode_id
from schemas.errors import RealtalkError
from schemas.recording import Recording
from schemas.state import EpisodeState
from schemas.turn import Identity
from transforms.identity import TargetChoice
from transforms.store import Store

HEARD = Identity("", (1.0, 0.0), "enrolment: made up")


class FakeWorkers:
    """Runs nothing; remembers the passages that it was to embed."""

    def __init__(self) -> None:
        self.passages: list[Any] = []

    def pool(self) -> "FakeWorkers":
        return self

    def run(self, work: Any, passages: Any) -> Any:
        self.passages.append(list(passages))
        return SimpleNamespace(value=HEARD)


def state(guid: str, path: str | None) -> EpisodeState:
    episode = Episode(
        id=f"id-{guid}", guid=guid, feed_guid="", source_url=f"https://example.org/{guid}.mp3", title=guid
    )
    found = EpisodeState(episode)
    return found if path is None else replace(found, recording=Recording(path, "0" * 64, 60.0, 16_000, 16_000, 1))


def plan(*spans: EpisodeSpan) -> EnrolmentPlan:
    return EnrolmentPlan(name="Host", files=(), spans=spans, embedder=SimpleNamespace(identity="fake"))  # type: ignore[arg-type]


def test_a_span_names_the_recording_of_its_episode_alone() -> None:
    wanted = plan(EpisodeSpan("two", 12.0, 31.5))
    assert list(passages_of(state("one", "one.flac"), wanted)) == []
    assert list(passages_of(state("two", "two.flac"), wanted)) == [("two", ("two.flac", 12.0, 31.5))]


def test_an_episode_that_was_not_decoded_gives_no_passage() -> None:
    assert list(passages_of(state("two", None), plan(EpisodeSpan("two", 12.0, 31.5)))) == []


def test_spans_are_embedded_once_whatever_their_order(tmp_path: Path) -> None:
    for name in ("a.flac", "b.flac"):
        (tmp_path / name).touch()
    one, two = (("a", (str(tmp_path / "a.flac"), 1.0, 9.0)), ("b", (str(tmp_path / "b.flac"), 2.0, 8.0)))
    workers = FakeWorkers()
    embed = EmbedEnrolment(plan(EpisodeSpan("a", 1.0, 9.0), EpisodeSpan("b", 2.0, 8.0)), Store(str(tmp_path)), workers)  # type: ignore[arg-type]
    assert list(embed.process([two, one])) == [replace(HEARD, name="Host")]
    assert list(embed.process([one, two])) == [replace(HEARD, name="Host")]
    assert len(workers.passages) == 1
    assert [(Path(path).name, start, end) for path, start, end in workers.passages[0]] == [
        ("a.flac", 1.0, 9.0),
        ("b.flac", 2.0, 8.0),
    ]


def test_a_span_of_an_episode_that_is_not_there_is_named(tmp_path: Path) -> None:
    embed = EmbedEnrolment(plan(EpisodeSpan("gone", 1.0, 9.0)), Store(str(tmp_path)), FakeWorkers())  # type: ignore[arg-type]
    with pytest.raises(RealtalkError, match=r"speaker\.enroll: the episode 'gone' is not among those"):
        list(embed.process([]))


def test_every_episode_gets_the_one_identity_and_its_own_clusters() -> None:
    choice = TargetChoice(HEARD, {"id-one": ("S1",)})
    assert attach_target(state("one", None), choice).target_clusters == ("S1",)
    absent = attach_target(state("two", None), choice)
    assert absent.target_clusters == ()
    assert absent.identity == HEARD


def enrolled(name: str, folder: Path) -> list[Any]:
    """The passages that an enrolment by spans of episode `name` is made of; episode "1" is there in feeds A and B."""
    wanted = plan(EpisodeSpan(name, 1.0, 9.0), EpisodeSpan(name, 20.0, 29.0))
    found = []
    for feed in ("A", "B"):
        (folder / f"{feed}.flac").touch()
        episode = Episode(episode_id(feed, "1"), "1", feed, f"https://example.org/{feed}.mp3")
        heard = Recording(str(folder / f"{feed}.flac"), "0" * 64, 60.0, 16_000, 16_000, 1)
        found += list(passages_of(EpisodeState(episode, recording=heard), wanted))
    workers = FakeWorkers()
    list(EmbedEnrolment(wanted, Store(str(folder)), workers).process(found))  # type: ignore[arg-type]
    return [(Path(path).name, start, end) for path, start, end in workers.passages[0]]


def test_a_guid_that_two_feeds_use_names_no_episode(tmp_path: Path) -> None:
    # Taken from both, the voice would be a mixture of two people.
    with pytest.raises(RealtalkError, match="2 episodes have the guid '1'; give the id of one"):
        enrolled("1", tmp_path)


def test_an_id_names_one_of_them(tmp_path: Path) -> None:
    assert enrolled(episode_id("B", "1"), tmp_path) == [("B.flac", 1.0, 9.0), ("B.flac", 20.0, 29.0)]

"""What of an episode is done already: by the books of its download and the keys of its results."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import Config, load_config
from pipeline.kept import finished_episodes, kept_by_config, kept_media, kept_stages
from schemas.episode import Episode
from schemas.manifest import Manifest, Totals, manifest_bytes
from schemas.recording import Media, Recording
from schemas.state import EpisodeState, Speech
from schemas.tables import EPISODE_SCHEMA
from schemas.turn import Span
from transforms.stage import Stage, keep_result
from transforms.store import Store

EPISODE = Episode(id="e1", guid="g1", feed_guid="f", source_url="https://example.org/1.mp3")


@dataclass(frozen=True)
class Decode(Stage):
    rate: int = 48_000
    name = "recording"
    result = Recording

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return state.keys["media"], self.rate

    def work(self, state: EpisodeState, key: str, store: Store) -> Recording:
        raise AssertionError("a plan does no work")

    def files(self, result: Recording) -> tuple[str, ...]:
        return (result.path,)


@dataclass(frozen=True)
class Detect(Stage):
    name = "speech"
    result = Speech

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return (state.keys["recording"],)

    def work(self, state: EpisodeState, key: str, store: Store) -> Speech:
        raise AssertionError("a plan does no work")


@dataclass(frozen=True)
class Download(Stage):
    name = "media"
    result = Media
    keeps = False

    def inputs(self, state: EpisodeState) -> tuple[Any, ...]:
        return (state.episode.source_url,)

    def work(self, state: EpisodeState, key: str, store: Store) -> Media:
        raise AssertionError("a plan asks no server")

    def apply(self, state: EpisodeState, result: Any, key: str) -> EpisodeState:
        return replace(state, media=result.media, keys={**state.keys, "media": result.media.sha256})


STAGES = (Download(), Decode(), Detect())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An output in which an episode was downloaded, decoded, and its speech found."""
    store = Store(str(tmp_path / "out"))
    folder = Path(store.path("work", "downloads"))
    folder.mkdir(parents=True)
    (folder / "e1.mp3").write_bytes(b"12345")
    audio = {"file": "e1.mp3", "sha256": "ab", "bytes": 5, "source_url": EPISODE.source_url}
    (folder / "e1.json").write_text(json.dumps({"audio": audio, "transcript": None}))
    recording = Recording(store.path("work", "recordings", "r.flac"), "ab", 60.0, 48_000, 48_000, 1)
    Path(recording.path).parent.mkdir()
    Path(recording.path).write_bytes(b"flac")
    state = EpisodeState(EPISODE, keys={"media": "ab"})
    key = Decode().key(state)
    keep_result(Decode(), key, recording, store)
    state = Decode().apply(state, recording, key)
    keep_result(Detect(), Detect().key(state), Speech((Span(0.0, 1.0),)), store)
    return store


def kept(store: Store, stages: tuple[Stage, ...] = STAGES) -> tuple[str, ...]:
    media = kept_media(EPISODE, Path(store.path("work", "downloads")))
    return kept_stages(EPISODE, media, stages, store) if media else ()


def test_all_of_it(store: Store) -> None:
    assert kept(store) == ("media", "recording", "speech")


def test_a_changed_setting_undoes_what_depends_on_it(store: Store) -> None:
    assert kept(store, (Download(), Decode(rate=16_000), Detect())) == ("media",)


def test_a_file_that_is_gone_undoes_what_depends_on_it(store: Store) -> None:
    Path(store.path("work", "recordings", "r.flac")).unlink()
    assert kept(store) == ("media",)


def test_a_download_that_is_gone_or_cut_short(store: Store) -> None:
    audio = Path(store.path("work", "downloads", "e1.mp3"))
    audio.write_bytes(b"123")
    assert kept(store) == ()
    audio.unlink()
    assert kept(store) == ()


@pytest.mark.parametrize("books", ["", "[]", "{}", '{"audio": 3}', '{"audio": {"file": 3, "bytes": 1}}'])
def test_books_that_can_not_be_read_mean_nothing_is_done(store: Store, books: str) -> None:
    Path(store.path("work", "downloads", "e1.json")).write_text(books)
    assert kept(store) == ()


def test_a_file_of_this_machine_is_where_it_is(store: Store, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(b"1234567")
    audio = {"path": str(tmp_path / "talk.mp3"), "bytes": 7, "mtime_ns": 1, "sha256": "cd"}
    folder = Path(store.path("work", "downloads"))
    (folder / "e1.json").write_text(json.dumps({"audio": audio}))
    media = kept_media(EPISODE, folder)
    assert media is not None
    assert (media.path, media.sha256) == (str(tmp_path / "talk.mp3"), "cd")


def test_a_first_build_has_nothing_and_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text("name: a\nsources: [{files: x}]\nspeaker: {name: H, auto: true}\n")
    assert kept_by_config(load_config(path))(EPISODE) == ()


class TestFinishedEpisodes:
    """A committed dataset, so small that it is written here by hand."""

    MODELS: ClassVar = {"speech": "webrtcvad-2.0.10"}

    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        path = tmp_path / "dataset.yaml"
        path.write_text("name: a\noutput: out\nsources: [{files: x}]\nspeaker: {name: H, auto: true}\n")
        out = tmp_path / "out"
        (out / "episodes").mkdir(parents=True)
        rows = [("e1", "ab", "done"), ("e2", "cd", "failed")]
        table = [dict(zip(("episode_id", "recording_sha256", "state"), row, strict=True)) for row in rows]
        whole = [{name: row.get(name) for name in EPISODE_SCHEMA.names} for row in table]
        pq.write_table(pa.Table.from_pylist(whole, schema=EPISODE_SCHEMA), out / "episodes" / "episodes.parquet")
        config = load_config(path)
        (out / "dataset.yaml").write_text(config.resolved_yaml())
        totals = Totals(2, 1, 0.0, 0.0, 0, 0.0, 0, 0.0)
        manifest = Manifest("a", 24_000, (), (), totals, config.hash, self.MODELS)
        (out / "manifest.json").write_bytes(manifest_bytes(manifest))
        return config

    def finished(self, config: Config, *overrides: str) -> dict[str, str]:
        changed = load_config(config.folder / "dataset.yaml", overrides)
        return finished_episodes(changed.output_location, changed, self.MODELS)

    def test_what_is_done_is_done(self, config: Config) -> None:
        assert self.finished(config) == {"e1": "ab"}

    @pytest.mark.parametrize("override", ["select=strict", "clips.max_seconds=9", "name=b", "sources.0.limit=3"])
    def test_other_choices_find_the_same_target(self, config: Config, override: str) -> None:
        assert self.finished(config, override) == {"e1": "ab"}

    @pytest.mark.parametrize("override", ["models.speech=silero", "speaker={name: H, enroll: x.flac}"])
    def test_another_speaker_or_model_is_another_target(self, config: Config, override: str) -> None:
        assert self.finished(config, override) == {}

    def test_models_of_another_version(self, config: Config) -> None:
        assert finished_episodes(config.output_location, config, {"speech": "webrtcvad-2.0.11"}) == {}

    def test_a_dataset_that_was_not_finished(self, config: Config) -> None:
        Path(config.output_location, "manifest.json").unlink()
        assert self.finished(config) == {}

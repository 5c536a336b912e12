"""What a plan lists and forecasts: from a feed served here, from files, from an earlier build's measurements."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.config import Config, load_config
from pipeline.config_sections import TextChecks
from pipeline.plan import COSTS, SHARES, file_seconds, forecast, free_bytes, read_shares
from pipeline.progress import COST_NAMES, Tally
from pipeline.timings import Rate, Timings, keep_timings, read_timings
from schemas.tables import EPISODE_SCHEMA
from transforms.store import Store

NO_COST = dict.fromkeys(COST_NAMES, 0.0)
FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Talk</title>
<item><title>Three</title><guid>g3</guid><pubDate>Wed, 03 Jun 2026 08:00:00 GMT</pubDate>
 <enclosure url="{base}/3.mp3" length="28800000" type="audio/mpeg"/><itunes:duration>1:00:00</itunes:duration></item>
<item><title>Two</title><guid>g2</guid><pubDate>Tue, 02 Jun 2026 08:00:00 GMT</pubDate>
 <enclosure url="{base}/2.mp3" length="28800000" type="audio/mpeg"/></item>
<item><title>One</title><guid>g1</guid><pubDate>Mon, 01 Jun 2026 08:00:00 GMT</pubDate>
 <enclosure url="{base}/1.mp3" length="0" type="audio/mpeg"/></item>
</channel></rss>"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """(address of a server of tmp_path/web, paths that it was asked for)."""
    (tmp_path / "web").mkdir()
    paths: list[str] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            super().do_GET()

    handler = functools.partial(Handler, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        (tmp_path / "web" / "feed.xml").write_text(FEED.format(base=base))
        yield base, paths
        server.shutdown()


def config_of(tmp_path: Path, sources: str, more: str = "") -> Config:
    path = tmp_path / "dataset.yaml"
    path.write_text(f"name: talk\nsources: {sources}\nspeaker: {{name: H, auto: true}}\n{more}")
    return load_config(path)


def nothing(_: object) -> tuple[str, ...]:
    return ()


def test_a_feed_is_asked_once_and_its_episodes_never(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, paths = asked
    plan = forecast(config_of(tmp_path, f"[{{feed: {base}/feed.xml}}]"), nothing, cores=2)
    assert paths == ["/feed.xml"]
    assert [episode.guid for episode in plan.episodes] == ["g3", "g2", "g1"]
    # g2 by its size at 128 kbit/s, g1 as long as the others are on average.
    assert [(episode.seconds, episode.length_from) for episode in plan.episodes] == [
        (3600.0, "feed"),
        (1800.0, "size"),
        (2700.0, "mean"),
    ]
    assert plan.hours == pytest.approx(2.25)
    assert plan.download_bytes == 28_800_000 * 2 + 2700 * 16_000
    assert plan.cost == 0.0
    assert not (tmp_path / "talk").exists()


def test_limits_of_a_source_and_a_source_that_is_gone(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, _ = asked
    sources = f"[{{feed: {base}/feed.xml, limit: 1}}, {{feed: {base}/none.xml}}]"
    plan = forecast(config_of(tmp_path, sources), nothing, cores=2)
    assert [(source.kind, source.episodes) for source in plan.sources] == [("feed", 1), ("feed", 0)]
    assert plan.sources[0].problems == ()
    assert plan.sources[1].problems[0].startswith("http-404: ")


def test_an_episode_of_two_sources_is_planned_once(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, _ = asked
    plan = forecast(config_of(tmp_path, f"[{{feed: {base}/feed.xml}}, {{feed: {base}/feed.xml}}]"), nothing, cores=1)
    assert len(plan.episodes) == 3
    assert len(plan.notes) == 3


def test_files_tell_their_own_length_and_are_not_copied(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    soundfile.write(tmp_path / "archive" / "a.flac", np.zeros(8000 * 90, np.float32), 8000)
    plan = forecast(config_of(tmp_path, "[{files: './archive/*.flac'}]"), nothing, cores=1)
    (episode,) = plan.episodes
    assert (episode.seconds, episode.length_from) == (90.0, "file")
    assert plan.download_bytes == 0
    assert plan.disk_bytes > 0


def test_what_is_done_costs_nothing_again(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, _ = asked
    config = config_of(tmp_path, f"[{{feed: {base}/feed.xml}}]")
    whole = forecast(config, nothing, cores=1)
    first = forecast(config, lambda episode: tuple(COSTS) if episode.guid == "g3" else (), cores=1)
    assert first.cpu_seconds == pytest.approx(whole.cpu_seconds * 1.25 / 2.25)
    assert {(stage.done, stage.left) for stage in first.stages} == {(1, 2)}
    rest = forecast(config, lambda _: tuple(COSTS), cores=1)
    assert (rest.cpu_seconds, rest.wall_seconds, rest.download_bytes, rest.disk_bytes) == (0.0, 0.0, 0, 0)


def test_verifying_the_text_has_its_price_where_it_is_asked_for(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, _ = asked
    config = config_of(tmp_path, f"[{{feed: {base}/feed.xml}}]")
    without = forecast(config, nothing, cores=1)
    verifying = forecast(config.model_copy(update={"text": TextChecks(verify=True)}), nothing, cores=1)
    assert "verified" not in {stage.stage for stage in without.stages}
    assert verifying.stages[:-1] == without.stages
    assert verifying.stages[-1].cpu_seconds == pytest.approx(2.25 * SHARES["clips"] * 1600.0)


def test_an_earlier_build_is_a_better_prophet_than_the_table(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, _ = asked
    config = config_of(tmp_path, f"[{{feed: {base}/feed.xml}}]")
    work = tmp_path / "talk" / "work"
    work.mkdir(parents=True)
    measured = {"diarization": {**NO_COST, "audio_seconds": 1800.0, "cpu_seconds": 30.0, "wall_seconds": 60.0}}
    (work / "timings.json").write_text(json.dumps({"stages": measured, "overhead_seconds": 7.0}))
    plan = forecast(config, nothing, cores=1)
    stages = {stage.stage: stage for stage in plan.stages}
    assert stages["diarization"].measured
    assert stages["diarization"].wall_seconds == pytest.approx(2.25 * 120.0)
    assert plan.wall_seconds == pytest.approx(sum(stage.wall_seconds for stage in plan.stages) + 7.0)
    assert stages["diarization"].cpu_seconds == pytest.approx(2.25 * 60.0)
    assert not stages["speech"].measured


def test_what_a_process_loads_counts_once_for_each_worker(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, _ = asked
    config = config_of(tmp_path, f"[{{feed: {base}/feed.xml}}]", "workers: 2\n")
    # Four times 300 s at 0.1 s a second; two of them were a process's first, and loaded for 6 s.
    cost = {"audio_seconds": 1200.0, "cpu_seconds": 132.0, "wall_seconds": 132.0, "starts": 2.0}
    first = {"first_audio_seconds": 600.0, "first_cpu_seconds": 72.0, "first_wall_seconds": 72.0}
    store = Store(str(tmp_path / "talk"))
    keep_timings(store, Tally(costs={"speech": {**cost, **first}}, finished={"speech": 4}), 80.0, workers=2)
    timings = read_timings(str(tmp_path / "talk"))
    assert timings.rates["speech"] == Rate(360.0, 360.0, 6.0, 6.0)
    assert timings.overhead_seconds == pytest.approx(80.0 - 132.0 / 2)
    (speech,) = [stage for stage in forecast(config, nothing, cores=2).stages if stage.stage == "speech"]
    assert speech.cpu_seconds == pytest.approx(2.25 * 360.0 + 2 * 6.0)


def test_a_transcript_saves_the_recogniser(tmp_path: Path) -> None:
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.flac", np.zeros(8000 * 60, np.float32), 8000)
    (tmp_path / "a.txt").write_text("Nothing is said.")
    costs = {}
    for name in ("a", "b"):
        plan = forecast(config_of(tmp_path, f"[{{files: {name}.flac}}]"), nothing, cores=1)
        costs[name] = next(stage.cpu_seconds for stage in plan.stages if stage.stage == "utterances")
        assert plan.episodes[0].has_transcript == (name == "a")
    assert costs["b"] > 4 * costs["a"]


def test_the_shares_of_an_earlier_build_stand_in_for_a_conversation_of_two(tmp_path: Path) -> None:
    rows = [
        {"episode_id": "a", "seconds": 100.0, "target_seconds": 80.0, "candidate_seconds": 60.0},
        {"episode_id": "b", "seconds": 100.0, "target_seconds": None, "candidate_seconds": None},
    ]
    whole = [{name: row.get(name) for name in EPISODE_SCHEMA.names} for row in rows]
    (tmp_path / "episodes").mkdir()
    pq.write_table(pa.Table.from_pylist(whole, schema=EPISODE_SCHEMA), tmp_path / "episodes" / "episodes.parquet")
    assert read_shares(str(tmp_path)) == {"episode": 1.0, "target": 0.4, "clips": 0.3}
    assert read_shares(str(tmp_path / "none")) == SHARES


@pytest.mark.parametrize("text", ["", "[]", '{"stages": 3}', '{"stages": {"speech": {"cpu_seconds": 1}}}', "\x00"])
def test_measurements_that_can_not_be_read_do_not_stop_a_plan(tmp_path: Path, text: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "timings.json").write_text(text)
    assert read_timings(str(tmp_path)) == Timings()
    keep_timings(Store(str(tmp_path)), Tally(costs={"cuts": {**NO_COST, "audio_seconds": 9.0}}), 1.0, workers=1)
    assert "cuts" in read_timings(str(tmp_path)).rates


def test_workers_share_the_time_up_to_the_cores(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    base, _ = asked
    config = config_of(tmp_path, f"[{{feed: {base}/feed.xml}}]", "workers: 8\n")
    plan = forecast(config, nothing, cores=2)
    assert plan.workers == 2
    assert plan.wall_seconds == pytest.approx(plan.cpu_seconds / 2 + Timings().overhead_seconds)


def test_free_space_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    assert free_bytes(str(tmp_path / "a" / "b" / "c")) == pytest.approx(free_bytes(str(tmp_path)), rel=0.01)
    assert free_bytes("gs://bucket/x") is None


def test_a_file_that_is_none_has_no_length(tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(b"no sound at all")
    assert file_seconds(str(tmp_path / "x.mp3")) is None
    assert file_seconds(str(tmp_path / "none.mp3")) is None

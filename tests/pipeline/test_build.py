"""A whole build on the embedded models: once, killed and resumed, in two processes, with one more episode."""

import io
import itertools
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import soundfile
from folder_filesystem import PREFIX

from pipeline.build import run_build
from pipeline.cli import main
from pipeline.config import Config, load_config
from pipeline.config_sections import Selection
from pipeline.demo.__main__ import QuietHandler, configuration, serving
from pipeline.demo.podcast import write_podcast
from pipeline.demo.script import EPISODES
from pipeline.result import BuildResult
from pipeline.selection import run_select
from schemas.errors import RealtalkError
from schemas.manifest import manifest_bytes, read_manifest
from schemas.text import Word
from transforms.text.spoken import spoken_words, tokenise

pytest.importorskip("espeakng_loader", reason="eSpeak NG (the extra demo) speaks the podcast of these tests")

SCRIPT = tuple((title, lines[:6]) for title, lines in EPISODES)
STAGES = (
    "recording",
    "captions",
    "speech",
    "diarization",
    "target",
    "interjections",
    "utterances",
    "cuts",
    "scored",
    "candidates",
)


class CountingHandler(QuietHandler):
    """Writes down what is asked for, and whether it was sent."""

    asked: list[tuple[str, int]]

    def log_request(self, code: object = "-", size: object = "-") -> None:
        self.asked.append((self.path, int(getattr(code, "value", code))))  # type: ignore[call-overload]


class Podcast:
    """A served podcast, and configurations that build from it."""

    def __init__(self, folder: Path, base_url: str, asked: list[tuple[str, int]]) -> None:
        self.folder, self.base_url, self.asked = folder, base_url, asked

    def config(self, output: Path, *changes: str) -> Config:
        path = self.folder.parent / "dataset.yaml"
        path.write_text(configuration(self.base_url))
        return load_config(path, [f"output={output}", *changes])

    def command(self, output: Path) -> list[str]:
        self.config(output)
        config = str(self.folder.parent / "dataset.yaml")
        return [sys.executable, "-m", "pipeline.cli", "build", config, "--set", f"output={output}"]


@pytest.fixture(scope="module")
def podcast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podcast]:
    folder = tmp_path_factory.mktemp("demo") / "podcast"
    folder.mkdir()
    asked: list[tuple[str, int]] = []
    handler = type("Handler", (CountingHandler,), {"asked": asked})
    with serving(folder, 0, handler) as base_url:
        write_podcast(folder, base_url, SCRIPT)
        yield Podcast(folder, base_url, asked)


@pytest.fixture(scope="module")
def built(podcast: Podcast, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return run_build(podcast.config(tmp_path_factory.mktemp("built") / "dataset"))


def bytes_of(folder: str | Path) -> dict[str, bytes]:
    """Everything but work/ and earlier versions."""
    folder = Path(folder)
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    relative = ((path, path.relative_to(folder)) for path in paths)
    return {str(name): path.read_bytes() for path, name in relative if name.parts[0] not in ("work", "versions")}


def test_the_clips_are_the_hosts_sentences(built: BuildResult) -> None:
    rows = pq.read_table(f"{built.output}/data").to_pylist()
    host = " ".join(
        " ".join(w for w, _ in spoken_words(tokenise(text))) for _, ls in SCRIPT for who, text in ls if who == "H"
    )
    assert rows, "some clip was chosen"
    assert all(row["spoken"] in host for row in rows), "every clip is a stretch of what the host says, word for word"


def test_a_clip_plays_and_says_where_its_words_are(built: BuildResult) -> None:
    for row in pq.read_table(f"{built.output}/data").to_pylist():
        samples, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]))
        assert rate == row["sampling_rate"]
        assert len(samples) / rate == pytest.approx(row["duration"], abs=1e-6)
        words = [Word(**word) for word in row["words"]]
        assert " ".join(word.text for word in words) == row["text"]
        assert all(a.end <= b.start + 0.011 for a, b in itertools.pairwise(words))
        assert 0 <= words[0].start < words[-1].end <= row["duration"]


def test_rights_are_on_every_clip(built: BuildResult) -> None:
    rows = pq.read_table(f"{built.output}/data").to_pylist()
    assert {row["license"] for row in rows} == {"cc0-1.0"}
    assert {row["consent_id"] for row in rows} == {read_manifest(built.output).consent_id} != {""}


def test_datasets_loads_it_by_itself(built: BuildResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="the datasets library (the extra test) reads the dataset")
    loaded = datasets.load_dataset(built.output, cache_dir=str(tmp_path))
    assert sum(len(split) for split in loaded.values()) == built.manifest.totals.clips
    split = next(iter(loaded.values())).cast_column("audio", datasets.Audio(decode=False))
    samples, rate = soundfile.read(io.BytesIO(split[0]["audio"]["bytes"]))
    assert len(samples) / rate == pytest.approx(split[0]["duration"], abs=1e-6)


def test_a_second_build_does_nothing_again(podcast: Podcast, built: BuildResult) -> None:
    before, podcast.asked[:] = bytes_of(built.output), []
    again = run_build(podcast.config(Path(built.output)))
    assert again.unchanged
    assert again.costs.keys() <= {"media"}, "no stage worked"
    assert bytes_of(built.output) == before
    sent = [path for path, code in podcast.asked if code == 200]
    assert sent == ["/feed.xml"], "episodes and transcripts are asked for, and not sent again"


def test_what_follows_a_build_is_done_for_a_version_that_it_was_not_done_for(
    podcast: Podcast, built: BuildResult, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    command = f"sh -c 'echo $REALTALK_VERSION $0 >>{trace}' {{dataset}}"
    assert main([*podcast.command(Path(built.output))[3:], "--then", command]) == 0
    assert trace.read_text() == f"{built.manifest.version} {built.output}\n"


def test_a_feed_that_is_down_changes_nothing(podcast: Podcast, built: BuildResult) -> None:
    feed, before = podcast.folder / "feed.xml", bytes_of(built.output)
    hidden = feed.rename(feed.with_name("hidden.xml"))
    try:
        again = run_build(podcast.config(Path(built.output)))
    finally:
        hidden.rename(feed)
    assert again.unchanged, "its episodes are listed from the copy of the first build"
    assert bytes_of(built.output) == before


@pytest.mark.slow
def test_one_more_episode_costs_one_episode(podcast: Podcast, tmp_path: Path, built: BuildResult) -> None:
    output = tmp_path / "dataset"
    first = run_build(podcast.config(output, "sources.0.limit=1"))
    assert first.manifest.totals.episodes == 1
    second = run_build(podcast.config(output))
    heard = second.costs["diarization"]["audio_seconds"]
    assert heard == pytest.approx(second.manifest.totals.seconds - first.manifest.totals.seconds, abs=0.01)
    assert bytes_of(output) == bytes_of(built.output), "and it is what building both at once gives"


def test_a_killed_build_goes_on_to_the_same_bytes(podcast: Podcast, tmp_path: Path, built: BuildResult) -> None:
    output = tmp_path / "dataset"
    process = subprocess.Popen(podcast.command(output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list((output / "work" / "results" / "diarization").glob("*.json")) and time.monotonic() < deadline:
        assert process.poll() is None, "the build ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (output / "manifest.json").exists(), "a killed build leaves no dataset that looks ready"
    resumed = run_build(podcast.config(output))
    assert resumed.costs["diarization"]["audio_seconds"] < resumed.manifest.totals.seconds
    assert bytes_of(output) == bytes_of(built.output)


@pytest.mark.slow
def test_two_processes_give_the_bytes_of_one(podcast: Podcast, tmp_path: Path, built: BuildResult) -> None:
    output = tmp_path / "dataset"
    command = [*podcast.command(output), "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr
    assert bytes_of(output) == bytes_of(built.output)


def test_another_choice_runs_no_model_and_survives_the_loss_of_work(built: BuildResult, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.output, copy, ignore=shutil.ignore_patterns("work"))
    permissive = run_select(str(copy), Selection.model_validate("permissive"))
    assert permissive.manifest.totals.clips >= built.manifest.totals.clips
    assert not permissive.costs
    back = run_select(str(copy), Selection.model_validate("default"))
    assert back.manifest.version == built.manifest.version
    assert back.manifest.from_version == permissive.manifest.version
    told = {"from_version": back.manifest.from_version}
    assert json.loads((copy / "manifest.json").read_bytes()) == json.loads(manifest_bytes(built.manifest)) | told
    (copy / "manifest.json").write_bytes(manifest_bytes(built.manifest))
    assert bytes_of(copy) == bytes_of(built.output), "choosing as before gives what was before"


@pytest.mark.slow
def test_a_bucket_holds_what_a_folder_would(podcast: Podcast, tmp_path: Path, built: BuildResult) -> None:
    bucket = tmp_path / "bucket" / "dataset"
    result = run_build(podcast.config(Path("unused"), f"output={PREFIX}{bucket}"))
    assert result.output == f"{PREFIX}{bucket}"
    assert bytes_of(bucket) == bytes_of(built.output)
    podcast.asked[:] = []
    again = run_build(podcast.config(Path("unused"), f"output={PREFIX}{bucket}"))
    assert again.manifest.version == result.manifest.version
    sent = [path for path, code in podcast.asked if code == 200]
    assert sent == ["/feed.xml"], "what is in the bucket is asked for, and not sent again"


def test_one_bad_episode_does_not_stop_the_others(podcast: Podcast, tmp_path: Path, built: BuildResult) -> None:
    first = podcast.folder / "episodes" / "episode-1.mp3"
    good = first.read_bytes()
    try:
        first.write_bytes(b"<html><body>Moved</body></html>")
        result = run_build(podcast.config(tmp_path / "dataset"))
    finally:
        first.write_bytes(good)
    rows = {row["guid"]: row for row in pq.read_table(f"{result.output}/episodes").to_pylist()}
    assert rows["workshop-1"]["state"] == "failed"
    assert rows["workshop-1"]["error"] == "html-not-audio"
    assert rows["workshop-2"]["state"] == "done"
    assert rows["workshop-2"]["kept"] > 0
    assert result.summary["failures"] == [{"stage": "media", "code": "html-not-audio", "episodes": 1}]


def test_two_builds_do_not_write_to_one_output(podcast: Podcast, tmp_path: Path) -> None:
    from pipeline.hold import one_build_at_a_time
    from transforms.store import Store

    output = tmp_path / "dataset"
    with one_build_at_a_time(Store(str(output))), pytest.raises(RealtalkError, match="another build"):
        run_build(podcast.config(output))

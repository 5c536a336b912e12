"""Bad input does a dataset no harm: one build over a server of all that goes wrong, and what it says of each."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import soxr
import yaml
from numpy.typing import NDArray
from web_server import Answer, Handler, Site, not_found, serve

from pipeline.demo.espeak import Espeak
from pipeline.demo.podcast import CONSENT, RATE, VOICES, assemble, captions, jingle, write_mp3
from pipeline.demo.script import ENROLMENT, EPISODES

# Builds and trainings in processes of their own: minutes of them.
pytestmark = pytest.mark.slow

pytest.importorskip("espeakng_loader", reason="eSpeak NG (the extra demo) speaks the podcast of these tests")

(_, FIRST), (_, SECOND) = EPISODES
GUEST_LINES = tuple(line for line in (*FIRST, *SECOND) if line[0] == "G")[:4]
GOOD = ("good", "eight-bit", "surround")
STALL_SECONDS = 0.5
FILLERS = 10_000
HTML = b"<!doctype html><html><body>Please log in</body></html>"
BOMB = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><rss version="2.0"><channel><title>&c;</title></channel></rss>"""


@dataclass(frozen=True)
class Item:
    """An episode as a feed lists it: what its server answers, and its transcript."""

    name: str
    answer: Answer
    vtt: str = ""


def feed(site: Site, items: Sequence[Item], fillers: int = 0) -> bytes:
    """The items, newest first, and as many older ones that nobody shall ask for."""
    newest = datetime(2026, 6, 1, tzinfo=UTC)
    entries = [
        _entry(site, item.name, newest - timedelta(days=age), bool(item.vtt)) for age, item in enumerate(items)
    ] + [_entry(site, f"old-{age}", newest - timedelta(days=1000, hours=age), False) for age in range(fillers)]
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>'
        "<title>Everything at once</title><podcast:guid>0d9c5bd4-0000-5000-8000-000000000001</podcast:guid>"
        f"{''.join(entries)}</channel></rss>"
    ).encode()


def _entry(site: Site, name: str, published: datetime, has_transcript: bool) -> str:
    transcript = f'<podcast:transcript url="{site.url(f"/{name}.vtt")}" type="text/vtt"/>' if has_transcript else ""
    return (
        f"<item><title>{name}</title><guid>{name}</guid><pubDate>{format_datetime(published)}</pubDate>"
        f'<enclosure url="{site.url(f"/{name}.audio")}" type="audio/mpeg"/>{transcript}</item>'
    )


def mp3(samples: NDArray[np.float32], folder: Path) -> bytes:
    path = folder / "encoded.mp3"
    write_mp3(path, samples)
    return path.read_bytes()


def written(samples: NDArray[Any], rate: int, form: str, subtype: str) -> bytes:
    file = BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def in_six_channels(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """A film's sound: the voices in the centre, quiet noise around them, a drone in the low-frequency channel."""
    voice = soxr.resample(samples, RATE, rate)
    channels = np.random.default_rng(1).normal(0, 1e-3, (len(voice), 6)).astype(np.float32)
    channels[:, 2] += voice
    channels[:, 3] += 0.2 * np.sin(2 * np.pi * 50 * np.arange(len(voice)) / rate).astype(np.float32)
    return channels


def stalling(body: bytes) -> Answer:
    """Sends a tenth, then nothing, and holds the connection."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 10])
        handler.wfile.flush()
        time.sleep(3 * STALL_SECONDS)

    return answer


def cut_at_half(body: bytes) -> Answer:
    return lambda handler: handler.reply(200, body, cut_after=len(body) // 2)


def make_items(folder: Path) -> list[Item]:
    """Good and bad episodes, each with speech of its own: two of the same would be duplicates of each other."""
    plain, plain_turns = assemble(FIRST[:5], seed=1)
    coarse, coarse_turns = assemble(SECOND[:5], seed=2)
    around, around_turns = assemble(FIRST[5:10], seed=3)
    broken, broken_turns = assemble(SECOND[5:10], seed=4)
    strange, _ = assemble(SECOND[10:], seed=5)
    guest, guest_turns = assemble(GUEST_LINES, seed=6)
    whole, half = mp3(plain, folder), mp3(broken, folder)
    hiss = np.random.default_rng(7).normal(0, 1e-4, 20 * RATE).astype(np.float32)
    return [
        Item("good", serve(whole), captions(plain_turns, 1)),
        Item("eight-bit", serve(written(coarse, RATE, "WAV", "PCM_U8")), captions(coarse_turns, 2)),
        Item(
            "surround",
            serve(written(in_six_channels(around, 96_000), 96_000, "FLAC", "PCM_24")),
            captions(around_turns, 3),
        ),
        Item("truncated", serve(half[: len(half) // 2]), captions(broken_turns, 4)),
        Item("captions-of-another", serve(mp3(strange, folder)), captions(plain_turns, 1)),
        Item("without-the-host", serve(mp3(guest, folder)), captions(guest_turns, 6)),
        Item("silence", serve(mp3(hiss, folder))),
        Item("music", serve(mp3(np.concatenate([jingle()] * 5), folder))),
        Item("gone", not_found),
        Item("stalls", stalling(whole)),
        Item("cut-at-half", cut_at_half(whole)),
        Item("web-page", serve(HTML, Content_Type="audio/mpeg")),
        Item("zero-bytes", serve(b"", Content_Type="audio/mpeg")),
    ]


@dataclass(frozen=True)
class Built:
    """What a build left and said."""

    site: Site
    output: Path
    code: int
    table: str
    messages: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = pq.read_table(self.output / "episodes").to_pylist()
        return found

    def row(self, name: str) -> dict[str, Any]:
        """Of an episode by its guid, of a source by its address."""
        (found,) = (row for row in self.rows if name in (row["guid"], row["source_url"]))
        return found

    def trouble(self, name: str) -> list[str]:
        """The cells of the one line of the printed table that is about an episode or a source."""
        lines = (re.split(r"\s{2,}", line.strip()) for line in self.table.splitlines())
        (found,) = (cells for cells in lines if cells[0] == name)
        return found

    @property
    def trouble_names(self) -> list[str]:
        return [line.split()[0] for line in self.table.partition("in trouble")[2].partition("\n\n")[0].splitlines()[2:]]

    def clips(self, name: str) -> list[dict[str, Any]]:
        identity = self.row(name)["episode_id"]
        return [row for row in pq.read_table(self.output / "data").to_pylist() if row["episode_id"] == identity]


def configuration(folder: Path, sources: Sequence[dict[str, Any]], output: str) -> Path:
    config = {
        "name": "everything",
        "output": f"./{output}",
        "sources": list(sources),
        "speaker": {"name": "Host", "enroll": "enroll.flac", "consent": "consent.json"},
        "download": {"stall_seconds": STALL_SECONDS, "tries": 2},
    }
    path = folder / f"{output}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def build(site: Site, folder: Path, sources: Sequence[dict[str, Any]], output: str) -> Built:
    """`realtalk build` as a user runs it."""
    path = configuration(folder, sources, output)
    command = [sys.executable, "-m", "pipeline.cli", "build", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    return Built(site, folder / output, done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("bad")
    soundfile.write(found / "enroll.flac", Espeak().speak(ENROLMENT, VOICES["H"]).samples, RATE)
    (found / "consent.json").write_text(json.dumps(CONSENT))
    return found


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with Site() as running:
        items = make_items(folder)
        for item in items:
            running.put(f"/{item.name}.audio", item.answer)
            if item.vtt:
                running.put(f"/{item.name}.vtt", serve(item.vtt.encode()))
        by_name = {item.name: item for item in items}
        music = by_name.pop("music")
        running.put("/feed.xml", serve(feed(running, list(by_name.values()), FILLERS)))
        running.put("/good.xml", serve(feed(running, [by_name[name] for name in GOOD])))
        running.put("/broken.xml", serve(feed(running, [music, by_name["good"]])[:-250]))
        running.put("/empty.xml", serve(feed(running, [])))
        running.put("/bomb.xml", serve(BOMB))
        running.put("/page.xml", serve(HTML))
        yield running


FEEDS = ("broken.xml", "empty.xml", "bomb.xml", "page.xml", "gone.xml")
ITEMS = 12


@pytest.fixture(scope="module")
def built(site: Site, folder: Path) -> Built:
    main = {"feed": site.url("/feed.xml"), "limit": ITEMS}
    return build(site, folder, [main, *({"feed": site.url(f"/{name}")} for name in FEEDS)], "all")


def test_the_good_episodes_are_as_they_are_without_the_bad(built: Built, folder: Path) -> None:
    alone = build(built.site, folder, [{"feed": built.site.url("/good.xml")}], "alone")
    assert alone.code == built.code == 0
    for name in GOOD:
        among, by_itself = built.clips(name), alone.clips(name)
        assert [comparable(row) for row in among] == [comparable(row) for row in by_itself] != []
    assert alone.trouble_names == []


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """All of a clip but the configuration, and likeness to a voice that is learnt from all episodes."""
    return {name: value for name, value in row.items() if name not in ("config_hash", "speaker_similarity")}


@pytest.mark.parametrize(
    ("name", "stage", "label", "code", "says"),
    [
        ("gone", "media", "download", "http-404", "answered 404 Not Found; it is gone, or the feed is out of date"),
        ("stalls", "media", "download", "stalled", "nothing came for 0.5 s; try again later (tried 2 times)"),
        ("cut-at-half", "media", "download", "connection-lost", "; try again later (tried 2 times)"),
        ("web-page", "media", "download", "html-not-audio", "the answer is a web page, not audio; the episode is gone"),
        ("zero-bytes", "media", "download", "empty-file", "is empty; the publisher's file is broken or not yet there"),
        ("silence", "speech", "detect speech", "no-speech", "nothing can be taken from music or silence"),
        ("music", "target", "find the target", "target-absent", "the only voice (or music) is not Host's"),
        (
            "without-the-host",
            "target",
            "find the target",
            "target-absent",
            "none of the 2 voices (or music) is Host's",
        ),
        ("captions-of-another", "utterances", "align text", "text-absent", "its transcript is not what is said in it"),
    ],
)
def test_an_episode_that_gives_nothing_says_why(
    built: Built, name: str, stage: str, label: str, code: str, says: str
) -> None:
    row = built.row(name)
    assert (row["failed_stage"], row["error"]) == (stage, code)
    assert built.site.url(f"/{name}.audio") in row["error_detail"]
    assert says in row["error_detail"]
    assert "\n" not in row["error_detail"]
    assert built.trouble(name) == [name, label, code, row["error_detail"]]
    assert built.clips(name) == []


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("broken.xml", "broken-feed", "it was read as far as it can be told, and episodes may be missing"),
        ("empty.xml", "empty-feed", "is a feed without any episode; is it the right one?"),
        ("bomb.xml", "xml-bomb", "it is refused; ask the publisher"),
        ("page.xml", "html-not-feed", "is a web page, not a feed; look there for the link named RSS or feed"),
        ("gone.xml", "http-404", "it is gone, or the feed is out of date"),
    ],
)
def test_a_source_that_can_not_be_read_says_why(built: Built, name: str, code: str, says: str) -> None:
    place = built.site.url(f"/{name}")
    row = built.row(place)
    assert (row["state"], row["failed_stage"], row["error"]) == ("failed", "feeds", code)
    assert place in row["error_detail"]
    assert row["error_detail"].endswith(says)
    assert built.trouble(place) == [place, "feeds", code, row["error_detail"]]


def test_of_a_broken_feed_the_whole_items_are_read(built: Built) -> None:
    assert built.row("music")["seconds"] == pytest.approx(20.0)


def test_a_truncated_file_gives_what_it_holds_and_says_how_much_that_is(built: Built) -> None:
    row = built.row("truncated")
    assert (row["state"], row["error"]) == ("done", None)
    assert re.fullmatch(r"truncated: 1\d\.\d of 3\d\.\d s could be read", row["damage"])
    assert built.trouble("truncated") == ["truncated", "decode", "damaged", row["damage"]]
    assert all(clip["end"] <= row["seconds"] for clip in built.clips("truncated"))
    assert built.clips("truncated")


def test_bytes_of_a_broken_transfer_are_no_file(built: Built) -> None:
    downloads = {path.name.split(".")[0] for path in (built.output / "work" / "downloads").iterdir()}
    assert built.row("good")["episode_id"] in downloads
    for name in ("cut-at-half", "stalls", "web-page", "zero-bytes"):
        assert built.row(name)["episode_id"] not in downloads
    assert len(built.site.asked("/cut-at-half.audio")) == len(built.site.asked("/stalls.audio")) == 2


@pytest.mark.parametrize(("name", "source_rate", "seconds"), [("eight-bit", 22_050, 36), ("surround", 96_000, 35)])
def test_unusual_recordings_are_good_ones(built: Built, name: str, source_rate: int, seconds: float) -> None:
    row, clips = built.row(name), built.clips(name)
    assert (row["source_rate"], row["error"], row["damage"]) == (source_rate, None, None)
    assert row["seconds"] == pytest.approx(seconds, abs=1.0)
    assert len(clips) >= 2
    for clip in clips:
        samples, rate = soundfile.read(BytesIO(clip["audio"]["bytes"]))
        assert (samples.ndim, rate) == (1, min(source_rate, 24_000))
        assert len(samples) / rate == pytest.approx(clip["duration"])
        assert clip["loudness_lufs"] > -40
        assert drone(samples, rate) < 0.01, "the low-frequency channel is not in the mix"


def drone(samples: NDArray[np.float64], rate: int) -> float:
    """Amplitude at 50 Hz."""
    turning = np.exp(-2j * np.pi * 50 * np.arange(len(samples)) / rate)
    return float(2 * abs(np.mean(samples * turning)))


def test_of_ten_thousand_items_only_those_within_the_limit_are_asked_for(built: Built) -> None:
    assert not [path for path, _ in built.site.requests if path.startswith("/old-")]
    assert sum(row["guid"] is not None for row in built.rows) == ITEMS + 1


def test_a_plan_of_ten_thousand_episodes_takes_little_memory(site: Site, folder: Path) -> None:
    """Without a limit. Memory of the whole command, Python and libraries among it."""
    path = configuration(folder, [{"feed": site.url("/feed.xml")}], "plan")
    program = (
        f"from pipeline.cli import main; code = main(['plan', {str(path)!r}]); "
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *printed, last = done.stdout.splitlines()
    kilobytes, code = (int(word) for word in last.split())
    assert code == 0
    assert any(line.startswith(f"episodes       {FILLERS + ITEMS}, ") for line in printed)
    assert len(printed) < 100
    assert kilobytes < 500_000


def test_a_dataset_stays_when_everything_is_unreadable(built: Built, folder: Path) -> None:
    """A feed that is down, or misspelt, for a day does not empty what earlier builds have made."""
    before = {path: path.read_bytes() for path in built.output.rglob("*.parquet") if "work" not in path.parts}
    manifest = (built.output / "manifest.json").read_bytes()
    lost = build(built.site, folder, [{"feed": built.site.url("/gone.xml")}], "all")
    assert lost.code == 1
    assert lost.messages.splitlines()[-1] == (
        f"realtalk: {built.output}: nothing could be taken this time (1 failed, the first with http-404: GET "
        f"{built.site.url('/gone.xml')} answered 404 Not Found; it is gone, or the feed is out of date); the dataset "
        "that is here stays as it is"
    )
    assert {path: path.read_bytes() for path in before} == before
    assert (built.output / "manifest.json").read_bytes() == manifest


def test_a_first_build_of_nothing_ends_with_a_row_and_a_line(site: Site, folder: Path) -> None:
    nothing = build(site, folder, [{"feed": site.url("/empty.xml")}], "nothing")
    assert nothing.code == 1
    assert [(row["state"], row["error"]) for row in nothing.rows] == [("failed", "empty-feed")]
    assert nothing.trouble_names == [site.url("/empty.xml")]
    assert nothing.messages.splitlines()[-1] == "realtalk: no clip was chosen; the table says why"


def test_the_run_ends_and_says_nothing_but_lines(built: Built) -> None:
    assert built.code == 0
    assert "Traceback" not in built.table + built.messages
    states = [row["state"] for row in built.rows]
    assert (states.count("done"), states.count("failed")) == (7, 11)
    assert f"episodes  {len(states)}, 11 failed" in built.table

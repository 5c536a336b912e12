"""`make demo`: a short podcast is spoken and built into a dataset; a voice learns from that, and speaks.

Two minutes of speech and a few minutes of training are enough to hear how it is done, and not for a good voice.
"""

import argparse
import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import yaml

from pipeline.config import load_config
from pipeline.console import Column, Format, print_table, say
from pipeline.demo.podcast import write_podcast
from pipeline.logs import only_errors
from pipeline.views import show_build
from schemas.errors import RealtalkError

if TYPE_CHECKING:
    from pipeline.result import BuildResult

_PORT = 8765
_CLIPS_SHOWN = 5
_MINUTES = 3.0
_TEXT = "Good evening. This is a synthetic voice, and it has learned to speak in 3 minutes."


def main() -> int:
    """Speak the podcast, build a dataset from it, train a voice on that, show all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for the podcast and the dataset")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="of training")
    given = parser.parse_args()
    folder: Path = given.out
    only_errors()
    try:
        result = demonstrate(folder)
    except RealtalkError as error:
        say(f"realtalk: {error}")
        return 1
    show_build(result, Format.TABLE)
    if not result.manifest.totals.clips:
        say("realtalk: the demonstration chose no clip, which it should; please report the table above")
        return 1
    show_clips(Path(result.output))
    try:
        spoken = train_and_speak(folder, result.output, given.minutes)
    except RealtalkError as error:
        say(f"realtalk: {error}")
        return 1
    say(f"The voice is in {folder / 'voice'}, and says in {spoken}: {_TEXT}")
    say(f"The quality report is {result.output}/report/index.html.")
    say(f"The podcast is in {folder / 'podcast'}, its configuration in {folder / 'dataset.yaml'}.")
    say(f"Look closer: .venv/bin/realtalk inspect {result.output} ID --audio clip.flac")
    return 0


def demonstrate(folder: Path, workers: int = 1) -> "BuildResult":
    """Write the podcast into `folder`, serve it, and build a dataset from its feed into `folder`/dataset."""
    from pipeline.build import run_build

    podcast = folder / "podcast"
    podcast.mkdir(parents=True, exist_ok=True)
    with serving(podcast, _PORT) as base_url:
        say("speaking the podcast ...")
        write_podcast(podcast, base_url)
        config = folder / "dataset.yaml"
        config.write_text(configuration(base_url), encoding="utf-8")
        say(f"building a dataset from {base_url}/feed.xml ...")
        return run_build(load_config(config), workers=workers)


def train_and_speak(folder: Path, dataset: str, minutes: float) -> Path:
    """Train a voice for some minutes, or go on where it was; the file with what it says then."""
    from pipeline.speaking import Order, speak_to
    from tts.training.options import TrainOptions
    from tts.training.train import train

    say(f"training a voice for {minutes:g} minutes ...")
    voice, spoken = folder / "voice", folder / "hello.wav"
    options = TrainOptions(dataset, voice, minutes=minutes, tier="permissive", cache=folder / "features")
    train(options, say)
    speak_to(Order(str(voice), _TEXT, str(spoken)))
    return spoken


def configuration(base_url: str) -> str:
    """The demonstration's dataset.yaml, of a podcast that is served at `base_url`."""
    return yaml.safe_dump(
        {
            "name": "workshop",
            "output": "./dataset",
            "sources": [{"feed": f"{base_url}/feed.xml"}],
            "speaker": {"name": "Host", "enroll": ["podcast/enroll.flac"], "consent": "podcast/consent.json"},
        },
        sort_keys=False,
    )


@contextmanager
def serving(
    folder: Path, port: int, handler: type[http.server.SimpleHTTPRequestHandler] | None = None
) -> Iterator[str]:
    """Serve a folder on 127.0.0.1 while the block runs, on another port where `port` is taken; gives its address."""
    answer = functools.partial(handler or QuietHandler, directory=str(folder))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), answer)
    except OSError:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing on the terminal."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def show_clips(dataset: Path) -> None:
    """The first chosen clips: what is said, and how they were judged."""
    columns = ["id", "duration", "text", "dnsmos_ovrl", "speaker_similarity", "tier"]
    shard = next(iter(sorted((dataset / "data").glob("*.parquet"))))
    rows = pq.read_table(shard, columns=columns).slice(0, _CLIPS_SHOWN).to_pylist()
    print_table(
        ["clip", Column("seconds", True), Column("DNSMOS", True), Column("voice", True), "tier", "text"],
        [
            (
                row["id"],
                f"{row['duration']:.1f}",
                f"{row['dnsmos_ovrl']:.2f}",
                f"{row['speaker_similarity']:.2f}",
                row["tier"],
                row["text"],
            )
            for row in rows
        ],
    )


if __name__ == "__main__":
    sys.exit(main())

"""The podcasts that a dataset's fidelity is measured on: made of recordings of real readers, with exact truth."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from interjections import interject

TUNE, REPORT = "tune", "report"


@dataclass(frozen=True)
class Podcast:
    """Two episodes. Thresholds may be chosen on those of `group` "tune" only; figures are of the others.

    `options` are further options of make_podcast.py; with `interjections` guests talk into the host's turns.
    """

    host: str
    seed: int
    group: str = REPORT
    rooms: bool = True
    overlap: float = 0.1
    options: tuple[str, ...] = ()
    interjections: bool = False

    @property
    def name(self) -> str:
        return f"{self.host}-{self.seed}"

    @property
    def described(self) -> str:
        words = ["rooms" if self.rooms else "dry", f"overlap {self.overlap:g}"]
        words += ["interjections"] * self.interjections
        return ", ".join([*words, *(option.removeprefix("--") for option in (" ".join(self.options),) if option)])


NO_LABELS = ("--no-caption-labels",)
WRONG_LABELS = ("--caption-label-errors", "0.2")
EARLY = ("--caption-shift", "3")
WRONG_WORDS = ("--caption-errors", "0.05")

PODCASTS = (
    Podcast("lj", 101, TUNE, overlap=0.2),
    Podcast("1688", 102, TUNE, overlap=0.1),
    Podcast("2609", 103, TUNE, rooms=False, overlap=0.3),
    Podcast("367", 104, TUNE, overlap=0.2, options=EARLY),
    Podcast("2609", 105, TUNE, options=NO_LABELS),
    Podcast("1688", 106, TUNE, rooms=False, interjections=True),
    Podcast("2609", 107, TUNE, interjections=True),
    Podcast("367", 108, TUNE, interjections=True),
    Podcast("lj", 201),
    Podcast("2033", 202, overlap=0.2),
    Podcast("3080", 203, rooms=False, overlap=0.3),
    Podcast("lj", 204, rooms=False, overlap=0.2, options=NO_LABELS),
    Podcast("3080", 205, options=NO_LABELS),
    Podcast("2033", 206, options=WRONG_LABELS),
    Podcast("lj", 207, overlap=0.3, options=WRONG_LABELS),
    Podcast("3080", 208, options=EARLY),
    Podcast("2033", 209, rooms=False, options=EARLY),
    Podcast("lj", 210, overlap=0.2, options=EARLY),
    Podcast("lj", 211, rooms=False, options=WRONG_WORDS),
    Podcast("3080", 212, rooms=False, overlap=0.2, options=WRONG_WORDS),
    Podcast("2033", 213, options=WRONG_WORDS),
    Podcast("lj", 214, interjections=True),
    Podcast("lj", 215, rooms=False, interjections=True),
    Podcast("3080", 216, interjections=True),
    Podcast("2033", 217, interjections=True),
    Podcast("3080", 218, rooms=False, interjections=True),
    Podcast("3080", 221, options=WRONG_WORDS),
    Podcast("2033", 222, rooms=False, options=WRONG_WORDS),
    Podcast("lj", 223, options=WRONG_WORDS),
    Podcast("lj", 231, options=WRONG_WORDS),
    Podcast("3080", 232, options=WRONG_WORDS),
    Podcast("2033", 233, options=WRONG_WORDS),
    Podcast("lj", 234, rooms=False, options=WRONG_WORDS),
    Podcast("3080", 235, rooms=False, options=WRONG_WORDS),
    Podcast("2033", 236, rooms=False, options=WRONG_WORDS),
)


def make_podcast(podcast: Podcast, tool: Path, recordings: Path, folder: Path, base_url: str) -> Path:
    """The podcast in `folder`/NAME, made where it is not there yet."""
    place = folder / podcast.name
    made = place / ("interjected" if podcast.interjections else "feed.xml")
    if made.is_file():
        return place
    command = [sys.executable, str(tool), str(place), "--host", podcast.host, "--seed", str(podcast.seed)]
    command += ["--voices", str(recordings / "speech"), str(recordings / "ljspeech")]
    command += ["--guests", str(recordings / "guests"), "--music", str(recordings / "music" / "vibe_ace.ogg")]
    command += ["--rooms", str(recordings / "rooms")] if podcast.rooms else []
    command += ["--overlap", str(podcast.overlap), "--base-url", f"{base_url}/{podcast.name}", *podcast.options]
    subprocess.run(command, check=True)
    if podcast.interjections:
        # The guests that the overlap detector was not trained on say them, where figures are reported.
        guests = sorted((recordings / "guests").glob("*.flac"))[podcast.group == REPORT :: 2]
        rooms = sorted((recordings / "rooms").glob("*.wav")) if podcast.rooms else []
        interject(place, tool, guests, rooms, podcast.seed)
        made.touch()
    return place

#!/usr/bin/env python3
"""Make podcasts with exact truth, build a dataset from each, score them, and print one table.

    bench.py [--folder bench] [--only NAME ...] [--group report|tune] [--workers N] [--profile P] [--markdown FILE]

Needs the recordings and the podcast maker beside the checkout (../shared). What was made is kept in the folder, so a
second run does only what a change asks for; remove the folder to start afresh.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from diarization_error import DiarizationError, diarization_error, read_rttm
from fidelity import Score, errors_of_clips, score_dataset
from podcasts import EARLY, NO_LABELS, PODCASTS, REPORT, TUNE, WRONG_LABELS, WRONG_WORDS, Podcast, make_podcast
from verified import COLUMNS as VERIFIED_COLUMNS
from verified import Verified, compared
from verified import rows_of as verified_rows

from pipeline.console import Column, print_table
from pipeline.demo.__main__ import serving

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
PORT = 8793


@dataclass
class Outcome:
    """What a build of one podcast (or of several, added up) came to."""

    score: Score = field(default_factory=Score)
    errors: DiarizationError = field(default_factory=DiarizationError)
    audio_seconds: float = 0.0
    cpu_seconds: float = 0.0
    stages: dict[str, dict[str, float]] = field(default_factory=dict)

    def __add__(self, other: "Outcome") -> "Outcome":
        score = Score(*(getattr(self.score, one.name) + getattr(other.score, one.name) for one in fields(Score)))
        stages = {name: dict(cost) for name, cost in self.stages.items()}
        for name, cost in other.stages.items():
            known = stages.setdefault(name, dict.fromkeys(cost, 0.0))
            for figure, value in cost.items():
                known[figure] += value
        return Outcome(
            score,
            self.errors + other.errors,
            self.audio_seconds + other.audio_seconds,
            self.cpu_seconds + other.cpu_seconds,
            stages,
        )


def build(podcast: Podcast, place: Path, url: str, folder: Path, workers: int, settings: Sequence[str]) -> Outcome:
    """Build the podcast's dataset into `folder`, and score it."""
    source = {"feed": f"{url}/{podcast.name}/feed.xml"}
    speaker = {"name": "Host", "enroll": [str(place / "enroll.flac")]}
    cpu = run_build(podcast.name, source, speaker, folder, workers, settings)
    return outcome_of(folder / "dataset", place / "truth", cpu)


def conversation_error(recordings: Path, folder: Path) -> DiarizationError:
    """Of the turns of a telephone conversation of two, half a minute."""
    sample = recordings / "conversation" / "sample.wav"
    run_build("conversation", {"files": str(sample)}, {"name": "Anyone", "auto": True}, folder, 1, ())
    turns = pq.read_table(folder / "dataset" / "turns").to_pylist()
    heard = [(turn["speaker"], turn["start"], turn["end"]) for turn in turns]
    return diarization_error(read_rttm(sample.with_suffix(".rttm")), heard)


def run_build(
    name: str, source: dict[str, str], speaker: dict[str, Any], folder: Path, workers: int, settings: Sequence[str]
) -> float:
    """Build into `folder`/dataset, as a user does; returns the CPU seconds of all its processes."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {"name": name, "output": "./dataset", "sources": [source], "speaker": speaker}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(configuration, sort_keys=False))
    command = [sys.executable, "-m", "pipeline.cli", "build", str(folder / "dataset.yaml"), "--workers", str(workers)]
    command += [word for setting in settings for word in ("--set", setting)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(folder / "build.log", "wb") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode > 1:
        raise SystemExit(f"bench: the build of {name} ended with {done.returncode}; see {folder / 'build.log'}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def outcome_of(dataset: Path, truth: Path, cpu_seconds: float) -> Outcome:
    episodes = pq.read_table(dataset / "episodes", columns=["episode_id", "guid", "seconds"]).to_pylist()
    errors = DiarizationError()
    for episode in episodes:
        name = episode["guid"].split("-", 2)[2]
        turns = pq.read_table(dataset / "turns", filters=[("episode_id", "=", episode["episode_id"])]).to_pylist()
        heard = [(turn["speaker"], turn["start"], turn["end"]) for turn in turns]
        errors += diarization_error(read_rttm(truth / f"{name}.rttm"), heard)
    timings = dataset / "work" / "timings.json"
    return Outcome(
        score_dataset(dataset, truth),
        errors,
        sum(episode["seconds"] or 0.0 for episode in episodes),
        cpu_seconds,
        json.loads(timings.read_text())["stages"] if timings.is_file() else {},
    )


GROUPS: tuple[tuple[str, Callable[[Podcast], bool]], ...] = (
    ("tuned on", lambda podcast: podcast.group == TUNE and not podcast.interjections),
    ("tuned on, interjections", lambda podcast: podcast.group == TUNE and podcast.interjections),
    ("right words in captions", lambda podcast: _right(podcast)),
    ("  in rooms", lambda podcast: _right(podcast) and podcast.rooms),
    ("  dry", lambda podcast: _right(podcast) and not podcast.rooms),
    ("  no labels", lambda podcast: _right(podcast) and podcast.options == NO_LABELS),
    ("  20 % wrong labels", lambda podcast: _right(podcast) and podcast.options == WRONG_LABELS),
    ("  captions 3 s early", lambda podcast: _right(podcast) and podcast.options == EARLY),
    ("guests talk into turns", lambda podcast: podcast.group == REPORT and podcast.interjections),
    ("5 % wrong words in captions", lambda podcast: podcast.group == REPORT and podcast.options == WRONG_WORDS),
)


def _right(podcast: Podcast) -> bool:
    return podcast.group == REPORT and podcast.options != WRONG_WORDS and not podcast.interjections


COLUMNS = (
    "podcast", "", "hours", "clips", "purity", "yield", "wrong words", "edges in speech", "overlapped",
    "interjections kept", "DER", "CPU s per hour",
)  # fmt: skip


def row(name: str, described: str, outcome: Outcome) -> tuple[str, ...]:
    table, hours = outcome.score.table(), outcome.audio_seconds / 3600
    interjections = outcome.score.interjections.total()
    return (
        name,
        described,
        f"{hours:.2f}",
        str(table["clips"]),
        f"{table['purity']:.2%}" if outcome.score.clips else "",
        f"{table['yield']:.1%}",
        f"{table['wrong_words']:.2%}" if outcome.score.clips else "",
        f"{table['edges_in_speech']:.1%}" if outcome.score.clips else "",
        f"{table['overlapped']:.2%}" if outcome.score.clips else "",
        f"{outcome.score.kept_interjections.total()} of {interjections}" if interjections else "",
        f"{outcome.errors.rate:.1%}",
        f"{outcome.cpu_seconds / max(hours, 1e-9):.0f}",
    )


def rows_of(outcomes: dict[Podcast, Outcome]) -> list[tuple[str, ...]]:
    rows = [row(podcast.name, podcast.described, outcome) for podcast, outcome in outcomes.items()]
    for name, belongs in GROUPS:
        members = [outcome for podcast, outcome in outcomes.items() if belongs(podcast)]
        if members:
            rows.append(row(name, f"{2 * len(members)} episodes", sum(members, Outcome())))
    return rows


def stage_rows(outcomes: dict[Podcast, Outcome]) -> list[tuple[str, ...]]:
    """CPU seconds of every stage: for an hour of what it worked on, and for an hour of episodes."""
    total = sum(outcomes.values(), Outcome())
    hours = total.audio_seconds / 3600
    return [
        (
            name,
            f"{_loaded(cost) * 3600:.1f}",
            f"{cost['cpu_seconds'] / max(hours, 1e-9):.1f}",
        )
        for name, cost in sorted(total.stages.items(), key=lambda one: -one[1]["cpu_seconds"])
    ]


def _loaded(cost: dict[str, float]) -> float:
    """CPU seconds for a second of audio, where the process had loaded what it needs."""
    cpu, audio = (cost[name] - cost[f"first_{name}"] for name in ("cpu_seconds", "audio_seconds"))
    return cpu / audio if audio > 0 else cost["cpu_seconds"] / max(cost["audio_seconds"], 1e-9)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "bench", help="where podcasts and datasets are kept")
    parser.add_argument("--only", nargs="+", help="names of podcasts")
    parser.add_argument("--group", choices=(TUNE, REPORT))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="as of realtalk build")
    parser.add_argument("--dataset", default="", help="keep datasets under this further name, to compare settings")
    parser.add_argument("--markdown", type=Path, help="write the tables there too")
    arguments = parser.parse_args()
    tool, recordings = SHARED / "tools" / "make_podcast.py", SHARED / "data"
    if not tool.is_file():
        raise SystemExit(f"bench: needs the podcast maker and its recordings beside the checkout ({tool} is not there)")
    chosen = [
        podcast
        for podcast in PODCASTS
        if (not arguments.only or podcast.name in arguments.only) and arguments.group in (None, podcast.group)
    ]
    podcasts = arguments.folder / "podcasts"
    podcasts.mkdir(parents=True, exist_ok=True)
    outcomes: dict[Podcast, Outcome] = {}
    verified: dict[str, Verified] = {}
    with serving(podcasts, PORT) as url:
        for podcast in chosen:
            began = time.monotonic()
            place = make_podcast(podcast, tool, recordings, podcasts, f"http://127.0.0.1:{PORT}")
            if not url.endswith(f":{PORT}"):
                raise SystemExit(f"bench: port {PORT} is taken, which the podcasts' feeds name; free it")
            folder = arguments.folder / "datasets" / (podcast.name + arguments.dataset)
            outcomes[podcast] = build(podcast, place, url, folder, arguments.workers, arguments.set)
            if podcast.options == WRONG_WORDS:
                before = errors_of_clips(folder / "dataset", place / "truth")
                build(podcast, place, url, folder, arguments.workers, [*arguments.set, "text.verify=true"])
                verified[podcast.name] = compared(before, folder / "dataset", place / "truth")
            line = " ".join(row(podcast.name, podcast.described, outcomes[podcast])[3:])
            print(f"bench: {podcast.name} {line} ({time.monotonic() - began:.0f} s)", file=sys.stderr)
    report(outcomes, verified, arguments.markdown)
    if not arguments.only:
        rate = conversation_error(recordings, arguments.folder / "datasets" / "conversation").rate
        print(f"a telephone conversation of two, 30 s: DER {rate:.1%}")


def report(outcomes: dict[Podcast, Outcome], verified: dict[str, Verified], path: Path | None) -> None:
    stage_header = ("stage", "CPU s per hour of its audio", "CPU s per hour of episodes")
    tables = [(COLUMNS, rows_of(outcomes)), (stage_header, stage_rows(outcomes))]
    if verified:
        tables.append((VERIFIED_COLUMNS, list(verified_rows(verified))))
    for number, (header, rows) in enumerate(tables):
        print_table([Column(name, at > (number == 0)) for at, name in enumerate(header)], rows)
    if path:
        command = " ".join(["make bench", *sys.argv[1:]])
        path.write_text(f"`{command}`, {date.today()}\n\n" + "\n".join(markdown(*table) for table in tables))


if __name__ == "__main__":
    main()

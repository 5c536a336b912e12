#!/usr/bin/env python3
"""Peak memory of a worker in each stage, as recordings get longer.

    memory.py CONFIG --audio EPISODE.mp3 [--hours 1 6] [--format json]

CONFIG is a build's (its sources are not used); EPISODE.mp3, with EPISODE.vtt beside it, is repeated until it is as long
as each of the hours. Before, the worker hears it once, so its models are loaded. Prints a table of peaks in MB, and
how much more the longest takes than the shortest.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from stage_runs import chosen, configured, enrolled
from with_peak import WithPeak

from pipeline.logs import only_errors
from schemas.episode import Episode
from schemas.ids import file_sha256
from schemas.recording import Media, Transcript
from schemas.state import EpisodeState
from transforms.audio import read_blocks
from transforms.decode import decode
from transforms.flac import FlacFile
from transforms.stage import Stage
from transforms.store import Store
from transforms.text.captions import read_captions
from transforms.workers import WorkerPool

RATE = 24_000
Peaks = tuple[EpisodeState, dict[str, int]]


def repeated(audio: Path, hours: float, folder: Path) -> Media:
    """A FLAC file with the episode over and over, and captions that fit it."""
    media = Media(str(audio), file_sha256(audio), audio.stat().st_size, audio.as_uri())
    once = decode(media, folder / "once.flac")
    times = max(1, round(hours * 3600 / once.duration))
    long, text = folder / f"{hours:g}h.flac", folder / f"{hours:g}h.vtt"
    with FlacFile(long, RATE) as file:
        for _ in range(times):
            for block in read_blocks(once.path, RATE * 60, RATE):
                file.write(block)
    cues = read_captions(str(audio.with_suffix(".vtt")), "vtt")
    with open(text, "w", encoding="utf-8") as captions:
        captions.write("WEBVTT\n\n")
        for turn in range(times):
            for cue in cues:
                start, end = (clock(at + turn * once.duration) for at in (cue.start, cue.end))
                captions.write(f"{start} --> {end}\n<v {cue.speaker or 'Host'}>{cue.text}\n\n")
    transcript = Transcript(str(text), "vtt", file_sha256(text), text.as_uri())
    return Media(str(long), file_sha256(long), long.stat().st_size, long.as_uri(), transcript=transcript)


def clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{rest:06.3f}"


def peaks_of(stages: tuple[Stage, ...], state: EpisodeState, store: Store, worker: WorkerPool) -> Peaks:
    """The state after the stages, and the peak of the worker in each of them (bytes)."""
    peaks = {}
    for stage in stages:
        key = stage.key(state)
        done = worker.run(WithPeak(stage, store), state, key)
        result, peaks[stage.name] = done.value
        print(f"{stage.name}: {peaks[stage.name] / 1e6:.0f} MB, {done.cpu_seconds:.0f} CPU s", file=sys.stderr)
        state = stage.apply(state, result, key)
    return state, peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 6.0])
    parser.add_argument("--format", choices=["table", "json"], default="table")
    given = parser.parse_args()
    only_errors()
    os.environ["OMP_NUM_THREADS"] = "1"
    peaks = {}
    for hours in given.hours:
        with tempfile.TemporaryDirectory(prefix="realtalk-memory-") as folder, WorkerPool() as worker:
            measured(given.config, given.audio.resolve(), 0.0, Path(folder), worker)
            peaks[hours] = measured(given.config, given.audio.resolve(), hours, Path(folder), worker)
    report(peaks, given.format)


def measured(config: Path, audio: Path, hours: float, folder: Path, worker: WorkerPool) -> dict[str, float]:
    _, plan = configured(config, folder / "out")
    media = repeated(audio, hours, folder)
    state = EpisodeState(Episode("0" * 16, "long", "feed", media.path), media=media, keys={"media": media.sha256})
    state, first = peaks_of(plan.until_voices[1:], state, plan.store, worker)
    choice = chosen(plan, [state], enrolled(plan))
    state = replace(state, identity=choice.identity, target_clusters=tuple(choice.clusters.get(state.episode.id, ())))
    state, second = peaks_of(plan.after_target, state, plan.store, worker)
    print(f"{state.candidates.clips if state.candidates else 0} clips", file=sys.stderr)
    peaks = {name: round(peak / 1e6, 1) for name, peak in (*first.items(), *second.items())}
    return {**peaks, "the worker": max(peaks.values())}


def report(peaks: dict[float, dict[str, float]], how: str) -> None:
    hours = sorted(peaks)
    growth = {name: round(peaks[hours[-1]][name] / peaks[hours[0]][name], 3) for name in peaks[hours[0]]}
    if how == "json":
        print(json.dumps({"peak_mb": {f"{h:g}": peaks[h] for h in hours}, "growth": growth}, indent=1))
        return
    print(f"{'peak MB':16}" + "".join(f"{h:>9g} h" for h in hours) + f"{'growth':>10}")
    for name, grown in growth.items():
        print(f"{name:16}" + "".join(f"{peaks[h][name]:>11.1f}" for h in hours) + f"{grown:>10.3f}")


if __name__ == "__main__":
    main()

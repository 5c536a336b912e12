"""RTTM, as NIST's scorers and pyannote read it: EPISODE.rttm, a line for each turn, times in seconds of the episode."""

from pipeline.export.turns import read_turns, speaker_of
from pipeline.export.unit import Unit
from pipeline.inspect import Dataset


def work(unit: Unit, dataset: Dataset) -> None:
    """One episode: its file."""
    episode, turns = read_turns(dataset, unit.source)
    lines = []
    for turn in turns:
        # Milliseconds, so that neighbours that touch still do.
        start, end = round(turn["start"] * 1000), round(turn["end"] * 1000)
        if end > start:
            times = f"{start / 1000:.3f} {(end - start) / 1000:.3f}"
            lines.append(f"SPEAKER {episode} 1 {times} <NA> <NA> {speaker_of(turn)} <NA> <NA>\n")
    unit.write(f"{episode}.rttm", "".join(lines).encode("utf-8"))
    unit.count(sum(turn["end"] - turn["start"] for turn in turns))

"""What builds into an output took, stage by stage: kept in work/timings.json for the forecasts of later ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.progress import COST_NAMES, Tally
from transforms.store import Store

# What a build takes besides its stages, where no earlier build tells: starting, and writing the dataset.
_OVERHEAD_SECONDS = 8.0
# Measurements of less audio than this (s) say more about loading a model than about running it.
_TELLING_SECONDS = 60.0


@dataclass(frozen=True)
class Rate:
    """What a stage cost: for an hour of what it works on, and to load what it needs, in each process that does it."""

    cpu_seconds_per_hour: float
    wall_seconds_per_hour: float
    load_cpu_seconds: float = 0.0
    load_wall_seconds: float = 0.0


@dataclass(frozen=True)
class Timings:
    """What earlier builds into an output took, by stage; and besides the stages, in wall seconds."""

    rates: Mapping[str, Rate] = field(default_factory=dict)
    overhead_seconds: float = _OVERHEAD_SECONDS


def keep_timings(store: Store, tally: Tally, wall_seconds: float, workers: int) -> None:
    """What each stage cost on this machine, over all builds of this output, and the last build besides: for forecasts.

    `wall_seconds` are those of the whole build.
    """
    path = store.path("work", "timings.json")
    stages = _stages((store.read_bytes(path) or b"").decode("utf-8", "replace"))
    for stage, cost in tally.costs.items():
        known = stages.setdefault(stage, dict.fromkeys(cost, 0.0))
        for name, value in cost.items():
            known[name] = round(known[name] + value, 4)
    busy = min(workers, max(tally.finished.values(), default=1))
    in_stages = sum(cost["wall_seconds"] for cost in tally.costs.values()) / busy
    timings = {"stages": stages, "overhead_seconds": round(max(wall_seconds - in_stages, 0.0), 4)}
    store.write_text(path, json.dumps(timings, indent=1, sort_keys=True) + "\n")


def read_timings(output: str) -> Timings:
    """What earlier builds into `output` took; the defaults where there is nothing to read."""
    try:
        text = (Path(output) / "work" / "timings.json").read_text(encoding="utf-8", errors="replace")
        overhead = float(json.loads(text)["overhead_seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        # It is only a forecast: without measurements the table stands in.
        return Timings()
    stages = _stages(text)
    rates = {stage: _measured_rate(cost) for stage, cost in stages.items() if cost["audio_seconds"] > 0}
    return Timings(rates, overhead)


def _stages(text: str) -> dict[str, dict[str, float]]:
    """The costs of stages that are whole in a kept text; {} where it was spoilt."""
    try:
        stages = json.loads(text)["stages"]
        whole = [stage for stage, cost in stages.items() if cost.keys() >= set(COST_NAMES)]
        return {stage: {name: float(stages[stage][name]) for name in COST_NAMES} for stage in whole}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _measured_rate(cost: Mapping[str, float]) -> Rate:
    """The rate of the work whose process had all loaded, if there was enough of it; loading is the rest."""
    audio, first_audio = cost["audio_seconds"], cost["first_audio_seconds"]
    if audio - first_audio < _TELLING_SECONDS:
        return Rate(cost["cpu_seconds"] / audio * 3600, cost["wall_seconds"] / audio * 3600)

    def split(figure: str) -> tuple[float, float]:
        a_second = (cost[figure] - cost[f"first_{figure}"]) / (audio - first_audio)
        load = (cost[f"first_{figure}"] - a_second * first_audio) / max(cost["starts"], 1.0)
        return a_second * 3600, max(load, 0.0)

    (cpu, load_cpu), (wall, load_wall) = split("cpu_seconds"), split("wall_seconds")
    return Rate(cpu, wall, load_cpu, load_wall)

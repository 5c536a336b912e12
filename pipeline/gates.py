"""Gates: what a dataset has to fulfil as a whole before anything is trained on it.

    gates: {hours: 5, speaker_similarity_p05: 0.75, loudness_lufs_p50: [-30, -14], duplicates: 3}

A gate is a name and its limit: a number, null for no limit, and for columns that have a right middle a range. Some have
a limit by default; those of a configuration or a file of gates come in their place.
"""

import math
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config_errors import nearest, shown
from schemas.manifest import SPLITS
from schemas.verdict import sides

LEAST, MOST, RANGE = "least", "most", "range"
Ends = tuple[float | None, float | None]
Limit = float | Ends | None

_PER_HOUR = 3600.0
_PERCENTILES = (5, 50, 95)


@dataclass
class Facts:
    """What an audit counted over the chosen clips. `numbers` are the values of the columns that gates ask for."""

    clips: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    episodes: int = 0
    failed_episodes: int = 0
    duplicates: int = 0
    split_leakage: int = 0
    without_consent: int = 0
    without_license: int = 0
    recognised: int = 0
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate:
    """A thing to ask of a dataset: whether it has to be at least or at most its limit, and what it is in words."""

    name: str
    side: str
    means: str
    observe: Callable[[Facts], float | None]
    column: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Result:
    """What became of a gate. `observed` is None where there is nothing to observe; then no limit is kept.

    `passed` is None where nobody looked yet.
    """

    name: str
    observed: float | None
    threshold: Limit
    passed: bool | None
    text: str


def _of_split(split: str) -> Iterator[Gate]:
    yield Gate(f"{split}_clips", LEAST, f"chosen clips of {split}", lambda facts: facts.clips.get(split, 0))
    yield Gate(f"{split}_hours", LEAST, f"hours of {split}", lambda facts: facts.seconds.get(split, 0.0) / _PER_HOUR)


def _of_column(column: str, side: str) -> Iterator[Gate]:
    for percentile in _PERCENTILES:
        means = "median" if percentile == 50 else f"{percentile}th percentile"
        yield Gate(
            f"{column}_p{percentile:02d}",
            side,
            f"{means} of {column} over the chosen clips",
            lambda facts, percentile=percentile: _percentile(facts.numbers.get(column), percentile),  # type: ignore[misc]
            column=column,
        )


def _percentile(values: NDArray[np.float64] | None, percentile: float) -> float | None:
    """Of the values that are numbers; None without any."""
    finite = values[np.isfinite(values)] if values is not None else np.empty(0)
    return float(np.percentile(finite, percentile)) if len(finite) else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


_COUNTS = (
    Gate("clips", LEAST, "chosen clips", lambda facts: sum(facts.clips.values())),
    Gate("hours", LEAST, "hours of chosen clips", lambda facts: math.fsum(facts.seconds.values()) / _PER_HOUR),
    *(gate for split in SPLITS for gate in _of_split(split)),
    Gate("episodes", LEAST, "episodes that clips were chosen from", lambda facts: facts.episodes),
    Gate("failed_episodes", MOST, "episodes that failed", lambda facts: facts.failed_episodes),
    Gate("duplicates", MOST, "chosen clips that hold another one's very audio", lambda facts: facts.duplicates),
    Gate(
        "split_leakage",
        MOST,
        "clips whose episode, recording or audio is in another split too",
        lambda facts: facts.split_leakage,
        mend="build the dataset anew",
    ),
    Gate(
        "clips_without_consent",
        MOST,
        "chosen clips without a consent on record",
        lambda facts: facts.without_consent,
        mend="name the speaker's consent under speaker: consent: and build again",
    ),
    Gate(
        "clips_without_license",
        MOST,
        "chosen clips without a licence",
        lambda facts: facts.without_license,
        mend="name it under sources: license: and build again",
    ),
    Gate(
        "recognised_share",
        MOST,
        "share of the chosen clips whose text is a recogniser's",
        lambda facts: _share(facts.recognised, sum(facts.clips.values())),
    ),
)
#: Every gate by its name, in the order they are told in.
GATES: Mapping[str, Gate] = MappingProxyType(
    {
        gate.name: gate
        for gate in (
            *_COUNTS,
            *(gate for column, side in sides().items() if column != "coverage" for gate in _of_column(column, side)),
        )
    }
)
#: Limits of gates that are asked of every dataset, as long as nothing else is said.
DEFAULTS: Mapping[str, Limit] = MappingProxyType(
    {"duplicates": 0.0, "clips_without_consent": 0.0, "clips_without_license": 0.0}
)


def parse_limit(name: str, value: Any) -> Limit:
    """A limit as it stands in YAML; raises ValueError with a line where the name or the value is none."""
    gate = GATES.get(name)
    if gate is None:
        near = nearest(name, GATES)
        known = ", ".join(gate.name for gate in _COUNTS)
        hint = f"did you mean {near}?" if near else f"there are {known}, and COLUMN_p05, _p50, _p95 of the scores"
        raise ValueError(f"{shown(name)} is no gate; {hint}")
    if value is None:
        return None
    if gate.side != RANGE:
        if not _is_number(value):
            raise ValueError(
                f"{name}: expected a number (at {gate.side} so much), or null for no limit, got {shown(value)}"
            )
        return float(value)
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(v is None or _is_number(v) for v in value):
        raise ValueError(f"{name}: expected a range [least, most] (null for no limit), got {shown(value)}")
    least, most = (None if end is None else float(end) for end in value)
    if least is not None and most is not None and least > most:
        raise ValueError(f"{name}: {least:g}, the least, is more than {most:g}, the most")
    return least, most


#: Gates that only an audit can judge: it looks into every clip.
AUDITED = frozenset({"duplicates", "split_leakage"})


def columns_of(limits: Mapping[str, Limit]) -> tuple[str, ...]:
    """The columns of the shards that have to be read for gates with these limits."""
    return tuple(dict.fromkeys(GATES[name].column for name in limits if GATES[name].column))


def judge_gates(limits: Mapping[str, Limit], facts: Facts, unseen: Container[str] = ()) -> list[Result]:
    """What became of every gate that has a limit, in the order of GATES. Nobody looked yet for those `unseen`."""
    return [
        _unseen(gate, limits[name]) if name in unseen else _judged(gate, limits[name], facts)
        for name, gate in GATES.items()
        if limits.get(name) is not None
    ]


def _unseen(gate: Gate, limit: Limit) -> Result:
    return Result(gate.name, None, limit, None, f"{gate.means}: realtalk audit looks for them")


def _judged(gate: Gate, limit: Limit, facts: Facts) -> Result:
    observed = gate.observe(facts)
    least, most = _ends(gate, limit)
    passed = observed is not None and (least is None or observed >= least) and (most is None or observed <= most)
    ends = (("at least", least), ("at most", most))
    wanted = " and ".join(f"{which} {end:g}" for which, end in ends if end is not None)
    saw = "no clip has one" if observed is None else _figure(observed, least, most)
    mend = f"; {gate.mend}" if gate.mend and not passed else ""
    return Result(gate.name, observed, limit, passed, f"{gate.means}: {saw}, {wanted or 'no limit'} asked for{mend}")


def _ends(gate: Gate, limit: Limit) -> Ends:
    if isinstance(limit, tuple):
        return limit
    return (limit, None) if gate.side == LEAST else (None, limit)


def _figure(value: float, *limits: float | None) -> str:
    """A value with as few digits as tell it from its limits."""
    return next(
        (
            text
            for digits in (4, 6, 9, 12)
            if (text := f"{value:.{digits}g}") and all(value == limit or float(text) != limit for limit in limits)
        ),
        repr(value),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

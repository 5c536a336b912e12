"""What became of the hours: the numbers of the table at the end of a build.

A summary is made of one episode and merged with others in any order or grouping. Times are whole microseconds inside,
because sums of floats depend on their order and two workers would then write other bytes than one.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.clip import candidate_schema
from schemas.verdict import KEPT, reason_code

#: Stages of the table, in order; "in" is what the sources announce.
STAGES = ("in", "downloaded", "speech", "target", "aligned", "candidates", "kept")
_STAGE_COLUMNS = {
    "downloaded": "seconds",
    "speech": "speech_seconds",
    "target": "target_seconds",
    "aligned": "aligned_seconds",
}
#: Columns of candidate_schema that a summary reads.
CANDIDATE_COLUMNS = ("duration", "verdict", "split", "tier", "reasons")

_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Tally:
    """A count (of episodes or clips) and a time in microseconds."""

    count: int = 0
    microseconds: int = 0

    @property
    def seconds(self) -> float:
        """Of what was counted."""
        return self.microseconds / _PER_SECOND

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.count + other.count, self.microseconds + other.microseconds)


Tallies = Mapping[Any, Tally]


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of any number of episodes; `Summary()` is of none.

    `stages` counts the episodes of which something got through a stage. `first_reasons` counts a rejected clip once,
    under its first reason; `any_reasons` under each of its reasons. `failures` is by (stage, code).
    """

    states: Tallies = field(default_factory=dict)
    stages: Tallies = field(default_factory=dict)
    verdicts: Tallies = field(default_factory=dict)
    splits: Tallies = field(default_factory=dict)
    tiers: Tallies = field(default_factory=dict)
    first_reasons: Tallies = field(default_factory=dict)
    any_reasons: Tallies = field(default_factory=dict)
    failures: Tallies = field(default_factory=dict)

    @classmethod
    def of_episode(
        cls,
        episode: Mapping[str, Any],
        candidates: pa.Table | Iterable[Mapping[str, Any]] = (),
        announced_seconds: float | None = None,
    ) -> "Summary":
        """Of a row of EPISODE_SCHEMA and the judged candidates of that episode (a table, or rows of CANDIDATE_COLUMNS).

        `announced_seconds` is the length that the feed gives; the recording's own length counts before it.
        """
        clips = _Clips.of(candidates if isinstance(candidates, pa.Table) else _as_table(candidates))
        seconds = _microseconds(episode.get("seconds"))
        stages = {"in": Tally(1, seconds or _microseconds(announced_seconds))}
        for stage, column in _STAGE_COLUMNS.items():
            stages[stage] = _episode_tally(_microseconds(episode.get(column)))
        stages["candidates"] = _episode_tally(sum(tally.microseconds for tally in clips.verdicts.values()))
        stages["kept"] = _episode_tally(clips.verdicts.get(KEPT, Tally()).microseconds)
        state = episode.get("state") or ""
        failure = (episode.get("failed_stage") or "", episode.get("error") or "")
        return cls(
            states={state: Tally(1, seconds)},
            stages=stages,
            verdicts=clips.verdicts,
            splits=clips.splits,
            tiers=clips.tiers,
            first_reasons=clips.first_reasons,
            any_reasons=clips.any_reasons,
            failures={failure: Tally(1, seconds)} if state == "failed" else {},
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, in a fixed order: seconds as floats, the commonest reasons first.

        {"states": {state: episodes}, "funnel": [{stage, episodes, clips, seconds}], "splits"/"tiers": {name: {clips,
        seconds}}, "reasons": [{code, clips, seconds, any_clips, any_seconds}], "failures": [{stage, code, episodes}]}.
        `clips` of the funnel is None before there are clips.
        """
        candidates = sum(tally.count for tally in self.verdicts.values())
        clips = {"candidates": candidates, "kept": self._of(self.verdicts, KEPT).count}
        reasons = sorted(self.any_reasons, key=lambda code: (-self._of(self.first_reasons, code).count, code))
        return {
            "states": {state: self.states[state].count for state in sorted(self.states)},
            "funnel": [
                {
                    "stage": stage,
                    "episodes": self._of(self.stages, stage).count,
                    "clips": clips.get(stage),
                    "seconds": self._of(self.stages, stage).seconds,
                }
                for stage in STAGES
            ],
            "splits": _by_name(self.splits),
            "tiers": _by_name(self.tiers),
            "reasons": [
                {
                    "code": code,
                    "clips": self._of(self.first_reasons, code).count,
                    "seconds": self._of(self.first_reasons, code).seconds,
                    "any_clips": self.any_reasons[code].count,
                    "any_seconds": self.any_reasons[code].seconds,
                }
                for code in reasons
            ],
            "failures": [
                {"stage": stage, "code": code, "episodes": self.failures[stage, code].count}
                for stage, code in sorted(self.failures)
            ],
        }

    @staticmethod
    def _of(tallies: Tallies, key: Any) -> Tally:
        return tallies.get(key, Tally())


def merge(a: Summary, b: Summary) -> Summary:
    """The summary of the episodes of both: associative and commutative, with `Summary()` as its zero."""
    return Summary(
        states=_add(a.states, b.states),
        stages=_add(a.stages, b.stages),
        verdicts=_add(a.verdicts, b.verdicts),
        splits=_add(a.splits, b.splits),
        tiers=_add(a.tiers, b.tiers),
        first_reasons=_add(a.first_reasons, b.first_reasons),
        any_reasons=_add(a.any_reasons, b.any_reasons),
        failures=_add(a.failures, b.failures),
    )


def merge_all(summaries: Iterable[Summary]) -> Summary:
    """The summary of all episodes."""
    merged = Summary()
    for summary in summaries:
        merged = merge(merged, summary)
    return merged


@dataclass(frozen=True, slots=True)
class _Clips:
    """The tallies of one episode's clips."""

    verdicts: Tallies
    splits: Tallies
    tiers: Tallies
    first_reasons: Tallies
    any_reasons: Tallies

    @classmethod
    def of(cls, candidates: pa.Table) -> "_Clips":
        """Of CANDIDATE_COLUMNS of candidates that were judged."""
        lengths = pc.fill_null(candidates["duration"].cast(pa.float64()), 0.0).to_numpy()
        lengths = np.round(np.nan_to_num(lengths) * _PER_SECOND).astype(np.int64)
        is_kept = np.asarray(pc.fill_null(pc.equal(candidates["verdict"], KEPT), False).to_numpy(), np.bool_)
        kept = candidates.select(["split", "tier"]).filter(pa.array(is_kept))
        rejected = candidates.select(["reasons"]).filter(pa.array(~is_kept))["reasons"].to_pylist()
        codes = [list(dict.fromkeys(reason_code(reason) for reason in reasons or ())) for reasons in rejected]
        told = list(zip(codes, lengths[~is_kept].tolist(), strict=True))
        return cls(
            verdicts=tallied(candidates["verdict"], lengths),
            splits=tallied(kept["split"], lengths[is_kept]),
            tiers=tallied(kept["tier"], lengths[is_kept]),
            first_reasons=_tallied_codes((found[0], length) for found, length in told if found),
            any_reasons=_tallied_codes((code, length) for found, length in told for code in found),
        )


def _as_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    schema = pa.schema([candidate_schema().field(name) for name in CANDIDATE_COLUMNS])
    return pa.Table.from_pylist([{name: row.get(name) for name in CANDIDATE_COLUMNS} for row in rows], schema)


def _tallied_codes(told: Iterable[tuple[str, int]]) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for code, length in told:
        found[code] = found.get(code, Tally()) + Tally(1, length)
    return found


def tallied(names: pa.Array | pa.ChunkedArray, microseconds: NDArray[np.int64]) -> dict[str, Tally]:
    """How often there is each name ("" for null), and the time of it."""
    return {name: tally for (name,), tally in tallied_together([names], microseconds).items()}


def tallied_together(
    columns: Sequence[pa.Array | pa.ChunkedArray], microseconds: NDArray[np.int64]
) -> dict[tuple[str, ...], Tally]:
    """As `tallied`, of what columns say together."""
    keys = [str(place) for place in range(len(columns))]
    named = {key: pc.fill_null(column, "") for key, column in zip(keys, columns, strict=True)}
    table = pa.table({**named, "time": microseconds})
    found = table.group_by(keys, use_threads=False).aggregate([("time", "count"), ("time", "sum")])
    counts, times = found["time_count"].to_pylist(), found["time_sum"].to_pylist()
    names = zip(*(found[key].to_pylist() for key in keys), strict=True)
    return {name: Tally(*tally) for name, *tally in zip(names, counts, times, strict=True)}


def _add(a: Tallies, b: Tallies) -> Tallies:
    return {key: a.get(key, Tally()) + b.get(key, Tally()) for key in {**a, **b}}


def _by_name(tallies: Tallies) -> dict[str, dict[str, float]]:
    return {name: {"clips": tallies[name].count, "seconds": tallies[name].seconds} for name in sorted(tallies)}


def _episode_tally(microseconds: int) -> Tally:
    return Tally(1 if microseconds > 0 else 0, microseconds)


def _microseconds(seconds: float | None) -> int:
    return 0 if seconds is None or math.isnan(seconds) else round(seconds * _PER_SECOND)

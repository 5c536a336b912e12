"""All that is counted of the candidates of a dataset: parts of it add up, so no more than one part is in memory."""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from pipeline.report.histograms import BINS, LEAST, MOST, Histogram, histogram, plain
from schemas.verdict import KEPT, Interval, Thresholds, intervals, reason_code

#: Clips of the random sample: no fault in so many proves, with 95 % confidence, that fewer than 4.9 % are faulty.
SAMPLE = 60
_SEED = "realtalk sample 1"
_DOUBT = 0.05
_SECOND = 1_000_000
_RAREST = 20

Tally = tuple[int, int]
"""Clips, and microseconds of them."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Counts of candidates. `histograms` by (column, side); of the rest what the name says, of kept clips only where
    nothing else is said. `sample` are (hash, clip id) of the kept clips with the smallest hashes, in order."""

    histograms: Mapping[tuple[str, str], Histogram]
    candidates: Tally
    kept: Tally
    reasons: Mapping[str, Tally]
    splits: Mapping[str, Tally]
    licenses: Mapping[tuple[str, str], Tally]
    words: Counter[str]
    phones: Counter[str]
    diphones: Counter[str]
    duplicates: int
    sample: tuple[tuple[str, str], ...]

    @staticmethod
    def nothing(thresholds: Thresholds) -> "Statistics":
        """Of no candidates."""
        values, lengths, no = np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.bool_)
        histograms = {
            (column, side): histogram(column, side, values, lengths, no, no) for column, side in _keys(thresholds)
        }
        zero = (0, 0)
        return Statistics(histograms, zero, zero, {}, {}, {}, Counter(), Counter(), Counter(), 0, ())


class StatisticsFn(beam.CombineFn):
    """Statistics of many tables of judged candidates, by any number of workers."""

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds

    def create_accumulator(self) -> Statistics:
        return Statistics.nothing(self.thresholds)

    def add_input(self, accumulator: Statistics, table: pa.Table) -> Statistics:
        return merge(accumulator, statistics_of(table, self.thresholds))

    def merge_accumulators(self, accumulators: Iterable[Statistics]) -> Statistics:
        merged = self.create_accumulator()
        for one in accumulators:
            merged = merge(merged, one)
        return merged

    def extract_output(self, accumulator: Statistics) -> dict[str, Any]:
        return report_of(accumulator, self.thresholds)


def statistics_of(candidates: pa.Table, thresholds: Thresholds) -> Statistics:
    """Of a table of candidate_schema that was judged by `thresholds`."""
    rows = candidates.select([name for name in _READ if name in candidates.column_names]).to_pylist()
    durations = np.array([round((row["duration"] or 0.0) * _SECOND) for row in rows], np.int64)
    is_kept = np.array([row["verdict"] == KEPT for row in rows], np.bool_)
    codes = [sorted({reason_code(reason) for reason in row["reasons"] or ()}) for row in rows]
    histograms = {}
    for column, side in _keys(thresholds):
        only = np.array([found == [column] for found in codes], np.bool_)
        values = candidates[column].cast(pa.float64()).to_numpy()
        histograms[column, side] = histogram(column, side, values, durations, is_kept, only)
    chosen = [(row, int(length)) for row, length, kept in zip(rows, durations, is_kept, strict=True) if kept]
    phones = [[phone["symbol"] for phone in row["phones"] or ()] for row, _ in chosen]
    return Statistics(
        histograms=histograms,
        candidates=(len(rows), int(durations.sum())),
        kept=(len(chosen), sum(length for _, length in chosen)),
        reasons=_tallied((code, int(length)) for found, length in zip(codes, durations, strict=True) for code in found),
        splits=_tallied((row["split"] or "", length) for row, length in chosen),
        licenses=_tallied(((row["license"] or "", row["license_source"] or ""), length) for row, length in chosen),
        words=Counter(word for row, _ in chosen for word in (row["spoken"] or "").split()),
        phones=Counter(itertools.chain.from_iterable(phones)),
        diphones=Counter(f"{a} {b}" for one in phones for a, b in itertools.pairwise(one)),
        duplicates=sum(bool(row["duplicate_of"]) for row in rows),
        sample=_sampled((_drawn(row["id"]), row["id"]) for row, _ in chosen),
    )


_READ = (
    "id", "duration", "verdict", "reasons", "split", "license", "license_source", "spoken", "phones", "duplicate_of",
)  # fmt: skip


def merge(one: Statistics, other: Statistics) -> Statistics:
    """Of the candidates of both."""
    return Statistics(
        histograms={key: one.histograms[key] + other.histograms[key] for key in one.histograms},
        candidates=_added(one.candidates, other.candidates),
        kept=_added(one.kept, other.kept),
        reasons=_merged(one.reasons, other.reasons),
        splits=_merged(one.splits, other.splits),
        licenses=_merged(one.licenses, other.licenses),
        words=one.words + other.words,
        phones=one.phones + other.phones,
        diphones=one.diphones + other.diphones,
        duplicates=one.duplicates + other.duplicates,
        sample=_sampled((*one.sample, *other.sample)),
    )


def report_of(found: Statistics, thresholds: Thresholds) -> dict[str, Any]:
    """What report.json says of the candidates; hours are left to who reads it: all is in seconds."""
    limits = _limits(thresholds)
    size = len(found.sample)
    clips, seconds = found.kept
    return {
        "candidates": _told(found.candidates),
        "kept": _told(found.kept),
        "splits": {name: _told(tally) for name, tally in sorted(found.splits.items())},
        "reasons": [
            {"code": code, **_told(tally)}
            for code, tally in sorted(found.reasons.items(), key=lambda item: (-item[1][1], item[0]))
        ],
        "distributions": [
            plain(
                column,
                {side: found.histograms[column, side] for side in _sides(column, limits)},
                found.kept,
                limits.get(column, []),
            )
            for column in BINS
        ],
        "sample": {
            "size": size,
            "clips": [clip for _, clip in found.sample],
            "confidence": 1 - _DOUBT,
            "most_faulty_share": most_faulty_share(size),
        },
        "coverage": {
            "seconds": seconds / _SECOND,
            "clips": clips,
            "words": found.words.total(),
            "vocabulary": len(found.words),
            "phones": dict(sorted(found.phones.items())),
            "diphones": dict(sorted(found.diphones.items())),
            "rarest_diphones": [
                pair for pair, _ in sorted(found.diphones.items(), key=lambda item: (item[1], item[0]))[:_RAREST]
            ],
            "duplicates": found.duplicates,
        },
        "rights": {
            "licenses": [
                {"license": name, "source": source, **_told(tally)}
                for (name, source), tally in sorted(found.licenses.items())
            ],
            "clips_without_license": sum(tally[0] for (name, _), tally in found.licenses.items() if not name),
        },
    }


def most_faulty_share(heard: int) -> float:
    """The largest share of faulty clips with which a random sample of `heard` has none in one case of twenty."""
    return round(1 - math.pow(_DOUBT, 1 / heard), 4) if heard else 1.0


def _keys(thresholds: Thresholds) -> list[tuple[str, str]]:
    limits = _limits(thresholds)
    return [(column, side) for column in BINS for side in _sides(column, limits)]


def _sides(column: str, limits: Mapping[str, list[tuple[str, float]]]) -> list[str]:
    return [side for side, _ in limits.get(column, [])] or [LEAST]


def _limits(thresholds: Thresholds) -> dict[str, list[tuple[str, float]]]:
    return {interval.column: _of_interval(interval) for interval in intervals(thresholds)}


def _of_interval(interval: Interval) -> list[tuple[str, float]]:
    sides = ((LEAST, interval.least), (MOST, interval.most))
    return [(side, limit) for side, limit in sides if limit is not None]


def _drawn(clip: str) -> str:
    return hashlib.sha256(f"{_SEED} {clip}".encode()).hexdigest()


def _sampled(drawn: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(set(drawn))[:SAMPLE])


def _added(one: Tally, other: Tally) -> Tally:
    return one[0] + other[0], one[1] + other[1]


def _tallied(clips: Iterable[tuple[Any, int]]) -> dict[Any, Tally]:
    found: dict[Any, Tally] = {}
    for key, length in clips:
        found[key] = _added(found.get(key, (0, 0)), (1, length))
    return found


def _merged(one: Mapping[Any, Tally], other: Mapping[Any, Tally]) -> dict[Any, Tally]:
    return {key: _added(one.get(key, (0, 0)), other.get(key, (0, 0))) for key in {*one, *other}}


def _told(tally: Tally) -> dict[str, float]:
    return {"clips": tally[0], "seconds": tally[1] / _SECOND}

"""All that is counted of the candidates of a dataset: parts of it add up, so no more than one part is in memory."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.choose import Judged
from pipeline.report.histograms import BINS, LEAST, MOST, Histogram, histogram, plain
from schemas.verdict import KEPT, Interval, Thresholds, intervals, reason_code
from transforms.store import Store

#: Clips of the random sample: no fault in so many proves, with 95 % confidence, that fewer than 4.9 % are faulty.
SAMPLE = 60
_SEED = "realtalk sample 1"
_DOUBT = 0.05
_SECOND = 1_000_000
_RAREST = 20

_READ = ("id", "verdict", "reasons", "split", "license", "license_source", "spoken", "phones", "duplicate_of")

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


class CountCandidates(beam.PTransform):
    """Judged episodes in; what report.json says of their candidates out."""

    def __init__(self, store: Store, thresholds: Thresholds) -> None:
        super().__init__()
        self.store = store
        self.thresholds = thresholds

    def expand(self, judged: beam.PCollection) -> beam.PCollection:
        return (
            judged
            | "Read candidates" >> beam.Map(read_candidates, self.store)
            | "Count" >> beam.CombineGlobally(StatisticsFn(self.thresholds))
        )


def read_candidates(judged: Judged, store: Store) -> pa.Table:
    """The columns that are counted, of an episode's judged candidates."""
    return pq.read_table(store.fetch(judged.candidates_path), columns=[*_READ, *BINS], partitioning=None)


def statistics_of(candidates: pa.Table, thresholds: Thresholds) -> Statistics:
    """Of a table of candidate_schema that was judged by `thresholds`."""
    durations = np.round(_numbers(candidates, "duration", 0.0) * _SECOND).astype(np.int64)
    is_kept = np.asarray(pc.equal(candidates["verdict"], KEPT).to_numpy(zero_copy_only=False), np.bool_)
    codes, rows, code = _codes(candidates)
    alone = np.bincount(rows, minlength=len(durations)) == 1
    histograms = {}
    for column, side in _keys(thresholds):
        only = np.zeros(len(durations), np.bool_)
        if column in codes:
            only[rows[code == codes.index(column)]] = True
        values = _numbers(candidates, column, np.nan)
        histograms[column, side] = histogram(column, side, values, durations, is_kept, only & alone)
    kept, lengths = candidates.filter(pa.array(is_kept)), durations[is_kept]
    licenses = list(zip(_texts(kept, "license"), _texts(kept, "license_source"), strict=True))
    symbols, offsets = _phones(kept)
    ids = _texts(kept, "id")
    return Statistics(
        histograms=histograms,
        candidates=(len(durations), int(durations.sum())),
        kept=(len(lengths), int(lengths.sum())),
        reasons=_tallied([codes[one] for one in code], durations[rows]),
        splits=_tallied(_texts(kept, "split"), lengths),
        licenses=_tallied(licenses, lengths),
        words=_counted(pc.list_flatten(pc.utf8_split_whitespace(pc.fill_null(kept["spoken"], "")))),
        phones=_counted(symbols),
        diphones=_pairs(symbols, offsets),
        duplicates=sum(1 for original in _texts(candidates, "duplicate_of") if original),
        sample=_sampled((_drawn(clip), clip) for clip in ids),
    )


def _numbers(table: pa.Table, column: str, missing: float) -> NDArray[np.float64]:
    filled = pc.fill_null(table[column].cast(pa.float64()), missing)
    return np.asarray(filled.to_numpy(), np.float64)


def _texts(table: pa.Table, column: str) -> list[str]:
    found: list[str] = pc.fill_null(table[column], "").to_pylist()
    return found


def _codes(table: pa.Table) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """The codes of all reasons; and for each code of each row once, the row and the place of the code."""
    reasons = table["reasons"].combine_chunks()
    written = [reason_code(reason) for reason in pc.list_flatten(reasons).to_pylist()]
    codes = sorted(set(written))
    place = {code: number for number, code in enumerate(codes)}
    parents = np.asarray(pc.list_parent_indices(reasons).to_numpy(), np.int64)
    pairs = np.unique(parents * max(len(codes), 1) + np.array([place[code] for code in written], np.int64))
    return codes, pairs // max(len(codes), 1), pairs % max(len(codes), 1)


def _phones(table: pa.Table) -> tuple[pa.Array, NDArray[np.int64]]:
    """All phones one after another, and where each clip's begin, shape (clips + 1,)."""
    phones = table["phones"].combine_chunks()
    counts = np.asarray(pc.fill_null(pc.list_value_length(phones), 0).to_numpy(), np.int64)
    return pc.struct_field(pc.list_flatten(phones), "symbol"), np.concatenate([[0], np.cumsum(counts)])


def _counted(values: pa.Array) -> Counter[str]:
    return Counter({one["values"]: one["counts"] for one in pc.value_counts(values).to_pylist()})


def _pairs(symbols: pa.Array, offsets: NDArray[np.int64]) -> Counter[str]:
    """How often one phone follows another inside of a clip."""
    if len(symbols) < 2:
        return Counter()
    encoded = (symbols.combine_chunks() if isinstance(symbols, pa.ChunkedArray) else symbols).dictionary_encode()
    names, codes = encoded.dictionary.to_pylist(), np.asarray(encoded.indices.to_numpy(), np.int64)
    is_inside = np.ones(len(codes) - 1, np.bool_)
    # Between two clips nothing follows.
    between = offsets[1:-1] - 1
    is_inside[between[(between >= 0) & (between < len(is_inside))]] = False
    pairs, counts = np.unique((codes[:-1] * len(names) + codes[1:])[is_inside], return_counts=True)
    found = zip(pairs.tolist(), counts.tolist(), strict=True)
    return Counter({f"{names[pair // len(names)]} {names[pair % len(names)]}": count for pair, count in found})


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


def _tallied(keys: Sequence[Any], lengths: NDArray[np.int64]) -> dict[Any, Tally]:
    found: dict[Any, Tally] = {}
    for key, length in zip(keys, lengths.tolist(), strict=True):
        found[key] = _added(found.get(key, (0, 0)), (1, length))
    return found


def _merged(one: Mapping[Any, Tally], other: Mapping[Any, Tally]) -> dict[Any, Tally]:
    return {key: _added(one.get(key, (0, 0)), other.get(key, (0, 0))) for key in {*one, *other}}


def _told(tally: Tally) -> dict[str, float]:
    return {"clips": tally[0], "seconds": tally[1] / _SECOND}

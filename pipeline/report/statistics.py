"""All that is counted of the candidates of a dataset: parts of it add up, so no more than one part is in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.report.histograms import BINS, LEAST, MOST, Histogram, histogram
from pipeline.report.picks import Picks, merge_picks, nearest_picks, random_picks, worst_picks
from schemas.verdict import KEPT, Interval, Thresholds, intervals, reason_code
from transforms import summarize
from transforms.store import Store

SECOND = 1_000_000
#: Columns of which each episode's median is told.
MEDIANS = ("loudness_lufs", "snr_db", "dnsmos_ovrl")

_READ = (
    "id", "episode_id", "verdict", "reasons", "split", "license", "license_source", "spoken", "phones", "duplicate_of",
    "transcript_source",
)  # fmt: skip

Tally = tuple[int, int]
"""Clips, and microseconds of them."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Counts of candidates. `histograms` by (column, side); of the rest what the name says, of kept clips only where
    nothing else is said. `medians` are of an episode's candidates, `numbers` the values of the columns that gates ask
    for (8 bytes a clip), `recognised` clips whose text is a recogniser's, `picks` clips that a person should hear."""

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
    recognised: int
    picks: Picks
    medians: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=lambda: MappingProxyType({}))

    @staticmethod
    def nothing(thresholds: Thresholds, columns: Sequence[str] = ()) -> "Statistics":
        """Of no candidates."""
        values, lengths, no = np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.bool_)
        histograms = {
            (column, side): histogram(column, side, values, lengths, no, no) for column, side in _keys(thresholds)
        }
        zero = (0, 0)
        return Statistics(
            histograms,
            zero,
            zero,
            {},
            {},
            {},
            Counter(),
            Counter(),
            Counter(),
            0,
            0,
            {},
            {},
            dict.fromkeys(columns, values),
        )


def counted_columns() -> list[str]:
    """The columns of candidate_schema that are counted."""
    return [*_READ, *BINS]


def read_candidates(store: Store, path: str) -> pa.Table:
    """The columns that are counted, of an episode's judged candidates."""
    return pq.read_table(store.fetch(path), columns=counted_columns(), partitioning=None)


def statistics_of(candidates: pa.Table, thresholds: Thresholds, columns: Sequence[str] = ()) -> Statistics:
    """Of a table of candidate_schema that was judged by `thresholds`; `columns` are those that gates ask for."""
    durations = np.round(_numbers(candidates, "duration", 0.0) * SECOND).astype(np.int64)
    is_kept = np.asarray(pc.equal(candidates["verdict"], KEPT).to_numpy(zero_copy_only=False), np.bool_)
    codes, rows, code = _codes(candidates)
    alone = np.bincount(rows, minlength=len(durations)) == 1
    ids, episodes = _texts(candidates, "id"), _texts(candidates, "episode_id")
    kept_ids = [clip for clip, is_it in zip(ids, is_kept, strict=True) if is_it]
    kept_episodes = [episode for episode, is_it in zip(episodes, is_kept, strict=True) if is_it]
    limits = limits_of(thresholds)
    histograms = {}
    picks = {**random_picks(kept_ids, kept_episodes)}
    for column in BINS:
        only = np.zeros(len(durations), np.bool_)
        if column in codes:
            only[rows[code == codes.index(column)]] = True
        only &= alone
        values = _numbers(candidates, column, np.nan)
        picks |= worst_picks(column, values[is_kept], kept_ids, kept_episodes)
        for side, limit in limits.get(column, []):
            picks |= nearest_picks(column, side, limit, values, is_kept, only, ids, episodes)
        for side in sides_of(column, limits):
            histograms[column, side] = histogram(column, side, values, durations, is_kept, only)
    kept, lengths = candidates.filter(pa.array(is_kept)), durations[is_kept]
    licenses = summarize.tallied_together([kept["license"], kept["license_source"]], lengths)
    symbols, offsets = _phones(kept)
    return Statistics(
        histograms=histograms,
        candidates=(len(durations), int(durations.sum())),
        kept=(len(lengths), int(lengths.sum())),
        reasons=_tallied(pa.array(codes, pa.string()).take(pa.array(code)), durations[rows]),
        splits=_tallied(kept["split"], lengths),
        licenses={(name, source): _plain(tally) for (name, source), tally in licenses.items()},
        words=_counted(pc.list_flatten(pc.utf8_split_whitespace(pc.fill_null(kept["spoken"], "")))),
        phones=_counted(symbols),
        diphones=_pairs(symbols, offsets),
        duplicates=_count(pc.not_equal(candidates["duplicate_of"], "")),
        recognised=_count(pc.starts_with(kept["transcript_source"], "recognised:")),
        picks=picks,
        medians=_medians(candidates, episodes),
        numbers={column: _numbers(kept, column, np.nan) for column in columns},
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
        recognised=one.recognised + other.recognised,
        picks=merge_picks(one.picks, other.picks),
        # An episode's candidates are in one table.
        medians={**one.medians, **other.medians},
        numbers={column: np.concatenate([one.numbers[column], other.numbers[column]]) for column in one.numbers},
    )


def _keys(thresholds: Thresholds) -> list[tuple[str, str]]:
    limits = limits_of(thresholds)
    return [(column, side) for column in BINS for side in sides_of(column, limits)]


def sides_of(column: str, limits: Mapping[str, list[tuple[str, float]]]) -> list[str]:
    """The sides of a column that have a limit; "least" where none has."""
    return [side for side, _ in limits.get(column, [])] or [LEAST]


def limits_of(thresholds: Thresholds) -> dict[str, list[tuple[str, float]]]:
    """The limits in force on each column: (side, value)."""
    return {interval.column: _of_interval(interval) for interval in intervals(thresholds)}


def _of_interval(interval: Interval) -> list[tuple[str, float]]:
    sides = ((LEAST, interval.least), (MOST, interval.most))
    return [(side, limit) for side, limit in sides if limit is not None]


def _medians(table: pa.Table, episodes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Of each episode the medians of its candidates, of columns that have a score there."""
    names, of = np.unique(np.array(episodes, np.str_), return_inverse=True)
    found: dict[str, dict[str, float]] = {name: {} for name in names.tolist()}
    rows = np.split(np.argsort(of, kind="stable"), np.cumsum(np.bincount(of, minlength=len(names)))[:-1])
    for column in MEDIANS:
        values = _numbers(table, column, np.nan)
        # Nothing at all is one part, too.
        for name, its in zip(found, rows, strict=False):
            known = values[its][~np.isnan(values[its])]
            if len(known):
                found[name][column] = round(float(np.median(known)), 4)
    return found


def _added(one: Tally, other: Tally) -> Tally:
    return one[0] + other[0], one[1] + other[1]


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0


def _plain(one: summarize.Tally) -> Tally:
    return one.count, one.microseconds


def _tallied(names: pa.Array | pa.ChunkedArray, lengths: NDArray[np.int64]) -> dict[str, Tally]:
    return {name: _plain(one) for name, one in summarize.tallied(names, lengths).items()}


def _merged(one: Mapping[Any, Tally], other: Mapping[Any, Tally]) -> dict[Any, Tally]:
    return {key: _added(one.get(key, (0, 0)), other.get(key, (0, 0))) for key in {*one, *other}}

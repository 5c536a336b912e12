"""Choosing: the verdict on every candidate of a table at once. No model runs, no audio is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.clip import candidate_schema
from schemas.verdict import (
    KEPT,
    OPTIONAL,
    PROFILES,
    REJECTED,
    UNVERIFIABLE,
    VERIFIER_MARK,
    Interval,
    Thresholds,
    duplicate_reason,
    intervals,
    missing_reason,
    recognised_reason,
    review_reason,
    upsampled_reason,
)
from transforms.deduplicate import clip_key

Mask = NDArray[np.bool_]


def judge_table(
    table: pa.Table, thresholds: Thresholds, profiles: Mapping[str, Thresholds] = PROFILES
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """The columns `verdict` (string), `tier` (string) and `reasons` (list<string>) of a table of candidates.

    Tiers are of the `profiles`, the strictest first. Row by row the same as `schemas.verdict.judge`; 100,000 rows take
    a fraction of a second.
    """
    columns = _Columns(table)
    rejected = _fails(columns, thresholds)
    tier = np.full(table.num_rows, "", dtype=object)
    for name, profile in reversed(list(profiles.items())):
        tier[~_fails(columns, profile)] = name
    verdict = np.where(rejected, REJECTED, KEPT)
    return pa.array(verdict, pa.string()), pa.array(tier, pa.string()), _reasons(columns, thresholds)


def select(candidates: pa.Table, thresholds: Thresholds, profiles: Mapping[str, Thresholds] = PROFILES) -> pa.Table:
    """The same candidates, judged (anew): only the columns verdict, tier and reasons change."""
    verdict, tier, reasons = judge_table(candidates, thresholds, profiles)
    return _with_columns(candidates, {"verdict": verdict, "tier": tier, "reasons": reasons})


def with_reviews(judged: pa.Table, reviews: Mapping[str, str]) -> pa.Table:
    """The same judged candidates, but those in `reviews` (clip id: verdict of a person who listened) are rejected.

    That is their first reason, and they have no tier: no profile lets them through.
    """
    if not reviews:
        return judged
    ids = judged["id"].to_pylist()
    found = [reviews.get(clip, "") for clip in ids]
    if not any(found):
        return judged
    reasons = [
        [review_reason(review), *(old or ())] if review else old
        for review, old in zip(found, judged["reasons"].to_pylist(), strict=True)
    ]
    reviewed = pa.array([bool(review) for review in found])
    columns = {
        "verdict": pc.if_else(reviewed, REJECTED, judged["verdict"]),
        "tier": pc.if_else(reviewed, "", judged["tier"]),
        "reasons": pa.array(reasons, pa.list_(pa.string())),
    }
    return _with_columns(judged, columns)


def with_duplicates(candidates: pa.Table, originals: Mapping[str, str]) -> pa.Table:
    """The same candidates with `duplicate_of` set from what `transforms.deduplicate.resolve` gives, "" for the rest."""
    names = zip(candidates["episode_id"].to_pylist(), candidates["id"].to_pylist(), strict=True)
    found = [originals.get(clip_key(episode, clip), "") for episode, clip in names]
    return _with_columns(candidates, {"duplicate_of": pa.array(found, pa.string())})


def with_split(candidates: pa.Table, split: str) -> pa.Table:
    """The same candidates, all in one split."""
    return _with_columns(candidates, {"split": pa.repeat(split, candidates.num_rows)})


def kept(candidates: pa.Table) -> pa.Table:
    """The candidates that were chosen."""
    return candidates.filter(pc.equal(candidates["verdict"], KEPT))


def _with_columns(table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    schema = candidate_schema()
    for name, values in columns.items():
        field = schema.field(name)
        position = table.schema.get_field_index(name)
        table = table.set_column(position, field, values) if position >= 0 else table.append_column(field, values)
    return table


class _Columns:
    """The judged columns of a table as numpy arrays, read once each."""

    def __init__(self, table: pa.Table) -> None:
        self.rows = table.num_rows
        self._table = table
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self.duplicate_of = self._texts("duplicate_of")
        self.transcript_source = self._texts("transcript_source")
        self.is_duplicate = _mask(pc.not_equal(self.duplicate_of, ""))
        self.no_publisher = _by_value(self.transcript_source, lambda source: bool(recognised_reason(source)))
        verified = _by_value(self._texts("models"), lambda models: VERIFIER_MARK in models)
        unjudged = _by_value(self.transcript_source, lambda source: source.startswith(UNVERIFIABLE))
        self.unverified = verified & ~unjudged & np.isnan(self.numbers("text_score"))
        self.upsampled = table["upsampled"] if "upsampled" in table.column_names else pa.nulls(self.rows, pa.bool_())
        self.not_native = _mask(pc.fill_null(self.upsampled, True))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column of float64, NaN for null, text, truth values and where there is no such column."""
        if name not in self._numbers:
            self._numbers[name] = self._read_numbers(name)
        return self._numbers[name]

    def _read_numbers(self, name: str) -> NDArray[np.float64]:
        if name in self._table.column_names:
            column = self._table[name]
            if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
                return pc.cast(column, pa.float64()).to_numpy()
        return np.full(self.rows, np.nan)

    def _texts(self, name: str) -> pa.Array:
        if name not in self._table.column_names:
            return pa.repeat("", self.rows)
        return _whole(pc.fill_null(self._table[name].cast(pa.string()), ""))


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _mask(column: pa.Array | pa.ChunkedArray) -> Mask:
    return np.asarray(_whole(column).to_numpy(zero_copy_only=False), np.bool_)


def _where(mask: Mask, column: pa.Array | pa.ChunkedArray) -> list[Any]:
    found: list[Any] = column.filter(pa.array(mask)).to_pylist()
    return found


def _by_value(texts: pa.Array, holds: Callable[[str], bool]) -> Mask:
    """Whether something holds of each text; it is asked once of each that is different."""
    encoded = texts.dictionary_encode()
    answers = np.array([holds(text) for text in encoded.dictionary.to_pylist()], np.bool_)
    found: Mask = answers[encoded.indices.to_numpy()]
    return found


def _fails(columns: _Columns, thresholds: Thresholds) -> Mask:
    return _fails_as_scored(columns, thresholds) | _lacks_verifying(columns, thresholds)


def _lacks_verifying(columns: _Columns, thresholds: Thresholds) -> Mask:
    return columns.unverified if thresholds.text_score is not None else np.zeros(columns.rows, dtype=bool)


def _fails_as_scored(columns: _Columns, thresholds: Thresholds) -> Mask:
    fails = columns.is_duplicate.copy()
    if not thresholds.allow_recognised:
        fails |= columns.no_publisher
    if not thresholds.allow_upsampled:
        fails |= columns.not_native
    for interval in intervals(thresholds):
        missing, low, high = _outside(columns, interval)
        fails |= missing | low | high
    return fails


def _outside(columns: _Columns, interval: Interval) -> tuple[Mask, Mask, Mask]:
    """Where a column is missing, below its least, above its most."""
    values = columns.numbers(interval.column)
    nowhere = np.zeros(columns.rows, dtype=bool)
    low = nowhere if interval.least is None else values < interval.least
    high = nowhere if interval.most is None else values > interval.most
    missing = nowhere if interval.column in OPTIONAL else np.isnan(values)
    return missing, low, high


def _reasons(columns: _Columns, thresholds: Thresholds) -> pa.Array:
    """list<string> of the reasons of every row, in the order of `judge`."""
    rows: list[NDArray[np.int64]] = []
    texts: list[str] = []

    def add(where: Mask, reasons: Sequence[str]) -> None:
        rows.append(np.flatnonzero(where))
        texts.extend(reasons)

    add(
        columns.is_duplicate,
        [duplicate_reason(clip) for clip in _where(columns.is_duplicate, columns.duplicate_of)],
    )
    if not thresholds.allow_recognised:
        where = columns.no_publisher
        add(
            where,
            [recognised_reason(source) for source in _where(where, columns.transcript_source)],
        )
    if not thresholds.allow_upsampled:
        where = columns.not_native
        add(where, [upsampled_reason(value) for value in _where(where, columns.upsampled)])
    for interval in intervals(thresholds):
        values = columns.numbers(interval.column)
        missing, low, high = _outside(columns, interval)
        add(missing, [missing_reason(interval.column)] * int(missing.sum()))
        add(low, interval.low_reasons(values[low].tolist()))
        add(high, interval.high_reasons(values[high].tolist()))
    where = _lacks_verifying(columns, thresholds) & ~_fails_as_scored(columns, thresholds)
    add(where, [missing_reason("text_score")] * int(where.sum()))

    row_of_reason = np.concatenate(rows)
    order = np.argsort(row_of_reason, kind="stable")
    ends = np.cumsum(np.bincount(row_of_reason, minlength=columns.rows)).astype(np.int32)
    offsets = pa.array(np.concatenate([np.zeros(1, np.int32), ends]))
    return pa.ListArray.from_arrays(offsets, pa.array(texts, pa.string()).take(pa.array(order)))

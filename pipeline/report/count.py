"""Counting the candidates of a build, on any number of workers."""

from collections.abc import Iterable, Sequence

import apache_beam as beam
import pyarrow as pa

from pipeline.report.statistics import Statistics, merge, read_candidates, statistics_of
from schemas.verdict import Thresholds
from transforms.store import Store


class StatisticsFn(beam.CombineFn):
    """Statistics of many tables of judged candidates, by any number of workers; `columns` are those of gates."""

    def __init__(self, thresholds: Thresholds, columns: Sequence[str] = ()) -> None:
        self.thresholds = thresholds
        self.columns = tuple(columns)

    def create_accumulator(self) -> Statistics:
        return Statistics.nothing(self.thresholds, self.columns)

    def add_input(self, accumulator: Statistics, table: pa.Table) -> Statistics:
        return merge(accumulator, statistics_of(table, self.thresholds, self.columns))

    def merge_accumulators(self, accumulators: Iterable[Statistics]) -> Statistics:
        merged = self.create_accumulator()
        for one in accumulators:
            merged = merge(merged, one)
        return merged

    def extract_output(self, accumulator: Statistics) -> Statistics:
        return accumulator


class CountCandidates(beam.PTransform):
    """Judged episodes in; the Statistics of their candidates out."""

    def __init__(self, store: Store, thresholds: Thresholds, columns: Sequence[str] = ()) -> None:
        super().__init__()
        self.store = store
        self.thresholds = thresholds
        self.columns = tuple(columns)

    def expand(self, judged: beam.PCollection) -> beam.PCollection:
        return (
            judged
            | "Read candidates" >> beam.Map(lambda one, store: read_candidates(store, one.candidates_path), self.store)
            | "Count" >> beam.CombineGlobally(StatisticsFn(self.thresholds, self.columns))
        )

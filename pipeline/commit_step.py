"""The last step of a build's graph."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam

from pipeline.commit import DatasetFacts, Parts, commit_dataset
from pipeline.judging import Judged, WrittenShard
from pipeline.report.statistics import Statistics
from pipeline.unfinished import Publication
from transforms.checksums import Checksums
from transforms.store import Store


class CommitDataset(beam.DoFn):
    """Publishes everything that one build made. The only element it gets is a trigger; the rest are side inputs."""

    def __init__(self, store: Store, facts: DatasetFacts) -> None:
        self.store = store
        self.facts = facts

    def process(
        self,
        _: Any,
        rows: Sequence[Mapping[str, Any]],
        judged: Sequence[Judged],
        shards: Sequence[WrittenShard],
        turns: Sequence[Publication],
        statistics: Statistics,
    ) -> Iterator[str]:
        parts = Parts(rows, judged, shards, turns, statistics)
        yield commit_dataset(self.store, self.facts, parts, Checksums.of(self.store))

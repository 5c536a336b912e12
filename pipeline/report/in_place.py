"""The report of a dataset from its own files, as they lie there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow.parquet as pq

from pipeline.gates import DEFAULTS, Limit, columns_of
from pipeline.ready import CONFIG_NAME, EPISODES_NAME
from pipeline.report.contents import Files, Judgement, report_data
from pipeline.report.documents import report_documents
from pipeline.report.statistics import Statistics, merge, read_candidates, statistics_of
from pipeline.reselect import resolved_configuration
from schemas.manifest import Manifest
from schemas.verdict import Thresholds
from transforms.store import Store

Rows = Sequence[Mapping[str, Any]]
#: From the limits of gates, the rows of episodes/ and what was counted to what is thought of the whole.
Judge = Callable[[Mapping[str, Limit], Rows, Statistics], Judgement]


def report_in_place(
    store: Store, manifest: Manifest, judge: Judge, embed: int | None = None
) -> Iterator[tuple[str, str | bytes]]:
    """The files of the report, as `report_documents` gives them.

    Raises RealtalkError where dataset.yaml is damaged, OSError, LookupError or pyarrow.ArrowException where a table is.
    """
    content = store.read_bytes(store.path(CONFIG_NAME)) or b""
    config = resolved_configuration(content, store.path(CONFIG_NAME))
    limits = {**DEFAULTS, **config.gates.limits}
    thresholds = config.selection.thresholds
    files = Files(*(_files(store, folder) for folder in ("candidates", "clips", "turns")))
    episodes = store.fetch(store.path(*EPISODES_NAME.split("/")))
    rows = pq.read_table(episodes, partitioning=None).to_pylist()
    statistics = _counted(store, files.candidates, thresholds, columns_of(limits))
    judgement = judge(limits, rows, statistics)
    data = report_data(store, manifest, content.decode("utf-8"), thresholds, rows, statistics, judgement, files)
    yield from report_documents(store, data, files, embed)


def _files(store: Store, folder: str) -> dict[str, str]:
    return {name.removesuffix(".parquet"): store.path(folder, name) for name in store.names(folder)}


def _counted(store: Store, candidates: Mapping[str, str], thresholds: Thresholds, columns: Sequence[str]) -> Statistics:
    statistics = Statistics.nothing(thresholds, columns)
    for _, path in sorted(candidates.items()):
        statistics = merge(statistics, statistics_of(read_candidates(store, path), thresholds, columns))
    return statistics

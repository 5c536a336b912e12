"""The report as an audit writes it: of what lies there, with the checks and gates as they came out."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit import Audit
from pipeline.build import one_build_at_a_time
from pipeline.commit import CONFIG_NAME, EPISODES_NAME
from pipeline.ready import committed_manifest, store_of
from pipeline.report.contents import Files, Judgement, report_data
from pipeline.report.documents import PAGE_NAME, report_documents, write_report
from pipeline.report.statistics import Statistics, merge, read_candidates, statistics_of
from pipeline.reselect import resolved_configuration
from schemas.errors import RealtalkError
from schemas.verdict import Thresholds
from transforms.store import Store

# Of an error's text; pyarrow's list whole schemas.
_MOST_WHY = 160


def rewrite_report(found: Audit, embed: int | None = None) -> str:
    """Write the report of an audited dataset anew and say where its page is.

    `embed` clips are inside of the page; None is as many as 10 MB hold.

    Raises RealtalkError where the dataset is changing, can't be written to, or is too damaged to be counted.
    """
    store = store_of(found.dataset)
    with one_build_at_a_time(store):
        manifest = committed_manifest(store)
        if manifest is None or manifest.version != found.manifest.version:
            raise RealtalkError(f"{store.root}: the dataset was changed since it was audited; audit it again")
        content = store.read_text(store.path(CONFIG_NAME)) or ""
        thresholds = resolved_configuration(content.encode(), store.path(CONFIG_NAME)).selection.thresholds
        files = Files(_files(store, "candidates"), _files(store, "clips"), _files(store, "turns"))
        try:
            rows = pq.read_table(store.fetch(store.path(*EPISODES_NAME.split("/"))), partitioning=None).to_pylist()
            statistics = _counted(store, files.candidates, thresholds)
            judgement = Judgement(found.gates, _checks(found))
            data = report_data(store, manifest, content, thresholds, rows, statistics, judgement, files)
            write_report(store, report_documents(store, data, files, embed))
            return store.path(*PAGE_NAME.split("/"))
        except (OSError, LookupError, pa.ArrowException) as error:
            why = " ".join(str(error).split())[:_MOST_WHY]
            raise RealtalkError(f"{store.root}: the report is not written anew: {why}") from error


def _files(store: Store, folder: str) -> dict[str, str]:
    return {name.removesuffix(".parquet"): store.path(folder, name) for name in store.names(folder)}


def _counted(store: Store, candidates: Mapping[str, str], thresholds: Thresholds) -> Statistics:
    statistics = Statistics.nothing(thresholds)
    for _, path in sorted(candidates.items()):
        statistics = merge(statistics, statistics_of(read_candidates(store, path), thresholds))
    return statistics


def _checks(found: Audit) -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = found.plain()["checks"]
    return checks

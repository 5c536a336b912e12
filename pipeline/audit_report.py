"""The report as an audit writes it: of what lies there, with the checks and gates as they came out."""

import pyarrow as pa

from pipeline.audit import Audit
from pipeline.hold import one_build_at_a_time
from pipeline.ready import committed_manifest, store_of
from pipeline.report.contents import Judgement
from pipeline.report.documents import write_report
from pipeline.report.in_place import report_in_place
from pipeline.report.page import PAGE_NAME
from schemas.errors import RealtalkError

# Of an error's text; pyarrow's list whole schemas.
_MOST_WHY = 160


def rewrite_report(found: Audit, embed: int | None = None) -> str:
    """Write the report of an audited dataset anew and say where its page is.

    `embed` clips are inside of the page; None is as many as 10 MB hold.

    Raises RealtalkError where the dataset is changing, can't be written to, or is too damaged to be counted.
    """
    store = store_of(found.dataset)
    judgement = Judgement(found.gates, found.plain()["checks"])
    with one_build_at_a_time(store):
        manifest = committed_manifest(store)
        if manifest is None or manifest.version != found.manifest.version:
            raise RealtalkError(f"{store.root}: the dataset was changed since it was audited; audit it again")
        try:
            write_report(store, report_in_place(store, manifest, lambda *_: judgement, embed))
        except (OSError, LookupError, pa.ArrowException) as error:
            why = " ".join(str(error).split())[:_MOST_WHY]
            raise RealtalkError(f"{store.root}: the report is not written anew: {why}") from error
    return store.path(*PAGE_NAME.split("/"))

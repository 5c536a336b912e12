"""Who speaks when in an episode, as the report shows it."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

#: Spans of one timeline; with more of them nothing is seen on a screen.
MOST_SPANS = 400
COLUMNS = ("start", "end", "speaker", "is_target")


def read_turns(path: str) -> pa.Table:
    """The turns of an episode from a local file of TURN_SCHEMA."""
    return pq.read_table(path, columns=list(COLUMNS), partitioning=None)


def timeline(turns: pa.Table) -> dict[str, Any]:
    """What report.json says of an episode's turns.

    `timeline` is [[start, end (s), place in `speaker_names`, 1 for the target's]], at most MOST_SPANS, `others` who
    speaks beside the target and for how long (s), the longest first.
    """
    rows = sorted(turns.to_pylist(), key=lambda row: (row["start"], row["end"]))
    seconds: dict[str, float] = {}
    for row in rows:
        seconds[row["speaker"]] = seconds.get(row["speaker"], 0.0) + row["end"] - row["start"]
    names = sorted(seconds, key=lambda name: (-seconds[name], name))
    targets = {row["speaker"] for row in rows if row["is_target"]}
    spans = [[row["start"], row["end"], names.index(row["speaker"]), int(row["is_target"])] for row in rows]
    return {
        "speaker_names": names,
        "others": [{"speaker": name, "seconds": round(seconds[name], 3)} for name in names if name not in targets],
        "timeline": [[round(start, 2), round(end, 2), *rest] for start, end, *rest in _fewer(spans)],
    }


def _fewer(spans: list[list[Any]]) -> list[list[Any]]:
    """At most MOST_SPANS: neighbours of one speaker are joined over ever longer gaps, then the shortest left out."""
    gap = 0.5
    while len(spans) > MOST_SPANS and gap <= 8.0:
        spans = _joined(spans, gap)
        gap *= 2
    if len(spans) > MOST_SPANS:
        longest = sorted(spans, key=lambda span: span[0] - span[1])[:MOST_SPANS]
        spans = sorted(longest)
    return spans


def _joined(spans: list[list[Any]], gap: float) -> list[list[Any]]:
    joined: list[list[Any]] = []
    for span in spans:
        if joined and joined[-1][2:] == span[2:] and span[0] - joined[-1][1] <= gap:
            joined[-1][1] = max(joined[-1][1], span[1])
        else:
            joined.append(list(span))
    return joined

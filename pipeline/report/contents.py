"""report.json: every number that an auditor sees, of what a build or a choice made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

REPORT_NAME = "report/report.json"
#: Of this layout; raised by one when a key changes its meaning or goes.
VERSION = 1
# Stage of the funnel, and the column of episodes/ that has its seconds.
_FUNNEL = (
    ("listed", "seconds"),
    ("speech", "speech_seconds"),
    ("target", "target_seconds"),
    ("aligned", "aligned_seconds"),
    ("candidates", "candidate_seconds"),
    ("kept", "kept_seconds"),
)
_OF_EPISODE = (
    "episode_id", "guid", "title", "published", "state", "failed_stage", "error", "error_detail", "seconds",
    "speech_seconds", "target_seconds", "candidate_seconds", "kept_seconds", "candidates", "kept", "speakers",
    "target_similarity", "license", "license_source", "split",
)  # fmt: skip


def report_json(dataset: Mapping[str, Any], rows: Sequence[Row], statistics: Mapping[str, Any]) -> str:
    """The text of report.json: `dataset` says which one it is, `rows` are of episodes/, `statistics` of candidates."""
    ordered = sorted(rows, key=lambda row: (row["published"] or "~", row["episode_id"], row["source_url"]))
    document = {
        "version": VERSION,
        "dataset": dict(dataset),
        "funnel": [*_funnel(ordered, statistics)],
        **statistics,
        "episodes": [_episode(row) for row in ordered],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _funnel(rows: Sequence[Row], statistics: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """From what was listed to the splits: episodes that have any of it, clips from candidates on, seconds."""
    clips = {"candidates": statistics["candidates"]["clips"], "kept": statistics["kept"]["clips"]}
    for stage, column in _FUNNEL:
        found = [row[column] for row in rows if row[column]]
        episodes = len(rows) if stage == "listed" else len(found)
        yield {"stage": stage, "episodes": episodes, "clips": clips.get(stage), "seconds": round(sum(found), 6)}
    for split, tally in statistics["splits"].items():
        episodes = sum(1 for row in rows if row["split"] == split and row["kept"])
        yield {"stage": split, "episodes": episodes, **tally}


def _episode(row: Row) -> dict[str, Any]:
    """A row of episodes/, and the share of the target's speech in it that was kept."""
    target = row["target_seconds"] or 0.0
    share = round((row["kept_seconds"] or 0.0) / target, 4) if target else None
    return {**{name: row[name] for name in _OF_EPISODE}, "yield": share}

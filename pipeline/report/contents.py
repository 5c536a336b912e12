"""report.json: every number that an auditor sees, of what a build or a choice made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.gates import Result
from pipeline.report.queue import listening_queue
from pipeline.report.statistics import MEDIANS, Statistics
from pipeline.report.told import report_of
from pipeline.report.turns import read_turns, timeline
from schemas.manifest import Manifest
from schemas.verdict import Thresholds
from transforms.store import Store

Row = Mapping[str, Any]

REPORT_NAME = "report/report.json"
#: Of this layout; raised by one when a key changes its meaning or goes.
VERSION = 2
#: Episodes whose timeline is told: those that gave the least of what the target says in them.
TIMELINES = 200
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


@dataclass(frozen=True)
class Files:
    """Where the files of episodes are in a store, by episode id: of candidates/, clips/ and turns/."""

    candidates: Mapping[str, str]
    clips: Mapping[str, str]
    turns: Mapping[str, str]


@dataclass(frozen=True)
class Judgement:
    """What is thought of the whole. `checks` are an audit's, as plain data; () where none was made."""

    gates: Sequence[Result]
    checks: Sequence[Mapping[str, Any]] = field(default=())

    @property
    def passed(self) -> bool | None:
        """Whether all passed; None where nothing failed, but not all was looked at."""
        verdicts = [gate.passed for gate in self.gates] + [bool(check["passed"]) for check in self.checks]
        if False in verdicts:
            return False
        return None if None in verdicts or not self.checks else True

    def plain(self) -> dict[str, Any]:
        """The keys `verdict`, `gates` and `checks` of report.json."""
        failed = [check["name"] for check in self.checks if not check["passed"]]
        failed += [gate.name for gate in self.gates if gate.passed is False]
        text = {
            True: "every check and every gate passed",
            False: f"not passed: {', '.join(failed)}",
            None: "nothing failed so far; realtalk audit looks into every clip",
        }[self.passed]
        return {
            "verdict": {"passed": self.passed, "audited": bool(self.checks), "text": text},
            "gates": [asdict(gate) for gate in self.gates],
            "checks": [dict(check) for check in self.checks],
        }


def report_data(
    store: Store,
    manifest: Manifest,
    configuration: str,
    thresholds: Thresholds,
    rows: Sequence[Row],
    statistics: Statistics,
    judgement: Judgement,
    files: Files,
) -> dict[str, Any]:
    """report.json as plain data. `rows` are of episodes/, `statistics` of the candidates that `thresholds` judged."""
    ordered = sorted(rows, key=lambda row: (row["published"] or "~", row["episode_id"], row["source_url"]))
    counted = report_of(statistics, thresholds)
    told = _timelines(store, ordered, files)
    return {
        "version": VERSION,
        "dataset": _dataset(manifest),
        **judgement.plain(),
        "funnel": [*_funnel(ordered, counted)],
        **counted,
        "rights": {**counted["rights"], "consent": _consent(manifest), "missing": [*_missing(manifest, counted)]},
        "episodes": [
            {**_episode(row), **_medians(row, statistics), **told.get(row["episode_id"], _NO_TURNS)} for row in ordered
        ],
        "queue": listening_queue(store, statistics.picks, files.candidates),
        "configuration": configuration,
        "shards": [asdict(shard) for shard in manifest.shards],
        "files": [asdict(file) for file in manifest.files],
    }


def as_json(report: Mapping[str, Any]) -> str:
    """The text of report.json."""
    return json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


_NO_TURNS: Mapping[str, Any] = {"speaker_names": [], "others": [], "timeline": None}


def _dataset(manifest: Manifest) -> dict[str, Any]:
    """What the report says of the dataset that it is of."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "config_hash": manifest.config_hash,
        "consent": manifest.consent,
        "consent_id": manifest.consent_id,
        "models": dict(manifest.models),
        "sampling_rate": manifest.sampling_rate,
    }


def _consent(manifest: Manifest) -> dict[str, str]:
    return {"consent": manifest.consent, "consent_id": manifest.consent_id}


def _missing(manifest: Manifest, counted: Mapping[str, Any]) -> Iterator[str]:
    if not manifest.consent_id:
        yield "no consent of the speaker is on record: name it under speaker: consent: and build again"
    without = counted["rights"]["clips_without_license"]
    if without:
        yield f"{without} of {counted['kept']['clips']} clips have no licence: name it under sources: license:"


def _funnel(rows: Sequence[Row], counted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """From what was listed to the splits: episodes that have any of it, clips from candidates on, seconds."""
    clips = {"candidates": counted["candidates"]["clips"], "kept": counted["kept"]["clips"]}
    for stage, column in _FUNNEL:
        found = [row[column] for row in rows if row[column]]
        episodes = len(rows) if stage == "listed" else len(found)
        yield {"stage": stage, "episodes": episodes, "clips": clips.get(stage), "seconds": round(sum(found), 6)}
    for split, tally in counted["splits"].items():
        episodes = sum(1 for row in rows if row["split"] == split and row["kept"])
        yield {"stage": split, "episodes": episodes, **tally}


def _episode(row: Row) -> dict[str, Any]:
    """A row of episodes/, and the share of the target's speech in it that was kept."""
    persons = [dict(person) for person in row["persons"] or ()]
    return {**{name: row[name] for name in _OF_EPISODE}, "yield": _yield(row), "persons": persons}


def _yield(row: Row) -> float | None:
    target = row["target_seconds"] or 0.0
    return round((row["kept_seconds"] or 0.0) / target, 4) if target else None


def _medians(row: Row, statistics: Statistics) -> dict[str, float | None]:
    found = statistics.medians.get(row["episode_id"], {})
    return {**{name: found.get(name) for name in MEDIANS}, "similarity": row["target_similarity"]}


def _timelines(store: Store, rows: Sequence[Row], files: Files) -> dict[str, dict[str, Any]]:
    """Who speaks when, of the episodes with the lowest yield, those without the target first."""
    with_turns = [row for row in rows if row["episode_id"] in files.turns]
    worst = sorted(with_turns, key=lambda row: (_yield(row) or 0.0, row["episode_id"]))[:TIMELINES]
    return {row["episode_id"]: timeline(read_turns(store.fetch(files.turns[row["episode_id"]]))) for row in worst}

"""The audit of a dataset: is it what its manifest says, whole and usable, and does it pass its gates?"""

import os
import re
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from pydantic import ValidationError

from pipeline.audit_clips import Clips, go_through, in_several_splits, repeated
from pipeline.config_errors import Origin, explain
from pipeline.config_sections import Gates
from pipeline.console import say
from pipeline.gates import DEFAULTS, Facts, Limit, Result, columns_of, judge_gates
from pipeline.located_yaml import Document, parse_yaml
from pipeline.ready import CONFIG_NAME, committed_manifest, ready_manifest, store_of
from pipeline.reselect import resolved_configuration
from schemas.errors import ConfigurationError, RealtalkError
from schemas.ids import file_sha256
from schemas.manifest import FOLDERS, SPLITS, FileRecord, Manifest, ShardRecord
from transforms.store import Store

#: Every check, with what it makes sure of.
CHECKS: Mapping[str, str] = {
    "files": "every file is there with the bytes that the manifest says, and no other",
    "rows": "shards and totals have the clips and seconds that the manifest says",
    "schema": "shards have the columns of clips",
    "clips": "every clip decodes, mono, at its rate, as long as it says",
    "ids": "no clip is in twice",
    "splits": "no episode, recording or audio is in two splits",
    "rights": "every clip says where it is from, and has the consent of the manifest",
}
_EXAMPLES = 5
_SAY_EVERY_SECONDS = 10.0
# Sums of floats in another order, and rounded.
_SAME_SECONDS, _SAME_SHARE = 1e-3, 1e-9
_PLACE = re.compile(rf"({'|'.join(FOLDERS)})/[^/\\]+\.parquet")


@dataclass(frozen=True)
class Check:
    """What became of a check: how many faults, and the first of them in words."""

    name: str
    means: str
    faults: int
    examples: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return not self.faults


@dataclass(frozen=True)
class Audit:
    """What an audit found."""

    dataset: str
    manifest: Manifest
    checks: tuple[Check, ...]
    gates: tuple[Result, ...]
    facts: Facts

    @property
    def passed(self) -> bool:
        """Whether every check and every gate passed."""
        return all(check.passed for check in self.checks) and all(bool(gate.passed) for gate in self.gates)

    @property
    def failed(self) -> list[str]:
        """Names of the checks and gates that failed."""
        checks = [check.name for check in self.checks if not check.passed]
        return checks + [gate.name for gate in self.gates if not gate.passed]

    def failures(self) -> list[str]:
        """A line for each check and gate that failed."""
        checks = [
            f"check {check.name} failed: {check.examples[0]}" + (f" (and {check.faults - 1} more)" * (check.faults > 1))
            for check in self.checks
            if not check.passed
        ]
        return checks + [f"gate {gate.name} failed: {gate.text}" for gate in self.gates if not gate.passed]

    def plain(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "dataset": self.dataset,
            "version": self.manifest.version,
            "passed": self.passed,
            "failed": self.failed,
            "clips": sum(self.facts.clips.values()),
            "seconds": sum(self.facts.seconds.values()),
            "checks": [{**asdict(check), "passed": check.passed} for check in self.checks],
            "gates": [asdict(gate) for gate in self.gates],
        }


class _Faults:
    """Counts the faults of every check, and keeps the first lines."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(CHECKS, 0)
        self.lines: dict[str, list[str]] = {name: [] for name in CHECKS}

    def tell(self, check: str, line: str, count: int = 1) -> None:
        self.counts[check] += count
        if len(self.lines[check]) < _EXAMPLES:
            self.lines[check].append(line)

    def checks(self) -> tuple[Check, ...]:
        return tuple(Check(name, means, self.counts[name], tuple(self.lines[name])) for name, means in CHECKS.items())


def audit(dataset: str, gates: Mapping[str, Limit] | None = None) -> Audit:
    """Verify a dataset in a folder or at a URI, and judge it by its own gates, changed by `gates`.

    Raises RealtalkError where there is no dataset, its manifest is damaged, or it changes meanwhile.
    """
    store = store_of(dataset)
    manifest = ready_manifest(store)
    faults = _Faults()
    limits = {**DEFAULTS, **_own_gates(store, faults), **(gates or {})}
    _look_at_files(store, manifest, faults)
    clips = _look_at_shards(store, manifest, columns_of(limits), faults)
    _compare_totals(manifest, clips, faults)
    duplicates, leaking = repeated(clips.audio), in_several_splits(clips)
    twice = repeated(clips.ids)
    for position in twice[:_EXAMPLES]:
        faults.tell("ids", f"{_name_of(store, manifest, clips, int(position))} is in more than once", 0)
    faults.counts["ids"] += len(twice)
    for position in leaking[:_EXAMPLES]:
        name = _name_of(store, manifest, clips, int(position))
        faults.tell("splits", f"{name}: its episode, recording or audio is in another split too", 0)
    faults.counts["splits"] += len(leaking)
    if committed_manifest(store) != manifest:
        raise RealtalkError(f"{store.root}: the dataset was changed while it was audited; audit it again")
    facts = Facts(
        clips=dict(clips.clips),
        seconds=dict(clips.seconds),
        episodes=len(clips.episodes),
        failed_episodes=manifest.totals.failed_episodes,
        duplicates=len(duplicates),
        split_leakage=len(leaking),
        without_consent=clips.without_consent,
        without_license=clips.without_license,
        recognised=clips.recognised,
        numbers={name: np.array(values) for name, values in clips.numbers.items()},
    )
    return Audit(dataset, manifest, faults.checks(), tuple(judge_gates(limits, facts)), facts)


def read_gates(path: str | Path) -> dict[str, Limit]:
    """The limits in a file of gates: YAML, `clips: 500` a line, or the same under `gates:`.

    Raises ConfigurationError with a line for each mistake.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(
            f"{file}: can't be read: {error.strerror}; write gates there, such as clips: 500"
        ) from None
    document = parse_yaml(text)
    problems = [f"{file}:{problem.line}: {problem.text}".replace(":0: ", ": ") for problem in document.problems]
    values = document.values
    if isinstance(values, dict) and set(values) == {"gates"}:
        values = values["gates"]
        document = Document(values, {path[1:]: line for path, line in document.lines.items() if path})
    if not problems and not isinstance(values, dict):
        problems = [f"{file}: holds no gates; write a name and its limit on each line, such as clips: 500"]
    if problems:
        raise ConfigurationError("\n".join(problems))
    try:
        return Gates.model_validate(values).limits
    except ValidationError as error:
        raise ConfigurationError("\n".join(explain(error, Gates, Origin(str(file), document)))) from None


def _own_gates(store: Store, faults: _Faults) -> dict[str, Limit]:
    """The gates of the configuration that the dataset was built by."""
    place = store.path(CONFIG_NAME)
    content = store.read_bytes(place)
    if content is None:
        faults.tell("files", f"{CONFIG_NAME} is missing, and with it the dataset's own gates")
        return {}
    try:
        return resolved_configuration(content, place).gates.limits
    except RealtalkError as error:
        faults.tell("files", str(error))
        return {}


def _look_at_files(store: Store, manifest: Manifest, faults: _Faults) -> None:
    """Everything but the shards, and what lies there besides."""
    for file in manifest.files:
        local = _whole(store, file, faults)
        if local is not None:
            _count_rows(local, file, faults)
    records: list[FileRecord | ShardRecord] = [*manifest.files, *manifest.shards]
    names = Counter(record.name for record in records)
    for name in (name for name, count in names.items() if count > 1):
        faults.tell("files", f"{name} is in the manifest more than once")
    for folder in FOLDERS:
        for name in store.names(folder):
            if f"{folder}/{name}" not in names:
                faults.tell("files", f"{folder}/{name} is there, the manifest doesn't know it")


def _whole(store: Store, record: FileRecord | ShardRecord, faults: _Faults) -> str | None:
    """A local path of a file, None where there is none; tells where it differs from the manifest."""
    if not _PLACE.fullmatch(record.name):
        faults.tell("files", f"{record.name}: no place of a dataset's file, so it isn't looked at")
        return None
    path = store.path(*record.name.split("/"))
    try:
        if not store.exists(path):
            faults.tell("files", f"{record.name} is missing")
            return None
        local = store.fetch(path)
        size = os.path.getsize(local)
        if size != record.bytes:
            faults.tell("files", f"{record.name} has {size} bytes, the manifest says {record.bytes}")
        elif file_sha256(local) != record.sha256:
            faults.tell("files", f"{record.name} is damaged: its SHA-256 is not the manifest's")
    except OSError as error:
        faults.tell("files", f"{record.name}: can't be read ({error.strerror or error})")
        return None
    return local


def _count_rows(local: str, record: FileRecord, faults: _Faults) -> None:
    try:
        rows = pq.read_metadata(local).num_rows
    except (OSError, ValueError) as error:
        faults.tell("rows", f"{record.name}: can't be read ({' '.join(str(error).split())})")
        return
    if rows != record.rows:
        faults.tell("rows", f"{record.name} has {rows} rows, the manifest says {record.rows}")


def _look_at_shards(store: Store, manifest: Manifest, columns: Iterable[str], faults: _Faults) -> Clips:
    clips = Clips(numbers={name: array("d") for name in columns})
    said = time.monotonic()
    for number, record in enumerate(_once(manifest.shards)):
        local = _whole(store, record, faults)
        if local is not None:
            go_through(local, record, manifest, clips, faults.tell)
        if time.monotonic() - said > _SAY_EVERY_SECONDS:
            said = time.monotonic()
            say(f"{number + 1} of {len(manifest.shards)} shards, {len(clips.ids)} clips looked at ...")
    return clips


def _once(shards: Iterable[ShardRecord]) -> list[ShardRecord]:
    """Each shard once, should a manifest name one more often."""
    return list({shard.name: shard for shard in shards}.values())


def _compare_totals(manifest: Manifest, clips: Clips, faults: _Faults) -> None:
    totals = manifest.totals
    for split in (*SPLITS, *sorted(set(totals.splits) - set(SPLITS))):
        said = totals.splits.get(split)
        told = (said.clips, said.seconds) if said else (0, 0.0)
        found = (clips.clips[split], clips.seconds.get(split, 0.0))
        # A sum without an end (NaN) is none either.
        if told[0] != found[0] or not abs(told[1] - found[1]) <= _SAME_SECONDS + _SAME_SHARE * told[1]:
            said_so = f"the manifest's totals say {told[0]} of {told[1]:.3f} s"
            faults.tell("rows", f"{split} has {found[0]} clips of {found[1]:.3f} s, {said_so}")
    if totals.clips != sum(split.clips for split in totals.splits.values()):
        faults.tell("rows", f"the manifest's totals say {totals.clips} clips, its splits have other ones")


def _name_of(store: Store, manifest: Manifest, clips: Clips, position: int) -> str:
    """The clip at a position among all, by reading the ids of its shard once more."""
    for record in _once(manifest.shards):
        rows = clips.rows[record.name]
        if position < rows:
            local = store.fetch(store.path(*record.name.split("/")))
            ids = pq.read_table(local, columns=["id"], partitioning=None)["id"]
            return f"{record.name}: clip {ids[position].as_py()}"
        position -= rows
    raise AssertionError("every position is in a shard")

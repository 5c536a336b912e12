"""What a build, or a choice, ended with: the dataset's manifest, and the numbers and the troubles of its episodes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pipeline.logs import log_path
from pipeline.ready import committed_manifest
from pipeline.troubles import Trouble, read_troubles
from schemas.errors import RealtalkError
from schemas.manifest import Manifest
from transforms.store import Store
from transforms.summarize import Summary

_SUMMARY_PATH = ("work", "summary.json")


@dataclass(frozen=True)
class BuildResult:
    """What a build ended with: the manifest, the summary's numbers, what the stages cost, and what went wrong."""

    output: str
    manifest: Manifest
    summary: dict[str, Any]
    unchanged: bool
    costs: dict[str, dict[str, float]]
    troubles: tuple[Trouble, ...] = ()


def keep_summary(summary: Summary, store: Store) -> None:
    """Write the summary where `read_result` reads it."""
    store.write_text(store.path(*_SUMMARY_PATH), json.dumps(summary.to_dict(), indent=1) + "\n")


def read_result(
    store: Store, unchanged: bool, costs: Mapping[str, dict[str, float]] = MappingProxyType({})
) -> BuildResult:
    """What a run that has ended made; raises RealtalkError where it made no dataset."""
    manifest, summary = committed_manifest(store), store.read_text(store.path(*_SUMMARY_PATH))
    if manifest is None or summary is None:
        raise RealtalkError(f"{store.root}: the build ended without a dataset; see {log_path(store)} and run it again")
    return BuildResult(
        output=store.root,
        manifest=manifest,
        summary=json.loads(summary),
        unchanged=unchanged,
        costs=dict(costs),
        troubles=read_troubles(store),
    )

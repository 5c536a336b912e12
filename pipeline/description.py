"""What the card and croissant.json say of a dataset: facts of its manifest and its episodes, no time of day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from schemas.manifest import CONSENTED, Manifest

NO_LICENSE = "no licence on record"

INTENDED = (
    "training and evaluating a synthetic voice of the speaker, by those whom the consent names and as it allows",
    "research on the recordings, where consent and licences allow it",
)
PROHIBITED = (
    "a voice of the speaker without a consent that is on record and holds on that day",
    "to deceive: impersonation, fraud, passing a check of identity, or claiming that the speaker said it",
    "to pass on synthetic speech that is not marked as such",
    "anything that the licence of an episode forbids",
)


@dataclass(frozen=True)
class LicenseShare:
    """How much of the chosen speech (s, from so many episodes) has a licence; `sources` says where it was found."""

    license: str
    sources: tuple[str, ...]
    episodes: int
    seconds: float


@dataclass(frozen=True)
class Description:
    """A dataset as others are told of it. `newest` is the day (YYYY-MM-DD) of its newest episode, "" where unknown.

    `language` is a code, "" where it was left to the models.
    """

    manifest: Manifest
    speaker: str
    language: str
    licenses: tuple[LicenseShare, ...]
    feeds: tuple[tuple[str, str], ...]
    newest: str

    @property
    def is_consented(self) -> bool:
        """Whether the speaker's consent is on record."""
        return self.manifest.consent == CONSENTED


def describe(manifest: Manifest, rows: Sequence[Mapping[str, Any]], speaker: str, config_yaml: str) -> Description:
    """The description; the order of the episodes' rows (EPISODE_SCHEMA) does not count."""
    chosen = sorted((row for row in rows if row["kept"]), key=lambda row: row["episode_id"])
    configuration = yaml.safe_load(config_yaml) or {}
    language = str((configuration.get("models") or {}).get("language") or "")
    return Description(
        manifest=manifest,
        speaker=speaker,
        language="" if language == "auto" else language,
        licenses=tuple(
            _share(name, [row for row in chosen if (row["license"] or NO_LICENSE) == name])
            for name in sorted({row["license"] or NO_LICENSE for row in chosen})
        ),
        feeds=tuple(sorted({(row["feed_title"] or "", row["feed_guid"] or "") for row in chosen})),
        newest=max((row["published"] or "" for row in chosen), default="")[:10],
    )


def _share(name: str, rows: Sequence[Mapping[str, Any]]) -> LicenseShare:
    sources = tuple(sorted({row["license_source"] for row in rows if row["license_source"]}))
    return LicenseShare(name, sources, len(rows), round(sum(row["kept_seconds"] or 0.0 for row in rows), 3))

"""The dataset card: README.md with the front matter that the Hugging Face hub and `datasets` read."""

import re
from collections.abc import Iterator

import yaml

from pipeline.console import duration
from pipeline.description import INTENDED, NO_LICENSE, PROHIBITED, Description

CARD_NAME = "README.md"
#: Stands in every card.
CARD_MARK = "made by realtalk"
# Of the hub's list of licences those that a feed can name; any other is "other" there.
_HUB_LICENSE = re.compile(r"cc0-1\.0|cc-by(-nc)?(-sa|-nd)?-(2\.0|2\.5|3\.0|4\.0)")
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)


def card(about: Description) -> str:
    """The card's text."""
    front = yaml.safe_dump(_front_matter(about), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n" + "\n".join(_body(about)) + "\n"


def _front_matter(about: Description) -> dict[str, object]:
    manifest = about.manifest
    clips = manifest.totals.clips
    front: dict[str, object] = {"pretty_name": manifest.name}
    if about.language:
        front["language"] = [about.language]
    front["license"] = _hub_license(about)
    front["task_categories"] = ["text-to-speech"]
    front["size_categories"] = [next((name for most, name in _SIZES if clips < most), "100M<n<1B")]
    front["tags"] = ["audio", "speech", "podcast", "realtalk"]
    if manifest.shards:
        splits = dict.fromkeys(shard.split for shard in manifest.shards)
        files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
        front["configs"] = [{"config_name": "default", "data_files": files}]
    return front


def _hub_license(about: Description) -> str:
    names = [share.license.lower() for share in about.licenses]
    return names[0] if len(names) == 1 and _HUB_LICENSE.fullmatch(names[0]) else "other"


def _body(about: Description) -> Iterator[str]:
    manifest = about.manifest
    totals = manifest.totals
    yield f"# {_text(manifest.name)}"
    yield ""
    yield (
        f"{totals.clips} clips, {duration(totals.clip_seconds)}, of one speaker ({_text(about.speaker)}), "
        f"from {totals.episodes} podcast episodes. Each clip has its text, as written and as said, its words and "
        "phones in time, scores, and where it comes from."
    )
    yield ""
    yield f"Version `{manifest.version}`, {CARD_MARK}."
    yield ""
    yield "## Statistics"
    yield ""
    yield "| split | clips | time |"
    yield "| --- | ---: | ---: |"
    for name, split in sorted(totals.splits.items()):
        yield f"| {name} | {split.clips} | {duration(split.seconds)} |"
    yield ""
    yield f"- sampling rate: {manifest.sampling_rate} Hz, mono FLAC; clips of narrower recordings have a lower one"
    yield f"- candidates: {totals.candidates} ({duration(totals.candidate_seconds)}), in candidates/ with their reasons"
    yield f"- episodes: {totals.episodes} ({duration(totals.seconds)}), {totals.failed_episodes} of them failed"
    yield "- one episode's clips, and those of the same recording, are all in one split"
    yield ""
    yield "## Rights"
    yield ""
    if about.is_consented:
        yield f"The speaker's consent is on record as `{manifest.consent_id}`, which is also a column of every clip."
    else:
        yield f"**{manifest.consent}.** No voice of this speaker may be trained from it."
    yield ""
    yield "| licence | found in | episodes | time |"
    yield "| --- | --- | ---: | ---: |"
    for share in about.licenses:
        found = ", ".join(share.sources) or "-"
        yield f"| {_text(share.license)} | {_text(found)} | {share.episodes} | {duration(share.seconds)} |"
    yield ""
    if any(share.license == NO_LICENSE for share in about.licenses):
        yield "Episodes without a licence remain their publishers'; ask them before you pass any of it on."
        yield ""
    yield "From:"
    yield ""
    for title, guid in about.feeds:
        yield f"- {_text(title or guid or 'files without a feed')}"
    yield ""
    yield "## Intended use"
    yield ""
    yield from (f"- {use}" for use in INTENDED)
    yield ""
    yield "## Prohibited use"
    yield ""
    yield from (f"- {use}" for use in PROHIBITED)
    yield ""
    yield "## How it was made"
    yield ""
    yield "Text and speaker were found by models; any clip can be wrong. Its scores say how sure they were."
    yield ""
    yield "| task | model |"
    yield "| --- | --- |"
    for task, model in sorted(manifest.models.items()):
        yield f"| {_text(task)} | {_text(model)} |"


def _text(words: str) -> str:
    """Words from outside on one line, which can't become Markdown or HTML of their own."""
    return re.sub(r"([\\`*_{}\[\]<>#|!&~])", r"\\\1", " ".join(words.split()))

"""The card and croissant.json, by the readers that people use."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from export_dataset import EPISODE, usual_shards, write_dataset

from pipeline.card import card
from pipeline.commit import commit
from pipeline.croissant import croissant
from pipeline.description import Description, describe
from schemas.manifest import NO_CONSENT, read_manifest
from schemas.tables import EPISODE_SCHEMA
from transforms.store import Store

YAML = "models: {language: en}\n"


def row(**columns: Any) -> dict[str, Any]:
    usual = {"episode_id": EPISODE, "license": "cc-by-4.0", "license_source": "feed", "kept": 7, "kept_seconds": 10.5}
    usual |= {"feed_title": "A *bold* | show", "feed_guid": "917393e3", "published": "2025-06-01T08:00:00Z"}
    return {**dict.fromkeys(EPISODE_SCHEMA.names), **usual, **columns}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "readings", usual_shards())


def about(dataset: Path, *rows: dict[str, Any]) -> Description:
    return describe(read_manifest(dataset), rows or (row(),), "Ada Example", YAML)


def front_matter(text: str) -> dict[str, Any]:
    return yaml.safe_load(text.split("---\n")[1])


def test_the_card_of_a_consented_dataset(dataset: Path) -> None:
    text = card(about(dataset))
    front = front_matter(text)
    assert (front["license"], front["language"], front["size_categories"]) == ("cc-by-4.0", ["en"], ["n<1K"])
    assert front["configs"][0]["data_files"][0] == {"split": "train", "path": "data/train-*.parquet"}
    assert "consent is on record as `c0ffee0000000000`" in text
    assert "| train | 5 | 8 s |" in text
    assert "A \\*bold\\* \\| show" in text, "a feed's title is no Markdown"
    for heading in ("Statistics", "Rights", "Intended use", "Prohibited use"):
        assert f"## {heading}" in text


def test_several_licences_or_none_are_other_to_the_hub(dataset: Path) -> None:
    text = card(about(dataset, row(), row(episode_id="b", license=None, license_source=None)))
    assert front_matter(text)["license"] == "other"
    assert "| no licence on record | - | 1 | 10 s |" in text
    assert "ask them before you pass any of it on" in text


def test_the_order_of_episodes_does_not_count(dataset: Path) -> None:
    rows = [row(episode_id=name, kept_seconds=0.1 * number) for number, name in enumerate("abc")]
    one, other = about(dataset, *rows), about(dataset, *reversed(rows))
    assert (card(one), croissant(one)) == (card(other), croissant(other))


def test_without_consent_both_say_so(dataset: Path) -> None:
    manifest = replace(read_manifest(dataset), consent=NO_CONSENT, consent_id="")
    found = replace(about(dataset), manifest=manifest)
    assert "**NO CONSENT ON RECORD.** No voice of this speaker may be trained" in card(found)
    usage = json.loads(croissant(found))["usageInfo"]
    assert usage["odrl:prohibition"]["odrl:action"]["@id"] == "urn:realtalk:use:tts-training"
    assert "odrl:permission" not in usage


def test_a_dataset_without_a_clip_has_both(dataset: Path) -> None:
    manifest = replace(read_manifest(dataset), shards=())
    found = describe(manifest, (), "Ada", "name: x\n")
    assert "configs" not in front_matter(card(found))
    assert json.loads(croissant(found))["recordSet"] == []


def test_a_new_version_replaces_cards_and_no_readme_of_somebody_else(dataset: Path) -> None:
    store, manifest, place = Store(str(dataset)), read_manifest(dataset), dataset / "README.md"
    for name in ("one", "two"):
        changed = replace(about(dataset), manifest=replace(manifest, name=name))
        commit(store, changed.manifest, [], "", {"README.md": card(changed)}, lambda _: iter(()))
        assert f"# {name}\n" in place.read_text()
    place.write_text("mine")
    commit(store, manifest, [], "", {"README.md": "another"}, lambda _: iter(()))
    assert place.read_text() == "mine"


def test_datasets_loads_by_the_card(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="the datasets library (the extra test) reads the dataset")
    (dataset / "README.md").write_text(card(about(dataset)), encoding="utf-8")
    loaded = datasets.load_dataset(str(dataset), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {"train": 5, "validation": 1, "test": 1}


def test_the_hub_reads_the_card(dataset: Path) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub (with datasets) reads cards")
    assert hub.DatasetCard(card(about(dataset))).data.license == "cc-by-4.0"


def test_mlcroissant_reads_every_clip(dataset: Path) -> None:
    mlc = pytest.importorskip("mlcroissant", reason="mlcroissant reads croissant.json; pip install mlcroissant")
    path = dataset / "croissant.json"
    path.write_text(croissant(about(dataset)), encoding="utf-8")
    read = mlc.Dataset(str(path))
    assert not read.metadata.ctx.issues.errors
    assert str(read.metadata.ctx.conforms_to.value).endswith("/1.1")
    assert [file.sha256 for file in read.metadata.distribution[:4]] == [s.sha256 for s in read_manifest(dataset).shards]
    records = list(read.records("clips"))
    assert len(records) == 7
    by_id = {record["clips/id"]: record for record in records}
    first = by_id.get(b"aa01") or by_id["aa01"]
    assert first["clips/text"] in (b"It cost $3.50.", "It cost $3.50.")
    assert first["clips/snr_db"] == 31.5


def test_a_feed_with_a_strange_guid_has_an_address_all_the_same(dataset: Path) -> None:
    document = json.loads(croissant(about(dataset, row(feed_guid='a <b> "c" ü'))))
    assert document["prov:wasDerivedFrom"][0]["@id"] == "urn:feed:a%20%3Cb%3E%20%22c%22%20%C3%BC"


@pytest.mark.parametrize(
    ("clips", "size"), [(999, "n<1K"), (1_000, "1K<n<10K"), (1_000_000, "1M<n<10M"), (100_000_000, "100M<n<1B")]
)
def test_sizes_are_those_of_the_hub(clips: int, size: str, dataset: Path) -> None:
    manifest = read_manifest(dataset)
    many = replace(about(dataset), manifest=replace(manifest, totals=replace(manifest.totals, clips=clips)))
    assert front_matter(card(many))["size_categories"] == [size]


def test_provenance_and_use_in_croissant(dataset: Path) -> None:
    document = json.loads(croissant(about(dataset)))
    assert document["prov:wasDerivedFrom"][0]["@id"] == "urn:feed:917393e3"
    assert document["prov:wasGeneratedBy"]["prov:wasAssociatedWith"][1]["prov:label"] == "aligner: sphinx"
    (constraint,) = document["usageInfo"]["odrl:permission"]["odrl:constraint"]
    assert constraint["odrl:rightOperand"] == "c0ffee0000000000"
    assert document["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html"]

"""Choosing and committing: no clip twice, no episode in two splits, the manifest last, the same bytes again."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.pvalue import AsList, AsSingleton
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from small_dataset import RATE, candidate, flac, noise_bursts

from pipeline.choose import Choose
from pipeline.commit import DatasetFacts, commit
from pipeline.commit_step import CommitDataset
from pipeline.judging import Rule, Scored, judge_episodes
from pipeline.report.count import CountCandidates
from pipeline.selection import require_whole
from pipeline.unfinished import Publication
from schemas.clip import candidate_schema
from schemas.errors import RealtalkError
from schemas.ids import file_sha256
from schemas.manifest import NO_CONSENT, read_manifest
from schemas.tables import EPISODE_SCHEMA
from schemas.verdict import DEFAULT, PROFILES, recognised_reason, thresholds_from
from transforms.checksums import Checksums
from transforms.corrections import Reviewed
from transforms.fingerprint import fingerprint
from transforms.shards import write_clips, write_table
from transforms.store import Store

FACTS = DatasetFacts(
    name="readings",
    config_hash="c0ffee",
    models={"speech": "webrtc"},
    consent_id="",
    config_yaml="name: readings\n",
    sampling_rate=RATE,
    speaker="Host",
    thresholds=DEFAULT,
    gates={},
)

WORDS = recognised_reason("recognised:x")


@dataclass
class Episodes:
    """Writes scored episodes as the stages leave them."""

    store: Store

    def scored(self, name: str, seeds: Sequence[int], recording: str | None = None, **changes: Any) -> Scored:
        clips, rows = [], []
        for number, seed in enumerate(seeds):
            samples, clip = noise_bursts(seed), f"{name}-{number}"
            clips.append((clip, flac(samples)))
            rows.append(candidate(clip, number * 5.0, fingerprint(samples, RATE), number) | changes)
        audio = self.store.path("work", "clips", f"{name}.parquet")
        scores = self.store.path("work", "speaker", f"{name}.parquet")
        write_clips(audio, clips, RATE)
        write_table(scores, pa.Table.from_pylist(rows, schema=candidate_schema()))
        columns = {"episode_id": name, "episode_guid": f"guid-{name}", "speaker": "Host", "consent_id": ""}
        return Scored(name, f"2026-06-0{len(name)}", recording or f"sha-{name}", scores, audio, columns)


def build(store: Store, scored: Sequence[Scored], profile: str = "default") -> None:
    rows = [
        {**dict.fromkeys(EPISODE_SCHEMA.names), "episode_id": one.episode_id, "source_url": "a", "state": "done"}
        for one in scored
    ]
    with beam.Pipeline(FnApiRunner()) as pipeline:
        choice = (
            pipeline
            | "Scored" >> beam.Create(list(scored))
            | "Choose" >> Choose(store, thresholds_from(profile), (0.9, 0.05, 0.05), RATE)
        )
        none = pipeline | "No turns" >> beam.Create([])
        _ = (
            pipeline
            | "Trigger" >> beam.Create([None])
            | "Commit"
            >> beam.ParDo(
                CommitDataset(store, replace(FACTS, thresholds=thresholds_from(profile))),
                rows=AsList(pipeline | "Rows" >> beam.Create(rows)),
                judged=AsList(choice.judged),
                shards=AsList(choice.shards),
                turns=AsList(none),
                statistics=AsSingleton(
                    choice.judged | "Statistics" >> CountCandidates(store, thresholds_from(profile))
                ),
            )
        )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "work" not in path.relative_to(folder).parts
    }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "readings"))


def test_the_same_audio_stays_once_and_the_other_says_why(store: Store) -> None:
    episodes = Episodes(store)
    build(store, [episodes.scored("a", [1, 2]), episodes.scored("bb", [2, 3])])
    rows = {row["id"]: row for row in pq.read_table(store.path("candidates", "bb.parquet")).to_pylist()}
    assert rows["bb-0"]["duplicate_of"] == "a-1", "the earlier one stays"
    assert rows["bb-0"]["reasons"] == ["duplicate_of a-1 != none"]
    assert rows["bb-1"]["verdict"] == "kept"
    assert read_manifest(store.root).totals.clips == 3


def test_episodes_that_are_judged_together_are_judged_as_each_alone(store: Store) -> None:
    episodes = Episodes(store)
    scored = [
        episodes.scored("a", [1, 2]),
        episodes.scored("bb", [3], dnsmos_ovrl=2.0),
        episodes.scored("ccc", [4, 5, 6], transcript_source="recognised:x"),
    ]
    reviewed = Reviewed(left_out={"a-1": "bad_audio"})
    rule, splits = (
        Rule(thresholds_from("strict"), PROFILES, reviewed),
        dict.fromkeys(("sha-a", "sha-bb", "sha-ccc"), "train"),
    )
    together = judge_episodes(scored, store, rule, splits, {"ccc/ccc-0": "a-0"})
    alone = [judge_episodes([one], store, rule, splits, {"ccc/ccc-0": "a-0"})[0] for one in scored]
    assert [judged for judged, _ in together] == [judged for judged, _ in alone], "their files have the same hashes"
    assert [table["reasons"].to_pylist() for _, table in together] == [
        [[], ["review bad_audio != ok"]],
        [["dnsmos_ovrl 2.00 < 3.00"]],
        [["duplicate_of a-0 != none", WORDS], [WORDS], [WORDS]],
    ]


def test_two_guids_of_one_recording_share_a_split(store: Store) -> None:
    episodes = Episodes(store)
    scored = [episodes.scored("a" * n, [10 + n], recording="same") for n in range(1, 6)]
    build(store, scored)
    splits = {
        pq.read_table(store.path("candidates", f"{one.episode_id}.parquet"))["split"][0].as_py() for one in scored
    }
    assert len(splits) == 1


def test_a_second_commit_changes_nothing_and_the_order_of_episodes_neither(store: Store, tmp_path: Path) -> None:
    episodes = Episodes(store)
    scored = [episodes.scored("a", [1, 2]), episodes.scored("bb", [3])]
    build(store, scored)
    first = bytes_of(Path(store.root))
    build(store, list(reversed(scored)))
    assert bytes_of(Path(store.root)) == first
    other = Store(str(tmp_path / "elsewhere"))
    episodes = Episodes(other)
    build(other, [episodes.scored("bb", [3]), episodes.scored("a", [1, 2])])
    assert bytes_of(Path(other.root)) == first, "no path of the machine is in the bytes"


def test_what_another_profile_rejects_leaves_the_shards(store: Store) -> None:
    scored = [Episodes(store).scored("a", [1, 2], dnsmos_ovrl=2.5)]
    build(store, scored)
    assert read_manifest(store.root).totals.clips == 2
    build(store, scored, profile="strict")
    assert read_manifest(store.root).totals.clips == 0
    assert not list(Path(store.path("data")).glob("*")), "no shard of the earlier choice is left"
    (row, _) = pq.read_table(store.path("candidates", "a.parquet")).to_pylist()
    assert row["reasons"] == ["dnsmos_ovrl 2.50 < 3.00"]


def test_without_consent_the_manifest_says_so(store: Store) -> None:
    build(store, [Episodes(store).scored("a", [1])])
    assert read_manifest(store.root).consent == NO_CONSENT
    assert json.loads(Path(store.path("manifest.json")).read_text())["consent"] == "NO CONSENT ON RECORD"


def test_a_dataset_without_any_episode_is_still_one(store: Store) -> None:
    build(store, [])
    manifest = read_manifest(store.root)
    assert (manifest.totals.episodes, manifest.totals.clips, manifest.shards) == (0, 0, ())


def test_a_shard_that_was_damaged_is_put_right_by_the_next_build(store: Store) -> None:
    scored = [Episodes(store).scored("a", [1])]
    build(store, scored)
    before = bytes_of(Path(store.root))
    Path(store.path("data", "train-00000-of-00001.parquet")).unlink()
    Path(store.path("data", "train-00001-of-00002.parquet")).write_bytes(b"left over")
    build(store, scored)
    assert bytes_of(Path(store.root)) == before


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def change(path: Path) -> None:
    """Eight bytes, in place: the size stays, and what is linked to the file changes with it."""
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\x00" * 8)


def test_a_file_that_was_changed_in_place_is_written_anew(store: Store) -> None:
    scored = [Episodes(store).scored("a", [1])]
    build(store, scored)
    before = bytes_of(Path(store.root))
    for harm in (shorten, change):
        for name in ("data/train-00000-of-00001.parquet", "candidates/a.parquet", "episodes/episodes.parquet"):
            harm(Path(store.root, name))
            assert bytes_of(Path(store.root)) != before
            build(store, scored)
            left = "work/ holds the same file by another name, and is not trusted"
            assert bytes_of(Path(store.root)) == before, f"{name}, {harm.__name__}: {left}"


def test_a_record_of_a_shard_that_can_not_be_read_is_written_anew(store: Store) -> None:
    scored = [Episodes(store).scored("a", [1])]
    build(store, scored)
    before = bytes_of(Path(store.root))
    (record,) = Path(store.path("work", "shards")).glob("*.json")
    told = record.read_bytes()
    for content in (b"", b"{", b"\xff", b"[]"):
        record.write_bytes(content)
        build(store, scored)
        assert bytes_of(Path(store.root)) == before, content
        assert record.read_bytes() == told, content


def test_a_manifest_that_is_no_text_is_written_anew(store: Store) -> None:
    scored = [Episodes(store).scored("a", [1])]
    build(store, scored)
    version = read_manifest(store.root).version
    Path(store.path("manifest.json")).write_bytes(b"\xff\xfe")
    build(store, scored)
    assert read_manifest(store.root).version == version


def test_nothing_is_chosen_from_a_dataset_that_is_not_whole(store: Store) -> None:
    build(store, [Episodes(store).scored("a", [1]), Episodes(store).scored("bb", [2])])
    manifest, path = read_manifest(store.root), Path(store.path("candidates", "a.parquet"))
    require_whole(store, manifest, Checksums.of(store))
    content = path.read_bytes()
    for harm, said in ((Path.unlink, "missing"), (shorten, "damaged"), (change, "damaged")):
        path.write_bytes(content)
        harm(path)
        with pytest.raises(RealtalkError) as caught:
            require_whole(store, manifest, Checksums.of(store))
        why = f"candidates/a.parquet is {said}, so nothing is chosen; run realtalk build to make it anew"
        assert str(caught.value) == f"{store.root}: {why}"
    Path(store.path("candidates", "bb.parquet")).unlink()
    with pytest.raises(RealtalkError, match=r"\(and 1 more\)"):
        require_whole(store, manifest, Checksums.of(store))


def backdate(folder: Path, seconds: float = 3600.0) -> None:
    """As if all had been written earlier: what was changed just now is never taken for known."""
    for path in folder.rglob("*.parquet"):
        status = path.stat()
        os.utime(path, (status.st_atime, status.st_mtime - seconds))


def test_a_file_that_is_known_to_be_whole_is_read_again_once_it_was_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = [Episodes(store).scored("a", [1])]
    build(store, scored)
    backdate(Path(store.root))
    build(store, scored)
    read: list[str] = []

    def counted(path: str) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr("transforms.checksums.file_sha256", counted)
    manifest = read_manifest(store.root)
    require_whole(store, manifest, Checksums.of(store))
    assert read == [], "the build that put them in place knew what they hold"
    change(Path(store.path("clips", "a.parquet")))
    with pytest.raises(RealtalkError, match=r"clips/a\.parquet is damaged"):
        require_whole(store, manifest, Checksums.of(store))
    assert read == [store.path("clips", "a.parquet")]


def test_the_manifest_is_gone_while_files_change(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    build(store, [Episodes(store).scored("a", [1])])
    manifest = replace(read_manifest(store.root), name="other")
    seen: dict[str, bool] = {}

    def publish(self: Store, source: str, path: str) -> None:
        seen[path.removeprefix(store.root)] = Path(self.path("manifest.json")).exists()

    monkeypatch.setattr(Store, "publish", publish)
    commit(store, manifest, [Publication("data/a.parquet", "x")], "", {}, lambda _: iter(()))
    assert seen.pop("/data/a.parquet") is False
    assert seen
    assert all(seen.values()), "the version before is kept while it is the dataset"
    assert read_manifest(store.root).name == "other"

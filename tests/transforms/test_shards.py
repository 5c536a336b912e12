"""Shards: splits, plans, bytes, and that the real `datasets` library plays them."""

import io
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile as sf

from schemas.clip import candidate_schema, clip_schema
from schemas.errors import RealtalkError
from schemas.ids import file_sha256
from schemas.manifest import ShardRecord
from transforms.shards import (
    ROWS_PER_GROUP,
    ClipReference,
    ShardPlan,
    assign_split,
    assign_splits,
    file_record,
    plan_shards,
    references,
    split_key,
    write_clips,
    write_shard,
    write_table,
)

RATE = 24_000


def tone(number: int, seconds: float = 0.05) -> bytes:
    """FLAC of a tone that tells clips apart by its pitch."""
    time = np.arange(round(seconds * RATE)) / RATE
    buffer = io.BytesIO()
    sf.write(buffer, 0.3 * np.sin(2 * math.pi * (200 + number) * time), RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def candidate(episode: str, number: int, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": f"{episode}-{number:04d}",
        "text": f"Sentence {number}, “quoted”.",
        "spoken": f"sentence {number} quoted",
        "words": [{"text": "Sentence", "start": 0.0, "end": 0.02, "score": -1.5}],
        "phones": [{"symbol": "S", "start": 0.0, "end": 0.01}],
        "duration": 0.05,
        "sampling_rate": RATE,
        "split": "train",
        "tier": "default",
        "episode_id": episode,
        "start": float(number),
        "end": number + 0.05,
        "upsampled": False,
        "verdict": "kept",
        "reasons": [],
    }
    return {**row, **changes}


def lay_out(folder: Path, episodes: dict[str, list[dict[str, object]]]) -> list[ClipReference]:
    """Write the candidates and their audio as a build leaves them; returns what was chosen."""
    chosen: list[ClipReference] = []
    for episode, rows in episodes.items():
        table = pa.Table.from_pylist(rows, schema=candidate_schema())
        write_table(folder / "candidates" / f"{episode}.parquet", table)
        audio = ((str(row["id"]), tone(int(float(str(row["start"]))))) for row in rows)
        assert write_clips(folder / "clips" / f"{episode}.parquet", audio, RATE) == len(rows)
        chosen += references(table, "2024-01-01T00:00:00Z")
    return chosen


def write_all(folder: Path, plans: tuple[ShardPlan, ...]) -> list[ShardRecord]:
    return [write_shard(plan, folder / "clips", folder / "candidates", folder / plan.name, RATE) for plan in plans]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    lay_out(
        tmp_path,
        {
            "e1": [candidate("e1", n, verdict="rejected" if n % 7 == 0 else "kept") for n in range(230)],
            "e2": [candidate("e2", n, split="test") for n in range(20)],
        },
    )
    return tmp_path


def plans_of(folder: Path, target_bytes: int = 1 << 30) -> tuple[ShardPlan, ...]:
    found = []
    for path in sorted((folder / "candidates").iterdir()):
        found += references(pq.read_table(path), "2024-01-01T00:00:00Z")
    return plan_shards(found, target_bytes)


def reference(number: int, size: int = 1000, split: str = "train", **changes: object) -> ClipReference:
    values = {"published": "2024", "episode_id": "e", "start": float(number), "id": f"c{number}"}
    return ClipReference(**{**values, "split": split, "bytes": size, **changes})  # type: ignore[arg-type]


def test_splits_have_the_shares_asked_for_and_depend_on_the_key_alone() -> None:
    shares = Counter(assign_split(f"key {n}") for n in range(20_000))
    assert shares["train"] / 20_000 == pytest.approx(0.9, abs=0.01)
    assert shares["validation"] / 20_000 == pytest.approx(0.05, abs=0.005)
    assert shares["test"] / 20_000 == pytest.approx(0.05, abs=0.005)
    keys = [f"key {n}" for n in range(50)]
    few, many = assign_splits(keys[:10]), assign_splits(keys)
    assert all(many[key] == split for key, split in few.items())


@pytest.mark.parametrize("ratios", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_a_share_of_nothing_gets_nothing(ratios: tuple[float, float, float]) -> None:
    only = ("train", "validation", "test")[ratios.index(1.0)]
    assert {assign_split(f"key {n}", ratios) for n in range(500)} == {only}


@pytest.mark.parametrize("ratios", [(0.5, 0.5), (0.9, 0.2, 0.1), (1.1, -0.1, 0.0)])
def test_ratios_that_are_no_shares_are_refused(ratios: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        assign_split("key", ratios)


def test_one_recording_under_two_guids_is_in_one_split() -> None:
    assert split_key("guid-1", "abc") == split_key("guid-2", "abc")
    assert split_key("guid-1", "") == "guid-1"
    assert split_key("guid-1", None) == "guid-1"


def test_a_dataset_without_a_training_split_becomes_one() -> None:
    lone = next(key for key in map(str, range(1000)) if assign_split(key) == "test")
    assert assign_splits([lone]) == {lone: "train"}
    trained = next(key for key in map(str, range(1000)) if assign_split(key) == "train")
    assert assign_splits([lone, trained]) == {lone: "test", trained: "train"}


def test_references_are_the_kept_clips_in_order_with_their_size() -> None:
    rows = [candidate("e", 2), candidate("e", 0), candidate("e", 1, verdict="rejected")]
    table = pa.Table.from_pylist(rows, schema=candidate_schema())
    found = references(table, None)
    assert [clip.id for clip in found] == ["e-0000", "e-0002"]
    assert found[0].bytes == round(0.05 * RATE * 1.15)
    dated = references(table, "2031-01-01")
    assert max(dated) < min(found), "an episode without a date comes last"


def test_a_plan_is_even_complete_and_in_order_whatever_the_order_it_is_given() -> None:
    clips = [reference(n, size=1000 + n % 7) for n in range(100)]
    plans = plan_shards(reversed(clips), target_bytes=30_000)
    assert [plan.name for plan in plans] == [f"data/train-{n:05d}-of-00004.parquet" for n in range(4)]
    assert [clip for plan in plans for clip in plan.clips] == clips
    sizes = [sum(clip.bytes for clip in plan.clips) for plan in plans]
    assert max(sizes) <= 30_000
    assert max(sizes) - min(sizes) <= 2_100
    assert plans == plan_shards(clips, target_bytes=30_000)


def test_rows_are_by_date_then_episode_then_time() -> None:
    clips = [
        reference(0, published="2024-02-01", episode_id="a"),
        reference(9, published="2024-01-01", episode_id="z"),
        reference(1, published="2024-01-01", episode_id="z"),
        reference(5, published="2024-01-01", episode_id="b"),
    ]
    (plan,) = plan_shards(clips)
    assert [(clip.episode_id, clip.start) for clip in plan.clips] == [("b", 5), ("z", 1), ("z", 9), ("a", 0)]


def test_clips_larger_than_a_shard_get_one_each_and_none_is_empty() -> None:
    plans = plan_shards([reference(n, size=size) for n, size in enumerate([10, 5000, 10, 5000])], target_bytes=100)
    assert all(plan.clips for plan in plans)
    assert {plan.name[-14:-8] for plan in plans} == {f"-{len(plans):05d}"}


def test_no_clips_no_shards() -> None:
    assert plan_shards([]) == ()


def test_a_split_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="dev"):
        plan_shards([reference(0, split="dev")])


def test_a_shard_holds_the_planned_clips_with_their_own_audio(dataset: Path) -> None:
    plans = plans_of(dataset, target_bytes=100_000)
    records = write_all(dataset, plans)
    assert {record.split for record in records} == {"train", "test"}
    assert sum(record.split == "train" for record in records) > 1, "the split has to span shards for this test"
    for plan, record in zip(plans, records, strict=True):
        path = dataset / plan.name
        table = pq.read_table(path)
        assert table.schema.equals(clip_schema(RATE), check_metadata=False)
        assert table["id"].to_pylist() == [clip.id for clip in plan.clips]
        assert set(table["split"].to_pylist()) == {plan.split}
        for row in table.to_pylist():
            assert row["audio"] == {"bytes": tone(int(row["start"])), "path": f"{row['id']}.flac"}
        assert record == ShardRecord(plan.name, plan.split, len(table), path.stat().st_size, file_sha256(path))


def test_a_shard_is_written_as_the_hub_reads_it(dataset: Path) -> None:
    plan = plans_of(dataset)[0]
    write_shard(plan, dataset / "clips", dataset / "candidates", dataset / plan.name, RATE)
    metadata = pq.read_metadata(dataset / plan.name)
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [ROWS_PER_GROUP, 97]
    columns = {groups[0].column(i).path_in_schema: groups[0].column(i) for i in range(groups[0].num_columns)}
    for name in ("audio.bytes", "audio.path"):
        assert columns[name].compression == "UNCOMPRESSED"
        assert not any("DICTIONARY" in encoding for encoding in columns[name].encodings)
        assert columns[name].statistics is None, "statistics would repeat whole clips in the footer"
        assert columns[name].has_offset_index
    assert columns["text"].compression == "SNAPPY"
    assert columns["words.list.element.score"].compression == "SNAPPY"
    assert columns["text"].has_column_index
    info = json.loads(pq.read_schema(dataset / plan.name).metadata[b"huggingface"])
    assert info == {"info": {"features": {"audio": {"sampling_rate": RATE, "_type": "Audio"}}}}


def test_the_same_clips_give_the_same_bytes_however_the_source_files_are_grouped(dataset: Path) -> None:
    plan = plans_of(dataset)[0]
    first = write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "a.parquet", RATE)
    source = pq.read_table(dataset / "clips" / "e1.parquet")
    pq.write_table(source, dataset / "clips" / "e1.parquet", row_group_size=13)
    again = write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "b.parquet", RATE)
    assert (dataset / "a.parquet").read_bytes() == (dataset / "b.parquet").read_bytes()
    assert first == again
    pq.write_table(source.take(list(range(len(source)))[::-1]), dataset / "clips" / "e1.parquet", row_group_size=13)
    assert write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "c.parquet", RATE) == first


def test_files_may_be_found_by_a_function(dataset: Path) -> None:
    plan = plans_of(dataset)[-1]
    asked = []

    def clip_file(episode: str) -> Path:
        asked.append(episode)
        return dataset / "clips" / f"{episode}.parquet"

    by_function = write_shard(
        plan, clip_file, lambda episode: dataset / "candidates" / f"{episode}.parquet", dataset / "f.parquet", RATE
    )
    assert asked == ["e2"]
    by_folder = write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "g.parquet", RATE)
    assert by_function == by_folder


def test_a_chosen_clip_without_audio_is_said_and_leaves_no_file(dataset: Path) -> None:
    source = pq.read_table(dataset / "clips" / "e2.parquet")
    write_clips(
        dataset / "clips" / "e2.parquet",
        ((row["id"], row["audio"]["bytes"]) for row in source.slice(0, 18).to_pylist()),
        RATE,
    )
    plan = plans_of(dataset)[-1]
    with pytest.raises(RealtalkError, match=r"e2\.parquet: the clip e2-0018 and 1 more is not in it") as caught:
        write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "out" / "x.parquet", RATE)
    assert "\n" not in str(caught.value)
    assert list((dataset / "out").iterdir()) == []


def test_a_chosen_clip_without_scores_is_said(dataset: Path) -> None:
    plan = plans_of(dataset)[-1]
    write_table(dataset / "candidates" / "e2.parquet", candidate_schema().empty_table())
    with pytest.raises(RealtalkError, match=r"candidates.e2\.parquet: the clip e2-0000"):
        write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "x.parquet", RATE)


@pytest.mark.parametrize("kind", ["clips", "candidates"])
@pytest.mark.parametrize("damage", ["missing", "garbage", "truncated"])
def test_a_damaged_file_is_one_clear_line(dataset: Path, kind: str, damage: str) -> None:
    plan = plans_of(dataset)[-1]
    path = dataset / kind / "e2.parquet"
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(b"no parquet" if damage == "garbage" else content[: len(content) // 2])
    with pytest.raises(RealtalkError) as caught:
        write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "x.parquet", RATE)
    assert str(caught.value).startswith(f"{path}: can't be read")
    assert "\n" not in str(caught.value)


def test_candidates_that_lack_a_column_are_one_clear_line(dataset: Path) -> None:
    path = dataset / "candidates" / "e2.parquet"
    plan = plans_of(dataset)[-1]
    write_table(path, pq.read_table(path).drop_columns(["license"]))
    with pytest.raises(RealtalkError, match="license"):
        write_shard(plan, dataset / "clips", dataset / "candidates", dataset / "x.parquet", RATE)


def test_memory_does_not_grow_with_the_shard(tmp_path: Path) -> None:
    """What Arrow holds at most while a shard of ten row groups is written is about one row group of audio."""
    rng = np.random.default_rng(0)
    rows = [candidate("big", n) for n in range(10 * ROWS_PER_GROUP)]
    write_table(tmp_path / "candidates" / "big.parquet", pa.Table.from_pylist(rows, schema=candidate_schema()))
    write_clips(tmp_path / "clips" / "big.parquet", ((str(row["id"]), rng.bytes(30_000)) for row in rows), RATE)
    (plan,) = plans_of(tmp_path)
    held = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(held)
    try:
        write_shard(plan, tmp_path / "clips", tmp_path / "candidates", tmp_path / "x.parquet", RATE)
    finally:
        pa.set_memory_pool(before)
    group = ROWS_PER_GROUP * 30_000
    assert (tmp_path / "x.parquet").stat().st_size > 10 * group
    assert held.max_memory() < 6 * group


def test_a_failure_while_clips_are_made_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    write_clips(path, [("a", b"1")], RATE)
    before = path.read_bytes()

    def broken():  # type: ignore[no-untyped-def]
        yield "a", b"2"
        raise OSError("the recording is gone")

    with pytest.raises(OSError, match="gone"):
        write_clips(path, broken(), RATE)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["e.parquet"]


def test_an_episode_without_clips_has_an_empty_file(tmp_path: Path) -> None:
    assert write_clips(tmp_path / "e.parquet", [], RATE) == 0
    assert pq.read_table(tmp_path / "e.parquet").num_rows == 0


def test_file_record_tells_rows_size_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, pa.table({"a": [1, 2, 3]}))
    assert pq.read_metadata(path).row_group(0).column(0).compression == "ZSTD"
    record = file_record(str(path), "episodes/t.parquet")
    assert (record.name, record.rows) == ("episodes/t.parquet", 3)
    assert (record.bytes, record.sha256) == (path.stat().st_size, file_sha256(path))


def test_the_datasets_library_plays_a_dataset_folder(
    dataset: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`load_dataset(DIR)` finds the splits, knows the audio column, and its bytes are what was cut.

    The other tables beside data/ must not disturb it. Decoding by the library itself needs torchcodec, so what it
    hands out is decoded by soundfile here.
    """
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
    datasets = pytest.importorskip("datasets")
    plans = plans_of(dataset, target_bytes=100_000)
    write_all(dataset, plans)
    loaded = datasets.load_dataset(str(dataset), cache_dir=str(tmp_path_factory.mktemp("cache")))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 197, "test": 20}
    train = loaded["train"]
    assert train.features["audio"] == datasets.Audio(sampling_rate=RATE)
    assert list(train.features) == clip_schema(RATE).names
    assert train["id"][:] == [clip.id for plan in plans if plan.split == "train" for clip in plan.clips]
    row = train.cast_column("audio", datasets.Audio(decode=False))[120]
    samples, rate = sf.read(io.BytesIO(row["audio"]["bytes"]))
    assert rate == RATE
    peak = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 16)).argmax() * rate / (1 << 16)
    assert peak == pytest.approx(200 + row["start"], abs=2.0), "the audio belongs to its row"
    assert row["words"] == [{"text": "Sentence", "start": 0.0, "end": 0.02, "score": -1.5}]

"""All that is known of a clip or an episode, from a small dataset made here."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from pipeline.cli import main
from pipeline.inspect import inspect, open_dataset, write_audio
from schemas.clip import audio_schema, candidate_schema
from schemas.errors import RealtalkError
from schemas.tables import EPISODE_SCHEMA, TURN_SCHEMA

FIRST, SECOND = "ab12000000000001", "cd34000000000002"


def flac(seconds: float) -> bytes:
    buffer = io.BytesIO()
    samples = 0.1 * np.sin(np.arange(round(seconds * 24_000)) * 0.05)
    soundfile.write(buffer, samples.astype(np.float32), 24_000, format="FLAC")
    return buffer.getvalue()


def clip(identity: str, episode: str, start: float, **columns: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "episode_id": episode,
        "episode_guid": f"guid of {episode}",
        "text": "It cost $3.50.",
        "spoken": "it cost three dollars and fifty cents",
        "words": [{"text": "It", "start": 0.1, "end": 0.25, "score": -3.5}],
        "phones": [{"symbol": "IH", "start": 0.1, "end": 0.2}],
        "start": start,
        "end": start + 2.0,
        "duration": 2.1,
        "sampling_rate": 24_000,
        "dnsmos_ovrl": 2.41,
        "verdict": "kept",
        "reasons": [],
        "tier": "default",
        "license": "cc-by-4.0",
        **columns,
    }


def write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = [{name: row.get(name) for name in schema.names} for row in rows]
    pq.write_table(pa.Table.from_pylist(whole, schema=schema), path)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "readings"
    reasons = ["dnsmos_ovrl 2.41 < 2.80"]
    first = [
        clip("11aa00", FIRST, 10.0),
        clip("11bb00", FIRST, 4.0, verdict="rejected", reasons=reasons, tier=""),
    ]
    write(root / "candidates" / f"{FIRST}.parquet", first, candidate_schema())
    write(root / "candidates" / f"{SECOND}.parquet", [clip("22cc00", SECOND, 1.0)], candidate_schema())
    audio = [{"id": row["id"], "audio": {"bytes": flac(2.1), "path": f"{row['id']}.flac"}} for row in first]
    write(root / "clips" / f"{FIRST}.parquet", audio, audio_schema(24_000))
    episodes = [
        {"episode_id": FIRST, "guid": "guid one", "title": "One\x1b[31m red", "state": "done", "seconds": 60.0},
        {
            "episode_id": SECOND,
            "guid": "guid two",
            "state": "failed",
            "failed_stage": "decode",
            "error": "not-media",
            "error_detail": "no audio in it",
        },
    ]
    write(root / "episodes" / "episodes.parquet", episodes, EPISODE_SCHEMA)
    turns = [
        {"episode_id": FIRST, "start": 9.0, "end": 15.0, "speaker": "S0", "is_target": True, "similarity": 0.9},
        {"episode_id": FIRST, "start": 2.0, "end": 9.0, "speaker": "S1", "is_target": False, "similarity": 0.5},
    ]
    write(root / "turns" / f"{FIRST}.parquet", turns, TURN_SCHEMA)
    return root


def fault(dataset: Path, wanted: str) -> str:
    with pytest.raises(RealtalkError) as caught:
        inspect(open_dataset(str(dataset)), wanted)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_clip_with_its_episode_and_the_turns_that_it_touches(dataset: Path) -> None:
    found = inspect(open_dataset(str(dataset)), "11aa00")
    assert found["kind"] == "clip"
    assert found["clip"]["text"] == "It cost $3.50."
    assert found["clip"]["words"] == [{"text": "It", "start": 0.1, "end": 0.25, "score": -3.5}]
    assert found["episode"]["guid"] == "guid one"
    assert [turn["speaker"] for turn in found["turns"]] == ["S0"]


@pytest.mark.parametrize(("wanted", "identity"), [("22", "22cc00"), ("11b", "11bb00")])
def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one(dataset: Path, wanted: str, identity: str) -> None:
    assert inspect(open_dataset(str(dataset)), wanted)["clip"]["id"] == identity


@pytest.mark.parametrize("wanted", [FIRST, "ab", "guid one"])
def test_an_episode_by_id_beginning_or_guid(dataset: Path, wanted: str) -> None:
    found = inspect(open_dataset(str(dataset)), wanted)
    assert found["kind"] == "episode"
    assert found["episode"]["episode_id"] == FIRST
    assert [row["id"] for row in found["clips"]] == ["11bb00", "11aa00"], "in the order of the recording"
    assert [turn["start"] for turn in found["turns"]] == [2.0, 9.0]


def test_an_episode_whose_clips_begin_as_it_does(tmp_path: Path) -> None:
    write(tmp_path / "candidates" / "x.parquet", [clip(f"{FIRST}-1", FIRST, 0.0)], candidate_schema())
    write(tmp_path / "episodes" / "x.parquet", [{"episode_id": FIRST, "guid": "g"}], EPISODE_SCHEMA)
    opened = open_dataset(str(tmp_path))
    assert inspect(opened, "ab12")["kind"] == "episode"
    assert inspect(opened, f"{FIRST}-")["kind"] == "clip"


def test_what_is_named_by_nothing_or_by_several(dataset: Path) -> None:
    assert fault(dataset, "11") == "11: 2 ids begin so: 11aa00, 11bb00; give more of it"
    assert "no clip and no episode" in fault(dataset, "zz")
    assert f"{FIRST}, {SECOND}" in fault(dataset, "zz")
    assert fault(dataset, " ").startswith("name a clip or an episode")


def test_a_guid_of_two_feeds(dataset: Path) -> None:
    rows = [{"episode_id": identity, "guid": "1"} for identity in (FIRST, SECOND)]
    write(dataset / "episodes" / "episodes.parquet", rows, EPISODE_SCHEMA)
    assert fault(dataset, "1") == f"1: 2 episodes have this guid: {FIRST}, {SECOND}; give an id"


def test_a_dataset_without_one_clip(dataset: Path) -> None:
    shutil.rmtree(dataset / "candidates")
    assert inspect(open_dataset(str(dataset)), FIRST)["clips"] == []


def test_a_source_that_could_not_be_read_is_no_episode(dataset: Path) -> None:
    rows = [{"episode_id": None, "state": "failed"}, {"episode_id": FIRST, "guid": "guid one"}]
    write(dataset / "episodes" / "episodes.parquet", rows, EPISODE_SCHEMA)
    assert inspect(open_dataset(str(dataset)), "ab12")["episode"]["guid"] == "guid one"


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(RealtalkError, match="no such folder"):
        open_dataset(str(tmp_path / "none"))
    with pytest.raises(RealtalkError, match="episodes/ is missing"):
        open_dataset(str(tmp_path))


def test_a_damaged_table_is_named(dataset: Path) -> None:
    (dataset / "candidates" / f"{SECOND}.parquet").write_bytes(b"no parquet")
    assert "candidates: can't be read" in fault(dataset, "11aa00")


def test_the_audio_is_written_as_it_is_kept(dataset: Path, tmp_path: Path) -> None:
    opened = open_dataset(str(dataset))
    out = tmp_path / "out.flac"
    write_audio(opened, inspect(opened, "11aa00")["clip"], out)
    assert out.read_bytes() == flac(2.1)
    assert soundfile.info(out).duration == pytest.approx(2.1)
    assert list(tmp_path.glob(".*")) == []


def test_audio_that_is_gone_or_has_no_place(dataset: Path, tmp_path: Path) -> None:
    opened = open_dataset(str(dataset))
    row = inspect(opened, "22cc00")["clip"]
    with pytest.raises(RealtalkError, match="the audio of 22cc00 is not there"):
        write_audio(opened, row, tmp_path / "out.flac")
    with pytest.raises(RealtalkError, match=r"ends in \.flac"):
        write_audio(opened, row, tmp_path / "out.wav")
    with pytest.raises(RealtalkError, match="can't be written"):
        write_audio(opened, inspect(opened, "11aa00")["clip"], tmp_path / "none" / "out.flac")


def test_audio_that_is_damaged_is_one_line(dataset: Path, tmp_path: Path) -> None:
    opened = open_dataset(str(dataset))
    row = inspect(opened, "11aa00")["clip"]
    (dataset / "clips" / f"{row['episode_id']}.parquet").write_bytes(b"no parquet")
    with pytest.raises(RealtalkError) as caught:
        write_audio(opened, row, tmp_path / "out.flac")
    assert f"clips/{row['episode_id']}.parquet: can't be read (" in str(caught.value)
    assert str(caught.value).endswith("; run realtalk build to make it anew")


def test_the_audio_of_a_chosen_clip_is_found_in_the_shards(dataset: Path, tmp_path: Path) -> None:
    row = {"id": "22cc00", "audio": {"bytes": flac(1.0), "path": "22cc00.flac"}}
    write(dataset / "data" / "train-00000-of-00001.parquet", [row], audio_schema(24_000))
    opened = open_dataset(str(dataset))
    write_audio(opened, inspect(opened, "22cc00")["clip"], tmp_path / "out.flac")
    assert soundfile.info(tmp_path / "out.flac").duration == pytest.approx(1.0)


class TestCommand:
    @pytest.mark.parametrize("arguments", [[""], ["11aa00", "--audio", "x.wav"]])
    def test_wrong_use_is_2(self, arguments: list[str], dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["inspect", str(dataset), *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1

    def test_a_clip_as_a_table(self, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["inspect", str(dataset), "11bb"]) == 0
        out = capsys.readouterr().out
        for said in ("It cost $3.50.", "rejected", "dnsmos_ovrl 2.41 < 2.80", "0:04.00 to 0:06.00", "cc-by-4.0", "S1"):
            assert said in out

    def test_an_episode_as_a_table(self, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["inspect", str(dataset), "guid two"]) == 0
        assert "decode: not-media" in capsys.readouterr().out

    def test_words_of_a_feed_do_not_steer_the_terminal(self, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["inspect", str(dataset), FIRST]) == 0
        out = capsys.readouterr().out
        assert "red" in out
        assert "\x1b" not in out

    def test_json_holds_the_whole_row(self, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["inspect", str(dataset), "11aa", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["clip"]["dnsmos_ovrl"] == 2.41

    def test_audio_is_of_a_clip(self, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["inspect", str(dataset), FIRST, "--audio", str(tmp_path / "x.flac")]) == 2
        assert "is an episode; name one of its clips" in capsys.readouterr().err
        assert main(["inspect", str(dataset), "11aa", "--audio", str(tmp_path / "x.flac")]) == 0
        assert (tmp_path / "x.flac").exists()

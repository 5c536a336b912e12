"""Lists of trainers, read by the trainers' own rules (re-implemented here: their packages are heavy)."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import soundfile
from export_dataset import BAR, PLAIN, QUOTED, clip, samples, usual_shards, write_dataset

from pipeline.export.formats import ExportFormat
from pipeline.export.run import Exported, run_export

TEXTS = {"aa01": PLAIN, "aa02": QUOTED, "aa03": BAR, "bb01": PLAIN, "cc01": 'He said "no".', "dd01": "Ça ira, “déjà”."}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("readings") / "readings", usual_shards())


def exported(dataset: Path, to: str, out: Path) -> tuple[Exported, dict[str, str]]:
    """The export, and why each clip was refused."""
    result = run_export(str(dataset), ExportFormat(to), str(out))
    return result, dict(result.refused)


def coqui_ljspeech(root: Path, meta_file: str) -> list[dict[str, str]]:
    """As TTS.tts.datasets.formatters.ljspeech."""
    items = []
    with open(root / meta_file, encoding="utf-8") as lines:
        for line in lines:
            cols = line.split("|")
            items.append({"text": cols[2], "audio_file": str(root / "wavs" / f"{cols[0]}.wav"), "raw": cols[1]})
    return items


def piper_rows(root: Path, meta_file: str) -> list[tuple[str, str]]:
    """As Piper's ljspeech_dataset: two columns are a file and a text."""
    with open(root / meta_file, encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="|"))
    assert all(len(row) == 2 for row in rows)
    return [(str(root / "wavs" / row[0]), row[-1]) for row in rows]


def f5_pairs(meta_file: Path) -> list[tuple[str, str]]:
    """As read_audio_text_pairs of F5-TTS's prepare_csv_wavs.py."""
    pairs = []
    with open(meta_file, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter="|")
        next(reader)
        for row in reader:
            if len(row) >= 2:
                pairs.append(((meta_file.parent / row[0].strip()).as_posix(), row[1].strip()))
    return pairs


def coqui_coqui(root: Path, meta_file: str) -> list[dict[str, Any]]:
    """As TTS.tts.datasets.formatters.coqui, which reads XTTS's lists."""
    metadata = pandas.read_csv(root / meta_file, sep="|")
    assert all(column in metadata.columns for column in ("audio_file", "text"))
    return [
        {"text": row.text, "audio_file": str(root / row.audio_file), "speaker_name": row.speaker_name}
        for row in metadata.itertuples()
    ]


def styletts2_rows(root: Path, list_file: str) -> list[tuple[str, str, int]]:
    """As FilePathDataset of StyleTTS 2, with its root_path at wavs/."""
    with open(root / list_file, encoding="utf-8", errors="ignore") as file:
        rows = [line.strip().split("|") for line in file.readlines()]
    return [(str(root / "wavs" / path), text, int(speaker)) for path, text, speaker in rows]


def is_whole(path: str, rate: int) -> bool:
    info = soundfile.info(path)
    return (info.format, info.subtype, info.samplerate) == ("WAV", "PCM_16", rate) and abs(info.duration - 1.5) < 1e-3


def test_ljspeech(dataset: Path, tmp_path: Path) -> None:
    result, refused = exported(dataset, "ljspeech", tmp_path / "out")
    assert refused.keys() == {"aa03", "bb02"}, "cut at every bar, at every newline"
    assert BAR in refused["aa03"]
    assert "line break" in refused["bb02"]
    train = coqui_ljspeech(result.out, "metadata.csv")
    assert [item["raw"] for item in train] == [PLAIN, QUOTED, PLAIN]
    assert [item["text"].strip() for item in train] == ["it cost three dollars"] * 3
    assert all(is_whole(item["audio_file"], 24_000) for item in train)
    assert [item["raw"] for item in coqui_ljspeech(result.out, "metadata_validation.csv")] == [TEXTS["cc01"]]
    assert [item["raw"] for item in coqui_ljspeech(result.out, "metadata_test.csv")] == [TEXTS["dd01"]]
    assert (result.count, result.seconds) == (5, 7.5)


def test_audio_of_the_rate_asked_for_is_the_same_sample_for_sample(dataset: Path, tmp_path: Path) -> None:
    result, _ = exported(dataset, "ljspeech", tmp_path / "out")
    pcm, rate = soundfile.read(result.out / "wavs" / "aa01.wav", dtype="int16")
    assert rate == 24_000
    assert np.array_equal(pcm, samples(1.5, 24_000))
    resampled, _ = soundfile.read(result.out / "wavs" / "bb01.wav", dtype="int16")
    assert np.abs(resampled[2000:-2000] - samples(1.5, 24_000)[2000:-2000].astype(int)).max() < 40


def test_another_rate(dataset: Path, tmp_path: Path) -> None:
    result = run_export(str(dataset), ExportFormat.LJSPEECH, str(tmp_path / "out"), 16_000)
    assert is_whole(str(result.out / "wavs" / "aa01.wav"), 16_000)
    pcm, _ = soundfile.read(result.out / "wavs" / "bb01.wav", dtype="int16")
    assert np.array_equal(pcm, samples(1.5, 16_000))


def test_piper(dataset: Path, tmp_path: Path) -> None:
    result, refused = exported(dataset, "piper", tmp_path / "out")
    assert refused.keys() == {"bb02"}, "its reader knows quotes, so a bar comes back"
    rows = piper_rows(result.out, "metadata.csv")
    assert {Path(path).stem: text for path, text in rows} == {k: TEXTS[k] for k in ("aa01", "aa02", "aa03", "bb01")}
    assert all(is_whole(path, 22_050) for path, _ in rows)


def test_f5(dataset: Path, tmp_path: Path) -> None:
    result, refused = exported(dataset, "f5", tmp_path / "out")
    assert refused.keys() == {"bb02"}
    rows = f5_pairs(result.out / "metadata.csv")
    assert {Path(path).stem: text for path, text in rows} == {k: TEXTS[k] for k in ("aa01", "aa02", "aa03", "bb01")}
    assert all(Path(path).is_absolute() and is_whole(path, 24_000) for path, _ in rows)
    assert (result.out / "metadata.csv").read_text().startswith("audio_file|text\n")


def test_f5_takes_clips_of_0_3_to_30_s(tmp_path: Path) -> None:
    rows = [clip("a", seconds=0.25), clip("b", seconds=0.3), clip("c", seconds=30.5)]
    _, refused = exported(write_dataset(tmp_path / "d", [("train", rows)]), "f5", tmp_path / "out")
    assert refused == {
        "a": "it is 0.25 s long, and F5-TTS takes 0.3 to 30 s",
        "c": "it is 30.50 s long, and F5-TTS takes 0.3 to 30 s",
    }


def test_xtts(dataset: Path, tmp_path: Path) -> None:
    result, refused = exported(dataset, "xtts", tmp_path / "out")
    assert refused.keys() == {"bb02"}
    rows = coqui_coqui(result.out, "metadata_train.csv")
    assert {Path(row["audio_file"]).stem: row["text"] for row in rows} == {
        name: TEXTS[name] for name in ("aa01", "aa02", "aa03", "bb01")
    }
    assert {row["speaker_name"] for row in rows} == {"Host"}
    assert all(is_whole(row["audio_file"], 22_050) for row in rows)
    assert [row["text"] for row in coqui_coqui(result.out, "metadata_eval.csv")] == [TEXTS["cc01"]]


@pytest.mark.parametrize("text", ["NA", "null", "1984", "1e5", "True", "nan", "infinity"])
def test_xtts_refuses_what_pandas_takes_for_no_text(text: str, tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "d", [("train", [clip("a", text), clip("b")])])
    _, refused = exported(path, "xtts", tmp_path / "out")
    assert refused == {"a": f"pandas, by which XTTS reads, takes {text!r} for a number or for nothing"}


def test_styletts2(dataset: Path, tmp_path: Path) -> None:
    result, refused = exported(dataset, "styletts2", tmp_path / "out")
    assert refused.keys() == TEXTS.keys() - {"aa01", "bb01"} | {"bb02"}
    assert "has no phones" in refused["aa02"]
    rows = styletts2_rows(result.out, "train_list.txt")
    assert [(text, speaker) for _, text, speaker in rows] == [("ɪt kɔːst θɹiː.", 0)] * 2
    assert all(is_whole(path, 24_000) for path, _, _ in rows)


def test_styletts2_keeps_punctuation_and_names_a_word_without_phones(tmp_path: Path) -> None:
    from pipeline.export.clips import RefusedError
    from pipeline.export.styletts2 import ipa

    words = [{"text": "“It", "start": 0.0, "end": 0.5}, {"text": "—", "start": 0.5, "end": 0.5}]
    words.append({"text": "is?”", "start": 0.5, "end": 1.0})
    phones = [{"symbol": s, "start": i / 4, "end": (i + 1) / 4} for i, s in enumerate(["IH", "T", "IH", "Z"])]
    assert ipa(words, phones) == "“ɪt — ɪz?”"
    with pytest.raises(RefusedError, match="its word 'is\\?”' has no phones"):
        ipa(words, phones[:2])
    with pytest.raises(RefusedError, match=r"phone Z at 2\.05 s is in no word"):
        ipa(words, [{"symbol": "Z", "start": 2.0, "end": 2.1}])


def test_styletts2_parts_what_is_written_as_one_word() -> None:
    from pipeline.export.styletts2 import spoken_parts

    phones = [
        "TH",
        "R",
        "IY",
        "HH",
        "AH",
        "N",
        "D",
        "R",
        "AH",
        "D",
        "F",
        "IH",
        "F",
        "T",
        "IY",
        "D",
        "AA",
        "L",
        "ER",
        "Z",
    ]
    assert ["".join(part) for part in spoken_parts("$350,", phones)] == ["THRIY", "HHAHNDRAHD", "FIHFTIY", "DAALERZ"]
    assert spoken_parts("$350", ["B"]) == [["B"]], "as one where the dictionary says otherwise"


def test_nemo(dataset: Path, tmp_path: Path) -> None:
    result, refused = exported(dataset, "nemo", tmp_path / "out")
    assert not refused, "JSON holds any text"
    with open(result.out / "train_manifest.json", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert {Path(row["audio_filepath"]).stem: row["text"] for row in rows} == {
        **{name: TEXTS[name] for name in ("aa01", "aa02", "aa03", "bb01")},
        "bb02": "One\ntwo.",
    }
    assert all(soundfile.info(row["audio_filepath"]).duration == row["duration"] for row in rows)


@pytest.mark.parametrize("to", [to.value for to in ExportFormat if to.value in ("ljspeech", "piper", "f5", "xtts")])
@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", "a\x00b", "a\rb", " a", "a ", "\x0b"])
def test_text_that_would_not_come_back_is_refused_by_name(to: str, text: str, tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "d", [("train", [clip("a", text), clip("b")])])
    result, refused = exported(path, to, tmp_path / "out")
    assert refused.keys() == {"a"}
    assert "\n" not in refused["a"]
    assert not (result.out / "wavs" / "a.wav").exists()

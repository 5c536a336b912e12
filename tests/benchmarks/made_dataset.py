"""A dataset of made-up candidates in the real schema, ready to be chosen from and audited: its size is what matters.

Text, words and phones are as long as those of five seconds of speech, their scores and fingerprints drawn at random.
The audio is real FLAC, of two seconds where nothing else is said, short so that 100,000 clips fit a disk; a number in
each keeps it apart.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile

from pipeline.config import Config, parse_config
from pipeline.ready import EPISODES_NAME
from schemas.clip import PHONE_TYPE, WORD_TYPE, candidate_schema
from schemas.manifest import FileRecord, Manifest, Totals, manifest_bytes
from schemas.tables import EPISODE_SCHEMA
from transforms.shards import file_record, write_clips, write_table
from transforms.text.pronunciation import Pronouncer

RATE = 24_000
SECONDS = 2.0
CONFIG = "name: made\nsources: [{files: x}]\nspeaker: {name: Host, auto: true}\n"
_WORDS_A_CLIP, _LANDMARKS_A_CLIP, _SOUNDS = 14, 35, 64
_TEXT = """
the forms of printed letters should be beautiful and their arrangement on the page reasonable we kept the old machine in
the kitchen for eleven months and it listened to the kettle nobody knows why seven people walked across the frozen river
yesterday morning two people did and their tapes stayed empty until the following winter he said that a voice belongs to
the one who speaks and to nobody else
"""
# Mean and deviation of the scores that the default profile has limits on: it keeps four fifths.
_SCORES = {
    "speaker_similarity": (0.85, 0.03), "speaker_purity": (0.9, 0.03), "overlap": (0.0, 0.0),
    "alignment_score": (-3.0, 0.5), "snr_db": (30.0, 7.0), "dnsmos_ovrl": (3.2, 0.25), "dnsmos_sig": (3.6, 0.15),
    "dnsmos_bak": (3.9, 0.15), "loudness_lufs": (-20.0, 2.0), "peak_db": (-3.0, 0.5), "clipped": (0.0, 0.0),
    "bandwidth_hz": (11_000.0, 100.0), "leading_silence": (0.1, 0.01), "trailing_silence": (0.1, 0.01),
    "chars_per_second": (14.0, 1.0), "f0_median_hz": (120.0, 10.0), "coverage": (1.0, 0.0),
}  # fmt: skip

Spoken = list[tuple[str, tuple[str, ...]]]
"""Words and their phones."""


def make_dataset(folder: Path, candidates: int, episodes: int, seconds: float = SECONDS) -> Config:
    """Write a ready dataset of `candidates`, each of so many `seconds`, to a folder: nothing of it is chosen yet."""
    config = parse_config(CONFIG, "dataset.yaml")
    random, sounds = np.random.default_rng(5), [_flac(seed, seconds) for seed in range(_SOUNDS)]
    vocabulary = _vocabulary()
    records: list[FileRecord] = []
    rows = []
    each = candidates // episodes
    for number in range(episodes):
        name = f"{number:016x}"
        table = _candidates(name, each, seconds, config, vocabulary, random)
        ids = table["id"].to_pylist()
        places = {
            "candidates": folder / "candidates" / f"{name}.parquet",
            "clips": folder / "clips" / f"{name}.parquet",
        }
        write_table(places["candidates"], table)
        audio = ((clip, _unlike(sounds[at % _SOUNDS], number * each + at)) for at, clip in enumerate(ids))
        write_clips(places["clips"], audio, RATE)
        records += [file_record(str(path), f"{kind}/{name}.parquet") for kind, path in places.items()]
        rows.append(_episode(name, number, each))
    write_table(folder / EPISODES_NAME, pa.Table.from_pylist(rows, schema=EPISODE_SCHEMA))
    records.append(file_record(str(folder / EPISODES_NAME), EPISODES_NAME))
    (folder / "dataset.yaml").write_text(config.resolved_yaml(), encoding="utf-8")
    whole = each * episodes * seconds
    manifest = Manifest(
        name=config.name,
        sampling_rate=RATE,
        shards=(),
        files=tuple(sorted(records, key=lambda record: record.name)),
        totals=Totals(episodes, 0, whole, whole, each * episodes, whole, 0, 0.0, {}),
        config_hash=config.hash,
        models={"speech": "made up"},
    )
    (folder / "manifest.json").write_bytes(manifest_bytes(manifest))
    return config


def _vocabulary() -> Spoken:
    pronouncer = Pronouncer()
    words = dict.fromkeys(_TEXT.split())
    return [(word, tuple(pronouncer.pronounce(word))) for word in words]


def _candidates(
    episode: str,
    clips: int,
    seconds: float,
    config: Config,
    vocabulary: Spoken,
    random: np.random.Generator,
) -> pa.Table:
    spoken = [[vocabulary[at] for at in row] for row in random.integers(0, len(vocabulary), (clips, _WORDS_A_CLIP))]
    texts = [" ".join(word for word, _ in clip) for clip in spoken]
    starts = np.arange(clips) * 7.0
    marks = random.integers(0, 1 << 32, (clips, _LANDMARKS_A_CLIP))
    columns: dict[str, Any] = {
        "id": [f"{int(episode, 16):04x}{at:012x}" for at in range(clips)],
        "text": [f"{text.capitalize()}." for text in texts],
        "spoken": texts,
        "words": pa.array([list(_words(clip, seconds, random)) for clip in spoken], pa.list_(WORD_TYPE)),
        "phones": pa.array([list(_phones(clip, seconds)) for clip in spoken], pa.list_(PHONE_TYPE)),
        "duration": np.full(clips, seconds),
        "start": starts,
        "end": starts + seconds,
        "fingerprint": ["".join(f"{14 * at:04x}{code:08x}" for at, code in enumerate(row)) for row in marks.tolist()],
        **{name: random.normal(mean, deviation, clips) for name, (mean, deviation) in _SCORES.items()},
    }
    constants: Mapping[str, Any] = {
        "sampling_rate": RATE,
        "split": "train",
        "episode_id": episode,
        "episode_guid": f"guid-{episode}",
        "source_url": f"https://example.org/{episode}.mp3",
        "recording_sha256": 4 * episode,
        "speaker": "Host",
        "transcript_source": "publisher:vtt",
        "upsampled": False,
        "license": "cc-by-4.0",
        "license_source": "item podcast:license",
        "consent_id": "",
        "config_hash": config.hash,
        "models": '{"speech":"made up"}',
        "duplicate_of": "",
        "verdict": "kept",
        "tier": "default",
    }
    columns |= {name: [value] * clips for name, value in constants.items()}
    schema = candidate_schema()
    arrays = [_array(columns.get(field.name, [None] * clips), field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _words(
    clip: list[tuple[str, tuple[str, ...]]], seconds: float, random: np.random.Generator
) -> Iterator[dict[str, Any]]:
    step = seconds / len(clip)
    for at, ((word, _), score) in enumerate(zip(clip, random.normal(-3, 1, len(clip)).tolist(), strict=True)):
        yield {"text": word, "start": at * step, "end": (at + 1) * step, "score": score}


def _phones(clip: Spoken, seconds: float) -> Iterator[dict[str, Any]]:
    symbols = [phone for _, phones in clip for phone in phones]
    step = seconds / len(symbols)
    for at, symbol in enumerate(symbols):
        yield {"symbol": symbol, "start": at * step, "end": (at + 1) * step}


def _episode(name: str, number: int, clips: int) -> dict[str, Any]:
    return {
        **dict.fromkeys(EPISODE_SCHEMA.names),
        "episode_id": name,
        "source_url": f"https://example.org/{name}.mp3",
        "recording_sha256": 4 * name,
        "published": f"2026-01-01T{number // 60 % 24:02d}:{number % 60:02d}:00Z",
        "state": "done",
        "seconds": 7.0 * clips,
    }


def _flac(seed: int, seconds: float) -> bytes:
    """Some seconds of something as hard to compress as speech."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * tone * time) / (at + 1) for at, tone in enumerate(random.uniform(100, 4000, 12)))
    samples = 0.1 * np.abs(np.sin(3 * np.pi * time)) * tones + random.normal(0, 0.0005, len(time))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _unlike(flac: bytes, number: int) -> bytes:
    """The same audio with a block of metadata after STREAMINFO that holds a number (RFC 9639, section 8.4)."""
    content = b"test" + number.to_bytes(8, "big")
    after = 4 + 4 + 34
    return flac[:after] + b"\x02" + len(content).to_bytes(3, "big") + content + flac[after:]

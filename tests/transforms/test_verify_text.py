"""Verifying text: which clips are verified, what becomes of the rest."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from schemas.clip import candidate_schema
from schemas.episode import Episode
from schemas.recording import Recording
from schemas.state import Candidates, Captions, EpisodeState
from schemas.text import Caption
from schemas.verdict import PERMISSIVE, judge, thresholds_from
from transforms.clip_stages import VerifyText
from transforms.models.base import MODEL_RATE, Samples, TextVerifier
from transforms.one_model import OneModel
from transforms.store import Store

GOOD: dict[str, Any] = {
    "spoken": "hello there", "transcript_source": "publisher:vtt", "duplicate_of": "", "upsampled": False,
    "start": 1.0, "end": 3.5, "duration": 2.5, "speaker_similarity": 0.9, "speaker_purity": 0.8, "overlap": 0.0,
    "coverage": 1.0, "chars_per_second": 15.0, "snr_db": 30.0, "dnsmos_ovrl": 3.0, "dnsmos_sig": 3.3, "dnsmos_bak": 3.8,
    "loudness_lufs": -20.0, "clipped": 0.0, "bandwidth_hz": 9000.0, "leading_silence": 0.1, "trailing_silence": 0.1,
}  # fmt: skip


class Heard(TextVerifier):
    """Says how much audio, how many words and how many sentences it was given."""

    identity = "heard:1"

    def score(self, samples: Samples, words: Sequence[str], talk: Sequence[str]) -> float:
        return len(samples) / MODEL_RATE / 10 + len(words) / 100 + len(talk) / 1000


def test_only_clips_that_some_profile_would_choose_are_verified(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "talk.flac", np.zeros(MODEL_RATE * 5, np.float32), MODEL_RATE)
    recording = Recording(str(tmp_path / "talk.flac"), "0" * 64, 5.0, MODEL_RATE, MODEL_RATE, 1)
    rows = [GOOD, {**GOOD, "speaker_similarity": 0.1}, {**GOOD, "transcript_source": "recognised:pocketsphinx"}]
    pq.write_table(pa.Table.from_pylist(rows, schema=candidate_schema()), tmp_path / "scores.parquet")
    candidates = Candidates(str(tmp_path / "scores.parquet"), str(tmp_path / "audio.parquet"), len(rows), 7.5)
    episode = Episode(id="e", guid="e", feed_guid="f", source_url="e.mp3")
    keys = {"candidates": "c", "captions": "d"}
    captions = Captions((Caption("Hello there."), Caption("It is 5 o'clock.")), "vtt")
    state = EpisodeState(episode, recording=recording, captions=captions, candidates=candidates, keys=keys)
    store = Store(str(tmp_path / "out"))
    stage = VerifyText(OneModel(Heard))
    key = stage.key(state)
    done = stage.apply(state, stage.work(state, key, store), key)
    assert done.candidates is not None
    assert done.candidates.audio_path == candidates.audio_path
    table = pq.read_table(done.candidates.scores_path, partitioning=None)
    assert table["text_score"].to_pylist() == [0.272, None, None]
    assert table.schema.names == candidate_schema().names


def test_what_was_too_poor_to_be_verified_is_not_chosen_for_its_text() -> None:
    loose = thresholds_from({"speaker_similarity": 0.0})
    poor = {**GOOD, "speaker_similarity": 0.1, "text_score": None}
    assert judge(poor, loose).kept, "where no text was verified"
    verified = {**poor, "models": '{"verifier": "v"}'}
    assert judge(verified, loose).reasons == ("text_score missing",)
    assert judge(verified, replace(loose, text_score=None)).kept
    assert judge({**verified, "clipped": 0.5}, loose).reasons == judge({**poor, "clipped": 0.5}, loose).reasons
    heard = {**verified, "transcript_source": "recognised:whisper"}
    assert judge(heard, loose).kept, "a recogniser's own text is never verified"


def test_other_limits_on_what_is_verified_are_another_result() -> None:
    episode = Episode(id="e", guid="e", feed_guid="f", source_url="e.mp3")
    state = EpisodeState(episode, keys={"candidates": "c", "captions": "d"})
    looser = replace(PERMISSIVE, overlap=None)
    assert VerifyText(OneModel(Heard)).key(state) != VerifyText(OneModel(Heard), looser).key(state)

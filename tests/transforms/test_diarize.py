"""Who speaks when, on talks of chords whose truth is exact."""

from pathlib import Path

import numpy as np
import pytest
from synthetic_voices import ChordEmbedder, Talk

from schemas.errors import EpisodeError
from schemas.recording import Recording
from schemas.turn import Diarization, Span
from transforms.diarize import DiarizeSettings, crossing, diarize, nearest
from transforms.windows import NOBODY, load_windows

SETTINGS = DiarizeSettings()
# A talk of three; pauses of 0.4 s between turns.
THREE = [(1, 1.0, 7.0), (5, 7.4, 12.0), (1, 12.4, 17.0), (9, 17.4, 24.0), (5, 24.4, 29.0), (1, 29.4, 36.0)]


def heard(folder: Path, talk: list[tuple[int, float, float]], speech: tuple[Span, ...] | None = None) -> Diarization:
    recording = Talk(talk).write(folder / "talk.flac")
    spans = (
        speech if speech is not None else tuple(Span(start, end) for _, start, end in sorted(talk, key=lambda t: t[1]))
    )
    return diarize(recording, spans, ChordEmbedder(), SETTINGS, folder / "windows.npz")


def test_the_number_of_speakers_and_their_turns_come_out(tmp_path: Path) -> None:
    found = heard(tmp_path, THREE)
    assert [cluster.speaker for cluster in found.clusters] == ["S0", "S1", "S2"]
    # Named by speaking time: voice 1 speaks for 17 s, voice 5 for 9, voice 9 for 7.
    names = {1: "S0", 5: "S1", 9: "S2"}
    assert [turn.speaker for turn in found.turns] == [names[voice] for voice, _, _ in THREE]
    for turn, (_, start, end) in zip(found.turns, THREE, strict=True):
        assert turn.start == pytest.approx(start, abs=0.06)
        assert turn.end == pytest.approx(end, abs=0.06)
    assert found.clusters[0].seconds == pytest.approx(17.2, abs=0.3)
    assert found.overlaps == ()


def test_boundaries_are_finer_than_the_hop_where_the_speech_has_no_gaps(tmp_path: Path) -> None:
    # The detector heard one long stretch, as it does over music; there are no pauses either.
    talk = [(1, 1.0, 7.13), (5, 7.13, 13.31), (1, 13.31, 20.0)]
    found = heard(tmp_path, talk, (Span(1.0, 20.0),))
    assert [turn.speaker for turn in found.turns] == ["S0", "S1", "S0"]
    for turn, (_, start, _) in zip(found.turns, talk, strict=True):
        assert turn.start == pytest.approx(start, abs=0.15)


def test_a_change_moves_to_the_pause_beside_it(tmp_path: Path) -> None:
    talk = [(1, 1.0, 7.0), (5, 7.2, 13.0)]
    found = heard(tmp_path, talk, (Span(1.0, 13.0),))
    assert found.turns[0].end == pytest.approx(7.0, abs=0.03)
    assert found.turns[1].start == pytest.approx(7.2, abs=0.03)
    assert found.overlaps == ()


def test_where_voices_overlap_both_are_taken_to_be_heard(tmp_path: Path) -> None:
    talk = [(1, 1.0, 8.0), (5, 7.4, 14.0), (1, 14.5, 20.0)]
    found = heard(tmp_path, talk, (Span(1.0, 14.0), Span(14.5, 20.0)))
    assert len(found.overlaps) == 1
    overlap = found.overlaps[0]
    assert overlap.start < 7.7 < overlap.end
    assert found.turns[0].overlap > 0
    assert found.turns[2].overlap == 0


def test_windows_on_disk_go_with_the_clusters(tmp_path: Path) -> None:
    found = heard(tmp_path, THREE)
    windows = load_windows(found.windows_path)
    assert windows.embedding.shape == (len(windows), 16)
    inside = np.flatnonzero((windows.start > 18.0) & (windows.end < 23.0))
    assert set(windows.speaker[inside].tolist()) == {2}
    centroid = np.array(found.clusters[2].centroid)
    assert np.all(windows.embedding[inside] @ centroid > 0.95)
    assert windows.levels[300] > -40
    assert windows.speaker.min() >= NOBODY


def test_the_same_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir(), other.mkdir()
    first, second = heard(one, THREE), heard(other, THREE)
    assert first.turns == second.turns
    assert first.clusters == second.clusters
    assert Path(first.windows_path).read_bytes() == Path(second.windows_path).read_bytes()


def test_a_recording_is_listened_to_in_stretches(tmp_path: Path) -> None:
    recording = Talk([(1, 0.5, 150.0), (5, 150.5, 200.0)]).write(tmp_path / "long.flac")
    embedder = ChordEmbedder()
    found = diarize(recording, (Span(0.5, 200.0),), embedder, SETTINGS, tmp_path / "windows.npz")
    assert len(found.clusters) == 2
    assert embedder.longest <= 62 * 16_000


def test_a_short_span_is_heard_too(tmp_path: Path) -> None:
    talk = [(1, 1.0, 9.0), (5, 10.6, 11.0), (1, 12.6, 20.0), (5, 21.0, 27.0)]
    found = heard(tmp_path, talk)
    assert [turn.speaker for turn in found.turns] == ["S0", "S1", "S0", "S1"]


def test_what_is_like_no_voice_is_nobody(tmp_path: Path) -> None:
    # A second of another sound is too little to be a voice.
    talk = [(1, 1.0, 9.0), (14, 11.0, 12.0), (1, 14.0, 22.0)]
    found = heard(tmp_path, talk)
    assert {turn.speaker for turn in found.turns} == {"S0"}
    assert not any(turn.start < 12.0 and turn.end > 11.0 for turn in found.turns)


def test_no_speech_no_turns(tmp_path: Path) -> None:
    found = heard(tmp_path, THREE, ())
    assert (found.turns, found.clusters, found.overlaps) == ((), (), ())
    assert len(load_windows(found.windows_path)) == 0


def test_one_short_word_is_one_speaker(tmp_path: Path) -> None:
    found = heard(tmp_path, [(1, 1.0, 1.4)])
    assert [turn.speaker for turn in found.turns] == ["S0"]


def test_unreadable_recording_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "bad.flac").write_bytes(b"fLaC no more")
    recording = Recording(str(tmp_path / "bad.flac"), "0" * 64, 10.0, 16_000, 16_000, 1)
    with pytest.raises(EpisodeError, match=r"recording-unreadable: .*bad\.flac.*build again"):
        diarize(recording, (Span(1.0, 5.0),), ChordEmbedder(), SETTINGS, tmp_path / "windows.npz")
    assert not (tmp_path / "windows.npz").exists()


def test_crossing_is_where_the_line_between_two_margins_meets_zero() -> None:
    assert crossing(np.array([1.0, 2.0]), np.array([0.3, -0.1], np.float32)) == pytest.approx(1.75)
    assert crossing(np.array([1.0, 2.0]), np.array([0.3, 0.1], np.float32)) == 1.5


def test_nearest_pause_within_reach() -> None:
    pauses = [Span(1.0, 1.2), Span(3.0, 3.4), Span(5.0, 5.1)]
    assert nearest(pauses, 3.2, 0.1) == pauses[1]
    assert nearest(pauses, 1.4, 0.3) == pauses[0]
    assert nearest(pauses, 4.8, 0.3) == pauses[2]
    assert nearest(pauses, 2.1, 0.3) is None
    assert nearest([], 2.1, 0.3) is None

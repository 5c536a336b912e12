"""A recording in pieces: its voices linked again, on talks of chords that a fake model tells apart without fault."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from synthetic_voices import BANDS, ChordEmbedder, Talk

from schemas.errors import EpisodeError
from schemas.recording import Recording
from schemas.turn import Diarization, Span
from transforms.diarize_pieces import Piece, PieceSettings, PieceTurn, diarize_pieces, linked, piece_spans
from transforms.models.base import MODEL_RATE, Samples, Segmented, SpeakerEmbedder, SpeakerSegmenter
from transforms.windows import NOBODY, load_windows

SETTINGS = PieceSettings(linked=0.8, piece=30.0, shared=6.0)
TALK = [
    (1, 1.0, 9.0), (5, 9.5, 16.0), (1, 16.2, 24.0), (9, 24.5, 33.0), (5, 32.0, 41.0), (1, 42.0, 50.0),
    (9, 50.5, 58.0), (5, 58.2, 66.0), (1, 66.4, 80.0), (5, 79.0, 88.0),
]  # fmt: skip
_FRAME = 1600


class ChordSegmenter(SpeakerSegmenter):
    """Tells chords apart by their bands, numbers them in a piece by their pitch; remembers the longest piece."""

    def __init__(self) -> None:
        self.longest = 0

    @property
    def identity(self) -> str:
        return "chords"

    @property
    def embedder(self) -> SpeakerEmbedder:
        return ChordEmbedder()

    def segment(self, samples: Samples) -> Segmented:
        self.longest = max(self.longest, len(samples))
        frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
        power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)) ** 2
        bands = np.stack([part.sum(axis=1) for part in np.array_split(power[:, 10:], BANDS, axis=1)], axis=1)
        active = bands > 200.0
        voices = np.flatnonzero(active.any(axis=0))
        step = _FRAME / MODEL_RATE
        turns = [
            (start * step, end * step, number)
            for number, voice in enumerate(voices)
            for start, end in runs(active[:, voice])
        ]
        overlaps = tuple(Span(start * step, end * step) for start, end in runs(active.sum(axis=1) > 1))
        return Segmented(tuple(sorted(turns)), overlaps, np.eye(BANDS, dtype=np.float32)[voices])


def runs(active: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def heard(folder: Path, settings: PieceSettings, segmenter: ChordSegmenter | None = None) -> Diarization:
    recording = Talk(TALK).write(folder / "talk.flac")
    return diarize_pieces(recording, segmenter or ChordSegmenter(), settings, folder / "windows.npz")


def test_pieces_give_the_same_speakers_as_the_whole(tmp_path: Path) -> None:
    whole = heard(tmp_path, PieceSettings(linked=0.8))
    pieces = heard(tmp_path, SETTINGS)
    assert [turn.speaker for turn in pieces.turns] == [turn.speaker for turn in whole.turns]
    for one, other in zip(pieces.turns, whole.turns, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=0.11)
    assert [cluster.speaker for cluster in pieces.clusters] == ["S0", "S1", "S2"]
    for one, other in zip(pieces.clusters, whole.clusters, strict=True):
        assert np.dot(one.centroid, other.centroid) > 0.99
    assert len(pieces.overlaps) == len(whole.overlaps) == 2


def test_turns_and_overlaps_are_those_of_the_talk(tmp_path: Path) -> None:
    found = heard(tmp_path, SETTINGS)
    names = {1: "S0", 5: "S1", 9: "S2"}
    assert [turn.speaker for turn in found.turns] == [names[voice] for voice, _, _ in TALK]
    for turn, (_, start, end) in zip(found.turns, TALK, strict=True):
        assert (turn.start, turn.end) == pytest.approx((start, end), abs=0.11)
    assert found.overlaps == (Span(pytest.approx(32.0, abs=0.11), pytest.approx(33.0, abs=0.11)),
                              Span(pytest.approx(79.0, abs=0.11), pytest.approx(80.0, abs=0.11)))  # fmt: skip
    assert found.turns[3].overlap == pytest.approx(1 / 8.5, abs=0.03)


def test_no_piece_is_longer_than_it_may_be(tmp_path: Path) -> None:
    segmenter = ChordSegmenter()
    heard(tmp_path, SETTINGS, segmenter)
    assert segmenter.longest <= 30.01 * MODEL_RATE


def test_windows_know_who_speaks_in_them(tmp_path: Path) -> None:
    found = heard(tmp_path, SETTINGS)
    windows = load_windows(found.windows_path)
    by_name = {cluster.speaker: index for index, cluster in enumerate(found.clusters)}
    in_turn = (windows.middle > 67.5) & (windows.middle < 78.5)
    assert set(windows.speaker[in_turn].tolist()) == {by_name["S0"]}
    # Where two speak at once a window is neither's.
    assert set(windows.speaker[(windows.middle > 79.1) & (windows.middle < 79.9)].tolist()) == {NOBODY}
    assert np.linalg.norm(windows.embedding.astype(np.float32), axis=1) == pytest.approx(1.0, abs=1e-2)


@pytest.mark.parametrize("duration", [0.5, 59.0, 1200.0, 1200.5, 3600.0, 21600.0])
def test_pieces_cover_the_recording_and_share_what_they_should(duration: float) -> None:
    spans = piece_spans(duration, PieceSettings(linked=0.8))
    assert spans[0].start == 0.0
    assert spans[-1].end == duration
    assert all(span.duration <= 1200.02 for span in spans)
    for one, other in itertools.pairwise(spans):
        assert one.end - other.start == pytest.approx(60.0, abs=0.02)


def piece(start: float, end: float, turns: list[tuple[float, float, int]], centroids: list[list[float]]) -> Piece:
    rows = np.array(centroids, np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Piece(Span(start, end), tuple(PieceTurn(*turn) for turn in turns), (), rows)


def test_two_voices_of_one_piece_are_never_one() -> None:
    # Both of the second piece are nearest to the only one of the first.
    first = piece(0, 30, [(0, 10, 0)], [[1, 0, 0]])
    second = piece(24, 54, [(34, 40, 0), (40, 54, 1)], [[1, 0.1, 0], [1, 0.2, 0]])
    turns, _, centroids = linked([first, second], SETTINGS)
    assert len(centroids) == 2
    assert turns[0].voice == turns[1].voice != turns[2].voice


def test_what_both_pieces_hear_links_voices_that_sound_unlike() -> None:
    first = piece(0, 30, [(0, 10, 1), (24, 30, 0)], [[1, 0, 0], [0, 1, 0]])
    second = piece(24, 54, [(24, 34, 0), (40, 54, 1)], [[0.5, 1, 0], [0, 0, 1]])
    turns, _, centroids = linked([first, second], SETTINGS)
    # The turn across the cut is one, of the voice that both hear there, though its centroid is nearer to another.
    assert [(turn.start, turn.end) for turn in turns] == [(0, 10), (24, 34), (40, 54)]
    assert len(centroids) == 3


def test_unlike_voices_stay_apart_and_a_voice_comes_back_pieces_later() -> None:
    one = piece(0, 30, [(0, 20, 0)], [[1, 0, 0]])
    two = piece(24, 54, [(32, 44, 0)], [[0, 1, 0]])
    three = piece(48, 78, [(56, 70, 0)], [[1, 0.1, 0]])
    turns, _, _ = linked([one, two, three], SETTINGS)
    assert turns[0].voice == turns[2].voice != turns[1].voice


def test_a_voice_without_an_embedding_is_its_own() -> None:
    one = piece(0, 30, [(0, 20, 0)], [[1, 0, 0]])
    two = Piece(Span(24, 54), (PieceTurn(40, 50, 0),), (), np.zeros((1, 3), np.float32))
    turns, _, _ = linked([one, two], SETTINGS)
    assert turns[0].voice != turns[1].voice


def test_a_recording_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    recording = Recording(str(tmp_path / "gone.flac"), "0" * 64, 10.0, MODEL_RATE, MODEL_RATE, 1)
    with pytest.raises(EpisodeError, match=r"recording-unreadable: .*gone.flac"):
        diarize_pieces(recording, ChordSegmenter(), SETTINGS, tmp_path / "windows.npz")


def test_where_nobody_speaks_there_are_no_turns(tmp_path: Path) -> None:
    recording = Talk([]).write(tmp_path / "silence.flac")
    found = diarize_pieces(recording, ChordSegmenter(), SETTINGS, tmp_path / "windows.npz")
    assert (found.turns, found.clusters, found.overlaps) == ((), (), ())

"""The target's spans: nobody else's voice in them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from synthetic_voices import ChordEmbedder, Talk

from schemas.recording import Recording
from schemas.turn import Diarization, Identity, Span, TargetSpeech, Turn
from transforms.audio import read_span
from transforms.diarize import DiarizeSettings, diarize
from transforms.identity import EpisodeVoices, choose_targets, embed_enrolment
from transforms.models.ge2e import Ge2eEmbedder
from transforms.models.webrtc import WebRtcDetector
from transforms.speech import detect_speech
from transforms.target import ClipVoice, TargetSettings, find_target

# Voice 1 is the target, and speaks most: S0.
TALK = [(1, 1.0, 9.0), (5, 9.5, 16.0), (1, 16.5, 24.0), (5, 23.4, 30.0), (1, 30.5, 41.0)]
SPEECH = (Span(1.0, 9.0), Span(9.5, 16.0), Span(16.5, 30.0), Span(30.5, 41.0))


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Diarization:
    folder = tmp_path_factory.mktemp("talk")
    recording = Talk(TALK).write(folder / "talk.flac")
    return diarize(recording, SPEECH, ChordEmbedder(), DiarizeSettings(), folder / "windows.npz")


@pytest.fixture
def identity(talk: Diarization) -> Identity:
    return Identity("Host", talk.clusters[0].centroid, "test")


@pytest.fixture
def found(talk: Diarization, identity: Identity) -> TargetSpeech:
    return find_target(talk, identity, ("S0",), TargetSettings())


def test_every_turn_is_judged_and_the_targets_are_marked(found: TargetSpeech) -> None:
    assert [turn.is_target for turn in found.turns] == [True, False, True, False, True]
    assert all(turn.similarity > 0.9 for turn in found.turns if turn.is_target)
    assert all(turn.similarity < 0.5 for turn in found.turns if not turn.is_target)
    assert found.speaker == "S0"
    assert found.similarity == pytest.approx(1.0, abs=1e-3)


def test_spans_hold_the_target_up_to_the_pauses(found: TargetSpeech) -> None:
    assert len(found.spans) == 3
    assert found.spans[0].start == pytest.approx(1.0, abs=0.06)
    assert found.spans[0].end == pytest.approx(9.0, abs=0.07)
    assert found.spans[2].start == pytest.approx(30.5, abs=0.06)


def test_overlapped_speech_is_left_out(found: TargetSpeech) -> None:
    # From 23.4 s on voice 5 speaks too, without a pause before.
    assert found.spans[1].end <= 23.4
    assert found.spans[1].end > 21.5


def test_what_fine_turns_give_to_others_is_not_the_targets(talk: Diarization, identity: Identity) -> None:
    # Too short for the windows to hear.
    interjected = replace(talk, turns=(*talk.turns, Turn(5.0, 5.3, "S1")))
    assert len(find_target(interjected, identity, ("S0",), TargetSettings()).spans) == 3
    spans = find_target(interjected, identity, ("S0",), TargetSettings(fine_turns=True)).spans
    assert len(spans) == 4
    assert (spans[0].end, spans[1].start) == (5.0, 5.3)


def test_an_episode_without_the_target_has_turns_and_no_spans(talk: Diarization, identity: Identity) -> None:
    found = find_target(talk, identity, (), TargetSettings())
    assert found.spans == ()
    assert found.speaker == ""
    assert len(found.turns) == 5
    assert not any(turn.is_target for turn in found.turns)


def test_a_target_in_two_clusters_is_one_target(talk: Diarization, identity: Identity) -> None:
    found = find_target(talk, identity, ("S0", "S1"), TargetSettings())
    assert all(turn.is_target for turn in found.turns)
    assert found.spans[0].start == pytest.approx(1.0, abs=0.06)
    assert found.spans[-1].end == pytest.approx(41.0, abs=0.06)


def test_a_short_silence_inside_does_not_part_the_targets_speech(tmp_path: Path) -> None:
    talk = [(1, 1.0, 6.0), (1, 6.7, 12.0), (1, 14.0, 20.0), (5, 21.0, 28.0)]
    recording = Talk(talk).write(tmp_path / "talk.flac")
    speech = tuple(Span(start, end) for _, start, end in talk)
    diarization = diarize(recording, speech, ChordEmbedder(), DiarizeSettings(), tmp_path / "windows.npz")
    identity = Identity("Host", diarization.clusters[0].centroid, "test")
    spans = find_target(diarization, identity, ("S0",), TargetSettings()).spans
    # 0.7 s are breath between sentences, 2 s may be anything.
    assert [(round(span.start), round(span.end)) for span in spans] == [(1, 12), (14, 20)]


def test_clips_of_the_target_score_high_and_impure_ones_low(talk: Diarization, identity: Identity) -> None:
    voice = ClipVoice(talk, identity, ("S0",))
    similarity, purity = voice.scores(2.0, 8.0)
    assert similarity > 0.95
    assert purity > 0.95
    # Five good seconds and one of another: the mean hardly shows it, the lowest window does.
    mixed_similarity, mixed_purity = voice.scores(4.0, 11.0)
    assert mixed_purity < 0.2
    assert mixed_similarity > 0.6
    assert voice.scores(11.0, 14.0)[0] < 0.3


def test_the_shortest_clip_has_a_window(talk: Diarization, identity: Identity) -> None:
    similarity, purity = ClipVoice(talk, identity, ("S0",)).scores(4.01, 4.02)
    assert similarity > 0.95
    assert purity > 0.9


def test_without_chosen_clusters_the_identity_stands_for_the_target(talk: Diarization, identity: Identity) -> None:
    assert ClipVoice(talk, identity, ()).scores(2.0, 8.0)[0] > 0.95


def test_no_windows_no_similarity(tmp_path: Path, identity: Identity) -> None:
    recording = Talk(TALK).write(tmp_path / "talk.flac")
    silent = diarize(recording, (), ChordEmbedder(), DiarizeSettings(), tmp_path / "windows.npz")
    assert ClipVoice(silent, identity, ()).scores(1.0, 2.0) == (0.0, 0.0)
    assert find_target(silent, identity, (), TargetSettings()).turns == ()


def test_real_readers_from_speech_to_spans(recordings: Path, tmp_path: Path) -> None:
    """Three readers take turns; the target is known by another sentence of theirs."""
    rate, track, truth = 16_000, [np.zeros(8_000, np.float32)], []
    files = {reader: sorted((recordings / "speech" / reader).glob("*.flac")) for reader in ("1688", "2033", "3080")}
    order = [("1688", 1), ("2033", 0), ("1688", 2), ("3080", 0), ("1688", 3), ("2033", 1), ("1688", 4), ("3080", 1)]
    for reader, number in order:
        said = read_span(files[reader][number], 0.0, 8.0)
        start = sum(map(len, track)) / rate
        truth.append((reader, start, start + len(said) / rate))
        track += [said / max(np.abs(said).max(), 0.1) * 0.5, np.zeros(rate * 3 // 10, np.float32)]
    samples = np.concatenate(track) + np.random.default_rng(0).normal(0, 3e-4, sum(map(len, track))).astype(np.float32)
    path = tmp_path / "talk.flac"
    soundfile.write(path, samples, rate)
    recording = Recording(str(path), "0" * 64, len(samples) / rate, rate, rate, 1)

    embedder = Ge2eEmbedder()
    speech = detect_speech(recording, WebRtcDetector())
    diarization = diarize(recording, speech, embedder, DiarizeSettings(), tmp_path / "windows.npz")
    enrolment = embed_enrolment([(str(files["1688"][0]), None, None)], embedder)
    choice = choose_targets([EpisodeVoices("one", diarization.clusters)], enrolment, "Reader")
    found = find_target(diarization, choice.identity, choice.clusters["one"], TargetSettings())

    mine = [(start, end) for reader, start, end in truth if reader == "1688"]
    total = sum(span.duration for span in found.spans)
    inside = sum(max(0.0, min(span.end, end) - max(span.start, start)) for span in found.spans for start, end in mine)
    assert inside / total > 0.97
    assert inside / sum(end - start for start, end in mine) > 0.75
    voice = ClipVoice(diarization, choice.identity, choice.clusters["one"])
    (_, host_start, host_end), (_, guest_start, guest_end) = truth[2], truth[3]
    assert voice.scores(host_start + 0.5, host_end - 0.5)[1] > 0.5
    assert voice.scores(guest_start + 0.5, guest_end - 0.5)[1] < 0.1

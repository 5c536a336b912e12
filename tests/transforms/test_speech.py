"""Speech: thresholds, silences, pads; windows without a seam; and how much of real speech is found."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from schemas.recording import Recording
from schemas.turn import Span
from transforms.audio import read_span
from transforms.models.base import Samples, SpeechDetector
from transforms.models.silero import SileroDetector
from transforms.models.webrtc import WebRtcDetector
from transforms.speech import SpeechSettings, detect_speech, hysteresis, moving_average, speech_spans

PLAIN = SpeechSettings(
    onset=0.5, offset=0.3, smoothing=0.0, min_silence=0.0, min_speech=0.0, pad_before=0.0, pad_after=0.0
)


def spans(values: list[float], settings: SpeechSettings, frame: float = 0.1) -> list[tuple[float, float]]:
    found = speech_spans(np.array(values, np.float32), frame, len(values) * frame, settings)
    return [(round(span.start, 6), round(span.end, 6)) for span in found]


def test_speech_begins_at_the_onset_and_ends_below_the_offset() -> None:
    assert spans([0.4, 0.5, 0.4, 0.3, 0.29, 0.4, 0.6], PLAIN) == [(0.1, 0.4), (0.6, 0.7)]
    assert hysteresis(np.array([0.4, 0.4], np.float32), 0.5, 0.3).tolist() == [False, False]


def test_short_silences_are_bridged_and_short_speech_is_dropped() -> None:
    values = [1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0.0]
    assert spans(values, SpeechSettings(0.5, 0.3, 0.0, 0.25, 0.0, 0.0, 0.0)) == [(0.0, 0.4), (0.7, 0.8)]
    assert spans(values, SpeechSettings(0.5, 0.3, 0.0, 0.25, 0.2, 0.0, 0.0)) == [(0.0, 0.4)]


def test_pads_stay_inside_the_recording_and_join_what_they_make_touch() -> None:
    values = [1, 0, 0, 0, 1, 0, 1.0]
    padded = SpeechSettings(0.5, 0.3, 0.0, 0.0, 0.0, 0.05, 0.1)
    assert spans(values, padded) == [(0.0, 0.2), (0.35, 0.7)]


def test_the_moving_average_is_centred_and_has_no_edge() -> None:
    values = np.array([0, 0, 3, 0, 0, 1, 1], np.float32)
    assert moving_average(values, 3).tolist() == [0, 1, 1, 1, pytest.approx(1 / 3), pytest.approx(2 / 3), 1]
    assert moving_average(values, 1) is values
    assert moving_average(np.ones(5, np.float32), 100).tolist() == [1] * 5


def test_no_frames_are_no_speech() -> None:
    assert speech_spans(np.zeros(0, np.float32), 0.02, 0.0, SpeechSettings()) == ()
    assert speech_spans(np.zeros(9, np.float32), 0.02, 0.18, SpeechSettings()) == ()


class LoudnessDetector(SpeechDetector):
    """The quick twin of a detector: speech is what is loud. Keeps nothing between blocks, so it has no `stream`."""

    @property
    def identity(self) -> str:
        return "loudness"

    @property
    def frame_seconds(self) -> float:
        return 0.02

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
        return (np.sqrt(np.mean(frames**2, axis=1)) > 0.01).astype(np.float32)


class CountingDetector(LoudnessDetector):
    """Notes the lengths of the blocks it is given."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def stream(self, blocks: Iterable[Samples]) -> Iterator[NDArray[np.float32]]:
        for block in blocks:
            self.lengths.append(len(block))
            yield self.probabilities(block)


@pytest.fixture
def two_tones(tmp_path: Path) -> Recording:
    """5 s of silence with tones at 1-2 s and 3-4.5 s."""
    rate = 44_100
    samples = np.random.default_rng(0).normal(0, 1e-4, 5 * rate)
    tone = 0.3 * np.sin(np.arange(5 * rate) * 0.05)
    for start, end in ((1.0, 2.0), (3.0, 4.5)):
        samples[round(start * rate) : round(end * rate)] += tone[: round((end - start) * rate)]
    soundfile.write(tmp_path / "a.flac", samples, rate)
    return Recording(str(tmp_path / "a.flac"), "", 5.0, rate, rate, 1)


def test_a_recording_is_read_in_blocks_of_whole_frames(two_tones: Recording) -> None:
    detector = CountingDetector()
    found = detect_speech(two_tones, detector, SpeechSettings(smoothing=0.0), 1.017)
    assert detector.lengths == [51 * 320] * 4 + [80_000 - 4 * 51 * 320]
    assert [round(edge, 2) for span in found for edge in (span.start, span.end)] == [0.9, 2.1, 2.9, 4.6]


def test_a_detector_without_a_stream_sees_the_whole(two_tones: Recording) -> None:
    assert detect_speech(two_tones, LoudnessDetector()) == detect_speech(two_tones, CountingDetector())


Podcast = tuple[Recording, list[Span]]


@pytest.fixture(scope="module")
def podcast(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Podcast:
    """A jingle of 8 s, then real readers over room tone, and where they speak."""
    rate = 16_000
    music, music_rate = soundfile.read(recordings / "music" / "vibe_ace.ogg", frames=44_100 * 8, always_2d=True)
    parts = [0.25 * soxr.resample(music.mean(axis=1), music_rate, rate)]
    turns = []
    for file in sorted((recordings / "guests").glob("*.flac"))[:5]:
        parts.append(np.zeros(round(0.8 * rate)))
        start = sum(map(len, parts)) / rate
        said, _ = soundfile.read(file)
        parts.append(0.1 * said / np.sqrt(np.mean(said**2)))
        turns.append(Span(start, start + len(said) / rate))
    track = np.concatenate(parts)
    track += np.random.default_rng(0).normal(0, 10 ** (-62 / 20), len(track))
    path = tmp_path_factory.mktemp("podcast") / "r.flac"
    track = soxr.resample(track, rate, 44_100)
    soundfile.write(path, track, 44_100)
    return Recording(str(path), "", len(track) / 44_100, 44_100, 44_100, 1), turns


DETECTORS = [WebRtcDetector(), SileroDetector()]


@pytest.mark.parametrize("detector", DETECTORS, ids=["webrtc", "silero"])
def test_windows_join_without_a_seam(podcast: Podcast, detector: SpeechDetector) -> None:
    recording, _ = podcast
    whole = speech_spans(
        detector.probabilities(read_span(recording.path, 0.0, recording.duration)),
        detector.frame_seconds,
        recording.duration,
        SpeechSettings(),
    )
    assert len(whole) > 5
    for block_seconds in (2.0, 17.7, 10_000.0):
        found = detect_speech(recording, detector, SpeechSettings(), block_seconds)
        assert len(found) == len(whole)
        for one, other in zip(found, whole, strict=True):
            assert one.start == pytest.approx(other.start, abs=detector.frame_seconds)
            assert one.end == pytest.approx(other.end, abs=detector.frame_seconds)


@pytest.mark.parametrize(("detector", "most_music"), zip(DETECTORS, (1.0, 0.3), strict=True), ids=["webrtc", "silero"])
def test_real_speech_is_found(podcast: Podcast, detector: SpeechDetector, most_music: float) -> None:
    recording, turns = podcast
    found = detect_speech(recording, detector)
    hop = 0.01
    samples = read_span(recording.path, 0.0, recording.duration)
    size = len(samples) // 160
    level = 10 * np.log10(np.mean(samples[: size * 160].reshape(size, 160) ** 2, axis=1) + 1e-12)
    marked, speech = mask(found, size, hop), mask(turns, size, hop)
    loud = speech & (level > np.percentile(level[speech], 95) - 15)
    assert marked[loud].mean() > 0.97
    assert speech[round(8.0 / hop) :][marked[round(8.0 / hop) :]].mean() > 0.9
    assert marked[: round(7.5 / hop)].mean() <= most_music


def mask(parts: Sequence[Span], size: int, hop: float) -> NDArray[np.bool_]:
    marked = np.zeros(size, np.bool_)
    for part in parts:
        marked[round(part.start / hop) : round(part.end / hop)] = True
    return marked


def test_spans_are_in_order_and_disjoint(podcast: Podcast) -> None:
    recording, _ = podcast
    found = detect_speech(recording, DETECTORS[0])
    assert all(isinstance(span, Span) and span.start < span.end for span in found)
    assert all(one.end < other.start for one, other in itertools.pairwise(found))

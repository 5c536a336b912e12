"""Cutting: clips between words, at sentence ends and pauses, with edges of real quiet, in the limits, repeatable."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_speech import RATE, noise, recording_of, spoken, utterance, words_of

from schemas.clip import Cut
from schemas.recording import Recording
from schemas.text import Evidence, Phone, Utterance, Utterances, Word
from schemas.turn import Span, TargetSpeech, Turn
from transforms.cut import CutSettings, clip_id, clip_rate, left_out, plan_cuts, render_cut

SETTINGS = CutSettings()
Timed = list[tuple[str, float, float]]


def target_of(*others: tuple[float, float]) -> TargetSpeech:
    turns = tuple(Turn(start, end, "S1") for start, end in others)
    return TargetSpeech(turns, (), "S0", 0.9)


def plan(
    folder: Path, *texts: Timed, seconds: float = 40.0, others: tuple[tuple[float, float], ...] = (), off: float = 0.0,
    settings: CutSettings = SETTINGS, heard: Timed | None = None, floor_db: float = -65.0,
) -> tuple[Recording, tuple[Cut, ...], Utterances]:  # fmt: skip
    """Cuts of texts that are said as timed (and of `heard`, which nobody wrote down), aligned `off` seconds late."""
    said = [word for text in texts for word in text] + (heard or [])
    recording = recording_of(spoken(said, seconds, floor_db), folder)
    aligned = tuple(utterance([(word, start + off, end + off) for word, start, end in text]) for text in texts)
    speech = tuple(Span(start - 0.1, end + 0.1) for _, start, end in said)
    return (
        recording,
        plan_cuts(recording, Utterances(aligned), target_of(*others), speech, settings),
        Utterances(aligned),
    )


def texts_of(cuts: tuple[Cut, ...]) -> list[str]:
    return [cut.text for cut in cuts]


def test_a_sentence_is_a_clip_with_a_quarter_second_of_its_own_quiet_on_both_sides(tmp_path: Path) -> None:
    _, cuts, _ = plan(tmp_path, words_of("Nobody came to see the printer today.", 2.0, seconds=0.5))
    (cut,) = cuts
    assert cut.text == "Nobody came to see the printer today."
    assert cut.spoken == "nobody came to see the printer today"
    assert cut.start == pytest.approx(1.75, abs=0.03)
    assert cut.end == pytest.approx(5.75, abs=0.03)
    assert (cut.leading_tone, cut.trailing_tone) == (0.0, 0.0)
    assert cut.words[0].start == pytest.approx(2.0 - cut.start, abs=1e-3)
    assert cut.coverage == pytest.approx(1.0, abs=0.02)
    assert cut.alignment_score == pytest.approx(-3.0)


@pytest.mark.parametrize("off", [-0.05, 0.05])
def test_edges_lie_in_silence_whatever_the_aligner_missed(off: float, tmp_path: Path) -> None:
    words = words_of("One two. Three four. Five six.", 2.0, {"two.": 0.5, "four.": 0.4}, seconds=1.1)
    recording, cuts, _ = plan(
        tmp_path, words, off=off, settings=replace(SETTINGS, preferred_max_seconds=3.0, max_seconds=4.0)
    )
    assert texts_of(cuts) == ["One two.", "Three four.", "Five six."]
    samples = soundfile.read(recording.path)[0]
    for edge in [edge for cut in cuts for edge in (cut.start, cut.end)]:
        here = samples[round((edge - 0.01) * RATE) : round((edge + 0.01) * RATE)]
        assert np.abs(here).max() < 0.004
    for cut in cuts:
        # All of its words' sound is inside, and none of another's.
        spans = [(start, end) for _, start, end in words if cut.start < (start + end) / 2 < cut.end]
        assert cut.start < spans[0][0] < spans[-1][1] < cut.end


def test_long_speech_is_divided_at_sentence_ends_before_longer_pauses_elsewhere(tmp_path: Path) -> None:
    text = "a b c d e f g h i j. K l m n o p q r s t. U v w x y z"
    words = words_of(text, 1.0, {"j.": 0.25, "e": 0.4, "o": 0.4, "t.": 0.25}, seconds=0.6)
    _, cuts, _ = plan(tmp_path, words)
    assert texts_of(cuts) == ["a b c d e f g h i j.", "K l m n o p q r s t.", "U v w x y z"]


def test_sentences_are_clips_of_their_own_unless_they_are_short(tmp_path: Path) -> None:
    text = "This one lasts for four seconds. This one does it too indeed. And I. Do not at all."
    words = words_of(text, 1.0, {"seconds.": 0.4, "indeed.": 0.4, "I.": 0.4}, seconds=0.6)
    _, cuts, _ = plan(tmp_path, words)
    assert texts_of(cuts) == [
        "This one lasts for four seconds.",
        "This one does it too indeed.",
        "And I. Do not at all.",
    ]


def test_without_punctuation_the_longest_pauses_divide(tmp_path: Path) -> None:
    words = words_of("a b c d e f g h i j k l m n o p", 1.0, {"d": 0.1, "h": 0.3, "k": 0.1}, seconds=1.1)
    _, cuts, _ = plan(tmp_path, words)
    assert texts_of(cuts) == ["a b c d e f g h", "i j k l m n o p"]


def test_clauses_come_before_bare_pauses(tmp_path: Path) -> None:
    words = words_of("a b c d e f, g h i j k l m n", 1.0, {"f,": 0.2, "h": 0.2}, seconds=1.2)
    _, cuts, _ = plan(tmp_path, words)
    assert texts_of(cuts) == ["a b c d e f,", "g h i j k l m n"]


def test_words_that_run_together_are_never_cut_apart_but_left_out_and_said_so(tmp_path: Path) -> None:
    endless = words_of("a b c d e f g h i j k l m n o p q r s t", 1.0, seconds=1.0)
    sentence = words_of("This one is a sentence.", 24.0, seconds=0.5)
    _, cuts, utterances = plan(tmp_path, endless, sentence)
    assert texts_of(cuts) == ["This one is a sentence."]
    (span,) = left_out(utterances, cuts)
    assert (span.start, span.end) == (1.0, 21.0)


def test_short_utterances_of_one_breath_share_a_clip(tmp_path: Path) -> None:
    _, cuts, _ = plan(tmp_path, words_of("Yes. Indeed.", 2.0, seconds=0.5), words_of("So it was.", 3.3, seconds=0.5))
    assert texts_of(cuts) == ["Yes. Indeed. So it was."]


@pytest.mark.parametrize(
    ("start", "others", "heard"),
    [
        pytest.param(5.6, (), None, id="a pause too long"),
        pytest.param(4.1, ((3.4, 3.8),), None, id="another's turn"),
        pytest.param(4.1, (), [("um", 3.55, 3.85)], id="a word that the text lacks"),
    ],
)
def test_utterances_apart_share_no_clip(start: float, others: tuple, heard: Timed | None, tmp_path: Path) -> None:
    first, second = words_of("Yes it is.", 2.0, seconds=0.45), words_of("No it is not.", start, seconds=0.45)
    _, cuts, _ = plan(tmp_path, first, second, others=others, heard=heard)
    assert texts_of(cuts) == ["Yes it is.", "No it is not."]
    assert all(cut.coverage > 0.95 for cut in cuts)


def test_no_clip_reaches_over_what_somebody_else_says_into_a_turn(tmp_path: Path) -> None:
    first, second = words_of("Yes it is.", 2.0, seconds=0.45), words_of("No it is not.", 4.1, seconds=0.45)
    recording, together, aligned = plan(tmp_path, first, second)
    assert len(together) == 1
    target = replace(target_of(), overlaps=(Span(3.4, 3.9),))
    cuts = plan_cuts(recording, aligned, target, (Span(1.9, 6.0),), SETTINGS)
    assert texts_of(cuts) == ["Yes it is.", "No it is not."]
    assert cuts[0].end < 3.5, "nor do their edges hold it"
    assert cuts[1].start > 3.8


def test_a_language_without_spaces_is_written_without(tmp_path: Path) -> None:
    text = words_of("你 好 吗", 2.0, seconds=0.5)
    recording, (spaced,), aligned = plan(tmp_path, text)
    assert spaced.text == "你 好 吗"
    heard = replace(aligned.utterances[0], evidence=Evidence(0.1, -0.2, "zh", 0.9))
    (cut,) = plan_cuts(recording, Utterances((heard,)), target_of(), (Span(1.9, 4.0),), SETTINGS)
    assert cut.text == "你好吗"


def test_utterances_from_different_sources_share_no_clip(tmp_path: Path) -> None:
    said = words_of("Yes it is.", 2.0, seconds=0.45), words_of("So it was.", 3.8, seconds=0.45)
    recording, _, _ = plan(tmp_path, *said)
    published, recognised = (utterance(words) for words in said)
    recognised = replace(recognised, transcript_source="recognised:pocketsphinx")
    cuts = plan_cuts(recording, Utterances((published, recognised)), target_of(), (), SETTINGS)
    assert [cut.transcript_source for cut in cuts] == ["publisher:vtt", "recognised:pocketsphinx"]


def test_the_neighbours_speech_is_not_in_the_edges_which_room_tone_fills_up(tmp_path: Path) -> None:
    text = words_of("A sentence of five words.", 3.0, seconds=0.5)
    neighbours: Timed = [("before", 1.0, 2.94), ("after", 5.57, 8.0)]
    recording, cuts, _ = plan(tmp_path, text, heard=neighbours, others=((1.0, 2.94), (5.57, 8.0)), floor_db=-55)
    (cut,) = cuts
    assert 2.94 < cut.start < 3.0
    assert 5.5 < cut.end < 5.57
    lead, trail = cut.leading_tone + 3.0 - cut.start, cut.trailing_tone + cut.end - 5.5
    assert lead == pytest.approx(SETTINGS.min_edge_seconds, abs=0.02)
    assert trail == pytest.approx(SETTINGS.min_edge_seconds, abs=0.02)
    assert cut.tone_end - cut.tone_start == pytest.approx(0.3)
    assert cut.tone_end < 1.0 or cut.tone_start > 8.0
    clip = render_cut(recording, cut, RATE)
    assert len(clip) == pytest.approx(cut.duration * RATE, abs=2)
    quiet = clip[round(0.01 * RATE) : round(0.06 * RATE)]
    assert 20 * np.log10(np.sqrt(np.mean(quiet**2))) == pytest.approx(-55, abs=3)


def test_an_edge_in_speech_costs_its_words_and_no_more(tmp_path: Path) -> None:
    # The text begins in the middle of a flow of speech: its first words have no edge.
    text = words_of("lost words. Here is a sentence.", 3.0, {"words.": 0.3}, seconds=0.5)
    _, cuts, utterances = plan(tmp_path, text, heard=[("flow", 1.0, 3.0)])
    assert texts_of(cuts) == ["Here is a sentence."]
    (span,) = left_out(utterances, cuts)
    assert (span.start, span.end) == (3.0, 4.0)


def test_limits_hold_for_any_settings(tmp_path: Path) -> None:
    gaps = dict.fromkeys("abcdefghijklmnop", 0.15)
    words = words_of(" ".join("abcdefghijklmnop"), 1.0, gaps, seconds=0.8)
    for least, most in ((1.0, 15.0), (2.0, 4.0), (0.5, 2.0), (6.0, 7.5)):
        _, cuts, _ = plan(tmp_path, words, settings=CutSettings(min_seconds=least, max_seconds=most))
        assert cuts
        assert all(least <= cut.duration <= most for cut in cuts)
        assert sum(len(cut.words) for cut in cuts) >= 10


def test_a_word_alone_that_is_too_short_is_no_clip(tmp_path: Path) -> None:
    _, cuts, utterances = plan(tmp_path, words_of("Yes.", 2.0, seconds=0.4))
    assert cuts == ()
    assert left_out(utterances, cuts) == (Span(2.0, 2.4),)


def test_words_and_phones_are_in_the_clips_own_time_without_holes(tmp_path: Path) -> None:
    recording, cuts, _ = plan(tmp_path, words_of("One two three. Four five.", 2.0, {"three.": 0.4}, seconds=0.4))
    (cut,) = cuts
    clip = render_cut(recording, cut, RATE)
    for word in cut.words:
        here = clip[round((word.start + 0.05) * RATE) : round((word.end - 0.05) * RATE)]
        assert np.sqrt(np.mean(here**2)) > 0.03
    assert [phone.symbol for phone in cut.phones] == ["SIL", "AH", "AH", "AH", "SIL", "AH", "AH", "SIL"]
    assert cut.phones[0].start == 0.0
    assert cut.phones[-1].end == pytest.approx(cut.duration, abs=1e-3)
    assert all(a.end == pytest.approx(b.start, abs=0.002) for a, b in zip(cut.phones, cut.phones[1:], strict=False))


def test_missing_words_lower_the_coverage_of_their_clip_alone(tmp_path: Path) -> None:
    text = words_of("Here we have a sentence. And here is another one.", 2.0, {"sentence.": 0.5}, seconds=0.35)
    hole = text.pop(7)
    assert hole[0] == "is"
    settings = replace(SETTINGS, preferred_max_seconds=2.2, max_seconds=3.0)
    _, cuts, _ = plan(tmp_path, text, heard=[hole], settings=settings)
    assert texts_of(cuts) == ["Here we have a sentence.", "And here another one."]
    assert cuts[0].coverage > 0.97
    assert cuts[1].coverage < 0.95
    (whole,) = plan(tmp_path, words_of("It is all there.", 2.0, seconds=0.5))[1]
    assert whole.coverage > 0.97


def test_an_utterance_that_its_aligner_doubts_stays_doubted(tmp_path: Path) -> None:
    words = words_of("It is all there.", 2.0, seconds=0.5)
    recording, _, _ = plan(tmp_path, words)
    cuts = plan_cuts(recording, Utterances((utterance(words, coverage=0.6),)), target_of(), (Span(1.9, 4.1),), SETTINGS)
    assert cuts[0].coverage == 0.6


def test_the_score_of_a_clip_is_of_its_own_words() -> None:
    from transforms.cut import _alignment_score

    words = (Word("a", 0.0, 1.0, -2.0), Word("b", 1.0, 1.5, -8.0))
    whole = Utterance(0.0, 1.5, words, (Phone("AH", 0, 1),), "publisher:vtt", -9.0)
    assert _alignment_score(words[:1], [whole]) == -2.0
    assert _alignment_score(words, [whole]) == pytest.approx(-4.0)
    unscored = tuple(replace(word, score=0.0) for word in words)
    assert _alignment_score(unscored, [whole]) == -9.0


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    recording = recording_of(noise(2.0, -60), tmp_path)
    assert plan_cuts(recording, Utterances(()), target_of(), (), SETTINGS) == ()
    assert left_out(Utterances(()), ()) == ()
    # Words where nothing is heard are in no clip that could be made.
    silent = utterance(words_of("not said at all", 0.5, seconds=0.3))
    cuts = plan_cuts(
        recording_of(np.zeros(2 * RATE, np.float32), tmp_path), Utterances((silent,)), target_of(), (), SETTINGS
    )
    assert all(cut.duration <= SETTINGS.max_seconds for cut in cuts)


def test_the_same_input_gives_the_same_cuts_and_bytes(tmp_path: Path) -> None:
    words = words_of("One two three. Four five six. Seven eight.", 2.0, {"three.": 0.4, "six.": 0.3}, seconds=0.6)
    first, second = plan(tmp_path, words), plan(tmp_path, words)
    assert first[1] == second[1]
    assert np.array_equal(render_cut(first[0], first[1][0], RATE), render_cut(second[0], second[1][0], RATE))


@pytest.mark.parametrize(
    ("source", "setting", "bandwidth", "expected"),
    [
        (44_100, 24_000, None, 24_000),
        (16_000, 24_000, None, 16_000),
        (48_000, 44_100, None, 44_100),
        (11_025, 24_000, None, 8_000),
        (23_000, 24_000, None, 22_050),
        (48_000, 32_000, None, 32_000),
        (32_000, 48_000, None, 32_000),
        (44_100, 24_000, 7_750.0, 16_000),
        (44_100, 24_000, 10_750.0, 24_000),
        (44_100, 24_000, 3_400.0, 8_000),
        (44_100, 24_000, 0.0, 8_000),
    ],
)
def test_the_rate_is_never_above_what_the_source_holds(
    source: int, setting: int, bandwidth: float | None, expected: int
) -> None:
    recording = Recording("x.flac", "0" * 64, 1.0, source, source, 1)
    assert clip_rate(recording, CutSettings(sampling_rate=setting), bandwidth) == expected


def test_an_id_is_the_audio_and_the_words() -> None:
    cut = Cut(1.0, 2.0, "a", "a", (), (), "publisher:vtt", -3.0, 1.0)
    names = {
        clip_id("0" * 64, cut, RATE),
        clip_id("1" * 64, cut, RATE),
        clip_id("0" * 64, cut, 16_000),
        clip_id("0" * 64, replace(cut, end=2.1), RATE),
        clip_id("0" * 64, replace(cut, text="b"), RATE),
    }
    assert len(names) == 5
    assert clip_id("0" * 64, replace(cut, alignment_score=-4.0, coverage=0.9), RATE) in names

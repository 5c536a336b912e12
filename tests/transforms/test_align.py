"""A publisher's transcript found again in the target's speech, on synthetic speech with known words and times."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from espeak_speech import GUEST, Talk, record

from pipeline.demo.espeak import Voice
from schemas.recording import Recording
from schemas.text import Caption, Evidence, Utterance, Utterances, Word
from schemas.turn import Span
from transforms.align import AlignSettings, align_target
from transforms.models.base import Aligner, Alignment, AlignmentError, Heard, Samples, Stretch
from transforms.models.sphinx import SphinxAligner

# Of the synthesiser's voices the one that sounds most like people to the aligner.
HOST = Voice("en-us+f5", rate=150)
TURNS = [
    (HOST, "Printing, as we know it, differs from most of the other arts."),
    (GUEST, "The lobster is only a crayfish."),
    (HOST, "In that year they began printing near Rome."),
    (GUEST, "Nobody told me that news."),
    (HOST, "The earliest book of all was very beautiful."),
    (HOST, "And later ages brought it to perfection."),
    (GUEST, "Why should anybody walk home?"),
    (HOST, "They were never surpassed by other printers."),
]
NAMES = {HOST.name: "Host", GUEST.name: "Guest"}
SETTINGS = AlignSettings()


@pytest.fixture(scope="module")
def aligner() -> SphinxAligner:
    return SphinxAligner()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    return record(tmp_path_factory.mktemp("talk"), TURNS)


def captions_of(talk: Talk, off: Callable[[float], float] = lambda time: 0.0, jitter: float = 0.4) -> list[Caption]:
    """One caption a sentence, labelled, its times wrong."""
    wrong = random.Random(1)
    return [
        Caption(sentence.text, span.start + error, span.end + error, NAMES[voice])
        for sentence, span, voice in zip(talk.sentences, talk.spans, talk.voices, strict=True)
        for error in [off(span.start) + wrong.uniform(-jitter, jitter)]
    ]


def align(talk: Talk, captions: Sequence[Caption], aligner: Aligner, target: Sequence[Span] = ()) -> Utterances:
    host = tuple(target) or tuple(Span(s.start - 0.05, s.end + 0.05) for s in talk.of(HOST))
    speech = tuple(Span(s.start - 0.1, s.end + 0.1) for s in talk.spans)
    return align_target(talk.recording, host, speech, tuple(captions), "vtt", aligner, SETTINGS)


def text(utterances: Utterances) -> str:
    return " ".join(word.text for utterance in utterances.utterances for word in utterance.words)


@pytest.fixture(scope="module")
def found(talk: Talk, aligner: SphinxAligner) -> Utterances:
    return align(talk, captions_of(talk), aligner)


HOST_TEXT = " ".join(sentence for voice, sentence in TURNS if voice == HOST)


def test_every_word_of_the_target_is_found_as_written_with_its_time(talk: Talk, found: Utterances) -> None:
    assert text(found) == HOST_TEXT
    assert found.notes == ()
    assert abs(found.shift) < 0.3
    truth = []
    for sentence, span, voice in zip(talk.sentences, talk.spans, talk.voices, strict=True):
        if voice == HOST.name:
            words = sentence.text.split()
            truth += [
                (span.start + sentence.starts[n], n in sentence.starts) if n in sentence.starts else (0.0, False)
                for n in range(len(words))
            ]
    words = [word for utterance in found.utterances for word in utterance.words]
    errors = [abs(word.start - start) for word, (start, known) in zip(words, truth, strict=True) if known]
    assert np.median(errors) < 0.03
    assert np.percentile(errors, 90) < 0.12


def test_utterances_hold_their_words_and_phones_and_say_where_they_come_from(found: Utterances) -> None:
    for utterance in found.utterances:
        assert utterance.transcript_source == "publisher:vtt"
        assert utterance.start <= utterance.words[0].start
        assert utterance.words[-1].end <= utterance.end
        assert utterance.phones[0].start >= utterance.words[0].start - 1e-6
        assert utterance.phones[-1].end <= utterance.words[-1].end + 1e-6
        assert utterance.coverage > 0.95
        assert utterance.foreign == 0.0
        assert SETTINGS.phrase_score < utterance.alignment_score < 0.0


@pytest.mark.parametrize(
    ("off", "shift"),
    [(lambda time: -3.0, 3.0), (lambda time: 20.0 + 0.02 * time, None)],
    ids=["early", "very late and drifting"],
)
def test_times_that_are_off_are_no_matter(
    talk: Talk, aligner: SphinxAligner, off: Callable[[float], float], shift: float | None
) -> None:
    found = align(talk, captions_of(talk, off), aligner)
    assert text(found) == HOST_TEXT
    if shift is not None:
        assert found.shift == pytest.approx(shift, abs=0.5)


def test_an_advertisement_that_shifts_what_follows_is_noted(talk: Talk, aligner: SphinxAligner) -> None:
    middle = talk.spans[3].start
    found = align(talk, captions_of(talk, lambda time: 0.0 if time < middle else 40.0), aligner)
    assert text(found) == HOST_TEXT
    assert any("-40" in note or "-39" in note for note in found.notes)


def test_text_without_times_is_found(talk: Talk, aligner: SphinxAligner) -> None:
    plain = [replace(caption, start=None, end=None) for caption in captions_of(talk)]
    found = align(talk, plain, aligner)
    assert text(found) == HOST_TEXT
    assert found.shift == 0.0


def test_words_that_are_not_said_do_not_come_through(talk: Talk, aligner: SphinxAligner) -> None:
    captions = captions_of(talk)
    captions[4] = replace(captions[4], text=captions[4].text.replace("book of all", "seventeen elephants"))
    found = align(talk, captions, aligner, talk.of(HOST)[2:4])
    assert "seventeen" not in text(found)
    assert "elephants" not in text(found)
    assert TURNS[5][1] in text(found)


def test_a_sentence_that_the_transcript_lacks_is_not_made_up_from_its_neighbours(
    talk: Talk, aligner: SphinxAligner
) -> None:
    captions = captions_of(talk)
    del captions[4]
    found = align(talk, captions, aligner, talk.of(HOST)[2:4])
    assert text(found) == TURNS[5][1]
    assert any("1 of 2 passages" in note or "left out" in note for note in found.notes)


def test_the_next_speaker_s_words_stay_out_even_if_the_target_s_turn_is_drawn_too_long(
    talk: Talk, aligner: SphinxAligner
) -> None:
    too_long = [Span(talk.spans[0].start - 0.05, talk.spans[1].start + 0.8)]
    found = align(talk, captions_of(talk), aligner, too_long)
    own = [utterance for utterance in found.utterances if utterance.foreign == 0.0]
    assert text(Utterances(tuple(own))) == TURNS[0][1]
    assert all(utterance.foreign == 1.0 for utterance in found.utterances if utterance not in own)


def test_where_the_target_s_turn_ends_inside_a_word_the_phrase_goes(talk: Talk, aligner: SphinxAligner) -> None:
    span = talk.spans[7]
    found = align(talk, captions_of(talk), aligner, [Span(span.start - 0.05, span.end - 0.5)])
    assert "printers." not in text(found)
    assert all(word.end < span.end - 0.4 for utterance in found.utterances for word in utterance.words)


def test_the_same_input_gives_the_same_result(talk: Talk, aligner: SphinxAligner) -> None:
    captions, target = captions_of(talk)[:3], talk.of(HOST)[:1]
    first = align(talk, captions, aligner, target)
    align(talk, captions_of(talk)[5:], aligner, talk.of(HOST)[4:])
    assert align(talk, captions, aligner, target) == first


def test_a_number_that_is_said_another_way_is_heard(tmp_path: Path, aligner: SphinxAligner) -> None:
    talk = record(tmp_path, [(HOST, TURNS[0][1]), (HOST, "The book was sold for twelve hundred dollars in the end.")])
    captions = captions_of(talk)
    captions[1] = replace(captions[1], text=captions[1].text.replace("twelve hundred", "1,200"))
    words = {word.text: word for utterance in align(talk, captions, aligner).utterances for word in utterance.words}
    assert words["1,200"].spoken == "twelve hundred"


def test_a_transcript_without_words_is_a_note_not_an_error(talk: Talk, aligner: SphinxAligner) -> None:
    found = align(talk, [Caption("[music]", 0.0, 60.0)], aligner)
    assert found.utterances == ()
    assert "no words" in found.notes[0]


def test_a_transcript_of_another_episode_gives_nothing(talk: Talk, aligner: SphinxAligner) -> None:
    captions = [Caption("quite another story of seven brothers and a golden goose", t, t + 4) for t in range(0, 40, 5)]
    found = align(talk, captions, aligner, talk.of(HOST)[:1])
    assert found.utterances == ()
    assert any("nothing that is in the transcript" in note for note in found.notes)


def test_no_target_is_nothing(talk: Talk, aligner: SphinxAligner) -> None:
    found = align_target(talk.recording, (), talk.spans, tuple(captions_of(talk)), "vtt", aligner, SETTINGS)
    assert found.utterances == ()


class Unable(Aligner):
    """An aligner that can do nothing with any audio."""

    identity = "unable"

    def align(self, samples: Samples, words: Sequence[str]) -> Alignment:
        raise AlignmentError("nothing fits")

    def find(self, samples: Samples, words: Sequence[str]) -> Stretch | None:
        return None


def test_an_aligner_that_fails_costs_the_text_not_the_episode(talk: Talk) -> None:
    found = align(talk, captions_of(talk), Unable())
    assert found.utterances == ()


def test_silence_is_no_crash(tmp_path: Path, aligner: SphinxAligner) -> None:
    path = tmp_path / "silence.flac"
    soundfile.write(path, np.zeros(16_000 * 5, np.float32), 16_000)
    recording = Recording(str(path), "0" * 64, 5.0, 16_000, 16_000, 1)
    spans = (Span(0.5, 4.5),)
    found = align_target(recording, spans, spans, (Caption("hello there", 0.5, 1.0),), "srt", aligner, SETTINGS)
    assert found.utterances == ()


def utterance_texts(found: Utterances) -> list[str]:
    def one(utterance: Utterance) -> str:
        return " ".join(word.text for word in utterance.words)

    return [one(utterance) for utterance in found.utterances]


def test_real_speech_is_aligned(recordings: Path, aligner: SphinxAligner) -> None:
    """Two sentences of a real reader (LJ Speech), 22.05 kHz, with punctuation and a number."""
    rows = (recordings / "ljspeech" / "transcripts.tsv").read_text().splitlines()
    header = rows[0].split("\t")
    table = [dict(zip(header, row.split("\t"), strict=False)) for row in rows[1:]]
    row = next(row for row in table if "1455" in row["text"])
    path = recordings / "ljspeech" / row["path"]
    info = soundfile.info(path)
    recording = Recording(str(path), "0" * 64, info.duration, info.samplerate, info.samplerate, 1)
    spans = (Span(0.0, info.duration),)
    found = align_target(recording, spans, spans, (Caption(row["text"], 1.0, 9.0),), "vtt", aligner, SETTINGS)
    assert " ".join(utterance_texts(found)) == row["text"]
    assert "fourteen fifty five" in [word.spoken for utterance in found.utterances for word in utterance.words]


class Listening(Aligner):
    """An aligner that also says what it heard by itself: the right words, but for one."""

    identity = "listening of a test"

    def __init__(self, aligner: Aligner) -> None:
        self.aligner = aligner

    def align(self, samples: Samples, words: Sequence[str]) -> Alignment:
        return self.aligner.align(samples, words)

    def find(self, samples: Samples, words: Sequence[str]) -> Stretch | None:
        found = self.aligner.find(samples, words)
        if found is None:
            return None
        heard = tuple(Word("fine" if w.text == "beautiful" else w.text, w.start, w.end) for w in found.alignment.words)
        return replace(found, heard=Heard(heard, Evidence(0.1, -0.3, "en", 0.9)))


def test_words_that_an_aligner_heard_otherwise_are_doubted(talk: Talk, aligner: SphinxAligner) -> None:
    found = align(talk, captions_of(talk), Listening(aligner))
    assert text(found) == HOST_TEXT
    words = [word for utterance in found.utterances for word in utterance.words]
    assert [word.text for word in words if word.doubted] == ["beautiful."]
    assert {utterance.evidence for utterance in found.utterances} == {Evidence(0.1, -0.3, "en", 0.9)}

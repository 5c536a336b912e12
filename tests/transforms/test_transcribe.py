"""What is recognised says that it was, and is aligned like what was published."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from espeak_speech import GUEST, record

from pipeline.demo.espeak import Voice
from schemas.text import Evidence, Word
from schemas.turn import Span
from transforms.align import AlignSettings
from transforms.models.base import Heard, Samples, Transcriber
from transforms.models.sphinx import SphinxAligner, SphinxTranscriber
from transforms.transcribe import transcribe_target

# Of the synthesiser's voices the one that sounds most like people to the aligner.
HOST = Voice("en-us+f5", rate=150)
SETTINGS = AlignSettings()
FIRST, SECOND = "The earliest book of all was very beautiful.", "They were never surpassed by other printers."


class Reader(Transcriber):
    """Reads its lines off, one a passage, as a good recogniser would write them."""

    identity = "reader:1 of a test"

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)

    def transcribe(self, samples: Samples, hints: Sequence[str] = ()) -> tuple[Word, ...]:
        return tuple(Word(text, 0.0, 0.0) for text in self.lines.pop(0).split())


class Listener(Reader):
    """A reader that says how far it is right, and when words are said."""

    identity = "whisper:1 of a test"
    told: tuple[str, ...] = ()

    def transcribe_all(self, spans: Sequence[Samples], names: Sequence[str] = ()) -> Iterator[Heard]:
        self.told = tuple(names)
        for line, samples in zip(self.lines, spans, strict=True):
            texts = line.split()
            step = len(samples) / 16_000 / max(len(texts), 1)
            words = tuple(Word(text, k * step, (k + 1) * step, -0.2) for k, text in enumerate(texts))
            yield Heard(words, Evidence(0.02, -0.2, "en", 0.99))


def spans_of(spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(Span(span.start - 0.05, span.end + 0.05) for span in spans)


def test_written_words_are_aligned_passage_by_passage(tmp_path: Path) -> None:
    talk = record(tmp_path, [(HOST, FIRST), (GUEST, "Nobody knew."), (HOST, SECOND)])
    host = spans_of(talk.of(HOST))
    found = transcribe_target(
        talk.recording, host, spans_of(talk.spans), Reader([FIRST, SECOND]), SphinxAligner(), SETTINGS
    )
    assert [" ".join(w.text for w in u.words) for u in found.utterances] == [FIRST, SECOND]
    assert {u.transcript_source for u in found.utterances} == {"recognised:reader"}
    for utterance, span in zip(found.utterances, talk.of(HOST), strict=True):
        assert span.start - 0.1 <= utterance.start < utterance.end <= span.end + 0.1
        assert utterance.phones


def test_passages_without_words_or_with_wrong_ones_are_counted(tmp_path: Path) -> None:
    talk = record(tmp_path, [(HOST, FIRST), (GUEST, "Nobody knew."), (HOST, SECOND)])
    wrong = "seven thousand yellow elephants marched quietly through the enormous kitchen yesterday evening"
    found = transcribe_target(
        talk.recording,
        spans_of(talk.of(HOST)),
        spans_of(talk.spans),
        Reader(["", wrong]),
        SphinxAligner(),
        SETTINGS,
    )
    assert found.utterances == ()
    assert any("1 of 2" in note or "2 of 2" in note for note in found.notes)


def test_what_fits_badly_is_kept_and_doubted_where_there_is_evidence(tmp_path: Path) -> None:
    talk = record(tmp_path, [(HOST, FIRST), (GUEST, "Nobody knew."), (HOST, SECOND)])
    wrong = "seven thousand yellow elephants marched quietly through the enormous kitchen yesterday evening"
    listener = Listener([FIRST, wrong])
    found = transcribe_target(
        talk.recording, spans_of(talk.of(HOST)), spans_of(talk.spans), listener, SphinxAligner(), SETTINGS, ["Ada"]
    )
    assert listener.told == ("Ada",)
    right = [word for utterance in found.utterances for word in utterance.words if not word.doubted]
    assert " ".join(word.text for word in right) == FIRST
    doubted = [word for utterance in found.utterances for word in utterance.words if word.doubted]
    assert " ".join(word.text for word in doubted) == wrong
    assert all(len({word.doubted for word in utterance.words}) == 1 for utterance in found.utterances)
    assert {utterance.evidence for utterance in found.utterances} == {Evidence(0.02, -0.2, "en", 0.99)}
    assert any("recognised words doubted" in note for note in found.notes)


def test_words_of_another_script_are_kept_and_doubted(tmp_path: Path) -> None:
    talk = record(tmp_path, [(HOST, FIRST)])
    spans = spans_of(talk.spans)
    lines = Listener(["Продолжение следует, друзья."])
    found = transcribe_target(talk.recording, spans, spans, lines, SphinxAligner(), SETTINGS)
    (utterance,) = found.utterances
    assert [word.text for word in utterance.words] == ["Продолжение", "следует,", "друзья."]
    assert all(word.doubted for word in utterance.words)


def test_pocketsphinx_recognises_and_says_so(tmp_path: Path) -> None:
    talk = record(tmp_path, [(HOST, FIRST)])
    spans = spans_of(talk.spans)
    found = transcribe_target(talk.recording, spans, spans, SphinxTranscriber(), SphinxAligner(), SETTINGS)
    assert {u.transcript_source for u in found.utterances} == {"recognised:pocketsphinx"}
    words = {w.text for u in found.utterances for w in u.words}
    assert len(words & {"the", "earliest", "book", "of", "all", "was", "very", "beautiful"}) >= 3


def test_no_target_is_nothing(tmp_path: Path) -> None:
    talk = record(tmp_path, [(HOST, "Hello.")])
    found = transcribe_target(talk.recording, (), spans_of(talk.spans), Reader([]), SphinxAligner(), SETTINGS)
    assert found.utterances == ()
    assert found.notes == ()

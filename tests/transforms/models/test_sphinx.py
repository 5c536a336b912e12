"""pocketsphinx as aligner and recogniser: right times, every trap of the library closed."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from espeak_speech import GUEST, HOST, speak

from transforms.models.base import AlignmentError
from transforms.models.sphinx import SphinxAligner, SphinxTranscriber

TEXT = "the forms of printed letters should be beautiful and their arrangement on the page reasonable"
# As many syllables, so that it can be forced onto the same sound.
MISHEARD = "a swarm of spiders ladders would be truthful and very strange men on the stage treasonable"
OTHER = "nobody knows why seven people walked across the frozen river yesterday morning"


@pytest.fixture(scope="module")
def aligner() -> SphinxAligner:
    return SphinxAligner()


@pytest.fixture(scope="module")
def transcriber() -> SphinxTranscriber:
    return SphinxTranscriber()


@pytest.mark.parametrize("voice", [HOST, GUEST], ids=["female", "male"])
def test_words_begin_where_the_synthesiser_says(aligner: SphinxAligner, voice) -> None:
    sentence = speak(TEXT, voice)
    alignment = aligner.align(sentence.samples, TEXT.split())
    assert [word.text for word in alignment.words] == TEXT.split()
    errors = [abs(alignment.words[number].start - start) for number, start in sentence.starts.items()]
    assert len(errors) > 10
    assert np.median(errors) < 0.03
    assert np.percentile(errors, 90) < 0.1


def test_phones_fill_their_words(aligner: SphinxAligner) -> None:
    sentence = speak(TEXT)
    alignment = aligner.align(sentence.samples, TEXT.split())
    for before, after in itertools.pairwise(alignment.phones):
        assert before.end == pytest.approx(after.start)
    for word in alignment.words:
        inside = [p for p in alignment.phones if word.start <= (p.start + p.end) / 2 < word.end]
        assert inside[0].start == pytest.approx(word.start)
        assert inside[-1].end == pytest.approx(word.end)
    the = [p.symbol for p in alignment.phones if p.end <= alignment.words[0].end + 1e-6 and p.symbol != "SIL"]
    assert the == ["DH", "AH"]


def test_scores_tell_said_from_not_said(aligner: SphinxAligner) -> None:
    sentence = speak(TEXT)
    right = aligner.align(sentence.samples, TEXT.split()).score
    wrong = aligner.align(sentence.samples, MISHEARD.split()).score
    assert right > -7.4 > wrong


def test_what_was_heard_before_changes_nothing(aligner: SphinxAligner) -> None:
    first, second = speak(TEXT), speak(OTHER, GUEST)
    alone = aligner.align(first.samples, TEXT.split()), aligner.find(first.samples, f"yes {TEXT} no".split())
    aligner.align(second.samples, OTHER.split())
    aligner.find(second.samples, TEXT.split())
    again = aligner.align(first.samples, TEXT.split()), aligner.find(first.samples, f"yes {TEXT} no".split())
    assert again == alone


def test_a_word_outside_of_the_dictionary_is_pronounced(aligner: SphinxAligner) -> None:
    sentence = speak("then sweynheim went to subiaco again")
    alignment = aligner.align(sentence.samples, sentence.text.split())
    assert alignment.words[1].text == "sweynheim"
    assert alignment.words[1].end - alignment.words[1].start > 0.2
    assert alignment.score > -7.4


def test_a_pronouncer_can_be_given() -> None:
    class Spelled:
        identity = "spelled"

        def pronunciations(self, word: str, count: int = 3) -> tuple[tuple[str, ...], ...]:
            return (("B", "AH", "Z"),)

    aligner = SphinxAligner(Spelled())
    assert "spelled" in aligner.identity
    alignment = aligner.align(speak("a buzz").samples, ["a", "qqzzq"])
    assert [p.symbol for p in alignment.phones if p.symbol != "SIL"][-3:] == ["B", "AH", "Z"]


def test_the_stretch_that_is_said_is_found_whole(aligner: SphinxAligner) -> None:
    words = f"{OTHER} {TEXT} {OTHER}".split()
    samples = speak(TEXT).samples
    found = aligner.find(samples, words)
    assert found is not None
    assert found.first == len(OTHER.split())
    assert [word.text for word in found.alignment.words] == TEXT.split()
    aligned = aligner.align(samples, TEXT.split())
    assert found.alignment.score == pytest.approx(aligned.score, abs=0.2)
    assert [phone.symbol for phone in found.alignment.phones if phone.symbol != "SIL"] == [
        phone.symbol for phone in aligned.phones if phone.symbol != "SIL"
    ]


def test_of_two_places_that_read_the_same_the_middle_one_is_meant(aligner: SphinxAligner) -> None:
    words = ["thank", "you", "so", "much", "and", "thank", "you"]
    found = aligner.find(speak("thank you").samples, ["well", "maybe", *words, "then", "maybe", "not"])
    assert found is not None
    assert (found.first, [word.text for word in found.alignment.words]) == (7, ["thank", "you"])


BROKEN = {
    "empty": np.zeros(0, np.float32),
    "too short": np.full(1000, 0.1, np.float32),
    "silent": np.zeros(16_000, np.float32),
    "not a number": np.full(16_000, np.nan, np.float32),
    "infinite": np.full(16_000, np.inf, np.float32),
    "stereo": np.zeros((16_000, 2), np.float32),
}


@pytest.mark.parametrize("samples", BROKEN.values(), ids=BROKEN.keys())
def test_audio_that_nothing_can_be_heard_in_is_no_crash(
    aligner: SphinxAligner, transcriber: SphinxTranscriber, samples: np.ndarray
) -> None:
    with pytest.raises(AlignmentError):
        aligner.align(samples, ["hello"])
    assert aligner.find(samples, ["hello"]) is None
    assert transcriber.transcribe(samples) == ()


@pytest.mark.parametrize("words", [[], ["Hello"], ["don’t"], [""], ["two words"], ["5"], ["w(2)"], ["<sil>"]], ids=repr)
def test_what_is_no_spoken_word_is_refused(aligner: SphinxAligner, words: Sequence[str]) -> None:
    with pytest.raises(AlignmentError):
        aligner.align(speak(TEXT).samples, words)


def test_too_many_words_for_the_audio_are_an_error_not_a_crash(aligner: SphinxAligner) -> None:
    samples = speak("yes").samples
    with pytest.raises(AlignmentError, match="does not fit"):
        aligner.align(samples, OTHER.split() * 4)
    assert aligner.align(samples, ["yes"]).words[0].text == "yes"


def test_noise_alone_is_no_crash(aligner: SphinxAligner, transcriber: SphinxTranscriber) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    aligner.find(noise, TEXT.split())
    transcriber.transcribe(noise)


def test_identity_needs_no_model_and_names_version_and_pronunciations() -> None:
    aligner, transcriber = SphinxAligner(), SphinxTranscriber()
    assert aligner.identity.startswith("pocketsphinx:5.")
    assert "g2p-en:" in aligner.identity
    assert aligner.identity != transcriber.identity
    assert not any(name in vars(aligner) for name in ("_searching", "_scoring"))


def test_hints_help_the_recogniser(transcriber: SphinxTranscriber) -> None:
    sentence = speak(TEXT)
    heard = transcriber.transcribe(sentence.samples, [OTHER, TEXT, "then sweynheim went to subiaco"])
    words = [word.text for word in heard]
    assert len(set(words) & set(TEXT.split())) > 0.8 * len(set(TEXT.split()))
    assert all(0 <= a.start < a.end <= b.start + 0.011 for a, b in itertools.pairwise(heard))
    assert transcriber.transcribe(sentence.samples, [OTHER, TEXT, "then sweynheim went to subiaco"]) == heard


def test_the_recogniser_hears_something_without_hints(transcriber: SphinxTranscriber) -> None:
    words = [word.text for word in transcriber.transcribe(speak(TEXT).samples)]
    assert len(words) > 5
    assert {"the", "letters"} & set(words)

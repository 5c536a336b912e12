"""Utterances: what is in doubt is left out whole, from pause to pause, and every reason is counted."""

from dataclasses import replace

import numpy as np
import pytest

from schemas.text import Phone, Utterance, Word
from schemas.turn import Span
from transforms.passages import Passage
from transforms.said import SaidPassage, SaidWord
from transforms.utterances import Limits, Rejected, assemble

LIMITS = Limits(phrase_score=-7.0, word_score=-12.0, word_deficit=60.0)
PASSAGE = Passage(10.0, 14.0, 9.7, 14.3)
SPEECH = (Span(0.0, 60.0),)


def said(text: str, start: float, end: float, place: int, score: float = -4.0, label: str = "") -> SaidWord:
    return SaidWord(Word(text, start, end, score, text), place, label)


# Two phrases: a pause of 0.4 s after the second word.
WORDS = (
    said("one", 10.1, 10.6, 0),
    said("two,", 10.6, 11.2, 1),
    said("three", 11.6, 12.4, 2),
    said("four.", 12.4, 13.9, 3),
)


def passage_of(words: tuple[SaidWord, ...], sounding: list[tuple[float, float]] | None = None, **edges) -> SaidPassage:
    """A passage in which exactly the words sound, or what is said to."""
    passage = replace(PASSAGE, **edges)
    loud = np.zeros(round((passage.read_end - passage.read_start) * 100), np.bool_)
    for start, end in [(w.word.start, w.word.end) for w in words] if sounding is None else sounding:
        loud[round((start - passage.read_start) * 100) : round((end - passage.read_start) * 100)] = True
    phones = tuple(Phone("AH", w.word.start, w.word.end) for w in words)
    return SaidPassage(passage, words, phones, loud)


def assembled(*passages: SaidPassage) -> tuple[tuple[Utterance, ...], Rejected]:
    return assemble(passages, SPEECH, "publisher:vtt", LIMITS)


def texts(utterances: tuple[Utterance, ...]) -> list[str]:
    return [" ".join(word.text for word in utterance.words) for utterance in utterances]


def test_a_clean_passage_is_one_utterance() -> None:
    (utterance,), rejected = assembled(passage_of(WORDS))
    assert rejected == Rejected(0, ())
    assert (utterance.start, utterance.end) == (10.1, 13.9)
    assert [word.text for word in utterance.words] == ["one", "two,", "three", "four."]
    assert len(utterance.phones) == 4
    assert utterance.transcript_source == "publisher:vtt"
    assert utterance.alignment_score == pytest.approx(-4.0)
    assert utterance.coverage == 1.0
    assert utterance.foreign == 0.0


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("not what is said", {"word": Word("three", 11.6, 12.4, -15.0, "three")}),
        ("not what is said", {"word": Word("three", 11.6, 12.4, -8.0, "three")}),
        ("said in part", {"fault": "said in part"}),
    ],
    ids=["one bad word", "a long word that is rather bad", "a token in part"],
)
def test_a_doubtful_word_takes_its_phrase_along_and_no_more(fault: str, change: dict) -> None:
    utterances, rejected = assembled(passage_of((*WORDS[:2], replace(WORDS[2], **change), WORDS[3])))
    assert texts(utterances) == ["one two,"]
    assert rejected == Rejected(2, ((fault, 2),))


def test_a_short_word_may_score_a_little_worse() -> None:
    short = said("a", 10.6, 10.7, 1, score=-10.0)
    utterances, _ = assembled(passage_of((WORDS[0], short, *WORDS[2:])))
    assert texts(utterances) == ["one a three four."]


def test_speech_that_no_word_covers_takes_the_phrases_that_it_touches() -> None:
    runs_into_three = [(10.1, 11.2), (11.3, 13.9)]
    utterances, rejected = assembled(passage_of(WORDS, runs_into_three))
    assert texts(utterances) == ["one two,"]
    assert rejected.faults == (("unknown speech beside", 2),)


def test_speech_between_pauses_leaves_both_sides_but_they_do_not_touch() -> None:
    words = (*WORDS[:2], *(replace(w, word=replace(w.word, start=w.word.start + 0.2)) for w in WORDS[2:3]), WORDS[3])
    utterances, rejected = assembled(passage_of(words, [(10.1, 11.2), (11.4, 11.6), (11.8, 13.9)]))
    assert texts(utterances) == ["one two,", "three four."]
    assert rejected.words == 0
    assert utterances[0].end < utterances[1].start


def test_an_echo_in_short_pieces_is_no_speech() -> None:
    pieces = [(10.1, 11.2), (11.27, 11.33), (11.42, 11.5), (11.6, 13.9)]
    utterances, rejected = assembled(passage_of(WORDS, pieces))
    assert texts(utterances) == ["one two, three four."]
    assert rejected.words == 0
    assert utterances[0].coverage < 1.0


def test_what_reaches_over_an_open_edge_goes() -> None:
    over = replace(WORDS[3], word=replace(WORDS[3].word, end=14.2))
    utterances, rejected = assembled(passage_of((*WORDS[:3], over), open_after=True))
    assert texts(utterances) == ["one two,"]
    assert rejected.faults == (("at the edge of the target's speech", 2),)
    kept, _ = assembled(passage_of((*WORDS[:3], over)))
    assert texts(kept) == ["one two, three four."]


def test_running_speech_that_was_cut_joins_again() -> None:
    """Both passages heard the word at the cut; it belongs to the one that holds its middle."""
    first = passage_of((*WORDS[:2], said("three", 13.6, 14.2, 2)), cut_after=True)
    words = (said("three", 13.72, 14.2, 2), said("four", 14.2, 15.9, 3))
    second = passage_of(words, start=14.0, end=16.0, read_start=13.7, read_end=16.3, cut_before=True)
    utterances, rejected = assembled(first, second)
    assert [word.text for u in utterances for word in u.words] == ["one", "two,", "three", "four"]
    assert rejected.words == 0
    assert sum(len(u.phones) for u in utterances) == 4
    only_first = replace(second, words=second.words[1:])
    assert texts(assembled(first, only_first)[0]) == ["one two, three four"]


def test_a_word_found_in_two_passages_is_in_doubt_in_both() -> None:
    later = replace(PASSAGE, start=20.0, end=24.0, read_start=19.7, read_end=24.3)
    moved = tuple(replace(w, word=replace(w.word, start=w.word.start + 10, end=w.word.end + 10)) for w in WORDS[2:])
    loud = np.zeros(460, np.bool_)
    loud[190:420] = True
    utterances, rejected = assembled(passage_of(WORDS), SaidPassage(later, moved, (), loud))
    assert texts(utterances) == ["one two,"]
    assert rejected.faults == (("found twice", 4),)


def test_words_captioned_for_another_make_an_utterance_of_their_own() -> None:
    labels = ("Host", "Host", "Guest", "Guest")
    more = tuple(said(f"w{n}", 20.2 + n, 21.2 + n, 4 + n, label="Host") for n in range(3))
    words = tuple(replace(word, label=label) for word, label in zip(WORDS, labels, strict=True))
    second = replace(
        passage_of(more, [], start=20.0, end=24.0, read_start=19.7, read_end=24.3),
    )
    utterances, _ = assembled(passage_of(words), second)
    assert texts(utterances) == ["one two,", "three four.", "w0 w1 w2"]
    assert [utterance.foreign for utterance in utterances] == [0.0, 1.0, 0.0]


def test_without_labels_nothing_is_foreign() -> None:
    utterances, _ = assembled(passage_of((replace(WORDS[0], label="Host"), *WORDS[1:])))
    assert [utterance.foreign for utterance in utterances] == [0.0]


def test_utterances_with_only_a_short_pause_between_them_touch() -> None:
    second = SaidPassage(Passage(14.2, 16.0, 14.1, 16.3), (said("five", 14.5, 15.9, 4),), (), np.ones(220, np.bool_))
    second = replace(
        second, loud=np.concatenate([np.zeros(40, np.bool_), np.ones(140, np.bool_), np.zeros(40, np.bool_)])
    )
    first, last = assembled(passage_of(WORDS), second)[0]
    assert first.end == last.start == pytest.approx(14.2)
    assert first.words[-1].end <= first.end


def test_nothing_is_nothing() -> None:
    assert assembled() == ((), Rejected(0, ()))
    assert assembled(passage_of(())) == ((), Rejected(0, ()))

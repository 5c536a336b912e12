import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import RealtalkError
from tts.frontend.script import Sentence
from tts.frontend.text import FrontEnd
from tts.phones import COMMA, EDGE, NO_MARK, QUESTION, STOP

FRONT_END = FrontEnd()


def phones(text: str, word: str) -> str:
    """The phones of the first word that is written so."""
    for sentence in FRONT_END.sentences(text):
        for one in sentence.words:
            if one.text.strip('.,?!"').lower() == word:
                return " ".join(one.phones)
    raise AssertionError(f"{word} is not in {text!r}")


def texts(sentences: list[Sentence]) -> list[str]:
    return [sentence.text for sentence in sentences]


def test_sentences_end_at_full_stops_and_paragraphs_at_empty_lines() -> None:
    found = list(FRONT_END.sentences("Dr. Smith spoke to me\nat length. Why?\n \nNobody knows"))
    assert texts(found) == ["Dr. Smith spoke to me at length.", "Why?", "Nobody knows ."]
    assert [sentence.ends_paragraph for sentence in found] == [False, True, True]
    assert all(sentence.pause is None for sentence in found)


def test_the_model_reads_marks_but_no_full_stops_of_abbreviations() -> None:
    (sentence,) = FRONT_END.sentences("Mr. Po, said who?")
    symbols = sentence.symbols()
    assert symbols.marks[symbols.places == 4].tolist() == [EDGE, NO_MARK, COMMA, NO_MARK, QUESTION]
    (heading,) = FRONT_END.sentences("A heading")
    assert heading.symbols().marks[-1] == STOP


def test_marks_after_the_last_full_stop_are_no_sentence() -> None:
    assert texts(list(FRONT_END.sentences("So it was. —"))) == ["So it was."]


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("I will read it.", "read", "R IY D"),
        ("I have never read it.", "read", "R EH D"),
        ("He read it.", "read", "R EH D"),
        ("Did he read it?", "read", "R IY D"),
        ("They had to read it.", "read", "R IY D"),
        ("A lead pipe.", "lead", "L EH D"),
        ("Take the lead.", "lead", "L IY D"),
        ("We live here.", "live", "L IH V"),
        ("Live music.", "live", "L AY V"),
        ("Lost lives.", "lives", "L AY V Z"),
        ("She lives here.", "lives", "L IH V Z"),
        ("Use it.", "use", "Y UW Z"),
        ("The use of it.", "use", "Y UW S"),
        ("I used to.", "used", "Y UW S T"),
        ("It is used to cut.", "used", "Y UW Z D"),
        ("Close the door.", "close", "K L OW Z"),
        ("A close game.", "close", "K L OW S"),
        ("The close of play.", "close", "K L OW Z"),
        ("So close to it.", "close", "K L OW S"),
        ("The wind blew.", "wind", "W IH N D"),
        ("To wind a clock.", "wind", "W AY N D"),
        ("A record.", "record", "R EH K ER D"),
        ("We record it.", "record", "R IH K AO R D"),
        ("The Polish team.", "polish", "P OW L IH SH"),
        ("The apple.", "the", "DH IY"),
        ("The pear.", "the", "DH AH"),
        ("The hour.", "the", "DH IY"),
        ("The one.", "the", "DH AH"),
        ("A day.", "a", "AH"),
        ("Vitamin A is good.", "a", "EY"),
        ("It is AI.", "ai", "EY AY"),
        ("At 9am.", "9am", "N AY N EY EH M"),
        ("2½ cups.", "a", "AH"),
    ],
)
def test_words_are_pronounced_by_what_stands_beside_them(text: str, word: str, expected: str) -> None:
    assert phones(text, word) == expected


def test_telephone_numbers_are_words_of_their_own() -> None:
    (sentence,) = FRONT_END.sentences("Call 555-0123, now.")
    assert sentence.text == "Call five five five zero one two three, now."
    assert [len(word.phones) for word in sentence.words] == [3, 3, 3, 3, 4, 3, 2, 3, 2]


def test_the_users_lexicon_goes_before_all_else() -> None:
    own = FrontEnd({"gif": ("JH", "IH", "F"), "realtalk": ("R", "IY", "L"), "c++": ("S", "IY")})
    (sentence,) = own.sentences("GIF, Realtalk's C++ gif.")
    assert [" ".join(word.phones) for word in sentence.words] == ["JH IH F", "R IY L Z", "S IY", "JH IH F"]


def test_what_cannot_be_said_is_told() -> None:
    told: list[str] = []
    list(FrontEnd(tell=told.append).sentences("Hello 你好 (laughs) — end."))
    assert told == [
        "text: '你好' can't be said in English and is left out",
        "text: '(laughs)' is no speech and is left out",
    ]


@pytest.mark.parametrize("text", ["", " \n", "…", "Привет, мир", "<speak></speak>"])
def test_a_text_without_speech_is_refused(text: str) -> None:
    with pytest.raises(RealtalkError, match="nothing in it can be said in English"):
        FRONT_END.sentences(text)


def test_long_sentences_are_cut_where_clauses_end() -> None:
    clause = "and then the old man walked slowly down to the harbour where all of the boats were lying"
    found = list(FRONT_END.sentences(", ".join([clause] * 9) + "."))
    assert len(found) > 1
    assert all(sentence.words[-1].text.endswith((",", ".")) for sentence in found)
    assert [sentence.pause for sentence in found] == [0.25] * (len(found) - 1) + [None]
    assert max(sum(len(word.phones) for word in sentence.words) for sentence in found) <= 240


def test_long_sentences_without_any_mark_are_cut_between_words() -> None:
    found = list(FRONT_END.sentences("potato " * 400))
    assert max(sum(len(word.phones) for word in sentence.words) for sentence in found) <= 240
    assert sum(len(sentence.words) for sentence in found) == 401
    assert [sentence.pause for sentence in found[:-1]] == [0.12] * (len(found) - 1)


def test_paragraphs_are_read_as_they_are_asked_for() -> None:
    told: list[str] = []
    found = FrontEnd(tell=told.append).sentences("First.\n\n你好 second.")
    next(found)
    assert not told
    list(found)
    assert told


def test_a_long_paragraph_is_read_a_few_sentences_at_a_time() -> None:
    told: list[str] = []
    plain = "Dr. Smith of the U.S. said that nothing of this was new to him in the least. " * 3
    found = FrontEnd(tell=told.append).sentences(plain + "你好, he said.")
    next(found)
    assert not told
    rest = list(found)
    assert told
    assert [sentence.ends_paragraph for sentence in rest] == [False, False, True]


@settings(max_examples=150, deadline=None)
@given(st.text(st.one_of(st.characters(), st.sampled_from("aA019.,!? \n-–'$€%[]()<>&;:/♪")), max_size=60))
def test_any_text_is_said_or_refused(text: str) -> None:
    try:
        found = list(FRONT_END.sentences(text, ssml=False))
    except RealtalkError:
        return
    for sentence in found:
        assert len(sentence.symbols()) == len(sentence.rates())


@pytest.mark.parametrize(
    "text", ["-" * 50_000 + "1-2-3-4-5", "[" * 50_000, "\n " * 50_000, "1 000 " * 10_000, "a" * 50_000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    list(FRONT_END.sentences(f"Hello. {text}"))
    assert time.process_time() - began < 5.0

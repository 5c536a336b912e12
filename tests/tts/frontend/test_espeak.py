import pytest

from tts.frontend.espeak import EspeakPronouncer
from tts.frontend.text import FrontEnd
from tts.phones import ARPABET

pytest.importorskip("espeakng_loader", reason="eSpeak NG (the extra demo) pronounces the words of these tests")


@pytest.fixture(scope="module")
def pronouncer() -> EspeakPronouncer:
    return EspeakPronouncer()


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("hello", "HH AH L OW"),  # of the dictionary
        ("blorptastic", "B L AO R P T EY S T IH K"),
        ("zorching", "Z AO R CH IH NG"),
        ("grumbler", "G R AH M B L ER"),
    ],
)
def test_words_of_no_dictionary_are_as_espeak_says_them(pronouncer: EspeakPronouncer, word: str, phones: str) -> None:
    assert " ".join(pronouncer.pronounce(word)) == phones


def test_every_word_has_phones_of_the_model(pronouncer: EspeakPronouncer) -> None:
    text = "Zyxquat, mbongo, schnitzelwerk'n and Llanfairpwll went to Kyrghyzbarton's ghoti fjordhaus."
    for sentence in FrontEnd(pronouncer=pronouncer).sentences(text):
        assert all(word.phones and set(word.phones) <= set(ARPABET) for word in sentence.words)

"""Texts as recognisers invent them, and texts as people talk."""

import pytest

from transforms.text.invented import compression_ratio, other_script_share, repeated_share, stock_share

LOOP = "I don't know what to say. " * 12
TALK = (
    "Well, um, printing, as we know it, differs from most of the other arts, and, you know, it was very, very "
    "beautiful in that year, when they began near Rome."
)


def test_a_loop_compresses_and_repeats() -> None:
    assert compression_ratio(LOOP) > 2.4
    assert repeated_share(LOOP.lower().split()) > 0.8
    assert compression_ratio("") == 0.0


def test_talk_does_neither() -> None:
    assert compression_ratio(TALK) < 2.0
    assert repeated_share(TALK.split()) == 0.0
    assert repeated_share([]) == 0.0


@pytest.mark.parametrize(
    ("words", "share"),
    [
        ("no no no", 0.0),
        ("no no no no no no", 5 / 6),
        ("we did we did and left", 0.0),
        ("and then and then and then we left", 4 / 8),
        ("so far away so far away so far away so far away", 9 / 12),
    ],
)
def test_what_is_said_again_is_a_loop_only_more_often_than_people_do(words: str, share: float) -> None:
    assert repeated_share(words.split()) == pytest.approx(share)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for watching!",
        "Thank you so much for watching.",
        "Thank you for watching. Please like and subscribe!",
        "Don't forget to like, comment and subscribe to my channel.",
        "Subtitles by the Amara.org community",
        "Subtitles by John Smith",
        "Transcription by CastingWords",
        "Sous-titrage Société Radio-Canada",
        "Untertitel im Auftrag des ZDF für funk, 2017",
        "See you in the next video. Thanks for watching.",
        "www.example.com",
    ],
)
def test_credits_and_ends_of_videos_are_stock(text: str) -> None:
    assert stock_share(text) > 0.5


@pytest.mark.parametrize(
    "text",
    [
        TALK,
        "",
        "Thank you for coming, it was good to see you.",
        "Until then, keep your windows closed and your questions open. Thank you for listening.",
        "I translated the book by hand and watched the end of the film.",
    ],
)
def test_what_people_say_is_not(text: str) -> None:
    assert stock_share(text) < 0.5


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [
        ("Hello, it's naïve.", "en", 0.0),
        ("Продолжение следует", "en", 1.0),
        ("Продолжение следует", "ru", 0.0),
        ("ご視聴ありがとうございました", "en", 1.0),
        ("ご視聴ありがとうございました", "ja", 0.0),
        ("안녕 abc", "en", 0.4),
        ("Zdravo свет", "sr", 0.0),
        ("1984 ... !", "en", 0.0),
    ],
)
def test_letters_that_the_language_is_not_written_with(text: str, language: str, share: float) -> None:
    assert other_script_share(text, language) == pytest.approx(share)

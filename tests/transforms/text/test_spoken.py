"""Written words and how they are said, there and back."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.text import Token
from transforms.text.spoken import (
    alternatives,
    is_unsayable,
    regroup,
    spoken_words,
    tokenise,
    tokenise_many,
)


def said(text: str, language: str = "en") -> str:
    return " ".join(word for word, _ in spoken_words(tokenise(text, language)))


def also(text: str) -> set[str]:
    (token,) = tokenise(text)
    return {" ".join(way) for way in alternatives(token)}


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        # Numbers
        ("in 1984 and 2024", "in nineteen eighty four and twenty twenty four"),
        ("in 1905, 1900, 2000, 2005", "in nineteen oh five nineteen hundred two thousand two thousand five"),
        (
            "2,024 of 1,234,567",
            "two thousand twenty four of one million two hundred thirty four thousand five hundred sixty seven",
        ),
        ("the 1990s, the '80s", "the nineteen nineties the eighties"),
        ("3.14 and .5", "three point one four and point five"),
        ("I, II and VIII", "i two and eight"),
        ("5 m of 240 V and -5 °F", "five meters of two hundred forty volts and minus five degrees fahrenheit"),
        ("14:00 EST, by a Ph.D.", "fourteen hundred e s t by a p h d"),
        ("1/2, 3/4 and 2½", "one half three quarters and two and a half"),
        ("1st 22nd 103rd", "first twenty second one hundred third"),
        ("10-20 or 1939–45", "ten to twenty or nineteen thirty nine to forty five"),
        ("call 555-1234", "call five five five one two three four"),
        ("007 and -5", "zero zero seven and minus five"),
        ("sold 50, 000", "sold fifty thousand"),
        ("v1.2.3", "version one point two point three"),
        ("24/7 since 9/11", "twenty four seven since nine eleven"),
        ("4x4", "four by four"),
        # Money, units, percent
        ("$3.50", "three dollars and fifty cents"),
        ("$0.99 or $1", "ninety nine cents or one dollar"),
        ("£5m and €1.2 billion", "five million pounds and one point two billion euros"),
        ("$84,000, US$5", "eighty four thousand dollars five u s dollars"),
        ("$5-10", "five to ten dollars"),
        ("5% of 0.75%", "five percent of zero point seven five percent"),
        ("5km at 10 mph, 1 km", "five kilometers at ten miles per hour one kilometer"),
        ("84°F, 84\ufffdF", "eighty four degrees fahrenheit eighty four degrees fahrenheit"),
        ("3GB, 5G, 1080p", "three gigabytes five g ten eighty p"),
        ("6'2\"", "six foot two"),
        # Dates and times
        ("March 4 2023", "march fourth twenty twenty three"),
        ("4/3/2023", "april third twenty twenty three"),
        ("2024-01-25", "january twenty fifth twenty twenty four"),
        ("Jan 25th, 25 January", "january twenty fifth twenty fifth january"),
        ("3:30pm, 17:05, 3:00", "three thirty p m seventeen oh five three o'clock"),
        ("at 10 a.m. or 9 PM", "at ten a m or nine p m"),
        # Abbreviations and initialisms
        ("Dr. Smith, Mr. and Mrs. Jones", "doctor smith mister and missus jones"),
        ("St. Louis, Main St. is", "saint louis main street is"),
        ("No. 5 said no.", "number five said no"),
        ("vs. etc. e.g. i.e.", "versus et cetera for example that is"),
        ("the USA, NASA, RNZ, CEOs", "the u s a nasa r n z c e o's"),
        ("the US and IT", "the u s and i t"),
        ("I LIVE IN THE US AND LOVE IT SO", "i live in the us and love it so"),
        ("U.S. and J.K.", "u s and j k"),
        ("MP3 B2B COVID-19", "m p three b two b covid nineteen"),
        # The net
        ("podnews.net", "podnews dot net"),
        ("https://podnews.net/latest.", "podnews dot net slash latest"),
        ("newsletter@podnews.net", "newsletter at podnews dot net"),
        ("AT&T, C++, #metoo @adam & you", "a t and t c plus plus hashtag metoo at adam and you"),
        # Words
        ("well-known word—another", "well known word another"),
        ("'twas rock'n'roll goin' 'quoted'", "'twas rock'n'roll goin' quoted"),
        ("Café Ærøskøbing’s", "cafe aeroskobing's"),
        ("YouTube PodNews McDonald", "youtube pod news mcdonald"),
        ("Henry VIII, Chapter IV, World War II", "henry the eighth chapter four world war two"),
        ("John L Sullivan and I", "john l sullivan and i"),
        ("um revo hmmm", "um revo hmmm"),
        # Not speech
        ("[upbeat music] Hello (laughs) *applause* ♪ la la ♪ you", "hello you"),
        ("— Hello … - you", "hello you"),
        ("(which is not a sound) *really*", "which is not a sound really"),
    ],
)
def test_how_it_is_said(text: str, spoken: str):
    assert said(text) == spoken


def test_the_british_say_and_and_put_the_day_first():
    assert said("105 on 4/3/2023", "en-GB").startswith("one hundred and five on the fourth of march")


def test_other_languages_are_words_only():
    assert said("Ça coûte 5 euros", "fr") == "ca coute euros"
    assert said("Привет, мир — 7 дней!", "ru") == "привет мир дней"
    assert said("Καλημέρα", "el") == "καλημέρα"
    assert said("Dr. Müller", "de") == "dr muller", "no English doctor"


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("1984", {"one thousand nine hundred eighty four", "one thousand nine hundred and eighty four"}),
        ("2024", {"two thousand twenty four", "two thousand and twenty four"}),
        ("100", {"a hundred"}),
        ("105", {"one hundred and five", "one oh five", "one zero five", "thousand one hundred five"}),
        ("$3.50", {"three fifty", "three dollars fifty"}),
        ("4", {"fourth", "the fourth"}),
        ("Dr.", {"drive"}),
        ("NASA", {"n a s a"}),
        ("US", {"us"}),
        ("17:05", {"seventeen five"}),
        ("7:30", {"half past seven"}),
    ],
)
def test_alternatives(text: str, ways: set[str]):
    assert ways <= also(text)


def test_alternatives_leave_out_what_is_already_said():
    (token,) = tokenise("1984")
    assert token.spoken not in alternatives(token)
    assert alternatives(Token("—", ())) == ()
    billion = tokenise("$1.2 billion")[1]
    assert billion.spoken == ("billion", "dollars")
    assert ("billion",) in alternatives(billion)


def test_a_text_goes_on_in_the_next_one():
    march, rest = tokenise_many(["podcasting 2.0 March", "4 2023 Episode"])
    assert march[-1] == Token("March", ("march",))
    assert rest[0] == Token("4", ("fourth",))
    assert tokenise("4 2023")[0] == Token("4", ("four",))


def test_a_stage_direction_is_one_token():
    assert tokenise("[upbeat  music playing] Hi")[0] == Token("[upbeat music playing]", ())


def test_a_stage_direction_that_touches_a_word_is_left_out_of_what_is_said():
    assert tokenise("[laughs]Hello") == (Token("[laughs]Hello", ("hello",)),)


def test_what_is_said_but_can_not_be_written_is_told_from_what_is_not_said():
    dash, japanese, music, endless = tokenise(f"— 日本語 [music] {'a' * 300}")
    assert [token.spoken for token in (dash, japanese, music, endless)] == [()] * 4
    assert [is_unsayable(token) for token in (dash, japanese, music, endless)] == [False, True, False, True]


def test_spoken_words_know_their_token():
    assert spoken_words(tokenise("— $5 please")) == (("five", 1), ("dollars", 1), ("please", 2))


def test_regroup_gives_every_written_word_its_time_and_the_text_back():
    text = "— It cost $3.50 — [laughs] really"
    tokens = tokenise(text)
    times = [(0.5 * k, 0.5 * k + 0.5, -float(k)) for k in range(len(spoken_words(tokens)))]
    words = regroup(tokens, times)
    assert [word.text for word in words] == ["— It", "cost", "$3.50 — [laughs]", "really"]
    assert " ".join(word.text for word in words) == text
    assert words[2].spoken == "three dollars and fifty cents"
    assert (words[2].start, words[2].end) == (1.0, 3.5)
    assert words[2].score == pytest.approx(-4.0)


def test_regroup_weighs_scores_by_time():
    (word,) = regroup(tokenise("$5"), [(0.0, 0.3, -1.0), (0.3, 0.4, -5.0)])
    assert word.score == pytest.approx(-2.0)


def test_regroup_refuses_times_that_do_not_fit():
    with pytest.raises(ValueError, match="2 spoken words, but 1 times"):
        regroup(tokenise("$5"), [(0.0, 1.0, 0.0)])


def test_regroup_of_silence_is_nothing():
    assert regroup(tokenise("— [music]"), []) == ()


# Properties

ODD_WORDS = "Dr. St. $1.5 million 3:30 p.m. 1/2 U.S. NASA's [x (laughs) ♪ '90s 10-20% a@b.co C# May 4 II"
WRITTEN = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789.,:/-$£€%°'\"’()[]*♪#@&+=xkmKMBpst aAIVX\u2014½", max_size=30),
    st.lists(
        st.sampled_from(ODD_WORDS.split()),
        max_size=8,
    ).map(" ".join),
)


@given(WRITTEN)
@settings(max_examples=400, deadline=None, derandomize=True)
@example("\x85a\u3000b\x1cc")
@example("²³¹ ٣ Ⅷ ㎏ №5 ﷺ")
@example("0" * 400)
def test_any_text_comes_back_and_is_said_in_plain_words(text: str):
    tokens = tokenise(text)
    assert " ".join(token.text for token in tokens) == " ".join(text.split())
    for token in tokens:
        for way in (token.spoken, *alternatives(token)):
            assert all(re.fullmatch("[a-z']*[a-z][a-z']*", word) for word in way)
    words = spoken_words(tokens)
    grouped = regroup(tokens, [(float(k), k + 1.0, 0.0) for k in range(len(words))])
    assert " ".join(word.spoken for word in grouped) == " ".join(word for word, _ in words)
    if words:
        assert " ".join(word.text for word in grouped) == " ".join(text.split())


@given(st.lists(WRITTEN, max_size=4), st.sampled_from(["en", "en-GB", "de", ""]))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_many_texts_have_the_written_words_of_each(texts: list[str], language: str):
    for text, tokens in zip(texts, tokenise_many(texts, language), strict=True):
        assert " ".join(token.text for token in tokens) == " ".join(text.split())


# A reader's own normalisation


def test_as_a_professional_normalised_it(recordings):
    """LJ Speech comes with its text spelled out by hand; both must be said alike."""
    lines = (recordings / "ljspeech" / "metadata.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("|") for line in lines]
    assert len(rows) == 32
    for _, written, spelled_out in rows:
        assert said(written) == said(spelled_out)

import pytest

from schemas.errors import RealtalkError
from tts.frontend.parts import Break, End, Said, Text
from tts.frontend.script import Manner
from tts.frontend.ssml import is_ssml, read_ssml
from tts.frontend.text import FrontEnd


def read(inside: str) -> list[object]:
    return list(read_ssml(f"<speak>{inside}</speak>", unheard))


def unheard(line: str) -> None:
    raise AssertionError(line)


def test_ssml_is_known_by_its_beginning() -> None:
    assert is_ssml('<?xml version="1.0"?>\n<!-- a -->\n<speak version="1.1">')
    assert is_ssml(" <speak>")
    assert not is_ssml("<speaker>")
    assert not is_ssml("Say <speak>")
    # Of which nothing takes long.
    assert not is_ssml("<!---->" * 10_000 + "a")


def test_text_between_tags_is_text() -> None:
    assert read("Hello &amp; <p>good <s>day</s></p>") == [
        Text("Hello & "), End(True), Text("good "), End(), Text("day"), End(), End(True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ('<break time="500ms"/>', 0.5),
        ('<break time="1.5s"/>', 1.5),
        ('<break strength="weak"/>', 0.2),
        ('<break strength="strong" time="2s"/>', 2.0),
        ("<break/>", 0.4),
    ],
)
def test_breaks_last(tag: str, seconds: float) -> None:
    assert read(f"a{tag}b") == [Text("a"), Break(seconds), Text("b")]


def test_a_break_of_no_strength_is_none() -> None:
    assert read('a<break strength="none"/>b') == [Text("a"), Text("b")]


@pytest.mark.parametrize(
    ("given", "manner"),
    [
        ('rate="slow"', Manner(rate=0.75)),
        ('rate="80%"', Manner(rate=0.8)),
        ('rate="+20%"', Manner(rate=1.2)),
        ('rate="1.5"', Manner(rate=1.5)),
        ('pitch="+2st"', Manner(pitch=2.0)),
        ('pitch="-50%"', Manner(pitch=-12.0)),
        ('pitch="low" volume="+6dB"', Manner(pitch=-2.0, volume=6.0)),
        ('volume="x-soft"', Manner(volume=-12.0)),
        ('volume="silent"', Manner(volume=-40.0)),
    ],
)
def test_prosody(given: str, manner: Manner) -> None:
    assert read(f"<prosody {given}>a</prosody>b") == [Text("a", manner), Text("b")]


def test_prosody_adds_up_inside_of_prosody_and_only_as_far_as_a_voice_goes() -> None:
    (found,) = read('<prosody rate="80%" pitch="+2st"><emphasis>a</emphasis></prosody>')
    assert found == Text("a", Manner(0.92 * 0.8, 3.0, 1.5))
    (slow,) = read('<prosody rate="0.25">' * 9 + "a" + "</prosody>" * 9)
    assert slow == Text("a", Manner(rate=0.25))


def test_phonemes_are_said_as_they_are_given() -> None:
    assert read('<phoneme alphabet="ipa" ph="təˈmeɪtoʊ">tomato</phoneme>') == [
        Said("tomato", ("T", "AH", "M", "EY", "T", "OW"))
    ]
    assert read('<phoneme alphabet="x-arpabet" ph="T AH0 M AA1 T OW2">tomato</phoneme>') == [
        Said("tomato", ("T", "AH", "M", "AA", "T", "OW"))
    ]
    (thirst,) = read('<phoneme ph="ˈθɜː.sti">thirsty</phoneme>')
    assert thirst == Said("thirsty", ("TH", "ER", "S", "T", "IY"))


@pytest.mark.parametrize(
    ("given", "text", "written"),
    [
        ("cardinal", "1984", "one thousand nine hundred eighty four"),
        ("cardinal", "-2.5", "minus two point five"),
        ("ordinal", "22", "twenty second"),
        ("telephone", "+1 (555) 0123", "plus one, five five five, zero one two three"),
        ("currency", "USD 12.50", "$12.50"),
        ("currency", "12.50 EUR", "€12.50"),
        ("time", "10:30", "10:30"),
        ("date", "4/3/2023", "4/3/2023"),
        ('date" format="dmy', "4/3/2023", "march fourth twenty twenty three"),
        ('date" format="ymd', "20230304", "march fourth twenty twenty three"),
        ('date" format="my', "12/1999", "december nineteen ninety nine"),
    ],
)
def test_say_as(given: str, text: str, written: str) -> None:
    assert read(f'<say-as interpret-as="{given}">{text}</say-as>') == [Text(written)]


def test_characters_are_said_by_their_names() -> None:
    found = read('<say-as interpret-as="characters">a1-</say-as>')
    assert [(part.text, " ".join(part.phones)) for part in found if isinstance(part, Said)] == [
        ("a", "EY"), ("1", "W AH N"), ("-", "D AE SH"),
    ]  # fmt: skip


def test_sub_is_said_by_its_alias() -> None:
    assert read('<sub alias="World Wide Web">WWW</sub>') == [Text("World Wide Web")]


def test_what_is_not_understood_is_spoken_and_told() -> None:
    told: list[str] = []
    parts = read_ssml(
        '<speak>\n<audio src="a.wav">a</audio><prosody contour="(0%,+2st)">b</prosody></speak>', told.append
    )
    assert parts == [Text("a"), Text("b")]
    assert told == [
        "SSML, line 2: <audio> is not understood; its text is spoken",
        "SSML, line 2: prosody contour is not understood",
    ]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("<speak>\n<p>a</speak>", "line 2: mismatched tag"),
        ("<speak>\n\na", "line 3: no element found"),
        ("<p>a</p>", "line 1: begins with <p>"),
        ('<speak>\n<prosody rate="fat">a</prosody></speak>', "line 2: prosody rate='fat' is none; there are x-slow"),
        ('<speak><prosody pitch="+30st">a</prosody></speak>', "line 1: .*more than 12 semitones"),
        ('<speak>\n<break time="5"/></speak>', "line 2: break time='5' is no time such as 500ms"),
        ('<speak><break time="1000s"/></speak>', "line 1: .*longer than 60 s"),
        ('<speak><break strength="huge"/></speak>', "line 1: break strength='huge' is none"),
        ('<speak>\n<phoneme alphabet="ipa" ph="ǃa">a</phoneme></speak>', "line 2: .*'ǃ' is no sound of English"),
        ('<speak><phoneme alphabet="x-sampa" ph="a">a</phoneme></speak>', "line 1: the alphabet 'x-sampa'"),
        ('<speak><phoneme alphabet="x-arpabet" ph="QQ">a</phoneme></speak>', "line 1: .*'QQ' is no ARPAbet phone"),
        (f'<speak><phoneme alphabet="x-arpabet" ph="{"AH " * 101}">a</phoneme></speak>', "line 1: .*has 101 phones"),
        ('<speak><say-as interpret-as="ordinal">many</say-as></speak>', "line 1: 'many' is no whole number"),
        ('<speak xml:lang="fr">bonjour</speak>', "line 1: the language 'fr' is not spoken here, only English"),
        ("<speak><sub>a</sub></speak>", 'line 1: <sub> has no alias'),
        ('<!DOCTYPE speak [\n<!ENTITY a "b">]>\n<speak>&a;</speak>', "line 1: document types and entities"),
        ("<speak>&nbsp;</speak>", "line 1: undefined entity"),
        ("<speak>\x00</speak>", "line 1: not well-formed"),
    ],
)  # fmt: skip
def test_bad_ssml_is_refused_by_its_line(document: str, why: str) -> None:
    with pytest.raises(RealtalkError, match=f"^SSML, {why}") as caught:
        read_ssml(document, unheard)
    assert "\n" not in str(caught.value)


def test_breaks_cut_sentences_and_marks_stay_with_their_words() -> None:
    document = '<speak>One <break time="1s"/><emphasis>two</emphasis>, three. <p>Four</p></speak>'
    found = list(FrontEnd().sentences(document))
    assert [sentence.text for sentence in found] == ["One", "two , three.", "Four ."]
    assert [sentence.pause for sentence in found] == [1.0, None, None]
    assert found[1].rates().tolist()[:3] == pytest.approx([0.92] * 3)
    assert found[1].rates()[-1] == 1.0

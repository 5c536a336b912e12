"""Publishers' transcripts: every format as it is found, and what only pretends to be one."""

import contextlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import EpisodeError
from schemas.text import Caption
from transforms.text.captions import FORMATS, MAX_BYTES, detect_format, parse_captions, read_captions


def parse(text: str, format: str) -> tuple[Caption, ...]:
    return parse_captions(text.encode(), format)


def texts(text: str, format: str) -> list[str]:
    return [caption.text for caption in parse(text, format)]


def spoken_by(text: str, format: str) -> list[tuple[str, str]]:
    return [(caption.speaker, caption.text) for caption in parse(text, format)]


def refused(data: bytes, format: str) -> str:
    with pytest.raises(EpisodeError) as caught:
        parse_captions(data, format)
    message = str(caught.value)
    assert "\n" not in message
    return message.partition(": ")[0]


# Subtitles


def test_srt_numbers_times_and_lines():
    text = "1\n00:00:01,500 --> 00:00:03,000\nHello\nthere.\n\n2\n00:01:00,000 --> 00:01:02,250\nBye.\n"
    assert parse(text, "srt") == (Caption("Hello there.", 1.5, 3.0), Caption("Bye.", 60.0, 62.25))


def test_srt_with_windows_line_ends_and_no_empty_lines():
    text = "1\r\n00:00:01,000 --> 00:00:02,000\r\nOne\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nTwo\r\n"
    assert texts(text, "srt") == ["One", "Two"]


def test_a_year_alone_in_a_cue_is_speech_not_the_number_of_the_next_cue():
    text = "1\n00:00:01,000 --> 00:00:02,000\nIn the year\n1984\n\n2\n00:00:02,000 --> 00:00:03,000\nTwo\n"
    assert texts(text, "srt") == ["In the year 1984", "Two"]


def test_an_empty_line_inside_an_srt_cue_loses_nothing():
    text = "1\n00:00:01,000 --> 00:00:02,000\nOne\n\nmore\n\n2\n00:00:02,000 --> 00:00:03,000\nTwo\n"
    assert texts(text, "srt") == ["One more", "Two"]


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        ("0.860 --> 7.380", 0.86, 7.38),
        ("56.440 --> 1:01.080", 56.44, 61.08),
        ("00:01.000 --> 00:04.000 align:start position:0%", 1.0, 4.0),
        ("01:00:00.000-->01:00:01.000", 3600.0, 3601.0),
        ("00:00:01:500 --> 00:00:02:000", 1.5, 2.0),
        ("100:00:00.000 --> 100:00:01.000", 360_000.0, 360_001.0),
    ],
)
def test_times_as_they_are_written(line: str, start: float, end: float):
    assert parse(f"WEBVTT\n\n{line}\nHi\n", "vtt") == (Caption("Hi", start, end),)


def test_an_end_before_its_start_is_no_end():
    assert parse("WEBVTT\n\n00:05.000 --> 00:01.000\nHi\n", "vtt") == (Caption("Hi", 5.0, None),)


def test_vtt_headers_notes_styles_regions_and_identifiers_are_not_speech():
    text = (
        "WEBVTT - A title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n"
        "NOTE\nnot this\n\nintro\n00:01.000 --> 00:02.000\nHello\n\nNOTE nor this\n\n00:02.000 --> 00:03.000\nBye\n"
    )
    assert texts(text, "vtt") == ["Hello", "Bye"]


def test_voices_are_speakers_of_their_own_text_only():
    voices = "<v.loud Ann &amp; Bo>Hi</v>\n<v Cy>Hey</v>"
    text = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{voices}\n\n00:02.000 --> 00:03.000\nWho?\n"
    assert spoken_by(text, "vtt") == [("Ann & Bo", "Hi"), ("Cy", "Hey"), ("", "Who?")]


def test_markup_is_stripped_and_entities_decoded():
    marked = "{\\an8}<c.yellow>Fish</c> <00:00:01.500><i>&amp;</i> <b>chips</b>&nbsp;&lt;3"
    assert texts(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{marked}\n", "vtt") == ["Fish & chips <3"]


def test_rolling_captions_say_each_line_once():
    text = (
        "WEBVTT\n\n00:00.000 --> 00:02.000\n \nhello<00:00:00.500><c> everyone</c>\n\n"
        "00:02.000 --> 00:02.010\nhello everyone\n \n\n"
        "00:02.010 --> 00:04.000\nhello everyone\nwelcome<00:00:03.000><c> to the show</c>\n\n"
        "00:04.000 --> 00:04.010\nwelcome to the show\n \n\n"
        "00:04.010 --> 00:06.000\nwelcome to the show\ngood to see you\n"
    )
    assert parse(text, "vtt") == (
        Caption("hello everyone", 0.0, 2.0),
        Caption("welcome to the show", 2.01, 4.0),
        Caption("good to see you", 4.01, 6.0),
    )


def test_people_who_repeat_themselves_are_not_rolling_captions():
    cues = [("La la la la", 1), ("La la la la", 2), ("La la la la", 3), ("Oh no no", 4)]
    text = "WEBVTT\n\n" + "\n\n".join(f"0:0{t}.000 --> 0:0{t + 1}.000\n{words}" for words, t in cues)
    assert texts(text, "vtt") == [words for words, _ in cues]


def test_tracks_one_after_the_other_are_put_in_order_but_careless_times_are_not():
    tracks = "0:01.000 --> 0:02.000\nA\n\n0:50.000 --> 0:51.000\nC\n\n0:03.000 --> 0:04.000\nB\n"
    careless = "0:03.000 --> 0:05.000\nA\n\n0:02.500 --> 0:04.000\nB\n"
    assert texts("WEBVTT\n\n" + tracks, "vtt") == ["A", "B", "C"]
    assert texts("WEBVTT\n\n" + careless, "vtt") == ["A", "B"]


def test_one_note_sign_makes_a_whole_caption_music():
    text = "WEBVTT\n\n0:01.000 --> 0:02.000\n♪ la la\n\n0:02.000 --> 0:03.000\nla la ♪\n\n0:03.000 --> 0:04.000\n♪\n"
    assert texts(text, "vtt") == ["♪ la la ♪", "♪ la la ♪", "♪"]


# Labels


def srt(*lines: str) -> str:
    return "\n\n".join(f"{n}\n00:00:{n:02d},000 --> 00:00:{n + 1:02d},000\n{line}" for n, line in enumerate(lines, 1))


def test_labels_that_name_changes_hold_until_the_next_one():
    text = srt("Alban: It is so", "nice to", "Kevin: You guys", "remember", "Alban: Yes", "I do")
    assert [speaker for speaker, _ in spoken_by(text, "srt")] == ["Alban"] * 2 + ["Kevin"] * 2 + ["Alban"] * 2
    assert texts(text, "srt")[0] == "It is so"


def test_where_nearly_every_caption_has_a_label_one_without_has_no_speaker():
    text = srt("Ann: One", "Ann: two", "Ann: three", "[music]", "Bob: four", "Bob: five", "Bob: six")
    assert spoken_by(text, "srt")[3] == ("", "[music]")


@pytest.mark.parametrize(
    "line",
    [
        "Note: this is not a name",
        "At 12:30 we met",
        "Here's the thing: it works",
        "Remember: be kind",
        "Subtitles: someone",
        "https://example.com is a page",
        "Luke 3:16 says so",
        "Star Wars: A New Hope",
    ],
)
def test_what_only_looks_like_a_label_stays_text(line: str):
    text = srt("Hello there", line, "and so on", "it goes", "for a while")
    assert spoken_by(text, "srt")[1] == ("", line)


def test_a_label_in_the_middle_of_a_cue_begins_a_caption_with_the_times_of_the_cue():
    text = srt("Ann: One", "that was it.\nBob: Right.", "Ann: Two", "Bob: Three")
    captions = parse(text, "srt")
    assert [(c.speaker, c.text, c.start) for c in captions][1:3] == [
        ("Ann", "that was it.", 2.0),
        ("Bob", "Right.", 2.0),
    ]


def test_dashes_part_speakers_without_naming_them():
    text = srt("Ann: One", "- just so I can.\n- Really?", "Bob: Yes")
    assert spoken_by(text, "srt")[1:3] == [("", "just so I can."), ("", "Really?")]


def test_chevrons_end_what_a_label_carried_on():
    text = srt(">> ANN: One", "two", ">> three", ">> ANN: four", ">> BOB: five")
    assert [s for s, _ in spoken_by(text, "srt")] == ["ANN", "ANN", "", "ANN", "BOB"]
    assert texts(text, "srt")[2] == "three"


def test_a_dash_in_a_sentence_stays():
    assert texts(srt("—and then", "he went"), "srt") == ["—and then", "he went"]


# JSON


def test_podcasting_20_json():
    text = json.dumps(
        {"version": "1.0.0", "segments": [{"speaker": "A", "startTime": 0.5, "endTime": 2, "body": "Hello my friend"}]}
    )
    assert parse(text, "json") == (Caption("Hello my friend", 0.5, 2.0, "A"),)


def test_whispers_json():
    text = json.dumps({"text": "x", "segments": [{"id": 0, "start": 1.0, "end": 2.0, "text": " Hello my friend."}]})
    assert parse(text, "json") == (Caption("Hello my friend.", 1.0, 2.0),)


def test_lines_of_one_cue_become_one_caption():
    segments = [
        {"speaker": "A", "startTime": 0, "endTime": 4, "body": "It is so very"},
        {"speaker": "A", "startTime": 0, "endTime": 4, "body": "nice to do"},
        {"speaker": "B", "startTime": 0, "endTime": 4, "body": "Is it now"},
    ]
    assert parse(json.dumps({"segments": segments}), "json") == (
        Caption("It is so very nice to do", 0.0, 4.0, "A"),
        Caption("Is it now", 0.0, 4.0, "B"),
    )


def test_words_one_by_one_become_captions_cut_at_sentences_pauses_and_speakers():
    words = [
        ("A", 0.0, "Hello"),
        ("A", 0.5, "there"),
        ("A", 0.9, "."),
        ("A", 1.2, "So"),
        ("A", 5.0, "yes"),
        ("B", 5.5, "Hm"),
    ]
    segments = [{"speaker": s, "startTime": t, "endTime": t + 0.3, "body": w} for s, t, w in words]
    captions = parse(json.dumps({"segments": segments}), "json")
    assert [(c.speaker, c.text, c.start) for c in captions] == [
        ("A", "Hello there.", 0.0),
        ("A", "So", 1.2),
        ("A", "yes", 5.0),
        ("B", "Hm", 5.5),
    ]


def test_words_that_bring_their_own_spaces():
    words = [{"word": w, "start": k, "end": k + 0.5} for k, w in enumerate([" Can", "'t", " stop", "."])]
    assert texts(json.dumps(words), "json") == ["Can't stop."]


def test_times_that_are_none():
    odd = [{"body": f"words and words {t}", "startTime": t} for t in ("x", -1, None, True, [1], "00:01:00.5")]
    text = '{"segments": [{"body": "no end here", "startTime": NaN, "endTime": 1e999}, ' + json.dumps(odd)[1:] + "}"
    assert [c.start for c in parse(text, "json")] == [None] * 6 + [60.5]


# HTML and plain text


def test_html_with_cite_and_time():
    text = (
        "<html><head><title>Transcript</title><style>p{}</style></head><body><cite>Ann &amp; Co:</cite>"
        "<time>1:02:03</time><p>One<br>two</p><p>three</p><cite>Bob:</cite><p>four</p></body></html>"
    )
    assert parse(text, "html") == (
        Caption("One", 3723.0, None, "Ann & Co"),
        Caption("two", None, None, "Ann & Co"),
        Caption("three", None, None, "Ann & Co"),
        Caption("four", None, None, "Bob"),
    )


def test_html_with_names_in_its_paragraphs():
    text = "<p><strong>Ann:</strong> One</p><script>var a = '<p>no</p>';</script><p>two</p><p><b>Bob:</b> three</p>"
    assert spoken_by(text, "html") == [("Ann", "One"), ("Ann", "two"), ("Bob", "three")]


def test_plain_text_paragraphs_with_names():
    text = "Ann: One\nand more.\nBob: Two\n\nthree\n\nAnn: four\n"
    assert spoken_by(text, "txt") == [("Ann", "One and more."), ("Bob", "Two"), ("Bob", "three"), ("Ann", "four")]
    assert all(caption.start is None for caption in parse(text, "txt"))


def test_plain_text_with_times_where_someone_wrote_them():
    text = "Ann Lee  0:03\nHello there.\n\nBob (1:02:03):\nHi.\n\n[01:02:30] Ann Lee: Again.\n"
    assert [(c.speaker, c.text, c.start) for c in parse(text, "txt")] == [
        ("Ann Lee", "Hello there.", 3.0),
        ("Bob", "Hi.", 3723.0),
        ("Ann Lee", "Again.", 3750.0),
    ]


def test_long_lines_without_empty_lines_between_are_paragraphs():
    long = "word " * 30
    assert len(parse(f"{long}\n{long}\n{long}", "txt")) == 3


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_encodings(encoding: str):
    data = srt("Café déjà-vu, señor – naïve" if encoding != "latin-1" else "Café déjà-vu, señor, naïve")
    captions = parse_captions(data.encode(encoding), "srt")
    assert captions[0].text.startswith("Café déjà-vu, señor")


def test_one_bad_byte_does_not_turn_utf8_into_gibberish():
    data = srt("Café déjà-vu señor naïve").encode() + b"\xff"
    assert parse_captions(data, "srt")[0].text.startswith("Café déjà-vu señor naïve")


# What is no transcript

PIECES = ["WEBVTT\n\n", "1\n", "0:01 --> 0:02\n", "9 --> 3\n", "\n", "Ann: hi ", "- so", ">> ", "<v Bo>", "<p>", "</p>"]
PIECES += [
    "<cite>Al:</cite>",
    "<time>0:1</time>",
    "<time>1:02</time>",
    "<!--",
    "-->",
    "&amp;",
    "♪",
    "[music] ",
    "{",
    "\ufeff",
]
PIECES += [
    '{"segments":[',
    '{"body":"a b","startTime":1},',
    "]}",
    "NOTE ",
    "<script>",
    "a\nb",
    "\x85",
    "é",
    "Bob 1:02\n",
]


def _json_like(inner: st.SearchStrategy) -> st.SearchStrategy:
    keys = st.sampled_from(["segments", "words", "body", "text", "startTime", "end", "speaker", "name"])
    return st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)


def test_what_is_no_transcript_says_why_in_one_line():
    assert refused(b"", "srt") == "transcript-empty"
    assert refused(b"\xef\xbb\xbf \n", "vtt") == "transcript-empty"
    assert refused(b"\x89PNG\r\n\x1a\n" + bytes(100), "srt") == "transcript-binary"
    assert refused(b"\x1f\x8b\x08" + bytes(range(256)), "txt") == "transcript-binary"
    page = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><p>Sorry.</p></body></html>"
    assert {refused(page, format) for format in ("srt", "vtt", "json", "html")} == {"transcript-error-page"}
    assert refused(b"WEBVTT\n\n", "vtt") == "transcript-no-captions"
    assert refused(b"Just some words", "srt") == "transcript-no-captions"
    assert refused(b'{"error": "gone"}', "json") == "transcript-no-captions"
    assert refused(b'{"segments": [', "json") == "transcript-json"
    assert refused(b"hello", "docx") == "transcript-format"
    assert refused(b"a" * (MAX_BYTES + 1), "txt") == "transcript-too-large"


def test_deep_json_and_endless_numbers_are_refused_not_crashed_on():
    assert refused(b"[" * 200_000, "json") == "transcript-json"
    assert refused(b'{"a":' * 200_000, "json") == "transcript-json"
    assert refused(b'{"segments":[{"startTime":' + b"9" * 5000 + b"}]}", "json") == "transcript-json"


def test_a_missing_file_is_one_line_with_its_path(tmp_path: Path):
    with pytest.raises(EpisodeError, match=r"^transcript-unreadable: .*gone\.srt: No such file"):
        read_captions(tmp_path / "gone.srt", "srt")


def test_the_path_is_in_what_read_captions_says(tmp_path: Path):
    (tmp_path / "a.srt").write_bytes(b"")
    with pytest.raises(EpisodeError, match=r"^transcript-empty: .*a\.srt: "):
        read_captions(tmp_path / "a.srt", "srt")


@pytest.mark.parametrize(
    "pattern", ["<", "<a ", "<!--", "&#1", "♪ a ", "0 --> 1\n", "A: b\n", "1\n", "NOTE\n", "<time>1:0"]
)
@pytest.mark.parametrize("format", ["vtt", "html", "txt"])
def test_hostile_repetition_takes_linear_time(pattern: str, format: str):
    def seconds(count: int) -> float:
        data = ("WEBVTT\n\n0 --> 1\n" * (format == "vtt") + pattern * count).encode()
        begin = time.process_time()
        with contextlib.suppress(EpisodeError):
            parse_captions(data, format)
        return time.process_time() - begin

    # Quadratic code takes 100 times as long for ten times as much, and many seconds.
    assert seconds(20_000) < 40 * seconds(2_000) + 0.5


@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.sampled_from(PIECES), max_size=25).map("".join).map(str.encode),
        st.recursive(st.none() | st.floats() | st.text(max_size=8), _json_like, max_leaves=12)
        .map(json.dumps)
        .map(str.encode),
    ),
    st.sampled_from(FORMATS),
)
@settings(max_examples=500, deadline=None, derandomize=True)
def test_any_bytes_give_captions_or_one_line_that_says_why_not(data: bytes, format: str):
    captions: tuple[Caption, ...] = ()
    why = ""
    try:
        captions = parse_captions(data, format)
    except EpisodeError as error:
        why = str(error)
    assert bool(captions) != bool(why)
    assert "\n" not in why
    for caption in captions:
        assert caption.text == " ".join(caption.text.split()) != ""
        assert caption.start is None or caption.start >= 0
        assert caption.end is None or (caption.start is not None and caption.end >= caption.start)


# Formats


@pytest.mark.parametrize(
    ("data", "mime_type", "url", "format"),
    [
        (b"\xef\xbb\xbfWEBVTT\n\n", "text/plain", "http://h/a.txt", "vtt"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "text/plain", "http://h/a", "srt"),
        (b"00:00:01.000 --> 00:00:02.000\nHi\n", "", "", "vtt"),
        (b"00:00:01.000 --> 00:00:02.000\nHi\n", "application/srt", "", "srt"),
        (b' {"segments": []}', "text/html", "", "json"),
        (b"[{}]", "", "", "json"),
        (b"[music] Hello", "", "", "txt"),
        (b"<!-- saved from --><html><body>", "text/plain", "", "html"),
        (b"  <time>0:00</time>", "", "", "html"),
        (b"Ann: hello", "text/html; charset=utf-8", "http://h/a.html?x=1", "txt"),
        (b"Some <b>bold</b> words", "text/html", "", "html"),
        ("WEBVTT\n".encode("utf-16"), "", "", "vtt"),
        (b"", "application/x-subrip", "http://h/a.json", "txt"),
    ],
)
def test_format_is_told_by_content_then_type_then_name(data: bytes, mime_type: str, url: str, format: str):
    assert detect_format(data, mime_type, url) == format


# As published


@pytest.mark.parametrize("name", ["buzzcast", "podcasting_20_episode_124"])
def test_published_srt_is_parsed_as_expected(recordings: Path, name: str):
    folder = recordings / "transcripts"
    expected = json.loads((folder / f"{name}_srt_parsed.json").read_text())["segments"]
    captions = read_captions(folder / f"{name}.srt", "srt")
    assert captions == tuple(
        Caption(" ".join(s["body"].split()), s["startTime"], s["endTime"], s["speaker"]) for s in expected
    )


def test_published_film_subtitles_keep_their_times_and_words(recordings: Path):
    """Against the expected parse: dialogue is split in two captions, and "Subtitles:" is no speaker."""
    folder = recordings / "transcripts"
    expected = json.loads((folder / "LaLaLand_vtt_parsed.json").read_text())["segments"]
    captions = read_captions(folder / "LaLaLand.vtt", "vtt")
    assert {(c.start, c.end) for c in captions} == {(s["startTime"], s["endTime"]) for s in expected}
    assert {c.speaker for c in captions} == {""}
    said = " ".join(c.text for c in captions)
    assert "so I can be near a jazz club. Really? Yeah, the Van Beek." in said
    assert "<i>" not in said


def test_the_same_episode_in_three_formats_says_the_same(recordings: Path):
    folder = recordings / "transcripts"
    parsed = {kind: read_captions(folder / f"buzzcast.{kind}", kind) for kind in ("srt", "json", "html")}
    words = {kind: " ".join(c.text for c in captions).split() for kind, captions in parsed.items()}
    assert words["srt"] == words["json"]
    # The page holds the whole last paragraph, the others stop a little before.
    assert words["html"][:4000] == words["srt"][:4000]
    assert {c.speaker for c in parsed["html"]} == {c.speaker for c in parsed["srt"]}


def test_published_files_are_detected_by_content_alone(recordings: Path):
    for path in sorted((recordings / "transcripts").iterdir()):
        if not path.name.endswith("_parsed.json"):
            assert detect_format(path.read_bytes()) == path.suffix[1:], path.name

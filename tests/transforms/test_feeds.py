import contextlib
import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.episode import Episode, Person, TranscriptLink, episode_id
from schemas.errors import EpisodeError
from transforms.feed_xml import parse_document
from transforms.feeds import Feed, guid_of_feed_url, item_date, item_title, parse_date, parse_feed, to_episode
from transforms.licenses import creative_commons

URL = "https://example.org/podcast/feed.xml"
NAMESPACES = (
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule" '
    'xmlns:atom="http://www.w3.org/2005/Atom"'
)
AUDIO = '<enclosure url="https://example.org/1.mp3" type="audio/mpeg" length="1234"/>'


def rss(item: str = AUDIO, channel: str = "", more: str = "") -> bytes:
    return f'<rss version="2.0" {NAMESPACES}><channel>{channel}<item>{item}</item>{more}</channel></rss>'.encode()


def episodes(data: bytes, url: str = URL) -> list[Episode]:
    feed = parse_feed(data, url)
    return [to_episode(item, feed, feed.url, url) for item in feed.items]


def episode(item: str = AUDIO, channel: str = "") -> Episode:
    return episodes(rss(item, channel))[0]


def error_of(data: bytes) -> str:
    with pytest.raises(EpisodeError) as caught:
        episodes(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def outcomes(feed: Feed) -> list[Episode | str]:
    found: list[Episode | str] = []
    for item in feed.items:
        try:
            found.append(to_episode(item, feed, feed.url, URL))
        except EpisodeError as error:
            found.append(str(error).partition(":")[0])
    return found


# What other parsers make of feeds, and what of it is relevant here.


def feeds_of(recordings: Path) -> list[Path]:
    return sorted((recordings / "feeds").glob("*.rss"))


def test_every_feed_of_the_collection_parses_as_expected(recordings: Path) -> None:
    """podcastparser's expectations: enclosures, guid, title, date, duration, persons, transcript.

    It differs where it prefers the item's link to its enclosure as a guid, resolves guids that are permalinks, names
    untitled things after files, and drops items with several enclosures.
    """
    checked = 0
    for path in feeds_of(recordings):
        text = path.with_suffix(".json").read_text(encoding="utf-8")
        expected = json.loads(text.replace("file://tests/data/", "http://tests/"))
        if path.stem == "redirect_new_location":
            with pytest.raises(EpisodeError, match=r"^moved-feed: .*http://weblog.infoworld.com/udell/rss.xml"):
                parse_feed(path.read_bytes(), str(path))
            continue
        feed = parse_feed(path.read_bytes(), f"http://tests/{path.name}")
        assert feed.problem == "", path.stem
        if expected["title"] != path.stem:
            assert feed.title == " ".join(expected["title"].split()), path.stem
        assert feed.language == expected.get("language", ""), path.stem
        assert feed.next_link == expected.get("paged_feed_next", ""), path.stem
        if path.stem == "no_title_multi_enclosure":
            assert [found.guid for found in outcomes(feed) if isinstance(found, Episode)] == ["episode::1"]
            continue
        items = list(zip(feed.items, outcomes(feed), strict=True))
        wanted = expected["episodes"]
        if path.stem in ("no_enclosure", "no_url", "max_episodes"):
            items = [(item, found) for item, found in items if isinstance(found, Episode)][: len(wanted)]
        # Some of them are sorted by date, and these are in the document's order.
        items.sort(key=lambda pair: item_date(pair[0]) or datetime.fromtimestamp(0, UTC))
        wanted.sort(key=lambda want: want["published"])
        assert len(items) == len(wanted), path.stem
        for (item, found), want in zip(items, wanted, strict=True):
            _compare(path.stem, item, found, want)
            checked += 1
    assert checked >= 50


def _compare(name: str, item: Any, found: Episode | str, want: dict[str, Any]) -> None:
    date = item_date(item)
    assert (int(date.timestamp()) if date else 0) == want["published"], name
    if item_title(item):
        assert item_title(item) == want["title"], name
    heard = [each for each in want["enclosures"] if not each["mime_type"].startswith("image/")]
    if not heard:
        assert found == "no-enclosure", name
        return
    assert isinstance(found, Episode), name
    first = heard[0]
    assert found.source_url == first["url"], name
    assert found.length_bytes == (first["file_size"] if first["file_size"] > 0 else None), name
    assert (found.media_type or "application/octet-stream") == first["mime_type"], name
    assert set(found.alternates) == {each["url"] for each in heard} - {found.source_url}, name
    assert (found.duration or 0) == want["total_time"], name
    if name == "no_guid":
        assert found.guid == found.source_url
    elif name in ("permalink", "no_permalink"):
        assert found.guid == "episode/1/"
    else:
        assert found.guid == want["guid"], name
    if "persons" in want:
        assert [(each.name, each.role, each.group) for each in found.persons] == [
            (each["name"], each["role"], each["group"]) for each in want["persons"]
        ], name
    assert [link.url for link in found.transcripts] == ([want["transcript_url"]] if "transcript_url" in want else []), (
        name
    )


def test_the_namespace_example_is_kept_whole(recordings: Path) -> None:
    data = (recordings / "feeds" / "podcast_namespace_example.xml").read_bytes()
    third, second, first = episodes(data)
    assert [each.guid for each in (third, second, first)] == [f"https://example.com/ep000{n}" for n in (3, 2, 1)]
    assert third.feed_guid == "y0ur-gu1d-g035-h3r3"
    assert third.published == "2020-10-09T04:30:38Z"
    assert third.persons == (
        Person("Adam Curry"),
        Person("Dave Jones", "guest"),
        Person("Becky Smith", "cover art designer", "visuals"),
    )
    assert third.transcripts == (
        TranscriptLink("https://example.com/ep3/transcript.txt", "text/plain"),
        TranscriptLink("https://example.com/episode1/transcript.vtt", "text/vtt", "es", "captions"),
    )
    assert third.license == "my-podcast-license-v1 https://example.org/mypodcastlicense/full.pdf"
    assert third.license_source == "channel podcast:license"
    # Audio before video; addresses that are not of the web (ipfs:) are left out.
    assert third.alternates == (
        "https://example.com/file-high-03.opus",
        "https://example.com/file-proprietary-03.aac",
        "https://example.com/file-low-03.opus",
        "https://example.com/file-720.mp4",
    )


# The item.


def test_what_an_item_says_is_kept() -> None:
    found = episode(
        f"""<title> Ep&amp;amp;isode  1 </title><guid isPermaLink="false"> g-1 </guid>{AUDIO}
        <pubDate>Mon, 01 Jun 2026 08:00:00 +0200</pubDate><itunes:duration>1:02:03</itunes:duration>
        <podcast:transcript url="../1.vtt" type="text/vtt" language="en" rel="captions"/>
        <podcast:person role="Guest" group="Cast">Ann</podcast:person>
        <podcast:license>CC-BY-4.0</podcast:license><podcast:txt purpose="ai-content">no</podcast:txt>""",
        "<title>Show</title><language>en-us</language><podcast:guid>feed-guid</podcast:guid>",
    )
    assert found == Episode(
        id=episode_id("feed-guid", "g-1"),
        guid="g-1",
        feed_guid="feed-guid",
        source_url="https://example.org/1.mp3",
        title="Ep&isode 1",
        feed_title="Show",
        feed_url=URL,
        published="2026-06-01T06:00:00Z",
        media_type="audio/mpeg",
        length_bytes=1234,
        duration=3723.0,
        language="en-us",
        license="cc-by-4.0",
        license_source="item podcast:license",
        persons=(Person("Ann", "guest"),),
        transcripts=(TranscriptLink("https://example.org/1.vtt", "text/vtt", "en", "captions"),),
        ai_content="no",
    )


def test_the_enclosure_is_untouched() -> None:
    url = "https://example.org/a%2Fb/c'd.mp3?token=%7Ex|y&amp;n=1,2"
    assert episode(f'<enclosure url=" {url} " type="audio/mpeg"/>').source_url == url.replace("&amp;", "&")


def test_an_item_without_guid_is_called_by_its_enclosure_and_a_feed_without_by_its_address() -> None:
    found = episode()
    assert found.guid == "https://example.org/1.mp3"
    # The example of the Podcasting 2.0 specification.
    assert guid_of_feed_url("https://podcastindex.org/feeds/pc20.xml") != found.feed_guid
    assert guid_of_feed_url("https://mp3s.nashownotes.com/pc20rss.xml") == "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    assert guid_of_feed_url("http://example.org/feed/") == guid_of_feed_url("https://example.org/feed")
    # A local feed has the same ids wherever it lies.
    assert episodes(rss(), "/here/feed.xml")[0].id == episodes(rss(), "/there/feed.xml")[0].id


def test_an_item_without_audio_says_so() -> None:
    assert error_of(rss("<title>News</title>")).startswith("no-enclosure: 'News' has no audio or video")
    assert error_of(rss('<enclosure url="https://example.org/a.pdf" type="application/pdf"/>')).startswith("no-enc")


@pytest.mark.parametrize(
    "block",
    ["<itunes:block>Yes</itunes:block>", "<podcast:block>yes</podcast:block>", "<itunes:block> true </itunes:block>"],
)
def test_a_blocked_item_says_so(block: str) -> None:
    assert error_of(rss(f"<title>Private</title>{AUDIO}{block}")).startswith("blocked: the feed asks that 'Private'")


def test_blocks_for_others_and_blocks_of_directories_do_not_hide_items() -> None:
    assert episode(f'{AUDIO}<podcast:block id="google">yes</podcast:block><itunes:block>no</itunes:block>')
    assert episode(AUDIO, "<itunes:block>yes</itunes:block>")


def test_a_block_for_this_program_goes_before_one_for_all() -> None:
    everyone, here = "<podcast:block>yes</podcast:block>", '<podcast:block id="realtalk">{}</podcast:block>'
    assert episode(AUDIO + everyone + here.format("no"))
    assert error_of(rss(AUDIO + here.format("yes"))).startswith("blocked: ")
    assert parse_feed(rss(channel=everyone), URL).is_blocked
    assert not parse_feed(rss(channel=here.format("no") + everyone), URL).is_blocked
    assert not parse_feed(rss(channel='<podcast:block id="google">yes</podcast:block>'), URL).is_blocked
    unlisted = parse_feed(rss(channel="<itunes:block>yes</itunes:block>"), URL)
    assert (unlisted.is_unlisted, unlisted.is_blocked) == (True, False)


def test_audio_goes_before_video_and_pictures_are_nothing() -> None:
    found = episode(
        """<enclosure url="https://e.org/a.jpg" type="image/jpeg"/>
        <enclosure url="https://e.org/a.mp4" type="video/mp4"/>
        <enclosure url="https://e.org/a" type="audio/mpeg"/><media:content url="https://e.org/a.ogg" type=""/>"""
    )
    assert found.source_url == "https://e.org/a"
    assert found.alternates == ("https://e.org/a.ogg", "https://e.org/a.mp4")
    assert episode('<enclosure url="https://e.org/download?id=5"/>').source_url == "https://e.org/download?id=5"


def test_audio_that_is_offered_beside_a_video_goes_before_it() -> None:
    source = '<podcast:source uri="https://e.org/x.mp3"/>'
    audio = f'<podcast:alternateEnclosure type="audio/mpeg">{source}</podcast:alternateEnclosure>'
    found = episode(f'<enclosure url="https://e.org/x.mp4" type="video/mp4"/>{audio}')
    assert (found.source_url, found.alternates) == ("https://e.org/x.mp3", ("https://e.org/x.mp4",))
    own = episode(f'<enclosure url="https://e.org/get" type=""/>{audio}')
    assert own.source_url == "https://e.org/get", "what may be audio is the publisher's first choice"


def test_the_medium_of_media_content_tells_pictures_from_sound() -> None:
    content = '<media:content url="https://e.org/get?f=1" medium="{}"/>'
    assert error_of(rss(content.format("image"))).startswith("no-enclosure: ")
    assert episode(content.format("audio") + content.format("image").replace("f=1", "f=2")).alternates == ()
    assert episode(content.format("audio")).source_url == "https://e.org/get?f=1"


@pytest.mark.parametrize("kind", ["audio", "mp3", "application/mp4"])
def test_careless_types_are_understood(kind: str) -> None:
    assert episode(f'<enclosure url="https://e.org/dl.php?f=1" type="{kind}"/>')


def test_alternates_in_another_language_are_not_the_episode() -> None:
    source = '<podcast:source uri="https://e.org/es.mp3"/>'
    item = f'{AUDIO}<podcast:alternateEnclosure type="audio/mpeg" lang="es">{source}</podcast:alternateEnclosure>'
    assert episode(item, "<language>en</language>").alternates == ()
    assert episode(item, "<language>es-MX</language>").alternates == ("https://e.org/es.mp3",)


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://example.org/a.mp3", "data:audio/mpeg,x", "http://["])
def test_a_feed_from_the_web_leads_into_the_web_only(link: str) -> None:
    assert error_of(rss(f'<enclosure url="{link}" type="audio/mpeg"/>')).startswith("bad-url: ")
    assert episode(f'{AUDIO}<podcast:transcript url="{link}" type="text/vtt"/>').transcripts == ()
    absolute = episode(f'{AUDIO}<podcast:transcript url="/etc/passwd" type="text/vtt"/>').transcripts
    assert absolute[0].url == "https://example.org/etc/passwd"


def test_relative_links_are_resolved_also_with_xml_base() -> None:
    assert episode('<enclosure url="../1.mp3"/>').source_url == "https://example.org/1.mp3"
    data = b'<rss xml:base="http://cdn.example/x/"><channel><item><enclosure url="1.mp3"/></item></channel></rss>'
    assert episodes(data)[0].source_url == "http://cdn.example/x/1.mp3"


def test_a_local_feed_reaches_files_beside_it_and_no_others(tmp_path: Path) -> None:
    place = str(tmp_path / "show" / "feed.xml")
    assert episodes(rss('<enclosure url="audio/a%20b.mp3"/>'), place)[0].source_url == str(
        tmp_path / "show/audio/a b.mp3"
    )
    for link in ("../other.mp3", "/etc/passwd.mp3", "file:///etc/passwd.mp3", "audio/../../x.mp3"):
        with pytest.raises(EpisodeError, match=r"^bad-url: "):
            episodes(rss(f'<enclosure url="{link}"/>'), place)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3723", 3723.0),
        ("62:03", 3723.0),
        ("1:02:03", 3723.0),
        ("90.5", 90.5),
        ("0", None),
        ("an hour", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert episode(f"{AUDIO}<itunes:duration>{text}</itunes:duration>").duration == seconds


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Mon, 01 Jun 2026 08:00:00 GMT", "2026-06-01T08:00:00+00:00"),
        ("1 Jun 2026 08:00 EST", "2026-06-01T13:00:00+00:00"),
        ("2026-06-01T08:00:00Z", "2026-06-01T08:00:00+00:00"),
        ("2026-06-01", "2026-06-01T00:00:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(text: str, iso: str | None) -> None:
    found = parse_date(text)
    assert (found.isoformat() if found else None) == iso


def test_persons_of_the_channel_stand_for_items_without_and_authors_for_both() -> None:
    channel = "<podcast:person>Host One</podcast:person><itunes:author>Network</itunes:author>"
    assert episode(AUDIO, channel).persons == (Person("Host One"),)
    assert episode(f"{AUDIO}<podcast:person>Ann</podcast:person>", channel).persons == (Person("Ann"),)
    assert episode(f"{AUDIO}<author>mail@example.org (Bo Li)</author>").persons == (
        Person("Bo Li", "author", "writing"),
    )
    assert episode(AUDIO, "<itunes:author>Network</itunes:author>").persons == (Person("Network", "author", "writing"),)


# Licences.


@pytest.mark.parametrize(
    ("item", "channel", "licence", "place"),
    [
        (
            "<podcast:license>cc0</podcast:license>",
            "<podcast:license>x</podcast:license>",
            "cc0-1.0",
            "item podcast:license",
        ),
        (
            "<dc:rights>CC BY 4.0</dc:rights>",
            "<podcast:license>mine</podcast:license>",
            "mine",
            "channel podcast:license",
        ),
        (
            "<creativeCommons:license>http://creativecommons.org/licenses/by-nc-sa/3.0/us/</creativeCommons:license>",
            "<copyright>CC BY 4.0</copyright>",
            "cc-by-nc-sa-3.0",
            "item creativecommons:license",
        ),
        ("", "<copyright>(c) 2024 Me, CC-BY-SA 4.0</copyright>", "cc-by-sa-4.0", "channel copyright"),
        ("", "<copyright>(c) 2024 Me. All rights reserved.</copyright>", None, None),
        ("", "", None, None),
    ],
)
def test_the_licence_and_where_it_was_found(item: str, channel: str, licence: str | None, place: str | None) -> None:
    found = episode(AUDIO + item, channel)
    assert (found.license, found.license_source) == (licence, place)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("https://creativecommons.org/licenses/by/4.0/deed.en", "cc-by-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("CC BY-NC-ND 3.0", "cc-by-nc-nd-3.0"),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International", "cc-by-nc-sa-4.0"),
        ("Creative Commons Attribution", "cc-by"),
        ("(c) 2024 ACCBY Ltd", None),
        ("", None),
    ],
)
def test_creative_commons_licences_are_known_by_all_their_names(text: str, licence: str | None) -> None:
    assert creative_commons(text) == licence


# Atom and RSS 1.0.


def test_atom() -> None:
    data = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"
      xmlns:p="https://podcastindex.org/namespace/1.0">
      <title type="html">Die &amp;lt;b&amp;gt;Show&amp;lt;/b&amp;gt;</title>
      <link rel="next" href="?page=2"/><link rel="license" href="https://creativecommons.org/licenses/by/4.0/"/>
      <entry><id>urn:1</id>
      <title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Eins <b>und</b> zwei</div></title>
      <updated>2024-05-02T00:00:00Z</updated><published>2024-05-01T00:00:00+02:00</published>
      <author><name>Ann</name></author><p:transcript url="1.srt" type="application/srt"/>
      <link rel="alternate" href="/1"/>
      <link rel="enclosure" href="1.mp3" type="audio/mpeg" length="7"/></entry></feed>"""
    feed = parse_feed(data, URL)
    (found,) = episodes(data)
    assert feed.next_link == "?page=2"
    assert found.source_url == "https://example.org/podcast/1.mp3"
    assert (found.guid, found.title, found.language) == ("urn:1", "Eins und zwei", "de")
    assert (found.published, found.length_bytes) == ("2024-04-30T22:00:00Z", 7)
    assert found.persons == (Person("Ann", "author", "writing"),)
    assert found.transcripts[0].url == "https://example.org/podcast/1.srt"
    assert (found.license, found.license_source) == ("cc-by-4.0", "channel atom:link")


def test_rss_1_has_its_items_beside_the_channel() -> None:
    data = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
      <channel><title>Old</title></channel><item><title>One</title><enclosure url="http://e.org/1.mp3"/></item></rdf:RDF>"""
    assert [(each.feed_title, each.title) for each in episodes(data)] == [("Old", "One")]


# What is no feed, or tries to harm.


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-feed"),
        (b"  \n", "empty-feed"),
        (b"<!DOCTYPE html><html><body>Hello</body></html>", "html-not-feed"),
        (b"\xef\xbb\xbf<!-- x --><html><head/></html>", "html-not-feed"),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><p>x</p></html>', "html-not-feed"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "json-not-feed"),
        (b"Not found", "broken-feed"),
        (b"\x00\x01\x02\x03", "broken-feed"),
        (b"<opml/>", "not-a-feed"),
        (b"<svg/>", "not-a-feed"),
        (b"<rss></rss>", "not-a-feed"),
        (b"\x1f\x8bbroken", "broken-feed"),
    ],
)
def test_what_is_no_feed_is_named(data: bytes, code: str) -> None:
    assert error_of(data).partition(":")[0] == code


BOMB = (
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
    + "]>"
)


@pytest.mark.parametrize(
    "declaration",
    [
        BOMB,
        '<!DOCTYPE r [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r [<!ENTITY % j SYSTEM "http://127.0.0.1/x.dtd"> %j;]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("end", ["</rss>", "</broken>"])
def test_entities_are_refused_in_no_time(declaration: str, encoding: str, end: str) -> None:
    data = f"{declaration}<rss><channel><title>&j;</title>{end}".encode(encoding)
    started = time.process_time()
    assert error_of(data).startswith("xml-bomb: ")
    assert time.process_time() - started < 1


def test_a_doctype_that_declares_nothing_is_harmless() -> None:
    doctype = b'<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://example.org/rss-0.91.dtd">'
    assert len(episodes(doctype + rss())) == 1


def test_depth_and_size_are_bounded() -> None:
    assert error_of(rss("<a>" * 5000 + "</a>" * 5000)).startswith("xml-bomb: ")
    packed = gzip.compress(b"<rss>" + b" " * (65 << 20))
    assert error_of(packed).startswith("too-large: ")


def test_a_gzipped_file_is_unpacked() -> None:
    assert len(episodes(gzip.compress(rss()))) == 1


def test_hostile_markup_takes_linear_time() -> None:
    started = time.process_time()
    for piece in (b"<a ", b'<a b="', b"<!--", b"<![CDATA[", b"&", b"<item>"):
        with contextlib.suppress(EpisodeError):
            parse_feed(b"<rss><channel>" + piece * 100_000, URL)
    for tag in (b"<a %b></b>", b"<%b<b></c>"):
        with contextlib.suppress(EpisodeError):
            parse_feed(b"<rss><channel>" + tag % (b"a" * 1_000_000), URL)
    assert time.process_time() - started < 5


# Broken XML.


@pytest.mark.parametrize(
    "title",
    ["Salt & Pepper", "Salt&nbsp;&amp; Pepper", "Salt & \x08Pepper", "Salt & Pepper&bogus;"],
)
def test_slips_are_mended_and_nothing_is_lost(title: str) -> None:
    item = f"""<title>{title}</title>{AUDIO}<podcast:person>A</podcast:person><podcast:person>B</podcast:person>
      <podcast:license url="u">cc-by-4.0</podcast:license><itunes:summary><![CDATA[a & b]]></itunes:summary>"""
    feed = parse_feed(rss(item), URL)
    assert "is broken (line 1, column" in feed.problem
    assert "all of it was read" in feed.problem
    found = to_episode(feed.items[0], feed, feed.url, URL)
    assert found.title.startswith("Salt & Pepper")
    assert found.persons == (Person("A"), Person("B"))
    assert found.license == "cc-by-4.0"


def test_a_wrong_encoding_is_mended() -> None:
    data = b'<?xml version="1.0" encoding="utf-8"?>' + rss(f"<title>Caf\u00e9</title>{AUDIO}").decode().encode(
        "latin-1"
    )
    assert episodes(data)[0].title == "Caf\u00e9"
    data = b'\n <?xml version="1.0" encoding="shift_jis"?>' + rss(
        f"<title>\u65e5\u672c</title>{AUDIO}"
    ).decode().encode("shift_jis")
    assert episodes(data)[0].title == "\u65e5\u672c"


def test_unclosed_tags_cost_nothing_around_them() -> None:
    data = rss(
        f"<title>One</title><guid>1</guid><description>a<br>b<p>c</description>{AUDIO}",
        "<podcast:license>cc0</podcast:license>",
        f"<item><title>Two</title>{AUDIO}<podcast:transcript url='a.vtt'/><podcast:transcript url='b.srt'/>"
        "<itunes:block>yes</itunes:block></item>"
        "<item><title>Three</title><enclosure url='https://e.org/3.mp3'/><podcast:person>A</podcast:person>"
        "<podcast:person role='guest'>B</podcast:person></item>",
    )
    feed = parse_feed(data, URL)
    assert "as far as it can be told" in feed.problem
    one, two, three = outcomes(feed)
    assert isinstance(one, Episode)
    assert isinstance(three, Episode)
    assert (one.guid, one.license) == ("1", "cc0-1.0")
    assert two == "blocked"
    assert three.persons == (Person("A"), Person("B", "guest"))


def test_of_a_feed_that_breaks_off_the_whole_items_are_read() -> None:
    data = rss(
        f"<title>One</title>{AUDIO}", more=f"<item><title>Two</title>{AUDIO}<itunes:block>yes</itunes:block></item>"
    )
    feed = parse_feed(data[: data.index(b"<itunes:block>yes")], URL)
    # What the rest of the second would have said is not known, so it is not taken.
    assert [item_title(item) for item in feed.items] == ["One"]
    assert feed.problem


def test_prefixes_mean_what_they_are_declared_as() -> None:
    data = b"""<rss xmlns:i="http://www.itunes.com/DTDs/Podcast-1.0.dtd" xmlns:itunes="urn:else"><channel><item>
      <enclosure url="http://e.org/1.mp3"/><i:duration>5</i:duration><itunes:block>yes</itunes:block>
      </item></channel></rss>"""
    root = parse_document(data, "it").root
    names = [child.name for child in root.children[0].children[0].children]
    assert "itunes:duration" in names
    # An address nobody knows under a customary prefix: taken for what the prefix says, as other readers do.
    assert "itunes:block" in names


def test_ten_thousand_items_take_seconds() -> None:
    item = f"<item><title>E</title><guid>g</guid>{AUDIO}<description>{'word ' * 400}</description></item>"
    started = time.process_time()
    assert len(episodes(rss(more=item * 10_000))) == 10_001
    assert time.process_time() - started < 10


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert episode(f"<title>&#x9b;31mred&#x202e;</title>{AUDIO}").title == "31mred"

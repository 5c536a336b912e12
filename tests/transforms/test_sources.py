import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import Answer, Site, redirect, serve

from schemas.episode import Episode, Person, TranscriptLink, episode_id
from schemas.errors import ConfigurationError, Failure
from transforms import sources
from transforms.http import HttpClient, HttpSettings
from transforms.kept_listings import KeptListings
from transforms.listing import Listing, merge_listings
from transforms.source_settings import (
    FeedSource,
    FilesSource,
    ManifestSource,
    OpmlSource,
    Source,
    allowed_hosts_of,
)
from transforms.sources import list_source
from transforms.store import Store


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def listing_of(source: Source, base: Path, *allowed: str, day: str | None = None) -> Listing:
    """`day`: with the copies that are kept under `base`."""
    settings = HttpSettings(allowed_hosts=allowed or allowed_hosts_of([source]))
    kept = KeptListings(Store(str(base)), day) if day else None
    with HttpClient(settings, slot_folder=base / ".slots", sleep=lambda seconds: None) as client:
        return list_source(source, client, base, kept)


def guids(listing: Listing) -> list[str]:
    return [episode.guid for episode in listing.episodes]


def codes(listing: Listing) -> list[str]:
    return [failure.what for failure in listing.failures]


def item(guid: str, date: str = "", more: str = "") -> str:
    published = f"<pubDate>{date}</pubDate>" if date else ""
    enclosure = f'<enclosure url="https://e.org/{guid}.mp3" type="audio/mpeg"/>'
    return f"<item><title>Title {guid}</title><guid>{guid}</guid>{published}{enclosure}{more}</item>"


def feed(*items: str, channel: str = "<podcast:guid>F</podcast:guid>") -> bytes:
    return f"<rss><channel><title>Show</title>{channel}{''.join(items)}</channel></rss>".encode()


def day(number: int) -> str:
    return f"2024-01-{number:02}T12:00:00Z"


# Feeds.


def test_a_feed_comes_newest_first_and_limits_take_the_newest(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(item("a", day(1)), item("c", day(3)), item("undated"), item("b", day(2)))))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    # An item without a date stays behind the one before it.
    assert guids(listing) == ["c", "undated", "b", "a"]
    assert listing.failures == ()
    assert {episode.feed_url for episode in listing.episodes} == {url}
    assert guids(listing_of(FeedSource(feed=url, limit=1), tmp_path)) == ["c"]
    assert guids(listing_of(FeedSource(feed=url, title="^title [AB]$"), tmp_path)) == ["b", "a"]


def test_after_includes_and_before_excludes_its_day(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(*(item(str(n), day(n)) for n in range(1, 6)), item("undated"))))
    listing = listing_of(FeedSource(feed=url, after="2024-01-02", before="2024-01-04"), tmp_path)
    assert guids(listing) == ["3", "2"]
    assert codes(listing) == ["no-date"]
    assert listing.failures[0].episode_id == episode_id("F", "undated")
    listing = listing_of(FeedSource(feed=url, after="2024-01-02T13:00+01:00", before="2024-01-02T12:00:01"), tmp_path)
    assert guids(listing) == ["2"]


def test_what_is_left_out_leaves_a_record(site: Site, tmp_path: Path) -> None:
    url = site.put(
        "/feed",
        serve(
            feed(
                item("a", day(9)),
                item("private", day(8), "<itunes:block>yes</itunes:block>"),
                f"<item><title>News</title><guid>news</guid><pubDate>{day(7)}</pubDate></item>",
                item("a", day(6)),
                item("old", day(1), "<podcast:block>yes</podcast:block>"),
            )
        ),
    )
    listing = listing_of(FeedSource(feed=url, after="2024-01-02"), tmp_path)
    assert guids(listing) == ["a"]
    assert listing.episodes[0].published == "2024-01-09T12:00:00Z"
    by_code = {failure.what: failure for failure in listing.failures}
    assert set(by_code) == {"duplicate-guid", "blocked", "no-enclosure"}
    assert {failure.stage for failure in listing.failures} == {"feeds"}
    assert {failure.where for failure in listing.failures} == {url}
    assert by_code["blocked"].episode_id == episode_id("F", "private")
    # The episode itself did not fail, so nothing may be held against its id.
    assert by_code["duplicate-guid"].episode_id == ""
    assert "'a'" in by_code["duplicate-guid"].why


def test_a_blocked_channel_is_one_record_and_an_unlisted_one_a_note(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(item("a"), item("b"), channel="<podcast:block>yes</podcast:block>")))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    assert listing.episodes == ()
    assert (codes(listing), listing.failures[0].where) == (["blocked"], url)
    site.put("/feed", serve(feed(item("a"), channel="<itunes:block>yes</itunes:block>")))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    assert guids(listing) == ["a"]
    assert "itunes:block" in listing.notes[0]


def test_a_configured_licence_stands_for_what_the_feed_says(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(item("a"), channel="<podcast:license>cc0</podcast:license>")))
    found = listing_of(FeedSource(feed=url), tmp_path).episodes[0]
    assert (found.license, found.license_source) == ("cc0-1.0", "channel podcast:license")
    listing = listing_of(FeedSource(feed=url, license="by agreement"), tmp_path)
    found = listing.episodes[0]
    assert (found.license, found.license_source) == ("by agreement", "configuration")
    # Not in silence: it may be one that the publisher does not give.
    (note,) = listing.notes
    assert f"{url} states cc0-1.0 for 1 of its episodes; the licence configured for it, by agreement, stands" in note
    assert listing_of(FeedSource(feed=url, license="cc0-1.0"), tmp_path).notes == ()


@pytest.mark.parametrize("body", [b"<html>", b"", b"no feed", b"<rss/>"])
def test_a_feed_that_cannot_be_read_is_one_record(site: Site, tmp_path: Path, body: bytes) -> None:
    url = site.put("/feed", serve(body))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    (failure,) = listing.failures
    assert listing.episodes == ()
    assert (failure.episode_id, failure.stage, failure.where) == ("", "feeds", url)
    assert url in failure.why


def test_a_feed_that_is_gone_is_one_record(site: Site, tmp_path: Path) -> None:
    assert listing_of(FeedSource(feed=site.url("/none")), tmp_path).failures == (
        Failure(
            "",
            "feeds",
            "http-404",
            f"GET {site.url('/none')} answered 404 Not Found; it is gone, or the feed is out of date",
            site.url("/none"),
        ),
    )


def test_a_broken_feed_is_read_and_said_to_be_broken(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(item("a"), "<item><title>AT&T</title></item>")))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    assert guids(listing) == ["a"]
    assert codes(listing) == ["no-enclosure"]
    assert "is broken" in listing.notes[0]
    assert url in listing.notes[0]


def test_a_feed_that_breaks_off_is_a_failure_beside_what_it_gives(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(item("a"), item("b"))[:-60]))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    assert guids(listing) == ["a"]
    assert codes(listing) == ["broken-feed"]
    assert listing.failures[0].why.endswith("it was read as far as it can be told, and episodes may be missing")
    assert listing.notes == ()


def test_a_feed_without_episodes_is_a_failure(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed()))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    assert (listing.episodes, codes(listing)) == ((), ["empty-feed"])
    assert listing.failures[0].why == f"{url} is a feed without any episode; is it the right one?"


def test_episodes_that_were_withdrawn_do_not_come_back_from_a_copy(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(item("a", day(1)))))
    assert guids(listing_of(FeedSource(feed=url), tmp_path, day="2024-01-01")) == ["a"]
    site.put("/feed", serve(feed()))
    emptied = listing_of(FeedSource(feed=url), tmp_path, day="2024-01-02")
    assert (guids(emptied), codes(emptied)) == ([], ["empty-feed"])
    site.put("/feed", lambda handler: handler.reply(503))
    assert guids(listing_of(FeedSource(feed=url), tmp_path, day="2024-01-03")) == [], "nor later"


def test_a_manifest_that_was_emptied_lists_nothing_from_its_copy(tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "m.csv").write_text("audio\nb.mp3\n")
    assert guids(listing_of(ManifestSource(manifest="m.csv"), tmp_path, day="2024-01-01")) == ["b.mp3"]
    (tmp_path / "m.csv").write_text("audio\n")
    assert codes(listing_of(ManifestSource(manifest="m.csv"), tmp_path, day="2024-01-02")) == ["empty-manifest"]
    (tmp_path / "m.csv").unlink()
    assert guids(listing_of(ManifestSource(manifest="m.csv"), tmp_path, day="2024-01-03")) == []


@pytest.mark.parametrize("spoilt", [b"\xff\xfe", b"{}"])
def test_a_spoilt_copy_is_no_copy(tmp_path: Path, spoilt: bytes) -> None:
    archive(tmp_path)
    (tmp_path / "m.csv").write_text("audio\nb.mp3\n")
    listing_of(ManifestSource(manifest="m.csv"), tmp_path, day="2024-01-01")
    (copy,) = (tmp_path / "work" / "listings").glob("*.json")
    copy.write_bytes(spoilt)
    (tmp_path / "m.csv").unlink()
    assert codes(listing_of(ManifestSource(manifest="m.csv"), tmp_path, day="2024-01-02")) == ["no-manifest"]


def test_limits_that_take_nothing_leave_a_record(site: Site, tmp_path: Path) -> None:
    url = site.put("/feed", serve(feed(item("a", day(1)), item("b", day(2)))))
    listing = listing_of(FeedSource(feed=url, title="nothing like it"), tmp_path)
    assert (listing.episodes, codes(listing)) == ((), ["none-wanted"])
    assert listing.failures[0].why.startswith(f"none of the 2 episodes of {url} is within after, before and title")


def test_a_feed_may_be_compressed_on_the_way_or_in_itself(site: Site, tmp_path: Path) -> None:
    packed = gzip.compress(feed(item("a")))
    for answer in (serve(packed, Content_Encoding="gzip"), serve(packed, Content_Type="application/gzip")):
        assert guids(listing_of(FeedSource(feed=site.put("/feed", answer)), tmp_path)) == ["a"]
    assert "gzip" in site.requests[0][1]["accept-encoding"]


def test_a_redirected_feed_keeps_its_name_and_its_links_follow(site: Site, tmp_path: Path) -> None:
    site.put("/there/feed", serve(feed('<item><enclosure url="1.mp3"/></item>', channel="")))
    direct = listing_of(FeedSource(feed=site.url("/there/feed")), tmp_path).episodes[0]
    url = site.put("/here", redirect("/there/feed"))
    moved = listing_of(FeedSource(feed=url), tmp_path).episodes[0]
    assert moved.source_url == direct.source_url == site.url("/there/1.mp3")
    assert moved.feed_guid != direct.feed_guid
    assert moved.feed_url == url


def test_a_local_feed_is_read_from_the_base_folder(tmp_path: Path) -> None:
    (tmp_path / "show").mkdir()
    (tmp_path / "show" / "feed.xml").write_bytes(feed('<item><guid>a</guid><enclosure url="a.mp3"/></item>'))
    listing = listing_of(FeedSource(feed="show/feed.xml"), tmp_path)
    assert [episode.source_url for episode in listing.episodes] == [str(tmp_path / "show" / "a.mp3")]
    assert codes(listing_of(FeedSource(feed="none.xml"), tmp_path)) == ["no-feed"]


# Pages.


def page(*items: str, next_link: str = "", rel: str = "next") -> bytes:
    link = f'<atom:link rel="{rel}" href="{next_link}"/>' if next_link else ""
    return feed(*items, channel=f"<podcast:guid>F</podcast:guid>{link}")


def test_pages_are_followed_and_a_loop_ends(site: Site, tmp_path: Path) -> None:
    url = site.put("/1", serve(page(item("c", day(3)), next_link="2")))
    site.put("/2", serve(page(item("b", day(2)), item("c", day(3)), next_link="/3", rel="prev-archive")))
    site.put("/3", serve(page(item("a", day(1)), next_link="/1")))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    assert guids(listing) == ["c", "b", "a"]
    assert codes(listing) == ["duplicate-guid"]
    assert [path for path, _ in site.requests] == ["/1", "/2", "/3"]


def test_a_page_that_is_missing_costs_only_itself(site: Site, tmp_path: Path) -> None:
    url = site.put("/1", serve(page(item("a"), next_link="/2")))
    listing = listing_of(FeedSource(feed=url), tmp_path)
    assert guids(listing) == ["a"]
    assert [(failure.what, failure.where) for failure in listing.failures] == [("http-404", site.url("/2"))]


def test_pages_that_cannot_matter_are_not_asked_for(site: Site, tmp_path: Path) -> None:
    url = site.put("/1", serve(page(item("d", day(4)), item("c", day(3)), next_link="/2")))
    site.put("/2", serve(page(item("b", day(2)), item("a", day(1)))))
    assert guids(listing_of(FeedSource(feed=url, limit=2), tmp_path)) == ["d", "c"]
    assert guids(listing_of(FeedSource(feed=url, after="2024-01-04"), tmp_path)) == ["d"]
    assert site.asked("/2") == []
    # In a feed from old to new the newest are on the last page.
    site.put("/1", serve(page(item("a", day(1)), item("b", day(2)), next_link="/2")))
    site.put("/2", serve(page(item("c", day(3)))))
    assert guids(listing_of(FeedSource(feed=url, limit=1), tmp_path)) == ["c"]


def test_pages_without_end_are_left(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_PAGES", 5)
    for number in range(10):
        site.put(f"/{number}", serve(page(item(str(number)), next_link=f"/{number + 1}")))
    listing = listing_of(FeedSource(feed=site.url("/0")), tmp_path)
    assert len(site.requests) == 5
    assert len(listing.episodes) == 5
    assert "more than 5 pages" in listing.notes[0]


@pytest.mark.parametrize("link", ["file:///etc/passwd", "http://169.254.169.254/latest", "http://localhost:1/"])
def test_the_next_page_is_as_suspect_as_any_link(site: Site, tmp_path: Path, link: str) -> None:
    listing = listing_of(FeedSource(feed=site.put("/1", serve(page(item("a"), next_link=link)))), tmp_path)
    assert guids(listing) == ["a"]
    assert codes(listing) in (["bad-url"], ["forbidden-address"])


def test_opml_lists_feeds_and_limits_hold_for_each(site: Site, tmp_path: Path) -> None:
    for name in ("x", "y"):
        body = feed(item("1", day(1)), item("2", day(2)), channel=f"<podcast:guid>{name}</podcast:guid>")
        site.put(f"/{name}", serve(body))
    outlines = f"""<outline text="Folder"><outline type="rss" xmlUrl="{site.url("/x")}"/></outline>
        <outline xmlUrl="{site.url("/y")}"/><outline xmlUrl="{site.url("/y")}"/><outline xmlUrl="{site.url("/gone")}"/>
        <outline xmlUrl="file:///etc/passwd"/><outline text="nothing"/>"""
    body = f"<opml version='2.0'><head><title>t</title></head><body>{outlines}</body></opml>".encode()
    url = site.put("/list", serve(body))
    listing = listing_of(OpmlSource(opml=url, limit=1, license="mine"), tmp_path)
    assert [(episode.feed_guid, episode.guid) for episode in listing.episodes] == [("x", "2"), ("y", "2")]
    assert {episode.license_source for episode in listing.episodes} == {"configuration"}
    assert codes(listing) == ["http-404", "bad-url"]
    assert len(site.asked("/y")) == 1
    (tmp_path / "list.opml").write_bytes(body)
    # The list is a stranger's word: it does not open this machine.
    assert codes(listing_of(OpmlSource(opml="list.opml"), tmp_path)) == ["forbidden-address"] * 3 + ["bad-url"]


@pytest.mark.parametrize(
    ("body", "code"),
    [(feed(item("a")), "not-opml"), (b"<opml><body/></opml>", "empty-opml"), (b"<html>", "html-not-feed")],
)
def test_what_is_no_list_of_feeds_is_named(tmp_path: Path, body: bytes, code: str) -> None:
    (tmp_path / "list.opml").write_bytes(body)
    assert codes(listing_of(OpmlSource(opml="list.opml"), tmp_path)) == [code]


# Files.


def archive(folder: Path) -> Path:
    for name in ("b.mp3", "sub/2024-05-31 c.WAV", "sub/20240601.m4a", "a.ogg", ".hidden.mp3", "notes.pdf", "cover.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\xff\xfb\x90\x00 sound")
    for name in ("b.vtt", "b.en.srt", "b.txt", "bb.vtt", "sub/2024-05-31 c.JSON"):
        (folder / name).write_text("text")
    return folder


def test_a_folder_gives_its_audio_with_transcripts_beside(tmp_path: Path) -> None:
    archive(tmp_path / "archive")
    listing = listing_of(FilesSource(files="archive", license="cc-by-4.0"), tmp_path)
    assert guids(listing) == [
        "archive/a.ogg",
        "archive/b.mp3",
        "archive/sub/20240601.m4a",
        "archive/sub/2024-05-31 c.WAV",
    ]
    b = listing.episodes[1]
    folder = tmp_path / "archive"
    assert b == Episode(
        id=episode_id("files", "archive/b.mp3"),
        guid="archive/b.mp3",
        feed_guid="files",
        source_url=str(folder / "b.mp3"),
        title="b",
        length_bytes=10,
        license="cc-by-4.0",
        license_source="configuration",
        transcripts=(
            TranscriptLink(str(folder / "b.en.srt"), "application/x-subrip", "en"),
            TranscriptLink(str(folder / "b.txt"), "text/plain"),
            TranscriptLink(str(folder / "b.vtt"), "text/vtt"),
        ),
    )
    dated = listing.episodes[3]
    assert dated.published == "2024-05-31T00:00:00Z"
    assert [link.type for link in dated.transcripts] == ["application/json"]


def test_patterns_single_files_and_limits(tmp_path: Path) -> None:
    archive(tmp_path / "archive [old]")
    assert guids(listing_of(FilesSource(files="archive [[]old]/*"), tmp_path)) == [
        "archive [old]/a.ogg",
        "archive [old]/b.mp3",
    ]
    assert guids(listing_of(FilesSource(files="./*/**/*.wav"), tmp_path)) == []
    assert guids(listing_of(FilesSource(files="**/*.WAV"), tmp_path)) == ["archive [old]/sub/2024-05-31 c.WAV"]
    assert guids(listing_of(FilesSource(files="archive [old]/b.mp3"), tmp_path)) == ["archive [old]/b.mp3"]
    newest = listing_of(FilesSource(files="archive [old]/sub", limit=1), tmp_path)
    assert guids(newest) == ["archive [old]/sub/20240601.m4a"]
    before = listing_of(FilesSource(files="archive [old]", before="2024-06-01"), tmp_path)
    assert guids(before) == ["archive [old]/sub/2024-05-31 c.WAV"]
    assert codes(before) == ["no-date", "no-date"]


def test_names_do_not_depend_on_where_the_machine_keeps_things(tmp_path: Path) -> None:
    found = []
    for home in ("one", "two"):
        archive(tmp_path / home / "archive")
        found.append(guids(listing_of(FilesSource(files="archive"), tmp_path / home)))
        # Outside of the configuration's folder: relative to the folder, or to the fixed part of the pattern.
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        found.append(guids(listing_of(FilesSource(files=str(tmp_path / home)), tmp_path / "elsewhere")))
        pattern = str(tmp_path / home / "*" / "**" / "*")
        found.append(guids(listing_of(FilesSource(files=pattern), tmp_path / "elsewhere")))
    assert all(names == found[0] for names in found)
    assert found[0][0] == "archive/a.ogg"


@pytest.mark.parametrize("files", ["none.mp3", "none/*.mp3", "empty"])
def test_no_files_is_one_record(tmp_path: Path, files: str) -> None:
    (tmp_path / "empty").mkdir()
    listing = listing_of(FilesSource(files=files), tmp_path)
    assert codes(listing) == ["no-files"]
    assert listing.failures[0].where == files


# Manifests.


def test_a_csv_manifest(tmp_path: Path) -> None:
    folder = archive(tmp_path / "archive")
    (folder / "m.csv").write_text(
        "\ufeffAudio,transcript,guid,title,date,license,language,duration,persons\n"
        'b.mp3,b.vtt;b.txt,one,"Hello, you",2024-05-31,cc0,en,12.5,Ann;Bo\n'
        "\n"
        "https://e.org/x.mp3,https://e.org/x.vtt,,,2024-06-30,,,,\n"
        "none.mp3,,,,,,,,\n"
        "a.ogg,,,,tomorrow,,,,\n"
        ",,,No audio,,,,,\n"
        "a.ogg,,,,,,,,,one cell too many\n",
        encoding="utf-8",
    )
    listing = listing_of(ManifestSource(manifest="archive/m.csv"), tmp_path)
    web, one = listing.episodes
    assert one == Episode(
        id=episode_id("manifest", "one"),
        guid="one",
        feed_guid="manifest",
        source_url=str(folder / "b.mp3"),
        title="Hello, you",
        published="2024-05-31T00:00:00Z",
        duration=12.5,
        language="en",
        license="cc0",
        license_source="manifest",
        persons=(Person("Ann"), Person("Bo")),
        transcripts=(
            TranscriptLink(str(folder / "b.vtt"), "text/vtt"),
            TranscriptLink(str(folder / "b.txt"), "text/plain"),
        ),
    )
    assert (web.guid, web.source_url, web.title) == ("https://e.org/x.mp3", "https://e.org/x.mp3", "x")
    assert codes(listing) == ["no-file", "bad-row", "bad-row", "bad-row"]
    assert [failure.where for failure in listing.failures] == [f"archive/m.csv, line {line}" for line in (5, 6, 7, 8)]


def test_a_jsonl_manifest_and_one_with_semicolons(tmp_path: Path) -> None:
    archive(tmp_path)
    rows: list[dict[str, object]] = [
        {"audio": "b.mp3", "transcript": ["b.vtt", "b.txt"], "title": "B", "duration": 3, "guid": None},
        {"url": "https://e.org/x.mp3", "persons": ["Ann"]},
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    b, x = listing_of(ManifestSource(manifest="m.jsonl"), tmp_path).episodes
    assert (b.guid, b.duration, len(b.transcripts)) == ("b.mp3", 3.0, 2)
    assert x.persons == (Person("Ann"),)
    (tmp_path / "m.csv").write_text("audio;title\nb.mp3;Eins, zwei\na.ogg;A\nb.mp3;again\n")
    listing = listing_of(ManifestSource(manifest="m.csv", title="eins"), tmp_path)
    assert [episode.title for episode in listing.episodes] == ["Eins, zwei"]
    assert codes(listing) == ["duplicate-guid"]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("m.csv", "audio,licence\na.ogg,x\n", "unknown column `licence`; did you mean `license`?"),
        ("m.csv", "audio,zzzz\na.ogg,x\n", "unknown column `zzzz`; the columns are audio, url,"),
        ("m.jsonl", '{"audio": "a.ogg", "titel": "x"}', "line 1: unknown column `titel`; did you mean `title`?"),
        ("m.jsonl", '{"audio": "a.ogg"}\nnonsense', "line 2 is no JSON"),
        ("m.jsonl", "[1]", "line 1 is no JSON object"),
        ("m.csv", "title\nx\n", "has no column `audio` or `url`"),
        ("m.csv", 'audio\n"a.ogg', "line 2: unexpected end of data"),
        ("m.csv", 'audio,title\na.ogg,x\na.ogg,"A" b\n', "line 3: "),
        ("m.csv", "audio,title,Title\na.ogg,A,\n", "line 1: there are two columns `title`"),
    ],
)
def test_a_wrong_manifest_is_a_wrong_configuration(tmp_path: Path, name: str, text: str, line: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        listing_of(ManifestSource(manifest=name), tmp_path)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_in_no_encoding_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b"audio\n\xff\xfe.mp3\n")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        listing_of(ManifestSource(manifest="m.csv"), tmp_path)
    assert codes(listing_of(ManifestSource(manifest="none.csv"), tmp_path)) == ["no-manifest"]


def test_a_manifest_cell_holds_every_character_of_a_title(tmp_path: Path) -> None:
    archive(tmp_path)
    title = "One\u2028Two\x85Three\x0bFour"
    (tmp_path / "m.jsonl").write_text(json.dumps({"audio": "b.mp3", "title": title}, ensure_ascii=False) + "\n")
    (tmp_path / "m.csv").write_text(f'audio,title\nb.mp3,"{title}"\n')
    for name in ("m.jsonl", "m.csv"):
        listing = listing_of(ManifestSource(manifest=name), tmp_path)
        # These are line ends to str.splitlines, but to neither format.
        assert ([each.title for each in listing.episodes], listing.failures) == (["One Two Three Four"], ())


def test_a_column_of_row_numbers_is_passed_over(tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "m.csv").write_text(",audio,title\n0,b.mp3,B\n")
    (found,) = listing_of(ManifestSource(manifest="m.csv"), tmp_path).episodes
    assert (found.guid, found.title) == ("b.mp3", "B")


@pytest.mark.parametrize(("name", "text"), [("m.csv", "audio,title\n"), ("m.csv", ""), ("m.jsonl", "\n")])
def test_a_manifest_without_rows_leaves_a_record(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    listing = listing_of(ManifestSource(manifest=name), tmp_path)
    assert codes(listing) == ["empty-manifest"], "as a feed without episodes does"


# All of them.


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        ({"after": "31.5.2024"}, "after is '31.5.2024'"),
        ({"before": "soon"}, "before is 'soon'"),
        ({"title": "("}, "is no regular expression"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_limits_are_checked_when_they_are_given(limits: dict[str, str], line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        FilesSource(files="x", **limits)  # type: ignore[arg-type]
    assert line in str(caught.value)


def test_addresses_are_checked_when_they_are_given() -> None:
    for place in ("ftp://e.org/feed", "http://host:port/feed", "https://"):
        with pytest.raises(ConfigurationError, match=r"^bad-url: "):
            FeedSource(feed=place)


def test_only_what_the_configuration_names_is_allowed_and_only_its_port() -> None:
    named: list[Source] = [
        FeedSource(feed="http://127.0.0.1:8000/feed.xml"),
        FeedSource(feed="https://Example.org/feed"),
        FeedSource(feed="local/feed.xml"),
        OpmlSource(opml="http://[::1]/list"),
        FilesSource(files="*.mp3"),
        ManifestSource(manifest="m.csv"),
    ]
    assert allowed_hosts_of(named) == ("127.0.0.1:8000", "example.org:443", "[::1]:80")


def test_merged_listings_hold_each_episode_once(tmp_path: Path) -> None:
    archive(tmp_path)
    one = listing_of(FilesSource(files="*.mp3"), tmp_path)
    all_of_them = listing_of(FilesSource(files="."), tmp_path)
    merged = merge_listings([one, all_of_them])
    assert len(merged.episodes) == 4
    assert merged.episodes[0].guid == "b.mp3"
    assert "'b.mp3' is listed by two sources" in merged.notes[0]


def test_two_recordings_of_one_name_are_one_episode_and_one_record(tmp_path: Path) -> None:
    places = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "ep1.mp3").write_bytes(name.encode())
        (folder / "m.csv").write_text("audio\nep1.mp3\n")
        (folder / "feed.xml").write_bytes(feed(item("ep1").replace("https://e.org/", ""), channel=""))
        places.append(folder)
    kinds: list[list[Source]] = [
        [FilesSource(files=str(folder / "ep1.mp3")) for folder in places],
        [ManifestSource(manifest=str(folder / "m.csv")) for folder in places],
        [FeedSource(feed=str(folder / "feed.xml")) for folder in places],
    ]
    for pair in kinds:
        # From a configuration elsewhere, so that both are named relative to their own folder.
        merged = merge_listings(listing_of(source, tmp_path / "elsewhere") for source in pair)
        assert [episode.source_url for episode in merged.episodes] == [str(places[0] / "ep1.mp3")]
        assert codes(merged) == ["same-name"], "the other recording is lost, so it is no mere note"
        assert merged.failures[0].where == str(places[1] / "ep1.mp3")


def test_what_a_build_keeps_and_enrolments_are_no_episodes(tmp_path: Path) -> None:
    for name in ("ep1.mp3", "enroll.flac", "out/work/recordings/a.flac", "out/work/downloads/b.mp3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    excluded = (str(tmp_path / "out" / "work"), str(tmp_path / "enroll.flac"))
    listing = listing_of(FilesSource(files=".", excluded=excluded), tmp_path)
    assert guids(listing) == ["ep1.mp3"], "a second build would take its own recordings for episodes"
    assert sorted(note.split()[1] for note in listing.notes) == sorted(excluded)
    assert codes(listing_of(FilesSource(files="out", excluded=excluded), tmp_path)) == ["no-files"]
    named = listing_of(FilesSource(files="enroll.flac", excluded=excluded), tmp_path)
    assert (guids(named), named.notes) == (["enroll.flac"], ()), "who names one recording means it"


# Sources that can't be read today.


@pytest.mark.parametrize("answer", [serve(b"", 503), serve(b"", 404), serve(b"<html>Moved</html>"), serve(b"<rss/>")])
def test_a_feed_that_cannot_be_read_is_listed_from_its_copy(site: Site, tmp_path: Path, answer: Answer) -> None:
    source = FeedSource(feed=site.put("/feed", serve(feed(item("a", day(1)), item("b", day(2))))), license="cc0-1.0")
    before = listing_of(source, tmp_path, day="2026-05-01")
    site.put("/feed", answer)
    listing = listing_of(source, tmp_path, day="2026-05-02")
    assert listing.episodes == before.episodes, "a feed that is down must not empty a dataset"
    assert listing.failures == ()
    (note,) = listing.notes
    assert note.startswith(f"{source.feed}: listed from the copy of 2026-05-01; this time ")
    site.put("/feed", serve(feed(item("c", day(3)))))
    assert guids(listing_of(source, tmp_path, day="2026-05-03")) == ["c"], "what the publisher took out goes"


def test_a_feed_that_was_never_read_whole_has_no_copy(site: Site, tmp_path: Path) -> None:
    source = FeedSource(feed=site.put("/feed", serve(b"", 503)))
    for today in ("2026-05-01", "2026-05-02"):
        assert codes(listing_of(source, tmp_path, day=today)) == ["http-503"]


def test_a_missing_page_is_filled_from_the_copy_within_the_limit(site: Site, tmp_path: Path) -> None:
    older = f'<podcast:guid>F</podcast:guid><atom:link rel="next" href="{site.url("/2")}"/>'
    site.put("/2", serve(feed(item("b", day(2)), item("a", day(1)))))
    source = FeedSource(feed=site.put("/1", serve(feed(item("c", day(3)), channel=older))), limit=3)
    assert guids(listing_of(source, tmp_path, day="2026-05-01")) == ["c", "b", "a"]
    site.put("/1", serve(feed(item("d", day(4)), item("c", day(3)), channel=older)))
    site.put("/2", serve(b"", 500))
    listing = listing_of(source, tmp_path, day="2026-05-02")
    assert (guids(listing), listing.failures) == (["d", "c", "b"], ())
    assert f"{site.url('/2')}: listed from the copy of 2026-05-01; this time http-500" in listing.notes[0]


def test_a_broken_feed_that_gives_all_that_it_gave_is_read_as_it_is(site: Site, tmp_path: Path) -> None:
    source = FeedSource(feed=site.put("/feed", serve(feed(item("a", day(1))))))
    listing_of(source, tmp_path, day="2026-05-01")
    site.put("/feed", serve(feed(item("b", day(2)), item("a", day(1)), "<item></title>")))
    listing = listing_of(source, tmp_path, day="2026-05-02")
    assert (guids(listing), codes(listing)[0]) == (["b", "a"], "broken-feed")


def test_a_feed_that_came_to_be_blocked_is_not_used_from_a_copy(site: Site, tmp_path: Path) -> None:
    source = FeedSource(feed=site.put("/feed", serve(feed(item("a")))))
    listing_of(source, tmp_path, day="2026-05-01")
    site.put("/feed", serve(feed(item("a"), channel="<podcast:block>yes</podcast:block>")), serve(b"", 503))
    assert codes(listing_of(source, tmp_path, day="2026-05-02")) == ["blocked"]
    listing = listing_of(source, tmp_path, day="2026-05-03")
    assert (listing.episodes, codes(listing)) == ((), ["http-503"])


def test_lists_of_feeds_and_manifests_have_copies_too(site: Site, tmp_path: Path) -> None:
    one, two = site.put("/one", serve(feed(item("1")))), site.put("/two", serve(feed(item("1"), channel="")))
    outlines = f'<outline xmlUrl="{one}"/><outline xmlUrl="{two}"/>'
    opml = OpmlSource(opml=site.put("/list", serve(f"<opml><body>{outlines}</body></opml>".encode())))
    archive(tmp_path)
    (tmp_path / "m.csv").write_text("audio\nb.mp3\n")
    manifest = ManifestSource(manifest="m.csv")
    before = [listing_of(source, tmp_path, site.host, day="2026-05-01").episodes for source in (opml, manifest)]
    site.put("/list", serve(f'<opml><body><outline xmlUrl="{one}"/><outline'.encode()), serve(b"", 503))
    (tmp_path / "m.csv").unlink()
    for source, episodes in ((opml, before[0]), (opml, before[0]), (manifest, before[1])):
        listing = listing_of(source, tmp_path, site.host, day="2026-05-02")
        assert (listing.episodes, listing.failures) == (episodes, ())
        assert "listed from the copy of 2026-05-01" in listing.notes[0]

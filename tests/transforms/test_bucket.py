"""Downloads into a bucket: what is there is known again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from folder_filesystem import PREFIX, local
from web_server import Answer, Handler, Site

from schemas.episode import Episode, TranscriptLink
from transforms.bucket import download_to_bucket
from transforms.download import Downloaded, DownloadSettings
from transforms.http import HttpClient, HttpSettings
from transforms.store import Store

AUDIO = b"ID3\x04\x00\x00" + bytes(range(256)) * 800
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"{PREFIX}{tmp_path / 'bucket'}")


def conditional(body: bytes, etag: str) -> Answer:
    def answer(handler: Handler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            handler.reply(304)
        else:
            handler.reply(200, body, ETag=etag)

    return answer


def fetched(site: Site, store: Store) -> Downloaded:
    link = TranscriptLink(site.url("/1.vtt"), "text/vtt")
    episode = Episode("e1", "guid", "feed", site.url("/1.mp3"), transcripts=(link,))
    settings = HttpSettings(allowed_hosts=(site.host,), tries=1)
    with HttpClient(settings, slot_folder=local(store.path("slots"))) as client:
        return download_to_bucket(episode, store, client, DownloadSettings())


def asked(site: Site) -> list[str | None]:
    return [headers.get("if-none-match") for _, headers in site.requests]


def test_an_unchanged_episode_is_not_sent_again(site: Site, store: Store) -> None:
    site.put("/1.mp3", conditional(AUDIO, '"a1"'))
    site.put("/1.vtt", conditional(VTT, '"t1"'))
    first = fetched(site, store)
    assert fetched(site, store) == first
    assert asked(site) == [None, None, '"a1"', '"t1"'], "a bucket's second build asks as a folder's does"
    assert local(first.media.path).read_bytes() == AUDIO
    assert first.media.transcript is not None
    assert local(first.media.transcript.path).read_bytes() == VTT


def test_a_changed_episode_takes_its_place_and_a_lost_one_is_fetched_again(site: Site, store: Store) -> None:
    site.put("/1.mp3", conditional(AUDIO, '"a1"'))
    fetched(site, store)
    site.put("/1.mp3", conditional(AUDIO[:-1], '"a2"'))
    changed = fetched(site, store).media
    assert local(changed.path).read_bytes() == AUDIO[:-1]
    local(changed.path).unlink()
    assert local(fetched(site, store).media.path).read_bytes() == AUDIO[:-1]
    assert [headers.get("if-none-match") for headers in site.asked("/1.mp3")] == [None, '"a1"', None]


def test_what_is_in_the_bucket_serves_when_its_server_does_not(site: Site, store: Store) -> None:
    site.put("/1.mp3", conditional(AUDIO, '"a1"'))
    first = fetched(site, store).media
    site.put("/1.mp3", lambda handler: handler.reply(503))
    again = fetched(site, store)
    assert again.media == first
    assert "the file of an earlier run serves" in again.notes[0]
    assert local(again.media.path).read_bytes() == AUDIO, "and is not overwritten by what stood for it"


@pytest.mark.parametrize("spoilt", [b"\xff\xfe", b"{}", b'{"audio": {"file": "x.mp3"}}', b'{"transcript": 3}'])
def test_spoilt_books_cost_a_download_and_no_episode(site: Site, store: Store, spoilt: bytes) -> None:
    site.put("/1.mp3", conditional(AUDIO, '"a1"'))
    first = fetched(site, store).media
    local(store.path("work", "downloads", "e1.json")).write_bytes(spoilt)
    assert fetched(site, store).media == first

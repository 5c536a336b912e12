import errno
import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from web_server import Handler, Site, redirect, serve

from schemas.episode import Episode, TranscriptLink
from schemas.errors import EpisodeError
from schemas.recording import Transcript
from transforms import fetch
from transforms.download import Downloaded, DownloadSettings, download
from transforms.http import HttpClient, HttpSettings

# Bytes that begin like an mp3 and are no text.
AUDIO = b"ID3\x04\x00\x00" + bytes(range(256)) * 800
OTHER = b"ID3\x04\x00\x00" + bytes(reversed(range(256))) * 800
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
SEGMENTS = b'{"segments": [{"startTime": 0, "endTime": 1, "body": "Hello"}]}'
SRT = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def client(site: Site, tmp_path: Path) -> Iterator[HttpClient]:
    settings = HttpSettings(allowed_hosts=(site.host,), stall_timeout_seconds=1.0)
    with HttpClient(settings, slot_folder=tmp_path / "slots", sleep=lambda seconds: None) as made:
        yield made


def episode(url: str, *transcripts: TranscriptLink, alternates: tuple[str, ...] = (), language: str = "en") -> Episode:
    return Episode(
        "e1", "guid", "feed", url, length_bytes=1, language=language, transcripts=transcripts, alternates=alternates
    )


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def error_of(call: Callable[[], Downloaded]) -> str:
    with pytest.raises(EpisodeError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def ranges(body: bytes, etag: str) -> Callable[[Handler], None]:
    """A server that knows ranges and If-Range (RFC 9110, 13.1.5 and 14)."""

    def answer(handler: Handler) -> None:
        wanted = handler.headers.get("Range")
        if wanted and handler.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
            handler.reply(206, body[start:], ETag=etag, Content_Range=content_range, Content_Type="audio/mpeg")
        else:
            handler.reply(200, body, ETag=etag, Content_Type="audio/mpeg")

    return answer


def cut(body: bytes, after: int, etag: str = "") -> Callable[[Handler], None]:
    headers = {"ETag": etag} if etag else {}
    return lambda handler: handler.reply(200, body, cut_after=after, Content_Type="audio/mpeg", **headers)


# One whole download.


def test_one_get_brings_the_bytes_and_says_what_they_are(site: Site, folder: Path, client: HttpClient) -> None:
    site.put("/1.mp3", serve(AUDIO, Content_Type="audio/mpeg; x=y"))
    url = site.url("/1.mp3?token=%7E")
    done = download(episode(url), folder, client)
    assert done.notes == ()
    media = done.media
    assert Path(media.path) == folder / "e1.mp3"
    assert Path(media.path).read_bytes() == AUDIO
    assert (media.sha256, media.bytes, media.source_url) == (sha256(AUDIO), len(AUDIO), url)
    assert (media.media_type, media.transcript) == ("audio/mpeg", None)
    ((path, headers),) = site.requests
    assert path == "/1.mp3?token=%7E"
    assert headers["accept-encoding"] == "identity"
    assert names(folder) == {"e1.mp3", "e1.json"}


def test_the_name_comes_from_the_address_or_the_type(site: Site, folder: Path, client: HttpClient) -> None:
    for path, kind, name in (("/a.php", "audio/x-m4a", "e1.m4a"), ("/b", "x/y", "e1.audio"), ("/c.OGG", "", "e1.ogg")):
        url = site.put(path, serve(AUDIO, Content_Type=kind))
        assert Path(download(episode(url), folder, client).media.path).name == name
        # The file of the address that the feed named before is not kept.
        assert names(folder) == {name, "e1.json"}


def test_a_packed_answer_is_unpacked_and_hashed_as_it_is_kept(site: Site, folder: Path, client: HttpClient) -> None:
    import gzip

    url = site.put("/1.mp3", serve(gzip.compress(AUDIO), Content_Encoding="gzip", ETag='"a"'))
    media = download(episode(url), folder, client).media
    assert (Path(media.path).read_bytes(), media.sha256) == (AUDIO, sha256(AUDIO))


def test_a_body_without_a_length_is_taken_as_it_comes(site: Site, folder: Path, client: HttpClient) -> None:
    def chunked(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for start in range(0, len(AUDIO), 50_000):
            piece = AUDIO[start : start + 50_000]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    assert download(episode(site.put("/1.mp3", chunked)), folder, client).media.sha256 == sha256(AUDIO)


# What goes wrong.


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"<!DOCTYPE html><html><body>Gone</body></html>", {"Content_Type": "audio/mpeg"}, "html-not-audio"),
        (b"\n<!-- x -->\n<HTML><head>", {"Content_Type": "text/html"}, "html-not-audio"),
        (b'{"error": "no such episode"}', {"Content_Type": "application/json"}, "text-not-audio"),
        (b"#EXTM3U\nhttp://example.org/a.ts\n", {"Content_Type": "audio/mpegurl"}, "text-not-audio"),
        (b"", {"Content_Type": "audio/mpeg"}, "empty-file"),
    ],
)
def test_what_is_no_audio_is_named_and_not_kept(
    site: Site, folder: Path, client: HttpClient, body: bytes, headers: dict[str, str], code: str
) -> None:
    url = site.put("/1.mp3", serve(body, **headers))
    assert error_of(lambda: download(episode(url), folder, client)).startswith(f"{code}: ")
    assert names(folder) == set()
    assert len(site.requests) == 1


def test_audio_under_a_wrong_label_is_audio(site: Site, folder: Path, client: HttpClient) -> None:
    url = site.put("/1.mp3", serve(AUDIO, Content_Type="text/html"))
    assert download(episode(url), folder, client).media.bytes == len(AUDIO)


def test_no_content_is_an_empty_file(site: Site, folder: Path, client: HttpClient) -> None:
    url = site.put("/1.mp3", serve(b"", 204))
    assert error_of(lambda: download(episode(url), folder, client)).startswith("empty-file: ")


def test_a_redirect_into_the_private_network_is_refused(site: Site, folder: Path, client: HttpClient) -> None:
    with Site() as secret:
        url = site.put("/1.mp3", redirect(secret.put("/", serve(AUDIO))))
        assert error_of(lambda: download(episode(url), folder, client)).startswith("forbidden-address: ")
        assert secret.requests == []


def test_too_large_is_refused_before_or_while_it_comes(site: Site, folder: Path, client: HttpClient) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(AUDIO)
        handler.close_connection = True

    settings = DownloadSettings(max_bytes=len(AUDIO) - 1)
    for answer in (serve(AUDIO), endless):
        item = episode(site.put("/1.mp3", answer))
        assert error_of(partial(download, item, folder, client, settings)).startswith("too-large: ")
        assert names(folder) == set()


def test_too_slow_is_left(site: Site, folder: Path, client: HttpClient) -> None:
    def slow(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(AUDIO)))
        handler.end_headers()
        for start in range(0, len(AUDIO), 1000):
            handler.wfile.write(AUDIO[start : start + 1000])
            time.sleep(0.05)

    url = site.put("/1.mp3", slow)
    line = error_of(lambda: download(episode(url), folder, client, DownloadSettings(max_seconds=0.3)))
    assert line.startswith("too-slow: ")
    assert names(folder) == set()


def test_a_full_disk_is_one_line_and_frees_what_it_took(
    site: Site, folder: Path, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.put("/1.mp3", serve(AUDIO, ETag='"a"'))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(fetch.os, "fsync", full)
        line = error_of(lambda: download(episode(url), folder, client))
    assert line.startswith("disk-full: ")
    assert "free some space" in line
    assert names(folder) == set()


def test_a_file_that_will_not_fit_is_not_begun(
    site: Site, folder: Path, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.put("/1.mp3", serve(AUDIO))
    usage = fetch.shutil.disk_usage(folder.parent)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda path: usage._replace(free=len(AUDIO) - 1))
    assert error_of(lambda: download(episode(url), folder, client)).startswith("disk-full: ")
    assert names(folder) == set()


def test_a_folder_that_cannot_be_written_is_one_line(site: Site, tmp_path: Path, client: HttpClient) -> None:
    (tmp_path / "file").write_text("in the way")
    url = site.put("/1.mp3", serve(AUDIO))
    line = error_of(lambda: download(episode(url), tmp_path / "file" / "media", client))
    assert line.startswith("disk-error: ")
    assert str(tmp_path / "file") in line
    assert site.requests == []


# Broken connections.


def test_a_cut_connection_goes_on_where_it_broke_under_a_strong_etag(
    site: Site, folder: Path, client: HttpClient
) -> None:
    half = len(AUDIO) // 2
    url = site.put("/1.mp3", cut(AUDIO, half, '"v1"'), ranges(AUDIO, '"v1"'))
    media = download(episode(url), folder, client).media
    assert Path(media.path).read_bytes() == AUDIO
    assert media.sha256 == sha256(AUDIO)
    again = site.requests[1][1]
    assert (again["range"], again["if-range"]) == (f"bytes={half}-", '"v1"')
    assert "range" not in site.requests[0][1]
    assert names(folder) == {"e1.mp3", "e1.json"}


@pytest.mark.parametrize("etag", ["", 'W/"v1"'])
def test_without_a_strong_etag_it_starts_again(site: Site, folder: Path, client: HttpClient, etag: str) -> None:
    url = site.put("/1.mp3", cut(OTHER, len(OTHER) // 2, etag), ranges(AUDIO, etag))
    media = download(episode(url), folder, client).media
    assert media.sha256 == sha256(AUDIO)
    assert "range" not in site.requests[1][1]


def test_a_file_that_changed_between_the_halves_starts_again(site: Site, folder: Path, client: HttpClient) -> None:
    """The server honours If-Range: its ETag is another now, so it sends the whole new file."""
    url = site.put("/1.mp3", cut(OTHER, len(OTHER) // 2, '"v1"'), ranges(AUDIO, '"v2"'))
    assert download(episode(url), folder, client).media.sha256 == sha256(AUDIO)
    assert site.requests[1][1]["if-range"] == '"v1"'


def test_a_server_that_ignores_if_range_is_not_believed(site: Site, folder: Path, client: HttpClient) -> None:
    """206 of a file that is longer than promised, of another ETag, or from another place: all start again."""
    half = len(AUDIO) // 2
    longer = AUDIO + b"advertisement"

    def rest(total: int, start: int, etag: str) -> Callable[[Handler], None]:
        content_range = f"bytes {start}-{total - 1}/{total}"
        return lambda handler: handler.reply(206, longer[start:total], ETag=etag, Content_Range=content_range)

    for wrong in (
        rest(len(longer), half, '"v1"'),
        rest(len(AUDIO), half, '"v2"'),
        rest(len(AUDIO), half - 1, '"v1"'),
        lambda handler: handler.reply(206, AUDIO[half:], ETag='"v1"'),
        serve(b"", 416),
    ):
        site.requests.clear()
        url = site.put("/1.mp3", cut(AUDIO, half, '"v1"'), wrong, ranges(OTHER, '"v3"'))
        assert download(replace(episode(url), id="e2"), folder, client).media.sha256 == sha256(OTHER)
        assert ["range" in headers for _, headers in site.requests] == [False, True, False]
        (folder / "e2.json").unlink()


def test_a_promise_of_half_a_file_is_not_a_whole_file(site: Site, folder: Path, client: HttpClient) -> None:
    url = site.put("/1.mp3", cut(AUDIO, 1000))
    line = error_of(lambda: download(episode(url), folder, client))
    assert line.startswith("connection-lost: ")
    assert len(site.requests) == client.settings.tries
    assert names(folder) == set()


def test_a_stalled_server_is_tried_again(site: Site, folder: Path, client: HttpClient) -> None:
    release = threading.Event()

    def stall(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(AUDIO)))
        handler.end_headers()
        handler.wfile.write(AUDIO[:1000])
        handler.wfile.flush()
        release.wait(10)

    url = site.put("/1.mp3", stall, serve(AUDIO))
    assert download(episode(url), folder, client).media.sha256 == sha256(AUDIO)
    release.set()


def _download_until_killed(url: str, host: str, folder: Path) -> None:
    settings = HttpSettings(allowed_hosts=(host,))
    with HttpClient(settings, slot_folder=folder.parent / "slots") as client:
        download(episode(url), folder, client)


@pytest.mark.parametrize("etag", ['"v1"', ""])
def test_a_killed_run_leaves_nothing_that_looks_whole_and_the_next_goes_on(
    site: Site, folder: Path, client: HttpClient, etag: str
) -> None:
    release = threading.Event()
    # More than every buffer between here and there, so that some of it is on the disk before the kill.
    whole = AUDIO * 40
    half = len(whole) // 2

    def hang(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(whole)))
        if etag:
            handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(whole[:half])
        handler.wfile.flush()
        release.wait(30)

    url = site.put("/1.mp3", hang, ranges(whole, etag))
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_download_until_killed, args=(url, site.host, folder), daemon=True)
    process.start()
    deadline = time.monotonic() + 60
    while not ((folder / "e1.part").exists() and (folder / "e1.part").stat().st_size > 1 << 20):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    release.set()
    assert not any(name.endswith((".mp3", "e1.json")) for name in names(folder))
    have = (folder / "e1.part").stat().st_size
    media = download(episode(url), folder, client).media
    assert media.sha256 == sha256(whole)
    assert site.requests[1][1].get("range") == (f"bytes={have}-" if etag else None)
    assert names(folder) == {"e1.mp3", "e1.json"}


# The second call.


def conditional(body: bytes, **validators: str) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        known = handler.headers.get("If-None-Match") or handler.headers.get("If-Modified-Since")
        if known and known in validators.values():
            handler.reply(304)
        else:
            handler.reply(200, body, Content_Type="audio/mpeg", **validators)

    return answer


@pytest.mark.parametrize(
    ("validators", "header"),
    [
        ({"ETag": '"v1"'}, "if-none-match"),
        ({"ETag": 'W/"v1"'}, "if-none-match"),
        ({"Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, "if-modified-since"),
    ],
)
def test_an_unchanged_episode_is_asked_about_and_never_fetched_again(
    site: Site, folder: Path, client: HttpClient, validators: dict[str, str], header: str
) -> None:
    url = site.put("/1.mp3", conditional(AUDIO, **validators))
    first = download(episode(url), folder, client)
    inode = os.stat(first.media.path).st_ino
    assert download(episode(url), folder, client) == first
    assert os.stat(first.media.path).st_ino == inode
    assert [headers.get(header) for _, headers in site.requests] == [None, next(iter(validators.values()))]
    assert download(episode(url), folder, client, DownloadSettings(revalidate=False)) == first
    assert len(site.requests) == 2


def test_without_validators_nothing_is_asked(site: Site, folder: Path, client: HttpClient) -> None:
    url = site.put("/1.mp3", serve(AUDIO))
    first = download(episode(url), folder, client)
    assert download(episode(url), folder, client) == first
    assert len(site.requests) == 1


def test_a_changed_episode_is_fetched_once_and_replaced(site: Site, folder: Path, client: HttpClient) -> None:
    url = site.put("/1.mp3", conditional(AUDIO, ETag='"v1"'))
    download(episode(url), folder, client)
    site.put("/1.mp3", conditional(OTHER, ETag='"v2"'))
    media = download(episode(url), folder, client).media
    assert (media.sha256, Path(media.path).read_bytes()) == (sha256(OTHER), OTHER)
    assert len(site.requests) == 2
    download(episode(url), folder, client)
    assert site.requests[2][1]["if-none-match"] == '"v2"'


@pytest.mark.parametrize("answer", [serve(b"", 404), serve(b"", 503), serve(b"<html>Log in</html>"), serve(b"")])
def test_what_is_here_serves_when_its_server_does_not(
    site: Site, folder: Path, client: HttpClient, answer: Callable[[Handler], None]
) -> None:
    url = site.put("/1.mp3", conditional(AUDIO, ETag='"v1"'))
    first = download(episode(url), folder, client)
    site.put("/1.mp3", answer)
    again = download(episode(url), folder, client)
    assert again.media == first.media
    assert Path(again.media.path).read_bytes() == AUDIO
    assert "the file of an earlier run serves" in again.notes[0]
    assert names(folder) == {"e1.mp3", "e1.json"}


def test_a_damaged_or_missing_file_is_fetched_again(site: Site, folder: Path, client: HttpClient) -> None:
    url = site.put("/1.mp3", conditional(AUDIO, ETag='"v1"'))
    path = Path(download(episode(url), folder, client).media.path)
    path.write_bytes(AUDIO[:-1])
    assert download(episode(url), folder, client).media.sha256 == sha256(AUDIO)
    path.unlink()
    assert download(episode(url), folder, client).media.sha256 == sha256(AUDIO)
    (folder / "e1.json").write_text("{broken")
    assert download(episode(url), folder, client).media.sha256 == sha256(AUDIO)
    assert ["if-none-match" in headers for _, headers in site.requests] == [False] * 4


def test_a_new_signature_is_not_a_new_episode_but_a_new_address_is(
    site: Site, folder: Path, client: HttpClient
) -> None:
    site.put("/1.mp3", serve(AUDIO))
    site.put("/2.mp3", serve(OTHER))
    first = download(episode(site.url("/1.mp3?sig=1")), folder, client)
    assert download(episode(site.url("/1.mp3?sig=2")), folder, client).media == first.media
    assert len(site.requests) == 1
    other_length = replace(episode(site.url("/1.mp3?sig=3")), length_bytes=2)
    download(other_length, folder, client)
    assert len(site.requests) == 2
    assert download(episode(site.url("/2.mp3")), folder, client).media.sha256 == sha256(OTHER)


def test_a_new_signature_without_a_length_is_asked_about_with_the_etag_that_is_known(
    site: Site, folder: Path, client: HttpClient
) -> None:
    site.put("/1.mp3", conditional(AUDIO, ETag='"v1"'))
    items = [replace(episode(site.url(f"/1.mp3?t={number}")), length_bytes=None) for number in (1, 2, 2)]
    first, second, third = [download(item, folder, client) for item in items]
    assert first.media.sha256 == second.media.sha256
    assert second.media.source_url == third.media.source_url == items[1].source_url
    assert [headers.get("if-none-match") for _, headers in site.requests] == [None, '"v1"', '"v1"']
    site.put("/1.mp3", conditional(OTHER, ETag='"v2"'))
    assert download(replace(items[0], source_url=site.url("/1.mp3?t=3")), folder, client).media.sha256 == sha256(OTHER)


@pytest.mark.parametrize("validators", [{"ETag": 'W/"v1"'}, {"Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}])
def test_another_query_may_be_another_episode_and_only_a_strong_etag_tells(
    site: Site, folder: Path, client: HttpClient, validators: dict[str, str]
) -> None:
    site.put("/get", conditional(AUDIO, **validators), conditional(OTHER, **validators))
    for number, body in ((1, AUDIO), (2, OTHER)):
        item = replace(episode(site.url(f"/get?id={number}")), length_bytes=None)
        # A server answers 304 to If-Modified-Since for any file that is older.
        assert download(item, folder, client).media.sha256 == sha256(body)


def test_two_calls_at_once_make_one_download(site: Site, folder: Path, client: HttpClient) -> None:
    def slow(handler: Handler) -> None:
        time.sleep(0.2)
        handler.reply(200, AUDIO)

    url = site.put("/1.mp3", slow)
    results: list[Downloaded] = []
    threads = [
        threading.Thread(target=lambda: results.append(download(episode(url), folder, client))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert len(set(results)) == 1
    assert len(site.requests) == 1


# Alternates.


def test_an_alternate_stands_in_for_an_enclosure_that_is_gone(site: Site, folder: Path, client: HttpClient) -> None:
    gone, page = site.url("/gone.mp3"), site.put("/page.mp3", serve(b"<html></html>"))
    good = site.put("/good.ogg", conditional(AUDIO, ETag='"v1"'))
    item = episode(gone, alternates=(page, good))
    done = download(item, folder, client)
    assert (done.media.source_url, Path(done.media.path).name) == (good, "e1.ogg")
    assert [note.partition(":")[0] for note in done.notes] == [
        "alternate enclosure",
        f"the alternate enclosure {good} stands in".partition(":")[0],
    ]
    assert "http-404" in done.notes[1]
    # From then on it is the episode; the enclosure that is gone is not asked for again.
    assert download(item, folder, client).media == done.media
    assert len(site.asked("/gone.mp3")) == 1
    assert json.loads((folder / "e1.json").read_text())["audio"]["url"] == good


@pytest.mark.parametrize(
    "answer", [serve(b"<html>It is gone</html>"), serve(b'{"error": "gone"}'), serve(b""), serve(b"", 204)]
)
def test_an_alternate_stands_in_where_something_else_is_sent(
    site: Site, folder: Path, client: HttpClient, answer: Callable[[Handler], None]
) -> None:
    item = episode(site.put("/1.mp3", answer), alternates=(site.put("/2.mp3", serve(AUDIO)),))
    done = download(item, folder, client)
    assert (done.media.source_url, done.media.sha256) == (site.url("/2.mp3"), sha256(AUDIO))


@pytest.mark.parametrize("status", [429, 503])
def test_no_alternate_for_an_enclosure_that_is_only_busy(
    site: Site, folder: Path, client: HttpClient, status: int
) -> None:
    item = episode(site.put("/1.mp3", serve(b"", status)), alternates=(site.put("/2.mp3", serve(AUDIO)),))
    assert error_of(lambda: download(item, folder, client)).startswith(f"http-{status}: ")
    assert site.asked("/2.mp3") == []


def test_with_every_address_gone_the_enclosure_is_what_is_said(site: Site, folder: Path, client: HttpClient) -> None:
    item = episode(site.url("/gone.mp3"), alternates=(site.url("/gone.ogg"),))
    assert f"{site.url('/gone.mp3')} answered 404" in error_of(lambda: download(item, folder, client))


# Files of this machine.


def test_a_local_file_is_itself_and_is_hashed_once(
    tmp_path: Path, folder: Path, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(AUDIO)
    media = download(episode(str(path)), folder, client).media
    assert (media.path, media.sha256, media.bytes) == (str(path), sha256(AUDIO), len(AUDIO))
    assert names(folder) == {"e1.json"}
    with monkeypatch.context() as patch:
        patch.delattr("transforms.download.file_sha256")
        assert download(episode(str(path)), folder, client).media == media
    path.write_bytes(OTHER)
    os.utime(path, ns=(1, 1))
    assert download(episode(str(path)), folder, client).media.sha256 == sha256(OTHER)


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "no-file"), (b"", "empty-file"), (b"<html>", "html-not-audio"), (b"text", "text-not-audio")],
)
def test_a_local_file_that_is_no_audio(
    tmp_path: Path, folder: Path, client: HttpClient, content: bytes | None, code: str
) -> None:
    path = tmp_path / "a.mp3"
    if content is not None:
        path.write_bytes(content)
    line = error_of(lambda: download(episode(str(path)), folder, client))
    assert line.startswith(f"{code}: ")
    assert str(path) in line


# Transcripts.


def with_transcripts(site: Site, *links: TranscriptLink, language: str = "en") -> Episode:
    return episode(site.put("/1.mp3", serve(AUDIO)), *links, language=language)


def test_the_best_transcript_is_fetched_and_no_other(site: Site, folder: Path, client: HttpClient) -> None:
    links = [
        TranscriptLink(site.put("/t.txt", serve(b"Hello")), "text/plain", "en"),
        TranscriptLink(site.put("/t.html", serve(b"<p>Hello</p>")), "text/html"),
        TranscriptLink(site.put("/es.vtt", serve(VTT)), "text/vtt", "es"),
        TranscriptLink(site.put("/t.srt", serve(SRT)), "application/srt", "en-US"),
        TranscriptLink(site.put("/t.json", serve(SEGMENTS)), "application/json", "en"),
    ]
    done = download(with_transcripts(site, *links), folder, client)
    assert done.media.transcript == Transcript(
        str(folder / "e1.transcript.json"), "json", sha256(SEGMENTS), site.url("/t.json")
    )
    assert done.notes == ()
    assert [path for path, _ in site.requests] == ["/1.mp3", "/t.json"]
    assert names(folder) == {"e1.mp3", "e1.json", "e1.transcript.json"}


def test_a_transcript_that_fails_makes_way_for_the_next_and_is_told(
    site: Site, folder: Path, client: HttpClient
) -> None:
    links = [
        TranscriptLink(site.url("/gone.vtt"), "text/vtt"),
        TranscriptLink(site.put("/page.json", serve(b"<!doctype html><html>")), "application/json"),
        TranscriptLink(site.put("/broken.json", serve(b'{"segments": [')), "application/json"),
        TranscriptLink(site.put("/binary.srt", serve(AUDIO[:1000])), "application/srt"),
        TranscriptLink(site.put("/large.srt", serve(SRT * 1000)), "application/srt"),
        TranscriptLink(site.put("/empty.html", serve(b" \n")), "text/html"),
        TranscriptLink(site.put("/t.txt", serve(b"Caf\xe9")), "text/plain"),
    ]
    settings = DownloadSettings(transcript_max_bytes=10_000)
    done = download(with_transcripts(site, *links), folder, client, settings)
    assert done.media.transcript is not None
    assert done.media.transcript.format == "txt"
    codes = [note.removeprefix("transcript not taken: ").partition(":")[0] for note in done.notes]
    assert codes == [
        "http-404",
        "html-not-transcript",
        "bad-transcript",
        "bad-transcript",
        "too-large",
        "bad-transcript",
    ]


def test_no_transcript_at_all_is_no_reason_to_lose_the_episode(site: Site, folder: Path, client: HttpClient) -> None:
    done = download(with_transcripts(site, TranscriptLink(site.url("/gone.vtt"))), folder, client)
    assert done.media.transcript is None
    assert done.media.sha256 == sha256(AUDIO)
    assert "http-404" in done.no_transcript
    assert done.notes == (), "the episode's row says it, and no second place"
    assert download(replace(with_transcripts(site), id="e2"), folder, client).no_transcript == ""


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("/talk.json", b'{"title": "About the talk", "length": 3}', "application/json"),
        ("/talk.vtt", b"WEBVTT\n\n", "text/vtt"),
    ],
)
def test_a_transcript_that_holds_no_text_makes_way_for_one_that_does(
    site: Site, folder: Path, client: HttpClient, name: str, body: bytes, kind: str
) -> None:
    links = (TranscriptLink(site.put(name, serve(body)), kind), TranscriptLink(site.put("/t.srt", serve(SRT)), ""))
    done = download(with_transcripts(site, *links), folder, client)
    assert done.media.transcript is not None, "a recogniser's guess would have taken the place of the text"
    assert done.media.transcript.source_url == links[1].url
    assert f"transcript-no-captions: {links[0].url}: " in done.notes[0]
    assert names(folder) == {"e1.mp3", "e1.json", "e1.transcript.srt"}


@pytest.mark.parametrize(
    ("body", "declared", "found"),
    [
        (SRT, "text/vtt", "srt"),
        (VTT, "application/srt", "vtt"),
        (VTT, "text/plain", "vtt"),
        (b"\xef\xbb\xbf" + VTT, "", "vtt"),
        (VTT.decode().encode("utf-16"), "text/vtt", "vtt"),
        (b'[{"start": 0, "end": 1, "text": "Hello"}]', "text/plain", "json"),
        (b"<cite>Ann:</cite><p>Hello</p>", "", "html"),
        (b"<!doctype html><html><p>Hello</p>", "text/html", "html"),
        (b"Hello", "text/html", "html"),
        (b"Hello --> you", "", "txt"),
    ],
)
def test_the_format_is_what_the_bytes_say(
    site: Site, folder: Path, client: HttpClient, body: bytes, declared: str, found: str
) -> None:
    link = TranscriptLink(site.put("/transcript", serve(body)), declared)
    done = download(with_transcripts(site, link), folder, client)
    assert done.media.transcript is not None
    assert (done.media.transcript.format, done.notes) == (found, ())
    assert Path(done.media.transcript.path).read_bytes() == body


def test_a_transcript_in_another_language_is_the_last_choice_and_is_told(
    site: Site, folder: Path, client: HttpClient
) -> None:
    foreign = TranscriptLink(site.put("/es.vtt", serve(VTT)), "text/vtt", "es")
    done = download(with_transcripts(site, foreign), folder, client)
    assert done.media.transcript is not None
    assert "is in 'es', the episode in 'en'" in done.notes[0]
    unknown = download(replace(with_transcripts(site, foreign, language=""), id="e2"), folder, client)
    assert unknown.notes == ()


def test_an_unchanged_transcript_is_asked_about_and_never_fetched_again(
    site: Site, folder: Path, client: HttpClient
) -> None:
    link = TranscriptLink(site.put("/t.vtt", conditional(VTT, ETag='"t1"')), "text/vtt")
    item = with_transcripts(site, link)
    first = download(item, folder, client)
    assert download(item, folder, client) == first
    assert [headers.get("if-none-match") for headers in site.asked("/t.vtt")] == [None, '"t1"']
    assert download(item, folder, client, DownloadSettings(revalidate=False)) == first
    assert len(site.requests) == 3
    site.put("/t.vtt", serve(b"", 500))
    kept = download(item, folder, client)
    assert kept.media == first.media
    assert "the transcript of an earlier run serves" in kept.notes[0]
    site.put("/t.vtt", serve(SRT))
    changed = download(item, folder, client)
    assert changed.media.transcript is not None
    assert changed.media.transcript.sha256 == sha256(SRT)
    assert names(folder) == {"e1.mp3", "e1.json", "e1.transcript.srt"}


def test_a_damaged_transcript_is_fetched_again_and_the_audio_is_not(
    site: Site, folder: Path, client: HttpClient
) -> None:
    item = with_transcripts(site, TranscriptLink(site.put("/t.vtt", serve(VTT)), "text/vtt"))
    first = download(item, folder, client).media
    assert first.transcript is not None
    Path(first.transcript.path).write_bytes(b"")
    assert download(item, folder, client).media == first
    assert [path for path, _ in site.requests] == ["/1.mp3", "/t.vtt", "/t.vtt"]


def test_a_transcript_beside_a_local_file(tmp_path: Path, folder: Path, client: HttpClient) -> None:
    (tmp_path / "a.mp3").write_bytes(AUDIO)
    (tmp_path / "a.vtt").write_bytes(VTT)
    links = (
        TranscriptLink(str(tmp_path / "gone.vtt"), "text/vtt"),
        TranscriptLink(str(tmp_path / "a.vtt"), "text/vtt"),
    )
    done = download(episode(str(tmp_path / "a.mp3"), *links), folder, client)
    assert done.media.transcript == Transcript(str(tmp_path / "a.vtt"), "vtt", sha256(VTT), str(tmp_path / "a.vtt"))
    assert "no-file" in done.notes[0]
    assert names(folder) == {"e1.json"}

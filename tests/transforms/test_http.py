import gzip
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import httpcore
import pytest
from web_server import Handler, Site, redirect, serve

from schemas.errors import ConfigurationError, EpisodeError
from transforms.http import HttpClient, HttpError, HttpSettings, host_and_port, shown
from transforms.network import is_public
from transforms.slots import HostSlots


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def delays() -> list[float]:
    return []


@pytest.fixture
def client(site: Site, delays: list[float], tmp_path: Path) -> Iterator[HttpClient]:
    with client_of(site, delays, tmp_path) as made:
        yield made


def client_of(site: Site, delays: list[float], folder: Path, **settings: float | str) -> HttpClient:
    chosen = HttpSettings(**{"allowed_hosts": (site.host,), "stall_timeout_seconds": 2.0, **settings})  # type: ignore[arg-type]
    return HttpClient(chosen, slot_folder=folder / "slots", sleep=delays.append, jitter=lambda: 0.0)


def get(client: HttpClient, url: str, max_bytes: int = 1 << 20) -> bytes:
    return client.get(url, max_bytes=max_bytes).body


def test_says_who_it_is_and_asks_for_the_address_as_it_is_written(site: Site, tmp_path: Path) -> None:
    odd = "/a%2fb/../c'(1).mp3?token=%7Eab|c{d}&x=1,2%20"
    site.put("/a%2fb/../c'(1).mp3", serve(b"ok"))
    with client_of(site, [], tmp_path, contact="mailto:me@example.org") as client:
        assert get(client, site.url(odd) + "#part") == b"ok"
    path, headers = site.requests[0]
    assert path == odd
    assert headers["user-agent"].startswith("realtalk/")
    assert "mailto:me@example.org" in headers["user-agent"]


def test_remembers_no_cookies(site: Site, client: HttpClient) -> None:
    url = site.put("/", serve(b"", Set_Cookie="who=you; Path=/"))
    get(client, url)
    get(client, url)
    assert "cookie" not in site.requests[1][1]


def test_a_password_goes_to_its_own_host_only(site: Site, tmp_path: Path) -> None:
    with Site() as other, client_of(site, [], tmp_path, allowed_hosts=(site.host, other.host)) as client:  # type: ignore[arg-type]
        target = other.put("/b", serve(b"ok"))
        site.put("/a", redirect(target))
        get(client, f"http://me:secret@{site.host}/a")
        assert site.requests[0][1]["authorization"].startswith("Basic ")
        assert "authorization" not in other.requests[0][1]


def test_404_is_not_tried_again(site: Site, client: HttpClient, delays: list[float]) -> None:
    with pytest.raises(HttpError, match=r"^http-404: GET http://127.0.0.1:\d+/gone\?\.\.\. answered 404") as caught:
        get(client, site.url("/gone?token=secret"))
    assert caught.value.status == 404
    assert "secret" not in str(caught.value)
    assert len(site.requests) == 1
    assert delays == []


def test_429_waits_as_long_as_the_server_says(site: Site, client: HttpClient, delays: list[float]) -> None:
    url = site.put("/", serve(b"", 429, Retry_After="7"), serve(b"", 429, Retry_After="99999"), serve(b"ok"))
    assert get(client, url) == b"ok"
    assert delays == [7.0, client.settings.max_retry_after_seconds]


def test_retry_after_may_be_a_date(site: Site, client: HttpClient, delays: list[float]) -> None:
    url = site.put("/", serve(b"", 503, Retry_After=formatdate(time.time() + 30, usegmt=True)), serve(b"ok"))
    assert get(client, url) == b"ok"
    assert 25 < delays[0] <= 30


def test_server_errors_back_off_and_end(site: Site, client: HttpClient, delays: list[float]) -> None:
    url = site.put("/", serve(b"", 500), serve(b"", 502), serve(b"ok"))
    assert get(client, url) == b"ok"
    assert delays == [1.0, 2.0]
    delays.clear()
    site.put("/", serve(b"", 503))
    with pytest.raises(HttpError, match=r"^http-503: .*\(tried 4 times\)$"):
        get(client, url)
    assert delays == [1.0, 2.0, 4.0]


def test_chance_shortens_the_delay_and_the_longest_is_bounded(site: Site, tmp_path: Path) -> None:
    delays: list[float] = []
    settings = HttpSettings(allowed_hosts=(site.host,), tries=9, max_backoff_seconds=10)
    url = site.put("/", serve(b"", 500))
    with (
        HttpClient(settings, slot_folder=tmp_path, sleep=delays.append, jitter=lambda: 1.0) as client,
        pytest.raises(HttpError),
    ):
        get(client, url)
    assert delays == [0.5, 1, 2, 4, 5, 5, 5, 5]


def test_a_broken_connection_is_tried_again(site: Site, client: HttpClient, delays: list[float]) -> None:
    url = site.put("/", lambda handler: handler.reply(200, b"0123456789", cut_after=5), serve(b"0123456789"))
    assert get(client, url) == b"0123456789"
    assert len(delays) == 1


def test_nobody_there_is_tried_again_then_said(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    delays: list[float] = []
    with (
        HttpClient(HttpSettings(allowed_hosts=(host,)), slot_folder=tmp_path, sleep=delays.append) as client,
        pytest.raises(HttpError, match=r"^no-connection: "),
    ):
        get(client, f"http://{host}/")
    assert len(delays) == 3


def test_a_stalled_server_is_left(site: Site, tmp_path: Path) -> None:
    release = threading.Event()

    def stall(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"01234")
        handler.wfile.flush()
        release.wait(10)

    url = site.put("/", stall)
    with (
        client_of(site, [], tmp_path, stall_timeout_seconds=0.1, tries=2) as client,
        pytest.raises(HttpError, match=r"^stalled: .*nothing came for 0.1 s; try again later \(tried 2 times\)"),
    ):
        get(client, url)
    release.set()
    assert len(site.requests) == 2


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_server_that_trickles_is_left_when_the_time_is_over(site: Site, client: HttpClient, where: str) -> None:
    def trickle(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n" + (b"" if where == "headers" else b"\r\n"))
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    url = site.put("/", trickle)
    started = time.monotonic()
    with pytest.raises(HttpError, match=r"^too-slow: .*more than 0.3 s"):
        client.get(url, max_bytes=1000, max_seconds=0.3)
    assert time.monotonic() - started < 5, "given up before the server had said all"
    assert len(site.requests) == 1


def test_more_bytes_than_allowed_are_not_read(site: Site, client: HttpClient) -> None:
    url = site.put("/", serve(b"x" * 5000))
    with pytest.raises(HttpError, match=r"^too-large: "):
        get(client, url, max_bytes=4999)


def test_a_compressed_answer_is_bounded_by_what_it_unpacks_to(site: Site, client: HttpClient) -> None:
    packed = gzip.compress(b"\0" * (32 << 20))
    assert len(packed) < 1 << 20
    url = site.put("/", serve(packed, Content_Encoding="gzip"))
    with pytest.raises(HttpError, match=r"^too-large: "):
        get(client, url, max_bytes=1 << 20)
    url = site.put("/small", serve(gzip.compress(b"text"), Content_Encoding="gzip"))
    assert get(client, url) == b"text"


def test_broken_compression_is_one_line(site: Site, client: HttpClient) -> None:
    url = site.put("/", serve(b"this is no gzip", Content_Encoding="gzip"))
    with pytest.raises(HttpError, match=r"^bad-encoding: "):
        get(client, url)


def test_redirects_are_followed_relative_ones_too(site: Site, client: HttpClient) -> None:
    site.put("/a/b", redirect("../c", 307))
    site.put("/c", redirect(site.url("/d?x=%7E"), 301))
    site.put("/d", serve(b"ok"))
    assert client.get(site.url("/a/b"), max_bytes=10).url == site.url("/d?x=%7E")
    assert [path for path, _ in site.requests] == ["/a/b", "/c", "/d?x=%7E"]


def test_a_redirect_loop_ends(site: Site, client: HttpClient, delays: list[float]) -> None:
    site.put("/a", redirect("/b"))
    site.put("/b", redirect("/a"))
    with pytest.raises(HttpError, match=r"^too-many-redirects: "):
        get(client, site.url("/a"))
    assert len(site.requests) == client.settings.max_redirects + 1
    assert delays == []


@pytest.mark.parametrize("target", ["ftp://example.org/a", "file:///etc/passwd", "gopher://example.org/"])
def test_redirects_lead_to_the_web_only(site: Site, client: HttpClient, target: str) -> None:
    url = site.put("/", redirect(target))
    with pytest.raises(EpisodeError, match=r"^bad-url: "):
        get(client, url)


def test_a_redirect_to_another_private_service_never_reaches_it(site: Site, client: HttpClient) -> None:
    with Site() as secret:
        target = secret.put("/", serve(b"secret"))
        for address in (target, target.replace("127.0.0.1", "localhost"), target.replace("127.0.0.1", "[::1]")):
            url = site.put("/", redirect(address))
            with pytest.raises(EpisodeError, match=r"^forbidden-address: .*allow_hosts"):
                get(client, url)
        assert secret.requests == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::]"],
)
def test_no_spelling_of_this_machine_gets_through(host: str, tmp_path: Path) -> None:
    with (
        Site() as here,
        HttpClient(HttpSettings(), slot_folder=tmp_path) as client,
        pytest.raises(EpisodeError, match=r"^(forbidden-address|bad-url|unknown-host): "),
    ):
        get(client, f"http://{host}:{here.port}/")
    assert here.requests == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when looked at and private when used ("rebinding") gets no second look-up."""
    answers = [["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]]
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    connected: list[str] = []

    def connect(self: httpcore.SyncBackend, host: str, *_: object) -> httpcore.NetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("this test reaches nobody outside")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with HttpClient(HttpSettings(tries=1), slot_folder=tmp_path, resolver=resolver) as client:
        url = f"http://rebinding.example:{site.port}/"
        with pytest.raises(HttpError, match=r"^no-connection: "):
            get(client, url)
        assert asked == ["rebinding.example"]
        with pytest.raises(EpisodeError, match=r"^forbidden-address: rebinding.example port \d+ is 127.0.0.1"):
            get(client, url)
    # Of two addresses only the public one, as a number.
    assert connected == ["93.184.216.34"]


def test_a_host_is_allowed_by_name_and_port(site: Site, tmp_path: Path) -> None:
    url = site.put("/", serve(b"ok")).replace("127.0.0.1", "localhost")
    for allowed in ("localhost", f"LOCALHOST:{site.port}"):
        with client_of(site, [], tmp_path, allowed_hosts=(allowed,)) as client:  # type: ignore[arg-type]
            assert get(client, url) == b"ok"
    for not_allowed in (f"localhost:{site.port + 1}", f"127.0.0.1:{site.port}"):
        with (
            client_of(site, [], tmp_path, allowed_hosts=(not_allowed,)) as client,  # type: ignore[arg-type]
            pytest.raises(EpisodeError, match=f"add localhost:{site.port} to download.allow_hosts"),
        ):
            get(client, url)


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "fd00:ec2::254"])
def test_a_named_source_never_leads_to_a_metadata_service_unless_it_is_allowed(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []

    def connect(self: httpcore.SyncBackend, host: str, *_: object) -> httpcore.NetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("this test reaches nobody outside")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)

    def ask(settings: HttpSettings, *addresses: str) -> None:
        with (
            HttpClient(settings, slot_folder=tmp_path, resolver=lambda host, port: list(addresses)) as client,
            pytest.raises(EpisodeError) as caught,
        ):
            get(client, "http://feeds.example/")
        codes.append(str(caught.value).partition(":")[0])

    codes: list[str] = []
    ask(HttpSettings(source_hosts=("feeds.example:80",), tries=1), "192.168.1.5")
    ask(HttpSettings(source_hosts=("feeds.example:80",), tries=1), address)
    ask(HttpSettings(allowed_hosts=("feeds.example:80",), tries=1), address)
    assert codes == ["no-connection", "forbidden-address", "no-connection"]
    assert connected == ["192.168.1.5", address]


def test_a_host_of_other_letters_is_named_as_it_is_connected_to() -> None:
    assert host_and_port("http://b\u00fccher.example/feed") == "xn--bcher-kva.example:80"


@pytest.mark.parametrize(
    "address",
    [
        *(
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *(
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "192.0.0.8",
            "192.88.99.1",
            "::1",
            "::",
            "fe80::1",
        ),
        *("fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:1::1"),
        *("5f00::1", "100::1", "no address"),
    ],
)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", ["ftp://example.org/x", "http:///x", "http://a:b:c/", "http://x:99999/", "\x00", "x"])
def test_what_is_no_web_address_is_refused(client: HttpClient, url: str) -> None:
    with pytest.raises(EpisodeError, match=r"^bad-url: "):
        get(client, url)


def test_a_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    """The certificate is checked against the host's name although the connection goes to a number."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography makes the certificate of this test")
    del x509
    with _tls_server(tmp_path) as (port, certificate):
        settings = HttpSettings(allowed_hosts=("podcast.test",))
        with (
            HttpClient(settings, slot_folder=tmp_path, resolver=lambda *_: ["127.0.0.1"]) as client,
            pytest.raises(HttpError, match=r"^bad-certificate: .*self-signed"),
        ):
            get(client, f"https://podcast.test:{port}/")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(certificate))
            settings = HttpSettings(allowed_hosts=("podcast.test", "other.test"))
            with HttpClient(settings, slot_folder=tmp_path, resolver=lambda *_: ["127.0.0.1"]) as client:
                assert get(client, f"https://podcast.test:{port}/") == b"ok"
                with pytest.raises(HttpError, match=r"^bad-certificate: .*other.test"):
                    get(client, f"https://other.test:{port}/")


class _tls_server:  # noqa: N801 - used as a function
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> tuple[int, Path]:
        import datetime
        import ssl

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "podcast.test")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("podcast.test")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = self._folder / "certificate.pem"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = self._folder / "key.pem"
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, secret)
        self._site = Site()
        self._site.put("/", serve(b"ok"))
        server = self._site._server
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self._site.__enter__()
        return self._site.port, pem

    def __exit__(self, *_: object) -> None:
        self._site.__exit__(None, None, None)


def test_connections_to_a_host_are_counted_over_threads(site: Site, tmp_path: Path) -> None:
    def slow(handler: Handler) -> None:
        time.sleep(0.05)
        handler.reply(200, b"ok")

    url = site.put("/", slow)
    with client_of(site, [], tmp_path, connections_per_host=2) as client:
        threads = [threading.Thread(target=get, args=(client, url)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(site.requests) == 8
    assert site.most_open == 2


def _hold_forever(folder: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with HostSlots(1, folder).hold("example.org"):
        ready.set()
        time.sleep(60)


def test_connections_are_counted_over_processes_and_a_killed_one_frees_its_slot(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold_forever, args=(tmp_path, ready), daemon=True)
    process.start()
    assert ready.wait(30)

    class Waited(Exception):  # noqa: N818 - not an error
        pass

    def give_up(seconds: float) -> None:
        raise Waited

    with pytest.raises(Waited), HostSlots(1, tmp_path, give_up).hold("example.org"):
        pass
    with HostSlots(1, tmp_path, give_up).hold("another.example.org"):
        pass
    process.kill()
    process.join()
    with HostSlots(1, tmp_path, give_up).hold("example.org"):
        pass


def test_locks_that_cannot_be_made_are_one_line(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        HttpClient(HttpSettings(allowed_hosts=(site.host,)), slot_folder=tmp_path / "file" / "slots") as client,
        pytest.raises(EpisodeError, match=r"^disk-error: .*make it writable"),
    ):
        get(client, site.url("/"))


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="printable ASCII"):
        HttpSettings(contact="a\r\nX-Injected: 1")
    with pytest.raises(ConfigurationError, match="at least 1"):
        HttpSettings(tries=0)


def test_addresses_are_shown_without_secrets() -> None:
    assert shown("https://me:secret@example.org/a.mp3?token=secret#x") == "https://example.org/a.mp3?..."
    assert "\x1b" not in shown("https://example.org/\x1b[31m")
    assert json.dumps(host_and_port("HTTPS://Example.ORG./feed")) == '"example.org:443"'
    assert host_and_port("http://[::1]:8000/") == "[::1]:8000"

"""One polite, bounded and suspicious GET: what realtalk asks the web for goes through here."""

import importlib.metadata
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpcore
import httpx

from schemas.errors import ConfigurationError, EpisodeError
from transforms.network import Deadline, GuardedBackend, GuardedTransport, Resolver, endpoint, resolve
from transforms.slots import HostSlots

Result = TypeVar("Result")

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SHOWN_CHARACTERS = 200
_TARGET = re.compile(r"[a-zA-Z]+://[^/?#]*(?P<target>[^#]*)")
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]*")


@dataclass(frozen=True)
class HttpSettings:
    """How realtalk behaves on the web. No result depends on it, so it belongs into no cache key.

    `contact` (a page or a mail address) goes into the User-Agent. `allowed_hosts` names hosts whose address may be
    private: "host" for all of its ports, "host:port" for one. Those of `source_hosts` may be private too, but not
    link-local, nor a cloud's metadata service: a feed's owner decides what its name resolves to. A delay before the
    n-th retry is `backoff_seconds` doubled n - 1 times, at most `max_backoff_seconds`, less up to half of it by chance;
    a server's own Retry-After goes before it, up to `max_retry_after_seconds`. Raises ConfigurationError.
    """

    contact: str = ""
    allowed_hosts: tuple[str, ...] = ()
    source_hosts: tuple[str, ...] = ()
    connections_per_host: int = 2
    tries: int = 4
    backoff_seconds: float = 1.0
    max_backoff_seconds: float = 60.0
    max_retry_after_seconds: float = 120.0
    max_redirects: int = 10
    connect_timeout_seconds: float = 15.0
    stall_timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\x20-\x7e]*", self.contact):
            raise ConfigurationError(f"http contact {self.contact!r}: give printable ASCII, such as a mail address")
        for name in ("connections_per_host", "tries"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"http {name} is {getattr(self, name)}: give at least 1")


class HttpError(EpisodeError):
    """A GET that failed. `status` is None where no answer came; `retryable` where another try may help."""

    def __init__(
        self, line: str, *, status: int | None = None, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(line)
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Page:
    """A small answer, whole. `url` is where it came from in the end; header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """GETs with retries, limits and checked addresses. Safe for threads; made once in each process (it is not pickled).

    `slot_folder` holds the locks that count connections to a host over all processes; sleep, clock, jitter (0..1) and
    resolver are for tests.
    """

    def __init__(
        self,
        settings: HttpSettings | None = None,
        *,
        slot_folder: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        resolver: Resolver = resolve,
    ) -> None:
        self.settings = settings or HttpSettings()
        self._sleep = sleep
        self._jitter = jitter
        self._clock = clock
        self._deadline = Deadline(clock)
        self._slots = HostSlots(self.settings.connections_per_host, slot_folder)
        backend = GuardedBackend(
            self.settings.allowed_hosts, self._deadline, resolver, private=self.settings.source_hosts
        )
        self._client = httpx.Client(
            transport=GuardedTransport(backend),
            headers={"User-Agent": self.user_agent, "Accept": "*/*"},
            timeout=httpx.Timeout(self.settings.stall_timeout_seconds, connect=self.settings.connect_timeout_seconds),
            # Nobody is recognised from one request to the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    @property
    def user_agent(self) -> str:
        contact = f"; {self.settings.contact}" if self.settings.contact else ""
        return f"realtalk/{_version()} (builds speech datasets from podcasts{contact})"

    @contextmanager
    def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None, max_seconds: float
    ) -> Iterator[httpx.Response]:
        """One GET, its redirects followed; the body is the caller's to iterate inside the block. One try.

        Every hop is checked like the first. Answers below 400 are given out, also 206 and 304. Raises HttpError (or
        EpisodeError for an address that may not be connected to), also for what goes wrong with the body.
        """
        hop, left = url, max_seconds
        for _ in range(self.settings.max_redirects + 1):
            request = self._request(hop, headers or {})
            with self._slots.hold(request.url.host):
                # Time in the queue for a slot is not the server's.
                started = self._clock()
                with self._deadline.within(left), self._answer(request, url, max_seconds) as response:
                    if response.status_code not in _REDIRECTS:
                        yield response
                        return
                    hop = _location(response, hop)
                left -= self._clock() - started
        raise HttpError(
            f"too-many-redirects: GET {shown(url)} led through more than {self.settings.max_redirects} redirects, "
            f"last to {shown(hop)}; the feed's link is broken"
        )

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int, max_seconds: float = 120.0
    ) -> Page:
        """A small file with retries, decompressed; raises HttpError, also when it has more than `max_bytes`."""

        def attempt() -> Page:
            asked = {"Accept-Encoding": "gzip, deflate", **(headers or {})}
            with self.stream(url, headers=asked, max_seconds=max_seconds) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > max_bytes:
                        raise HttpError(f"too-large: {shown(url)} has more than {max_bytes} bytes; it was not read")
                return Page(str(response.url), response.status_code, dict(response.headers), bytes(body))

        return self.retrying(attempt)

    def retrying(self, attempt: Callable[[], Result]) -> Result:
        """Call `attempt` until it does not raise a retryable HttpError, `settings.tries` times at most."""
        for number in range(1, self.settings.tries):
            try:
                return attempt()
            except HttpError as error:
                if not error.retryable:
                    raise
                self._sleep(self._delay(number, error.retry_after))
        try:
            return attempt()
        except HttpError as error:
            if error.retryable and self.settings.tries > 1:
                error.args = (f"{error.args[0]} (tried {self.settings.tries} times)",)
            raise

    def _delay(self, number: int, retry_after: float | None) -> float:
        if retry_after is not None:
            return min(retry_after, self.settings.max_retry_after_seconds)
        delay = min(self.settings.backoff_seconds * 2 ** (number - 1), self.settings.max_backoff_seconds)
        return delay * (1.0 - 0.5 * self._jitter())

    def _request(self, url: str, headers: Mapping[str, str]) -> httpx.Request:
        check_url(url)
        # Signed links are checked byte for byte at the other end, so what is asked for is what the feed says, not
        # what a URL library makes of it.
        found = _TARGET.match(url)
        target = found["target"] if found else ""
        target = target if target.startswith("/") else f"/{target}"
        extensions = {"target": target.encode("ascii")} if _VISIBLE_ASCII.fullmatch(target) else {}
        return self._client.build_request("GET", url, headers=headers, extensions=extensions)

    @contextmanager
    def _answer(self, request: httpx.Request, url: str, max_seconds: float) -> Iterator[httpx.Response]:
        response: httpx.Response | None = None
        try:
            response = self._client.send(request, stream=True, follow_redirects=False)
            if response.status_code >= 400:
                raise _status_error(response, url)
            yield response
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
            if self._deadline.passed:
                raise HttpError(
                    f"too-slow: GET {shown(url)} took more than {max_seconds:g} s; raise the limit or try another time"
                ) from error
            raise self._transport_error(error, url) from error
        finally:
            if response is not None:
                response.close()

    def _transport_error(self, error: Exception, url: str) -> HttpError:
        what = f"GET {shown(url)}"
        inner = error.args[0] if error.args else None
        if isinstance(inner, ssl.SSLCertVerificationError):
            why = f"{inner.verify_message}; the site's certificate is wrong, or this machine's clock"
            return HttpError(f"bad-certificate: {what}: {why}")
        if isinstance(error, (httpcore.ConnectTimeout, httpcore.ConnectError)):
            return HttpError(f"no-connection: {what}: {_line(error)}; is the host up and the network?", retryable=True)
        if isinstance(error, httpcore.TimeoutException):
            stall = self.settings.stall_timeout_seconds
            return HttpError(f"stalled: {what}: nothing came for {stall:g} s; try again later", retryable=True)
        if isinstance(error, httpx.DecodingError):
            return HttpError(f"bad-encoding: {what}: the compressed answer can't be unpacked ({_line(error)})")
        return HttpError(f"connection-lost: {what}: {_line(error)}; try again later", retryable=True)


def check_url(url: str) -> None:
    """Raise EpisodeError ("bad-url") unless `url` is an http(s) address with a host."""
    try:
        parsed = httpx.URL(url)
        complete = bool(parsed.host) and (parsed.port is None or 0 < parsed.port < 65536)
    except (httpx.InvalidURL, ValueError) as error:
        raise EpisodeError(f"bad-url: {url[:_SHOWN_CHARACTERS]!r} is no address: {_line(error)}; correct it") from None
    if parsed.scheme not in _DEFAULT_PORTS or not complete:
        raise EpisodeError(
            f"bad-url: {url[:_SHOWN_CHARACTERS]!r} is no http or https address; realtalk downloads nothing else"
        )


def host_and_port(url: str) -> str:
    """ "host:port" of an http(s) address, with the scheme's port where none is given; raises EpisodeError."""
    check_url(url)
    parsed = httpx.URL(url)
    # As it is connected to: a name of other letters than ASCII's has another form there.
    return endpoint(parsed.raw_host.decode("ascii"), parsed.port or _DEFAULT_PORTS[parsed.scheme])


def shown(url: str) -> str:
    """An address as it may be shown: without a password, its query (which may be a signature) only hinted at."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return repr(url[:_SHOWN_CHARACTERS])
    query = "..." if parts.query else ""
    plain = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
    printable = "".join(character if character.isprintable() else "?" for character in plain)
    return printable if len(printable) <= _SHOWN_CHARACTERS else printable[:_SHOWN_CHARACTERS] + "..."


def _version() -> str:
    try:
        return importlib.metadata.version("realtalk")
    except importlib.metadata.PackageNotFoundError:
        return "0"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _location(response: httpx.Response, url: str) -> str:
    location = response.headers.get("location", "").strip()
    if not location:
        raise HttpError(
            f"http-{response.status_code}: GET {shown(url)} answered with a redirect that leads nowhere",
            status=response.status_code,
        )
    try:
        return urljoin(url, location)
    except ValueError:
        raise EpisodeError(f"bad-url: {shown(url)} redirects to {location[:_SHOWN_CHARACTERS]!r}") from None


def _status_error(response: httpx.Response, url: str) -> HttpError:
    status = response.status_code
    hints = {
        401: "it needs a login: put the private address of the feed into the configuration",
        403: "the server refuses; ask the publisher",
        404: "it is gone, or the feed is out of date",
        410: "it is gone, or the feed is out of date",
        429: "the server asks for fewer requests; try again later",
    }
    hint = hints.get(status, "the server is in trouble; try again later" if status >= 500 else "the link is broken")
    reason = f" {response.reason_phrase}" if response.reason_phrase.isprintable() else ""
    return HttpError(
        f"http-{status}: GET {shown(url)} answered {status}{reason}; {hint}",
        status=status,
        retryable=status in (408, 425, 429) or status >= 500,
        retry_after=_retry_after(response),
    )


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None

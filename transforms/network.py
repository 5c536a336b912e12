"""Connections that only go where they may: the address that is checked is the address that is connected to.

Feeds are written by strangers. A name in one may resolve to the router, to a cloud's metadata service, or to another
address at its second look-up than at its first ("DNS rebinding"). So names are resolved here, once for each connection,
and the connection goes to the number that passed.
"""

import functools
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpcore
import httpx

from schemas.errors import EpisodeError

Resolver = Callable[[str, int], list[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Where machines ask who they are, with their credentials: AWS and others (link-local), Alibaba, Oracle, Azure.
_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
# Python's tables (3.11) call these global; IANA's special-purpose registries do not.
_SPECIAL = tuple(
    ipaddress.ip_network(text) for text in ("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4", "3fff::/20")
)


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host name, in the order the system prefers them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address lies in the public internet, and so does the IPv4 address inside an IPv6 one.

    False for private, loopback, link-local, shared, multicast, reserved and documentation networks (the IANA
    special-purpose registries, RFC 6890), also where such an IPv4 address is mapped, translated by NAT64 (RFC 6052)
    or tunnelled by 6to4 or Teredo.
    """
    try:
        parsed: Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        embedded = _embedded(parsed)
        if embedded is not None:
            return is_public(str(embedded))
        if parsed not in _GLOBAL_UNICAST or parsed.teredo is not None:
            return False
    special = any(parsed in network for network in _SPECIAL if network.version == parsed.version)
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved and not special


def is_metadata(address: str) -> bool:
    """Whether an address is link-local or a cloud's metadata service, also inside an IPv6 one."""
    try:
        parsed: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    embedded = _embedded(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    found = embedded or parsed
    return any(found in network for network in _METADATA if network.version == found.version)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


class Deadline:
    """A time by which all of a request has to be over, kept for each thread.

    A server that sends a byte now and then never stalls; only a limit on the whole ends it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        before = getattr(self._local, "expires", None)
        self._local.expires = self._clock() + seconds
        try:
            yield
        finally:
            self._local.expires = before

    @property
    def passed(self) -> bool:
        expires = getattr(self._local, "expires", None)
        return expires is not None and self._clock() >= expires

    def limit(self, timeout: float | None) -> float | None:
        """The shorter of a timeout and what is left; raises httpcore.ReadTimeout where nothing is."""
        expires = getattr(self._local, "expires", None)
        if expires is None:
            return timeout
        left = expires - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole request is over")
        return left if timeout is None else min(timeout, left)


class _TimedStream(httpcore.NetworkStream):
    """A network stream whose every step ends by the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.limit(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.limit(timeout))
        return _TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to public addresses, and to hosts named "host" (any port) or "host:port".

    Those in `allowed` may have any address, those in `private` any but a link-local one or a metadata service's.
    """

    def __init__(
        self, allowed: Iterable[str], deadline: Deadline, resolver: Resolver = resolve, *, private: Iterable[str] = ()
    ) -> None:
        self._allowed = frozenset(entry.strip().lower().rstrip(".") for entry in allowed)
        self._private = frozenset(entry.strip().lower().rstrip(".") for entry in private)
        self._deadline = deadline
        self._resolver = resolver
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers; raises EpisodeError ("forbidden-address", "unknown-host")."""
        options = list(socket_options or ())
        refusal: Exception | None = None
        for address in self._addresses(host, port):
            try:
                limit = self._deadline.limit(timeout)
                stream = self._inner.connect_tcp(address, port, limit, local_address, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refusal = error
            else:
                return _TimedStream(stream, self._deadline)
        raise refusal or httpcore.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolver(host, port)
        except UnicodeError:
            raise EpisodeError(f"bad-url: {host!r} is no host name; correct the address") from None
        except socket.gaierror as error:
            # A name server that can't be asked is worth another try; a name that it does not know is not.
            if error.errno == socket.EAI_NONAME:
                raise EpisodeError(
                    f"unknown-host: no address is known for {host}; check the spelling and the network"
                ) from None
            raise httpcore.ConnectError(f"looking up {host}: {error.strerror}") from error
        names = _names(host, port)
        if not self._allowed.isdisjoint(names):
            return addresses
        is_private = not self._private.isdisjoint(names)
        permitted = [each for each in addresses if not is_metadata(each) and (is_private or is_public(each))]
        if addresses and not permitted:
            raise EpisodeError(
                f"forbidden-address: {host} port {port} is {', '.join(addresses[:3])}, an address of a private or "
                f"special network; if it is yours, add {endpoint(host, port)} to download.allow_hosts"
            )
        return permitted


def _names(host: str, port: int) -> set[str]:
    """What a host may be called where hosts are allowed."""
    name = host.strip("[]").lower().rstrip(".")
    return {name, f"[{name}]", endpoint(name, port)}


def endpoint(host: str, port: int) -> str:
    """ "host:port", an IPv6 address in brackets, in lower case."""
    name = host.strip("[]").lower().rstrip(".")
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


class _ResponseStream(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


@functools.cache
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The certificates to trust, by the environment that names them: to read them takes longer than most answers."""
    return httpx.create_ssl_context()


class GuardedTransport(httpx.BaseTransport):
    """httpx over httpcore with a network backend of one's own; errors are httpcore's."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            max_connections=None,
            max_keepalive_connections=4,
            keepalive_expiry=5.0,
            network_backend=backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=cast(Iterable[bytes], request.stream),
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_ResponseStream(response.stream),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()

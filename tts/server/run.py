"""Serving until it is told to stop: then no more is taken, and what is being said is said to its end."""

import contextlib
import socket
import sys

from schemas.errors import ConfigurationError, RealtalkError
from tts.server.service import Service

# Seconds that a stopping server gives to what it is still saying.
_LAST_SECONDS = 30
_CONNECTIONS_BESIDE = 64
_LOOPBACK = ("127.", "::1", "localhost")


def serve(service: Service, host: str, port: int) -> None:
    """Serve voices on a port (0: any that is free) until SIGINT or SIGTERM.

    Raises RealtalkError where the port can't be had.
    """
    uvicorn = _uvicorn()
    from tts.server.app import app_of

    tell, limits = service.tell, service.limits
    listening = _bound(host, port)
    with listening:
        service.warm_up()
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        tell(f"serving {', '.join(service.voices)} at {address} (POST {address}/v1/audio/speech); Ctrl-C ends it")
        if not service.has_key and not host.startswith(_LOOPBACK):
            tell("no API key is set: whoever reaches this port can use the voices; set REALTALK_API_KEY")
        server = uvicorn.Server(
            uvicorn.Config(
                app_of(service),
                log_level="critical",
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                limit_concurrency=limits.at_once + limits.waiting + _CONNECTIONS_BESIDE,
                timeout_graceful_shutdown=_LAST_SECONDS,
            )
        )
        # uvicorn raises it once more when all is done.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
    tell("stopped")


def _uvicorn():  # type: ignore[no-untyped-def]
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError:
        raise RealtalkError(
            f"serve: needs starlette and uvicorn; {sys.executable} -m pip install 'realtalk[serve]'"
        ) from None
    return uvicorn


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(f"--host {host}: is no address of this machine ({error.strerror})") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise RealtalkError(f"{host} port {port}: can't be had ({error.strerror}); choose another by --port") from None
    return listening

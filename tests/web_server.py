"""A real web server on 127.0.0.1 whose every answer a test decides, and that remembers what it was asked."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Gives each request to the site's answer for its path; the last answer of a list serves for all that follow."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        site = self.server.site
        with site.lock:
            site.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            answers = site.answers.get(self.path.partition("?")[0], [not_found])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            site.open += 1
            site.most_open = max(site.most_open, site.open)
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with site.lock:
                site.open -= 1

    def reply(self, status: int, body: bytes = b"", cut_after: int | None = None, **headers: str) -> None:
        """Answer; `cut_after` breaks the connection after that many bytes of the body."""
        self.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if status not in (204, 304):
            named = {"Content-Length": str(len(body)), **named}
        for name, value in named.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut_after])
        if cut_after is not None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: "Site"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the test."""


class Site:
    """`site.answers[path] = [answer, ...]`; `site.requests` are (path, headers) in the order they came."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.open = 0
        self.most_open = 0
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.site = self
        self.port: int = self._server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def put(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return self.url(path)

    def asked(self, path: str) -> list[dict[str, str]]:
        """Headers of every request for a path."""
        return [headers for asked, headers in self.requests if asked == path]


def not_found(handler: Handler) -> None:
    handler.reply(404)


def serve(body: bytes, status: int = 200, **headers: str) -> Answer:
    return lambda handler: handler.reply(status, body, **headers)


def redirect(location: str, status: int = 302) -> Answer:
    return lambda handler: handler.reply(status, Location=location)

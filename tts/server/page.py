"""A page to try the voices: whose they are, what they may be used for, and a field to let them speak."""

from collections.abc import Iterator
from html import escape
from importlib import resources

from starlette.responses import Response

from tts.origin import PROHIBITED
from tts.server.requests import FORMATS, RequestError
from tts.server.service import Service
from tts.server.voices import Served

_TYPES = {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def page(service: Service) -> Response:
    """The page; whatever comes from a voice is escaped."""
    text = _read("page.html")
    for name, content in (
        ("voices", "".join(f"<option>{escape(name)}</option>" for name in service.voices)),
        ("formats", "".join(f"<option>{name}</option>" for name in FORMATS if name != "pcm")),
        ("cards", "".join(_card(served) for served in service.voices.values())),
        ("prohibited", "".join(f"<li>{escape(use)}</li>" for use in PROHIBITED)),
        ("most", str(service.limits.characters)),
    ):
        text = text.replace(f"<!--{name}-->", content)
    return Response(text, headers=_HEADERS, media_type="text/html; charset=utf-8")


def asset(name: str) -> Response:
    """A file of the page; raises RequestError 404."""
    if name not in _TYPES:
        raise RequestError(404, "nothing is at this address")
    return Response(_read(name), headers=_HEADERS, media_type=_TYPES[name])


def _card(served: Served) -> str:
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _facts(served))
    return f"<article><h3>{escape(served.name)}</h3><dl>{facts}</dl></article>"


def _facts(served: Served) -> Iterator[tuple[str, str]]:
    origin = served.origin
    yield "Speaker", origin.speaker
    yield "Trained from", f"{origin.dataset}, version {origin.dataset_version}: {origin.seconds / 60:.0f} min of speech"
    if origin.consent_id:
        yield "Consent", origin.consent_id
        yield "Allows", ", ".join(origin.scope) or "nothing on record"
        yield "Ends", origin.expiry or "when it is withdrawn"
    else:
        yield "Consent", f"none on record; trained all the same, because: {origin.without_consent or 'no reason given'}"
    yield "Licences", ", ".join(origin.licenses) or "none on record"


def _read(name: str) -> str:
    return resources.files("tts.server").joinpath("assets", name).read_text(encoding="utf-8")

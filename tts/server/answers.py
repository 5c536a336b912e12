"""Answers of the server that are no speech, and the headers of those that are."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from tts.server.encoders import CONTAINERS
from tts.server.limits import Doorkeeper
from tts.server.requests import GENERAL_MODELS, RequestError
from tts.server.service import Service
from tts.server.voices import Served

_ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def speech_headers(served: Served, format: str) -> dict[str, str]:
    """Of an answer with speech: it says that the speech is synthetic."""
    version = quote(served.origin.dataset_version, safe="")
    return {
        **_ALWAYS,
        "content-type": CONTAINERS[format].media_type,
        "x-synthetic-speech": f"realtalk; voice={quote(served.name, safe='')}; dataset={version}",
        "x-sampling-rate": str(served.rate),
    }


def refusal(error: RequestError, doorkeeper: Doorkeeper | None = None) -> Response:
    """An error as OpenAI's clients read it."""
    headers = dict(_ALWAYS)
    if error.status == 429 and doorkeeper is not None:
        headers["retry-after"] = str(doorkeeper.retry_after)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if error.status in (408, 413):
        # The rest of the request is not read.
        headers["connection"] = "close"
    return JSONResponse(error.document(), error.status, headers)


def models(service: Service) -> dict[str, Any]:
    """What /v1/models lists: the general name, and each voice."""
    return {"object": "list", "data": [_model(name) for name in (GENERAL_MODELS[0], *service.voices)]}


def model(service: Service, name: str) -> dict[str, Any]:
    """One of them; raises RequestError 404."""
    if name not in service.voices and name not in GENERAL_MODELS:
        raise RequestError(404, f"model {name[:60]!r} is not served", "model", "model_not_found")
    return _model(name)


def metrics(service: Service) -> str:
    """Counters in the text format of Prometheus."""
    counters = service.counters
    answers: Mapping[int, int] = dict(sorted(counters.answers.items()))
    lines = ["# TYPE realtalk_answers_total counter"]
    lines += [f'realtalk_answers_total{{status="{status}"}} {count}' for status, count in answers.items()]
    for name, kind, value in (
        ("realtalk_speech_seconds_total", "counter", counters.speech_seconds),
        ("realtalk_computing_seconds_total", "counter", counters.computing_seconds),
        ("realtalk_open_requests", "gauge", service.doorkeeper.inside),
    ):
        lines += [f"# TYPE {name} {kind}", f"{name} {value:.6g}"]
    return "\n".join(lines) + "\n"


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "realtalk"}

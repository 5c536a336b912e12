"""The server's addresses."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tts.server.answers import metrics, model, models, refusal
from tts.server.page import asset, page
from tts.server.requests import RequestError
from tts.server.service import Service
from tts.server.speech import SpeechEndpoint

Handler = Callable[[Request], Awaitable[Response]]


def app_of(service: Service) -> Starlette:
    """An ASGI application that serves what is served."""

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "voices": list(service.voices)})

    async def all_models(request: Request) -> Response:
        service.check_key(request.headers.get("authorization", ""))
        return JSONResponse(models(service))

    async def one_model(request: Request) -> Response:
        service.check_key(request.headers.get("authorization", ""))
        return JSONResponse(model(service, request.path_params["name"]))

    async def counters(request: Request) -> Response:
        service.check_key(request.headers.get("authorization", ""))
        return PlainTextResponse(metrics(service), media_type="text/plain; version=0.0.4")

    async def start(request: Request) -> Response:
        return page(service)

    async def assets(request: Request) -> Response:
        return asset(request.path_params["name"])

    async def wrong(request: Request, error: Exception) -> Response:
        return refusal(_as_request_error(error))

    async def broken(request: Request, error: Exception) -> Response:
        service.tell(f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:300]}")
        return refusal(RequestError(500, "something went wrong here; the server's log says what"))

    return Starlette(
        routes=[
            Route("/", start),
            Route("/assets/{name}", assets),
            Route("/healthz", health),
            Route("/metrics", counters),
            Route("/v1/models", all_models),
            Route("/v1/models/{name:path}", one_model),
            Route("/v1/audio/speech", SpeechEndpoint(service), methods=["POST"]),
        ],
        exception_handlers={RequestError: wrong, HTTPException: wrong, Exception: broken},
    )


def _as_request_error(error: Exception) -> RequestError:
    if isinstance(error, RequestError):
        return error
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {404: "nothing is at this address", 405: "this address takes another method"}
    return RequestError(status, said.get(status, "the request can't be served"))

"""POST /v1/audio/speech: speech that is sent while it is made, for as long as the client is there to hear it."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from schemas.errors import RealtalkError
from tts.server.answers import refusal, speech_headers
from tts.server.encoders import CONTAINERS, Encoder, whole_file
from tts.server.limits import Limits
from tts.server.requests import RequestError, SpeechRequest, read_request
from tts.server.service import Service
from tts.server.voices import Served

Floats = NDArray[np.float32]

# A character of JSON takes up to 12 bytes ("\ud83d\ude00").
_BYTES_A_CHARACTER = 12
_BYTES_BESIDE = 16_384


class SpeechEndpoint:
    """An ASGI application."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._computing = anyio.CapacityLimiter(service.limits.at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service, status = self.service, 499
        try:
            wanted = await self._wanted(Request(scope, receive))
            with service.doorkeeper.admitted():
                served = service.voices[wanted.voice]
                service.check_consent(served, date.today())
                async with _while_there(receive):
                    status = await self._speak(served, wanted, send)
        except RequestError as error:
            status = error.status
            await refusal(error, service.doorkeeper)(scope, receive, send)
        except ClientDisconnect:
            pass
        except Exception:
            status = 500
            raise
        finally:
            service.counters.answered(status)

    async def _wanted(self, request: Request) -> SpeechRequest:
        service = self.service
        service.check_key(request.headers.get("authorization", ""))
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            # Other pages can't send this type without asking first.
            raise RequestError(415, "send the request as application/json", code="unsupported_media_type")
        body = await _body(request, service.limits)
        return read_request(body, list(service.voices), service.limits.characters)

    async def _speak(self, served: Served, wanted: SpeechRequest, send: Send) -> int:
        """Returns the status of the answer; 0 where it was broken off."""
        service = self.service
        job = _Job(service.samples(served, wanted), service.limits, served.rate)
        try:
            if wanted.streamed:
                return await self._streamed(job, served, wanted, send)
            return await self._whole(job, served, wanted, send)
        finally:
            job.close()
            service.doorkeeper.took(job.seconds)
            service.counters.spoke(job.samples / served.rate, job.seconds)

    async def _whole(self, job: "_Job", served: Served, wanted: SpeechRequest, send: Send) -> int:
        pieces = []
        while (samples := await self._next(job)) is not None:
            pieces.append(samples)
        file = await anyio.to_thread.run_sync(whole_file, wanted.format, pieces, served.rate, served.marks)
        headers = speech_headers(served, wanted.format) | {"content-length": str(len(file))}
        await send(_start(headers))
        await self._patiently(send, _part(file, more=False))
        return 200

    async def _streamed(self, job: "_Job", served: Served, wanted: SpeechRequest, send: Send) -> int:
        encoder = CONTAINERS[wanted.format].make(served.rate, served.marks)
        # What is wrong with a text shows before the first samples: until then the answer may still be a refusal.
        samples = await self._next(job)
        await send(_start(speech_headers(served, wanted.format)))
        try:
            while samples is not None:
                await self._send_part(encoder, samples, send)
                samples = await self._next(job)
        except (RequestError, TimeoutError) as error:
            # The client sees that the answer has no end.
            self.service.tell(f"an answer was broken off: {error or 'the client took too long to read it'}")
            return 0
        await self._patiently(send, _part(encoder.finish(), more=False))
        return 200

    async def _send_part(self, encoder: Encoder, samples: Floats, send: Send) -> None:
        if part := encoder.encode(samples):
            await self._patiently(send, _part(part, more=True))

    async def _patiently(self, send: Send, message: Message) -> None:
        with anyio.fail_after(self.service.limits.patience):
            await send(message)

    async def _next(self, job: "_Job") -> Floats | None:
        return await anyio.to_thread.run_sync(job.next, limiter=self._computing)


@dataclass(eq=False)
class _Job:
    """Speech in the making: its pieces at `rate` Hz, and the seconds of computing and the samples that there were."""

    pieces: Iterator[Floats]
    limits: Limits
    rate: int
    seconds: float = 0.0
    samples: int = 0

    def next(self) -> Floats | None:
        """The next samples, None at the end; raises RequestError."""
        self._check(self.seconds, self.limits.synthesis_seconds, "computing")
        self._check(self.samples / self.rate, self.limits.speech_seconds, "speech")
        started = time.perf_counter()
        try:
            found = next(self.pieces, None)
        except RealtalkError as error:
            raise RequestError(400, str(error), "input", "unsayable") from None
        finally:
            self.seconds += time.perf_counter() - started
        self.samples += 0 if found is None else len(found)
        return found

    def _check(self, seconds: float, most: float, what: str) -> None:
        if seconds > most:
            raise RequestError(
                400, f"the text takes more than {most:g} s of {what}; send it in parts", "input", "too_long"
            )

    def close(self) -> None:
        """Stop what computes the pieces."""
        if (close := getattr(self.pieces, "close", None)) is not None:
            close()


async def _body(request: Request, limits: Limits) -> bytes:
    most = _BYTES_A_CHARACTER * limits.characters + _BYTES_BESIDE
    body = bytearray()
    try:
        with anyio.fail_after(limits.patience):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise RequestError(413, f"the request has more than {most} bytes", "input", "request_too_large")
    except TimeoutError:
        raise RequestError(408, "the request did not come to its end", code="timeout") from None
    return bytes(body)


@contextlib.asynccontextmanager
async def _while_there(receive: Receive) -> AsyncIterator[None]:
    """Cancels what is inside when the client goes away."""

    async def watch(scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(watch, group.cancel_scope)
            yield
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _start(headers: Mapping[str, str]) -> Message:
    named = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": named}


def _part(body: bytes, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}

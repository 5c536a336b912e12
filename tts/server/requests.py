"""What a client asks for: the body of POST /v1/audio/speech, and how it is told what is wrong with it.

https://platform.openai.com/docs/api-reference/audio/createSpeech; `seed`, `pitch` (semitones) and `stream` are ours.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMATS = ("mp3", "opus", "flac", "wav", "pcm")
#: Names that clients made for OpenAI's service send as the model; all mean the voice that is asked for.
GENERAL_MODELS = ("realtalk", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")

_SPEEDS, _PITCHES = (0.25, 4.0), (-12.0, 12.0)
_SEEDS = (0, (1 << 63) - 1)
# `instructions` are for models that can be told how to speak; these are not, and clients send "" as well.
_KNOWN = (
    "model", "input", "voice", "response_format", "speed", "stream", "stream_format", "instructions", "seed", "pitch",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Speech that is asked for. `streamed`: it is sent as it is made."""

    voice: str
    text: str
    format: str = "mp3"
    speed: float = 1.0
    pitch: float = 0.0
    seed: int = 0
    streamed: bool = True


class RequestError(Exception):
    """A request that can't be served: `status` as HTTP has it, the rest as OpenAI's clients read it."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        kind = "rate_limit_error" if self.status == 429 else kind
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def read_request(body: bytes, voices: Sequence[str], most_characters: int) -> SpeechRequest:
    """The speech that a body asks for, of one of the voices; raises RequestError."""
    given = _object(body)
    for name in given:
        if name not in _KNOWN:
            raise RequestError(400, f"{name[:60]!r} is no field of a speech request", name[:60], "unknown_parameter")
    return SpeechRequest(
        voice=_voice(given, voices),
        text=_text(given, most_characters),
        format=_format(given),
        speed=_number(given, "speed", 1.0, _SPEEDS),
        pitch=_number(given, "pitch", 0.0, _PITCHES),
        seed=int(_number(given, "seed", 0, _SEEDS, whole=True)),
        streamed=_streamed(given),
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "the body is not JSON", code="invalid_json") from None
    if not isinstance(given, dict):
        raise RequestError(400, "the body has to be a JSON object", code="invalid_json")
    return given


def _voice(given: Mapping[str, Any], voices: Sequence[str]) -> str:
    """The voice: that of `voice`, else the one that `model` names, else the first."""
    model = given.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError(400, "model: is missing; say 'realtalk'", "model", "missing_required_parameter")
    if model not in voices and model not in GENERAL_MODELS:
        raise RequestError(404, f"model {model[:60]!r} is not served; say 'realtalk'", "model", "model_not_found")
    wanted = given.get("voice")
    if isinstance(wanted, dict):
        wanted = wanted.get("id")
    if wanted is None:
        return model if model in voices else voices[0]
    if not isinstance(wanted, str) or wanted not in voices:
        raise RequestError(
            400, f"voice {str(wanted)[:60]!r} is not served; there are: {', '.join(voices)}", "voice", "voice_not_found"
        )
    return wanted


def _text(given: Mapping[str, Any], most: int) -> str:
    text = given.get("input")
    if not isinstance(text, str):
        raise RequestError(400, "input: has to be a text", "input", "missing_required_parameter")
    if not text.strip():
        raise RequestError(400, "input: has no text in it", "input", "empty_string")
    if len(text) > most:
        raise RequestError(
            400,
            f"input: has {len(text)} characters, {most} are allowed; send it in parts",
            "input",
            "string_above_max_length",
        )
    return text


def _format(given: Mapping[str, Any]) -> str:
    name = given.get("response_format", "mp3")
    if name not in FORMATS:
        raise RequestError(
            400,
            f"response_format {str(name)[:60]!r} is not supported; there are: {', '.join(FORMATS)}",
            "response_format",
            "unsupported_value",
        )
    return str(name)


def _streamed(given: Mapping[str, Any]) -> bool:
    if given.get("stream_format", "audio") != "audio":
        raise RequestError(400, "stream_format: only 'audio' is supported", "stream_format", "unsupported_value")
    streamed = given.get("stream", True)
    if not isinstance(streamed, bool):
        raise RequestError(400, "stream: has to be true or false", "stream", "invalid_type")
    return streamed


def _number(
    given: Mapping[str, Any], name: str, otherwise: float, between: tuple[float, float], whole: bool = False
) -> float:
    value = given.get(name)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise RequestError(400, f"{name}: has to be a {'whole ' if whole else ''}number", name, "invalid_type")
    least, most = between
    if not least <= value <= most:
        raise RequestError(400, f"{name}: has to be {least:g} to {most:g}", name, "invalid_value")
    return value

"""`realtalk serve` and `realtalk onnx`: what they are asked; what they do is imported when they run."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import say
from pipeline.speaking import WITHOUT_CONSENT
from schemas.errors import RealtalkError

API_KEY = "REALTALK_API_KEY"

VoiceFolder = Annotated[Path, typer.Argument(metavar="VOICE", help="The folder of a voice.")]


def serve(
    voices: Annotated[list[Path], typer.Argument(metavar="VOICE...", help="The folders of one or more voices.")],
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8021,
    at_once: Annotated[int, typer.Option(min=1, metavar="N", help="Requests computed at once, each by a core.")] = 1,
    waiting: Annotated[int, typer.Option(min=0, metavar="N", help="Requests that may wait; more get 429.")] = 16,
    characters: Annotated[int, typer.Option(min=1, metavar="N", help="The longest text of a request.")] = 4096,
    seconds: Annotated[float, typer.Option(min=1.0, metavar="S", help="The most computing for a request.")] = 120.0,
    device: Annotated[str, typer.Option(help="cpu, or cuda, cuda:1, ...")] = "cpu",
    api_key: Annotated[
        str, typer.Option("--api-key", envvar=API_KEY, help="Clients have to send it; better set in the environment.")
    ] = "",
    without_consent: Annotated[
        str, typer.Option("--without-consent", metavar="REASON", help="Why voices may speak after their consent ended.")
    ] = "",
) -> None:
    """Serve voices over HTTP as OpenAI's clients ask for speech: POST /v1/audio/speech. A page to try them is at /."""
    from tts.origin import ended_consent
    from tts.server.limits import Limits
    from tts.server.run import serve as run
    from tts.server.service import Service
    from tts.server.voices import load_served

    loaded = [load_served(folder, device) for folder in voices]
    for voice in loaded:
        if voice.origin.without_consent:
            say(f"{voice.name}: trained without a consent on record ({voice.origin.without_consent})")
        if voice.origin.has_ended(date.today()):
            if not without_consent.strip():
                raise RealtalkError(f"{ended_consent(voice.name, voice.origin)}, or {WITHOUT_CONSENT}")
            say(f"{voice.name}: its consent ended on {voice.origin.expiry}; served all the same: {without_consent}")
    limits = Limits(at_once, waiting, characters, seconds)
    run(Service(loaded, limits, api_key, say, bool(without_consent.strip())), host, port)


def onnx(
    voice: VoiceFolder,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write to; made where it is missing.")],
) -> None:
    """Write a voice as ONNX: acoustic.onnx and vocoder.onnx for onnxruntime, and voice.json."""
    from tts.onnx.export import export_voice
    from tts.voice import load_voice

    for path in export_voice(load_voice(voice), out):
        print(path)

"""`realtalk serve` and `realtalk onnx`: what they are asked; what they do is imported when they run."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import say

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
) -> None:
    """Serve voices over HTTP as OpenAI's clients ask for speech: POST /v1/audio/speech. A page to try them is at /."""
    from tts.server.limits import Limits
    from tts.server.run import serve as run
    from tts.server.voices import load_served

    loaded = [load_served(folder, device) for folder in voices]
    for voice in loaded:
        if voice.origin.without_consent:
            say(f"{voice.name}: trained without a consent on record ({voice.origin.without_consent})")
    run(loaded, host, port, Limits(at_once, waiting, characters, seconds), api_key, say)


def onnx(
    voice: VoiceFolder,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write to; made where it is missing.")],
) -> None:
    """Write a voice as ONNX: acoustic.onnx and vocoder.onnx for onnxruntime, and voice.json."""
    from tts.onnx.export import export_voice
    from tts.voice import load_voice

    for path in export_voice(load_voice(voice), out):
        print(path)

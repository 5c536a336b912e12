"""`realtalk say`: what is asked of a voice."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import Format
from schemas.errors import ConfigurationError


def say_text(
    voice: Annotated[str, typer.Argument(metavar="VOICE", help="The folder of a voice.")],
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What to say, English or SSML; - reads stdin.")] = "",
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="OUT", help="A .wav, .flac, .mp3 or .opus; - streams WAV to stdout.")
    ] = "",
    file: Annotated[str, typer.Option("--file", metavar="FILE", help="Read the text from a file (- is stdin).")] = "",
    rate: Annotated[float, typer.Option(help="How many times as fast, 0.25 to 4.")] = 1.0,
    pitch: Annotated[float, typer.Option(help="Semitones higher, -12 to 12.")] = 0.0,
    volume: Annotated[float, typer.Option(help="dB louder, -40 to 20.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same voice, text and seed give the same samples.")] = 0,
    ssml: Annotated[
        bool | None, typer.Option("--ssml/--no-ssml", help="Read it as SSML; else where it begins with <speak.")
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Own pronunciations: a word and its ARPAbet phones a line.")
    ] = None,
    espeak: Annotated[
        bool, typer.Option("--espeak", help="Pronounce words of no dictionary by eSpeak NG (GPL-3.0), if installed.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1.")] = "cpu",
    bits: Annotated[int, typer.Option(help="Of a .wav or .flac, 16 or 24.")] = 16,
    raw: Annotated[bool, typer.Option("--raw", help="With -o -: 16 bit PCM without a header.")] = False,
    without_consent: Annotated[
        str, typer.Option("--without-consent", metavar="REASON", help="Why it may speak after its consent has ended.")
    ] = "",
    output: Annotated[Format, typer.Option("--format", help="How the result is printed.")] = Format.TABLE,
) -> None:
    """Speak a text with a voice. What is written is marked as synthetic speech."""
    from pipeline.speaking import Order, show_spoken, speak_to, text_of

    if not out:
        raise ConfigurationError("say: where to? give -o OUT.wav, or -o - for stdout")
    order = Order(
        voice=voice,
        text=text_of(text, file),
        out=out,
        rate=rate,
        pitch=pitch,
        volume=volume,
        seed=seed,
        ssml=ssml,
        lexicon=lexicon,
        device=device,
        bits=bits,
        raw=raw,
        espeak=espeak,
        without_consent=without_consent,
    )
    show_spoken(speak_to(order), output)

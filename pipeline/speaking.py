"""The command `say`: a voice speaks a text into a file or a pipe."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.console import Format, duration, print_facts, print_json, say
from schemas.errors import ConfigurationError, RealtalkError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tts.frontend.script import Sentence
    from tts.voice import VoiceFacts

PIPE = "-"
WITHOUT_CONSENT = 'say --without-consent "REASON" only if you may'
_TELL_AFTER, _TELL_EVERY = 4.0, 5.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. `out` is a file or "-"; `ssml` None: where the text begins with <speak."""

    voice: str
    text: str
    out: str
    rate: float = 1.0
    pitch: float = 0.0
    volume: float = 0.0
    seed: int = 0
    ssml: bool | None = None
    lexicon: Path | None = None
    device: str = "cpu"
    bits: int = 16
    raw: bool = False
    espeak: bool = False
    without_consent: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of it. `real_time_factor` is the wall seconds a second of speech, `first_audio_ms` from the voice being
    loaded."""

    out: str
    voice: str
    sampling_rate: int
    seconds: float
    sentences: int
    real_time_factor: float
    first_audio_ms: float
    seed: int
    synthetic: str


@dataclass(slots=True)
class _Clock:
    """When what happened."""

    began: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    told: float = 0.0
    sentences: int = 0
    letters: int = 0
    samples: int = 0


def text_of(text: str, file: str) -> str:
    """The text to speak: as given, of a file, or of stdin where either is "-"; raises ConfigurationError."""
    if bool(text) == bool(file):
        raise ConfigurationError("say: give a text, or --file FILE, or - to read it from stdin")
    if PIPE in (text, file):
        content = sys.stdin.buffer.read()
    elif text:
        return text
    else:
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            raise ConfigurationError(f"--file {file}: can't be read ({error.strerror}); name a text file") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file or 'stdin'}: is no UTF-8 text (byte {error.start}); convert it first"
        ) from None


def speak_to(order: Order) -> Spoken:
    """Speak, and write what is said as it is made."""
    _check_output(order)
    import torch

    from tts.audio_files import marks_of, stream_audio, write_audio
    from tts.frontend.espeak import EspeakPronouncer
    from tts.frontend.lexicon import read_lexicon
    from tts.frontend.text import FrontEnd
    from tts.synthesis import checked_manner, speak_sentences
    from tts.voice import load_voice

    manner = checked_manner(order.rate, order.pitch, order.volume)
    pronouncer = EspeakPronouncer() if order.espeak else None
    front_end = FrontEnd(read_lexicon(order.lexicon) if order.lexicon else {}, _once(say), pronouncer)
    _check_device(order.device)
    # A second thread takes more time to wake up than it saves on networks of this size.
    torch.set_num_threads(1)
    voice = load_voice(order.voice, order.device)
    _require_consent(voice.facts, order.without_consent)
    clock = _Clock()
    sentences = _counted(front_end.sentences(order.text, order.ssml), clock)
    rate, marks = voice.facts.features.sampling_rate, marks_of(voice.facts)
    pieces = _timed(speak_sentences(voice, sentences, manner, order.seed), clock, len(order.text), rate)
    if order.out == PIPE:
        stream_audio(sys.stdout.buffer, pieces, rate, None if order.raw else marks)
    else:
        write_audio(Path(order.out), pieces, rate, marks, order.bits)
    seconds = clock.samples / rate
    return Spoken(
        out=order.out,
        voice=voice.facts.name,
        sampling_rate=rate,
        seconds=round(seconds, 3),
        sentences=clock.sentences,
        real_time_factor=round((time.perf_counter() - clock.began) / max(seconds, 1e-9), 4),
        first_audio_ms=round(1000 * (clock.first - clock.began), 1),
        seed=order.seed,
        synthetic=marks.comment,
    )


def show_spoken(spoken: Spoken, output: Format) -> None:
    """The figures; on stderr where the speech itself is on stdout."""
    stream = sys.stderr if spoken.out == PIPE else sys.stdout
    if output is Format.JSON:
        print_json(asdict(spoken), stream)
        return
    facts: dict[str, Any] = {
        "speech": f"{spoken.seconds:.1f} s in {spoken.sentences} sentences",
        "file": None if spoken.out == PIPE else spoken.out,
        "first audio": f"{spoken.first_audio_ms:.0f} ms",
        "a second of speech took": f"{spoken.real_time_factor:.3f} s",
        "marked as": spoken.synthetic if spoken.out != PIPE else None,
    }
    print_facts(facts, stream=stream)


def _check_output(order: Order) -> None:
    from tts.audio_files import format_of

    if order.out != PIPE:
        if order.raw:
            raise ConfigurationError("--raw: is for -o -, a file has a format of its own")
        format_of(Path(order.out), order.bits)
    elif sys.stdout.isatty():
        raise ConfigurationError("-o -: stdout is a terminal; send it to a program (| aplay) or name a file")


def _check_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0][:120]
        raise ConfigurationError(f"--device {device}: can't be used here ({why}); leave it out for cpu") from None


def _require_consent(facts: "VoiceFacts", without: str) -> None:
    from tts.origin import ended_consent

    origin = facts.origin
    if origin.without_consent:
        say(f"realtalk: {facts.name} was trained without consent on record: {origin.without_consent}")
    if not origin.has_ended(date.today()):
        return
    if not without.strip():
        raise RealtalkError(f"{ended_consent(facts.name, origin)}, or {WITHOUT_CONSENT}")
    say(f"realtalk: {facts.name} speaks though the consent to it ended on {origin.expiry}: {without.strip()}")


def _counted(sentences: "Iterator[Sentence]", clock: _Clock) -> "Iterator[Sentence]":
    for sentence in sentences:
        yield sentence
        clock.sentences += not sentence.is_silent
        clock.letters += len(sentence.text) + 1


def _timed(
    pieces: "Iterable[NDArray[np.float32]]", clock: _Clock, letters: int, rate: int
) -> "Iterator[NDArray[np.float32]]":
    for samples in pieces:
        now = time.perf_counter()
        clock.first = clock.first or now
        clock.samples += len(samples)
        if now - max(clock.told, clock.began + _TELL_AFTER - _TELL_EVERY) > _TELL_EVERY:
            clock.told = now
            share = min(clock.letters / max(letters, 1), 1.0)
            say(f"{duration(clock.samples / rate)} spoken, {share:.0%} of the text")
        yield samples
    if not clock.samples:
        raise RealtalkError("text: nothing in it can be said")


def _once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Says each line once."""
    told: set[str] = set()

    def tell_new(line: str) -> None:
        if line not in told:
            told.add(line)
            tell(line)

    return tell_new

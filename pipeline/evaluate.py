"""`realtalk evaluate`: how a voice does on held-out recordings, in a table, a file and on the voice's card."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.console import Column, Format, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from tts.evaluation.bootstrap import Estimate
    from tts.evaluation.figures import Evaluation

RESULT_NAME = "evaluation.json"


def evaluate(
    voice: Annotated[Path, typer.Argument(metavar="VOICE", help="The folder of a voice.")],
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The folder or URI of a dataset.")],
    split: Annotated[str, typer.Option(metavar="test|validation", help="Which clips; not those it learned from.")] = (
        "test"
    ),
    limit: Annotated[int, typer.Option(min=0, help="At most so many clips; 0 for all.")] = 100,
    recogniser: Annotated[
        str, typer.Option(metavar="NAME", help="Who listens: pocketsphinx, or whisper:MODEL where it is installed.")
    ] = "pocketsphinx",
    others: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Recordings of other speakers, to compare with.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write result, audio and a page to listen there, not into the voice."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that judge.")] = 2,
    seed: Annotated[int, typer.Option(help="Of what is spoken and of the intervals.")] = 0,
    device: Annotated[str, typer.Option(help="What speaks: cpu or cuda.")] = "cpu",
    output: Annotated[Format, typer.Option("--format", help="How the result is printed.")] = Format.TABLE,
) -> None:
    """Say how intelligible a voice is and how like the speaker, beside held-out recordings of them."""
    from tts.evaluation.evaluate import Options
    from tts.evaluation.evaluate import evaluate as run
    from tts.evaluation.page import write_page

    found = run(voice, dataset, Options(split, limit, recogniser, others, workers, seed, device), say)
    written = write_result(out or voice, found.evaluation)
    if out is not None:
        say(f"wrote {write_page(out, found)}")
    else:
        note_in_voice(voice, found.evaluation)
    show_evaluation(found.evaluation, output)
    say(f"wrote {written}")


def write_result(folder: Path, found: "Evaluation") -> Path:
    """Write evaluation.json into a folder, at once; returns its path. What could not be measured is null."""
    from tts.voice import write_whole

    path = folder / RESULT_NAME
    content = json.dumps(_finite(dataclasses.asdict(found)), ensure_ascii=False, indent=1, allow_nan=False)
    write_whole(path, (content + "\n").encode("utf-8"))
    return path


def note_in_voice(folder: Path, found: "Evaluation") -> None:
    """Let voice.json have the figures, and the card that is written from it."""
    from tts.voice import read_facts, write_facts
    from tts.voice_card import write_card

    facts = read_facts(folder)
    figures = {**facts.figures, "evaluation": _finite(found.summary())}
    write_facts(folder, dataclasses.replace(facts, figures=figures))
    write_card(folder)


def show_evaluation(found: "Evaluation", output: Format) -> None:
    """Print the figures, each with its 95 % interval."""
    if output is Format.JSON:
        print_json(found.summary())
        return
    print_facts(
        {
            "voice": found.voice,
            "dataset": f"{found.dataset}, version {found.dataset_version}, split {found.split}",
            "held out": f"{found.clips} clips of {found.episodes} episodes, {found.words} words",
            "heard by": found.models["recogniser"],
        }
    )
    versions = list(found.word_error_rate)
    print_table(
        ["", *(Column(name, True) for name in (*versions, "others") if name in found.speaker_similarity)],
        [
            _row("wrong words, %", found.word_error_rate, 100, 1),
            _row("  more than the original", found.word_error_rate_difference, 100, 1),
            _row("likeness to the speaker, cosine", found.speaker_similarity, 1, 3),
            *(
                _row(f"DNSMOS {name}", {version: found.dnsmos[version][name] for version in versions}, 1, 2)
                for name in ("overall", "signal", "background")
            ),
            *(
                _row(title, {version: of[name] for version, of in found.distance.items()}, factor, digits)
                for title, name, factor, digits in (
                    ("mel-cepstral distortion, dB", "cepstral_db", 1, 2),
                    ("F0 error, cents RMS", "pitch_cents", 1, 0),
                    ("F0 error, Hz RMS", "pitch_hz", 1, 1),
                    ("voicing error, % of frames", "voicing", 100, 1),
                    ("length of a sentence, % more", "duration", 100, 1),
                    ("  off by, %", "absolute_duration", 100, 1),
                )
            ),
        ],
    )
    print_facts(
        {
            "speed": f"{found.speed['cpu_a_second']:.3f} CPU seconds a second of speech, on {found.device}",
            "first audio": f"after {1000 * found.speed['first_audio_p50']:.0f} ms (median), "
            f"{1000 * found.speed['first_audio_p95']:.0f} ms (95 of 100 sentences)",
        }
    )


def _row(title: str, estimates: Mapping[str, "Estimate"], factor: float, digits: int) -> list[str | None]:
    """Cells in the order of the columns, by name; "" where there is no figure."""
    from tts.evaluation.utterances import VERSIONS

    cells = [_cell(estimates[name], factor, digits) if name in estimates else "" for name in VERSIONS]
    return [title, *cells, *([_cell(estimates["others"], factor, digits)] if "others" in estimates else [])]


def _cell(estimate: "Estimate", factor: float, digits: int) -> str:
    value, low, high = (f"{factor * one:.{digits}f}" for one in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def _finite(value: Any) -> Any:
    from math import isfinite

    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, (list, tuple)) else value

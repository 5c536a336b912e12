"""`realtalk train`: a voice from a dataset, followed by a person."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.console import Format, duration, print_facts, print_json, say

Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="A dataset's folder or URI.")]


def train(
    dataset: Dataset,
    out: Annotated[Path, typer.Option("--out", metavar="VOICE", help="The voice's folder; one begun before goes on.")],
    preset: Annotated[str, typer.Option(metavar="cpu|gpu|large", help="How large its networks are.")] = "cpu",
    max_minutes: Annotated[float | None, typer.Option(help="Minutes of training in all; else the preset's.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Steps of each network.")] = None,
    tier: Annotated[str, typer.Option(metavar="PROFILE", help="Learn from clips that pass this profile.")] = "default",
    seed: Annotated[int, typer.Option(help="Of weights and of the order of clips.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    schedule: Annotated[str | None, typer.Option(metavar="cosine|constant", help="Of the learning rate.")] = None,
    init_from: Annotated[Path | None, typer.Option(metavar="VOICE", help="Fine-tune this voice.")] = None,
    without_consent: Annotated[
        str, typer.Option(metavar="REASON", help="Train without a consent on record; the voice says so for ever.")
    ] = "",
    cache: Annotated[Path | None, typer.Option(help="Where features are kept.")] = None,
    checkpoint_minutes: Annotated[float, typer.Option(help="Minutes between checkpoints.")] = 5.0,
    bf16: Annotated[bool | None, typer.Option(help="bfloat16; on a GPU by default.")] = None,
    compiled: Annotated[
        bool | None, typer.Option("--compile/--no-compile", help="torch.compile; on a GPU too.")
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write for TensorBoard too.")] = False,
    output: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Train a voice from a dataset's shards; run it again to go on after a kill."""
    from tts.training.on_record import train_on_record as run
    from tts.training.options import TrainOptions

    options = TrainOptions(
        dataset=dataset,
        out=out,
        preset=preset,
        minutes=max_minutes,
        steps=max_steps,
        tier=tier,
        seed=seed,
        device=device,
        schedule=schedule,
        init_from=init_from,
        without_consent=without_consent,
        cache=cache,
        checkpoint_minutes=checkpoint_minutes,
        bf16=bf16,
        compiled=compiled,
        tensorboard=tensorboard,
    )
    facts = run(options, say)
    show_voice(out, facts, output)
    say(f'Next: realtalk say {out} "Hello, this is a synthetic voice." -o hello.wav')


def show_voice(out: Path, facts: Any, output: Format) -> None:
    """What a voice is."""
    origin = facts.origin
    told = {
        "voice": str(out),
        "of": origin.speaker,
        "dataset": f"{origin.dataset}, version {origin.dataset_version}",
        "learned from": f"{origin.clips} clips, {duration(origin.seconds)}",
        "consent": origin.consent_id or f"NONE ON RECORD: {origin.without_consent}",
        "steps": ", ".join(f"{part} {steps}" for part, steps in facts.steps.items()),
        "preset": facts.preset,
    }
    if output is Format.JSON:
        print_json({**told, "steps": dict(facts.steps), "minutes": dict(facts.minutes)})
    else:
        print_facts(told)

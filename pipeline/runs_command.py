"""The commands `realtalk runs ...`: what is on record of trainings."""

from typing import Annotated

import typer

from pipeline.console import Format

app = typer.Typer(help="List runs of training; compare, stop and remove them.", add_completion=False)

Output = Annotated[Format, typer.Option("--format", help="How the result is printed.")]
RunId = Annotated[str, typer.Argument(metavar="ID", help="A run's id, its beginning, or last.")]


@app.callback(invoke_without_command=True)
def runs(
    context: typer.Context,
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only queued, running, completed, failed or stopped ones.")
    ] = "",
    output: Output = Format.TABLE,
) -> None:
    """List runs of training; compare, stop and remove them."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.runs_view import show_runs
    from schemas.errors import ConfigurationError
    from tts.run_records import RunState, list_runs, runs_root

    known = [one.value for one in RunState]
    if state and state not in known:
        raise ConfigurationError(f"--state: there is no {state!r}; there are {', '.join(known)}")
    root = runs_root()
    show_runs(root, [one for one in list_runs(root) if not state or one.state == state], output)


@app.command()
def show(run: RunId, output: Output = Format.TABLE) -> None:
    """Say all that is known of a run."""
    from pipeline.runs_view import show_run
    from tts.run_records import find_run, read_record, runs_root

    folder = find_run(runs_root(), run)
    show_run(folder, read_record(folder), output)


@app.command()
def compare(
    first: RunId,
    second: Annotated[str, typer.Argument(metavar="OTHER", help="Another one.")],
    output: Output = Format.TABLE,
) -> None:
    """Say what differs between two runs, and the last metrics of both."""
    from pipeline.runs_view import show_comparison
    from tts.run_records import find_run, read_record, runs_root

    folders = [find_run(runs_root(), one) for one in (first, second)]
    show_comparison([(folder, read_record(folder)) for folder in folders], output)


@app.command()
def logs(
    run: RunId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
) -> None:
    """Print the log of a run."""
    from pipeline.console import print_line
    from pipeline.run_control import log_lines
    from tts.run_records import find_run, runs_root

    for line in log_lines(find_run(runs_root(), run), follow):
        print_line(line)


@app.command()
def stop(
    run: RunId,
    kill: Annotated[bool, typer.Option(help="End it at once, without a last checkpoint.")] = False,
) -> None:
    """Stop a run that is queued or running; what it has made is kept."""
    import socket

    from pipeline.console import print_line
    from pipeline.run_control import stop_run
    from tts.run_records import find_run, runs_root

    record = stop_run(find_run(runs_root(), run), socket.gethostname(), kill)
    print_line(f"{record.id} {record.state}")


@app.command()
def remove(run: RunId) -> None:
    """Remove what is on record of a run that has ended; its voice stays."""
    from pipeline.console import print_line
    from tts.run_records import find_run, remove_run, runs_root

    folder = find_run(runs_root(), run)
    remove_run(folder)
    print_line(f"{folder.name} removed")

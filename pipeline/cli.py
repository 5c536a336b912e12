"""The command `realtalk`: what it is asked, and how it ends. What it does stands in modules imported when used.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 a gate failed, 130 stopped by the person at the terminal.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from pipeline.beam_errors import unwrapped
from pipeline.console import Format, say, shortened
from pipeline.evaluate import evaluate
from pipeline.export.formats import ExportFormat
from pipeline.logs import only_errors
from pipeline.runs_command import app as runs_app
from pipeline.say import say_text
from pipeline.serve_command import onnx, serve
from pipeline.train import train
from pipeline.watch_command import watch
from schemas.errors import DISK_FULL, ConfigurationError, RealtalkError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.result import BuildResult

DONE, FAILED, WRONG_USE, GATE_FAILED, INTERRUPTED = 0, 1, 2, 3, 130

_SHOWN_CHARACTERS = 300
# What stands after -- is for Beam, or is the command that is run.
_TAKE_MORE = ("build", "watch")
_STOPPED = "stopped; what is done is kept: run the same command again to go on"

# Typer's own base of all errors of use; it is not exported under a name that all versions share.
_UsageError = cast(type[typer.BadParameter], typer.BadParameter.__bases__[0])

app = typer.Typer(
    name="realtalk",
    help="Turns podcasts into a voice: consented, aligned, scored speech datasets.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="The configuration, a YAML file.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Change the configuration: clips.max_seconds=12.")
]
Output = Annotated[Format, typer.Option("--format", help="How the result is printed.")]
DatasetFolder = Annotated[str, typer.Argument(metavar="DATASET", help="The folder or URI of a dataset.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Says what went wrong in one line each, never in a traceback."""
    only_errors()
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    try:
        code = app(given[:cut], prog_name="realtalk", standalone_mode=False, obj=tuple(given[cut + 1 :]))
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place: everything ends in one line
        return _end(error)
    if code == INTERRUPTED:
        # Typer turns Ctrl-C into this code, in older versions into Abort.
        _report(_STOPPED)
    return code if isinstance(code, int) else DONE


def _end(error: BaseException) -> int:
    """Say in one line why a command ended; returns its exit code."""
    if isinstance(error, BrokenPipeError):
        # Who read the result has gone (`realtalk inspect ... | head`). Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    raised = unwrapped(error)
    if isinstance(raised, (KeyboardInterrupt, typer.Abort)):
        _report(_STOPPED)
        return INTERRUPTED
    if isinstance(raised, _UsageError):
        _report(_usage_line(raised))
        return WRONG_USE
    if isinstance(raised, RealtalkError):
        _report(str(raised))
        return WRONG_USE if isinstance(raised, ConfigurationError) else FAILED
    said = shortened(_one_line(str(error)), _SHOWN_CHARACTERS)
    _report(f"unexpected {type(error).__name__}: {said}; the whole of it is in {_log_file(error)}")
    return FAILED


@app.callback(invoke_without_command=True)
def _realtalk(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say the version and leave.")] = False,
) -> None:
    if version:
        print(f"realtalk {metadata.version('realtalk')}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        say(context.get_help())
        raise typer.Exit(WRONG_USE)
    if context.obj and context.invoked_subcommand not in _TAKE_MORE:
        raise _UsageError(f"options after -- are for Beam, and {context.invoked_subcommand} does not use them")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; made where it is missing.")],
    feed: Annotated[str, typer.Option(help="Address of the podcast's feed.")] = "",
    files: Annotated[str, typer.Option(metavar="GLOB", help="Recordings, such as './archive/*.mp3'.")] = "",
    name: Annotated[str, typer.Option(help="A name for the dataset; else the folder's.")] = "",
    speaker: Annotated[str, typer.Option(help="The speaker's name.")] = "",
) -> None:
    """Write a commented dataset.yaml and an example of a consent."""
    from pipeline.init import Answers
    from pipeline.init import init as write

    config, consent = write(folder, Answers(name, feed, files, speaker))
    print(f"{config}\n{consent}")
    say(f"Next: fill in what is marked FILL IN in {config}, put a recording of the speaker beside it,")
    say(f"      then: realtalk doctor {config}; realtalk plan {config}; realtalk build {config}")


@app.command()
def doctor(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG]", help="Look at what this build needs too.")
    ] = None,
    overrides: Overrides = None,
    output: Output = Format.TABLE,
) -> int:
    """Say what is missing on this machine, and the line that mends it. Exit code 1 where a build can't run.

    2 where CONFIG can't be read or is wrong, as of every command that takes one.
    """
    from pipeline.doctor import CONFIGURATION, Status, examine
    from pipeline.views import show_checks

    say("looking at packages, models and native libraries ...")
    checks = list(examine(config, overrides or ()))
    show_checks(checks, output)
    missing = {check.name for check in checks if check.status is Status.MISSING}
    return WRONG_USE if CONFIGURATION in missing else FAILED if missing else DONE


@app.command()
def plan(config: ConfigFile, overrides: Overrides = None, output: Output = Format.TABLE) -> int:
    """Say what a build would do, and what it would take."""
    from pipeline.doctor import usable_cores
    from pipeline.kept import kept_by_config
    from pipeline.plan import forecast
    from pipeline.settings import consent_of
    from pipeline.views import show_plan

    loaded = _load(config, overrides)
    if consent_of(loaded) is None:
        say("no consent is on record: the dataset will be marked so")
    say("listing the sources ...")
    found = forecast(loaded, kept_by_config(loaded), usable_cores())
    show_plan(found, output)
    return DONE if found.episodes else FAILED


@app.command()
def build(
    context: typer.Context,
    config: ConfigFile,
    overrides: Overrides = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes on this machine; else the file's.")] = None,
    then: Annotated[
        str, typer.Option(metavar="COMMAND", help="Run once for a new version: train, or any command in quotes.")
    ] = "",
    output: Output = Format.TABLE,
) -> int:
    """Build the dataset, or go on where an earlier build stopped. Options for Beam go after --."""
    loaded, beam_arguments = _load(config, overrides), list(context.obj or ())
    from pipeline.then import run_then, then_target

    following = then_target(loaded, then) if then else None
    if following is not None:
        following.check(loaded.output_location)
    from pipeline.beam_arguments import check_beam_arguments
    from pipeline.doctor_inputs import require_enrolment

    check_beam_arguments(beam_arguments)
    require_enrolment(loaded)
    from pipeline.build import run_build

    result = run_build(loaded, beam_arguments, workers)
    code = _end_of_build(result, loaded.select.profile, output)
    if code != DONE or following is None:
        return code
    return DONE if run_then(result.output, following) else FAILED


@app.command()
def select(
    dataset: DatasetFolder,
    profile: Annotated[str | None, typer.Option(metavar="P", help="default, strict or permissive.")] = None,
    limits: Annotated[list[str] | None, typer.Option("--set", metavar="A=B", help="A limit: dnsmos_ovrl=3.0.")] = None,
    output: Output = Format.TABLE,
) -> int:
    """Choose clips anew from the scores; no model runs."""
    from pipeline.reselect import current_configuration, new_selection
    from pipeline.review import has_reviews
    from pipeline.selection import run_select

    current = current_configuration(dataset).selection
    as_before = profile is None and not limits and has_reviews(dataset)
    selection = current if as_before else new_selection(current, profile, limits or ())
    return _end_of_build(run_select(dataset, selection), selection.profile, output)


@app.command()
def audit(
    dataset: DatasetFolder,
    gates: Annotated[
        Path | None,
        typer.Option("--gates", metavar="FILE", help="Gates, a YAML file; they change those of the configuration."),
    ] = None,
    report: Annotated[bool, typer.Option(help="Write report/ anew.")] = True,
    embed: Annotated[
        int | None,
        typer.Option(
            "--embed", metavar="N", min=0, help="Clips inside of the report's page; else as many as 10 MB hold."
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> int:
    """Verify every shard and clip, judge the whole by its gates, and write its report anew.

    Exit code 3 where a check or a gate fails.
    """
    from pipeline.audit import audit as verify
    from pipeline.audit import read_gates
    from pipeline.audit_report import rewrite_report
    from pipeline.audit_view import show_audit

    found = verify(dataset, read_gates(gates) if gates is not None else None)
    page, trouble = "", ""
    if report:
        try:
            page = rewrite_report(found, embed)
        except RealtalkError as error:
            # What was found is told all the same.
            trouble = str(error)
    show_audit(found, output, page)
    _report(trouble)
    _report("\n".join(found.failures()))
    return DONE if found.passed else GATE_FAILED


@app.command()
def review(
    dataset: DatasetFolder,
    file: Annotated[Path, typer.Argument(metavar="review.csv", help="id,verdict,corrected_text,note,reviewer,time")],
    output: Output = Format.TABLE,
) -> None:
    """Take in verdicts and corrected texts of people who listened; the next select or build goes by them."""
    from pipeline.review import take_review
    from pipeline.views import show_review

    show_review(take_review(dataset, file), output)
    say(f"Next: realtalk select {dataset}")


@app.command()
def inspect(
    dataset: DatasetFolder,
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Clip or episode: id, its beginning, or a guid.")],
    audio: Annotated[Path | None, typer.Option(metavar="OUT.flac", help="Write the clip's audio there.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Say all that is known of a clip or an episode."""
    from pipeline.inspect import inspect as look
    from pipeline.inspect import open_dataset, write_audio
    from pipeline.inspection_view import show_inspection

    opened = open_dataset(dataset)
    found = look(opened, wanted)
    if audio is not None:
        if found["kind"] != "clip":
            raise ConfigurationError(f"--audio: {wanted} is an episode; name one of its clips")
        write_audio(opened, found["clip"], audio)
        say(f"wrote {audio}")
    show_inspection(found, output)


@app.command()
def export(
    dataset: DatasetFolder,
    out: Annotated[str, typer.Argument(metavar="OUT", help="The folder to write to: new, empty, or begun before.")],
    to: Annotated[ExportFormat, typer.Option("--to", help="The files of which trainer or tool.")],
    rate: Annotated[
        int | None,
        typer.Option(
            "--sampling-rate", min=8000, max=192_000, help="Hz of WAV files; else what the format is read at."
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> int:
    """Write the chosen clips as another trainer or tool reads them; run it again to go on where it was stopped."""
    from pipeline.export.run import run_export
    from pipeline.export.view import show_export

    result = run_export(dataset, to, out, rate)
    show_export(result, output)
    if not result.count:
        say("realtalk: nothing is in the export" + ("; the lines above say why" if result.refused else ""))
    return DONE if result.count else FAILED


app.command()(evaluate)
app.command()(train)
app.command("say")(say_text)
app.command()(serve)
app.command()(onnx)
app.command()(watch)
app.add_typer(runs_app, name="runs")


def _load(path: Path, overrides: Sequence[str] | None) -> "Config":
    from pipeline.config import load_config

    return load_config(path, overrides or ())


def _end_of_build(result: "BuildResult", profile: str, output: Format) -> int:
    from pipeline.views import show_build

    show_build(result, output)
    totals = result.manifest.totals
    unwritten = sum(trouble.code == DISK_FULL for trouble in result.troubles)
    if unwritten:
        missing = f"{unwritten} of {totals.episodes} episodes are missing"
        say(f"realtalk: the disk was full, and {missing}; free some space and run it again")
    elif not totals.clips:
        say("realtalk: no clip was chosen; the table says why")
        if totals.candidates and profile != "permissive":
            say(f"          realtalk select {result.output} --profile permissive takes more")
    return DONE if totals.clips and not unwritten else FAILED


def _report(lines: str) -> None:
    for line in lines.splitlines():
        say(f"realtalk: {line}")


def _usage_line(error: Any) -> str:
    line = _one_line(error.format_message())
    path = error.ctx.command_path if error.ctx is not None else "realtalk"
    return f"{line[:1].lower()}{line[1:].rstrip('.')}; see {path} --help"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _log_file(error: BaseException) -> str:
    handle, path = tempfile.mkstemp(prefix="realtalk-", suffix=".log")
    with open(handle, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return path


if __name__ == "__main__":
    sys.exit(main())

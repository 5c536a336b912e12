"""Options for Beam after `--`: Beam itself drops one that it does not know, and a job runs where nobody meant it to.

What is wrong with them is said before anything is done.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.runner import create_runner

from pipeline.config_errors import nearest
from schemas.errors import ConfigurationError

# A job server has options of its own, which only it knows.
_OTHERS_OPTIONS = ("portablerunner", "flinkrunner", "sparkrunner", "prismrunner")


# What the local engine runs with is not for Beam to say (see runners.py).
_OURS = ("direct_num_workers", "direct_running_mode")


# They lose data and report success: a second sink, tagged outputs, WriteToParquet rows (measured with Beam 2.77).
_REFUSED = {"daskrunner": "it loses tagged outputs and reports success"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(f"options for Beam: {message}")


def check_beam_arguments(arguments: Sequence[str]) -> None:
    """Raises ConfigurationError with a line for each option that no part of Beam knows, naming the nearest, or for each
    that is wrong or missing for the runner that is named."""
    parser: Any = _Parser(add_help=False, allow_abbrev=False)
    for options in _option_classes(PipelineOptions):
        options._add_argparse_args(parser)
    given, unknown = parser.parse_known_args(list(arguments))
    if unknown and plain_name(given.runner) not in _OTHERS_OPTIONS:
        known = {name for action in parser._actions for name in action.option_strings}
        raise ConfigurationError("\n".join(_line(argument, known) for argument in unknown))
    ours = [name for name in _OURS if getattr(given, name) != parser.get_default(name)]
    if ours:
        raise ConfigurationError("\n".join(f"--{name}: is not for Beam to say here; use --workers" for name in ours))
    if given.runner:
        _check_runner(given.runner, arguments)


def plain_name(runner: str | None) -> str:
    """A runner's name in small letters, without its module; "" for none."""
    return (runner or "").rpartition(".")[2].lower()


def refuse_lossy(runner: str | None) -> None:
    """Raises ConfigurationError for a runner that is known to lose data."""
    why = _REFUSED.get(plain_name(runner))
    if why:
        raise ConfigurationError(f"--runner={runner} is not offered: {why}; leave --runner out to run here")


def _check_runner(name: str, arguments: Sequence[str]) -> None:
    """Raises ConfigurationError where there is no such runner, or where it lacks options."""
    refuse_lossy(name)
    try:
        runner = create_runner(name)
    except (ValueError, ImportError, AttributeError) as error:
        why = " ".join(str(error).split())
        raise ConfigurationError(f"--runner={name}: {why}; leave --runner out to run here") from None
    faults = PipelineOptionsValidator(PipelineOptions(list(arguments)), runner).validate()
    if faults:
        lines = (" ".join(str(fault).split()).rstrip(".") for fault in faults)
        raise ConfigurationError("\n".join(f"--runner={name}: {line}; correct the options after --" for line in lines))


def _line(argument: str, known: set[str]) -> str:
    name = argument.partition("=")[0]
    guess = nearest(name, sorted(known)) if argument.startswith("-") else None
    return f"{name}: no option of Beam" + (f"; did you mean {guess}?" if guess else "; an option is --NAME=VALUE")


def _option_classes(base: type[PipelineOptions]) -> Iterator[type[PipelineOptions]]:
    """Every group of options, once each."""
    seen = set()
    for options in base.__subclasses__():
        if options.__name__ not in seen and "_add_argparse_args" in vars(options):
            seen.add(options.__name__)
            yield options

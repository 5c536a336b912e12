"""Options for Beam after `--`: Beam itself drops one that it does not know, and a job runs where nobody meant it to."""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.config_errors import nearest
from schemas.errors import ConfigurationError

# A job server has options of its own, which only it knows.
_OTHERS_OPTIONS = ("portablerunner", "flinkrunner", "sparkrunner", "prismrunner")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(f"options for Beam: {message}")


def check_beam_arguments(arguments: Sequence[str]) -> None:
    """Raises ConfigurationError with a line for each option that no part of Beam knows, naming the nearest."""
    parser: Any = _Parser(add_help=False, allow_abbrev=False)
    for options in _option_classes(PipelineOptions):
        options._add_argparse_args(parser)
    given, unknown = parser.parse_known_args(list(arguments))
    if unknown and (given.runner or "").lower() not in _OTHERS_OPTIONS:
        known = {name for action in parser._actions for name in action.option_strings}
        raise ConfigurationError("\n".join(_line(argument, known) for argument in unknown))


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

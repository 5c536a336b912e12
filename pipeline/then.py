"""What follows a build: training, or a command, once for the version that it made."""

import shlex
import sys

from pipeline.config import Config, is_uri
from pipeline.console import say
from pipeline.watch.command import CommandTarget
from pipeline.watch.ledger import TRAINING, ledger_of
from pipeline.watch.watcher import Watcher, WatchSettings
from schemas.errors import ConfigurationError


def then_target(config: Config, then: str) -> CommandTarget:
    """What `then` names: "train", else a command as a shell would read it. Raises ConfigurationError."""
    if then.strip() == TRAINING:
        return CommandTarget(training_command(config))
    try:
        target = CommandTarget(tuple(shlex.split(then)))
    except ValueError as error:
        raise ConfigurationError(f"--then: not readable as a command ({error}); mind the quotes") from None
    if not target.arguments:
        raise ConfigurationError('--then: expected train, or a command: --then "make voice"')
    return target


def training_command(config: Config) -> tuple[str, ...]:
    """`realtalk train` with what the configuration says under `train`; {dataset} and {version} are yet to fill in."""
    options: dict[str, object] = {
        "--out": f"{voices_folder(config)}/{{version}}",
        "--preset": config.train.preset,
        "--max-minutes": config.train.max_minutes,
        "--tier": config.train.tier,
    }
    given = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    return (sys.executable, "-m", "pipeline.cli", TRAINING, "{dataset}", *given)


def voices_folder(config: Config) -> str:
    """The folder of the voices of a dataset's versions: a voice can't be trained on with another version's clips."""
    if config.train.out is not None:
        return config.locate(config.train.out)
    output = config.output_location
    return config.locate(f"{config.name}-voices") if is_uri(output) else f"{output.rstrip('/')}-voices"


def run_then(dataset: str, target: CommandTarget) -> bool:
    """Start what follows a build, unless that was done for this version; whether it went well, also earlier.

    What has failed before is tried once more: the person who builds again wants that.
    """
    settings = WatchSettings(interval=1.0, retries=0, again=True, once=True)
    return Watcher(dataset, target, ledger_of(dataset), settings, say).run()

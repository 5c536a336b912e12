"""A command that is run for a version, and that notes its end itself: its watcher may be gone by then."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipeline.console import say, shortened
from pipeline.watch.targets import Ready, Target, TargetError, TargetStoppedError
from pipeline.watch.turns import Turn
from schemas.errors import ConfigurationError

_GRACE_SECONDS = 60.0
# What programs end with that were told to stop, by Ctrl-C or `realtalk runs stop`.
_STOPPED = 130
# The shell's standard input is the file whose lock is the turn, so the turn lasts as long as the command; the command
# itself does not get it. A signal for the whole group is for the command: the shell stays to note how it ended.
_SHELL = """
trap : TERM INT HUP
out=$1
shift
"$@" </dev/null
code=$?
echo $code >"$out.partial" && mv "$out.partial" "$out"
exit $code
"""


@dataclass(frozen=True)
class CommandTarget(Target):
    """A program and its arguments; {dataset} and {version} in them are filled in.

    REALTALK_DATASET, REALTALK_VERSION and REALTALK_START (1 for the first) are in its environment. It is stopped by
    SIGTERM when the watcher is, and killed when it goes on for a minute after that.
    """

    arguments: tuple[str, ...]
    grace_seconds: float = _GRACE_SECONDS

    @property
    def name(self) -> str:
        """The command as a shell would read it."""
        return shortened(shlex.join(self.arguments), 200)

    def check(self, dataset: str) -> None:
        """Raises ConfigurationError where there is no such program."""
        if not self.arguments:
            raise ConfigurationError("no command is given; write it after --: realtalk watch DATASET -- COMMAND ...")
        if shutil.which(self.arguments[0]) is None and "{" not in self.arguments[0]:
            raise ConfigurationError(f"{self.arguments[0]}: there is no such program; write its whole path")

    def run(self, ready: Ready, turn: Turn) -> str:
        """Run it to its end; raises TargetError where its exit code is not 0."""
        out = turn.exit_path(ready.version, ready.start)
        environment = {
            **os.environ,
            "REALTALK_DATASET": ready.dataset,
            "REALTALK_VERSION": ready.version,
            "REALTALK_START": str(ready.start),
        }
        process = subprocess.Popen(
            ["/bin/sh", "-c", _SHELL, "sh", str(out), *filled(self.arguments, ready.dataset, ready.version)],
            stdin=turn.lock,
            env=environment,
            start_new_session=True,
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            self._stop(process)
            raise
        return ended(code)

    def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        say("stopping the command ...")
        _signal(process, signal.SIGTERM)
        try:
            process.wait(self.grace_seconds)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            _signal(process, signal.SIGKILL)
            process.wait()


def ended(code: int) -> str:
    """How a command ended that noted this exit code; raises TargetError, or TargetStoppedError, unless it is 0."""
    if code == _STOPPED:
        raise TargetStoppedError("somebody stopped the command")
    if code != 0:
        # A shell says 128 and more for a signal, Python says it by a negative code of the shell itself.
        number = code - 128 if code > 128 else -code
        by_signal = number in {one.value for one in signal.Signals}
        how = f"was ended by {signal.Signals(number).name}" if by_signal else f"ended with code {code}"
        raise TargetError(f"the command {how}")
    return "ended with code 0"


def filled(arguments: Sequence[str], dataset: str, version: str) -> list[str]:
    """Arguments with {dataset} and {version} filled in; other braces stay."""
    return [one.replace("{dataset}", dataset).replace("{version}", version) for one in arguments]


def _signal(process: "subprocess.Popen[bytes]", which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, which)

"""Which engine runs the graph. The local one is pinned to FnApiRunner: the default runner tries to download another."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from apache_beam.io.filesystem import FileSystem
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.runners import PipelineRunner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.beam_arguments import plain_name, refuse_lossy
from pipeline.beam_errors import unwrapped
from pipeline.console import shortened
from schemas.errors import RealtalkError
from transforms.episodes import Workers
from transforms.store import Store
from transforms.workers import nothing

_LOCAL = {"", "directrunner", "fnapirunner"}
# Episodes on their way at once: enough that no worker waits for one, and some more that are being downloaded.
_EPISODES_A_WORKER, _DOWNLOADS = 2, 2
_WHY_CHARACTERS = 300


@dataclass(frozen=True)
class Engine:
    """What runs the graph, with its options, and the worker processes that each process of it has."""

    runner: PipelineRunner | str
    options: PipelineOptions
    workers: Workers


def choose_engine(arguments: Sequence[str], workers: int, store: Store) -> Engine:
    """The engine for Beam's own command-line arguments.

    No `--runner`: FnApiRunner on this machine, in this process and one thread. It loses a build with any of its own
    worker processes, and deals elements out to them before it knows how long they take; `workers` processes of our own
    do the work instead. Raises ConfigurationError for a runner that is known to lose data.
    """
    options = PipelineOptions(list(arguments))
    standard = options.view_as(StandardOptions)
    refuse_lossy(standard.runner)
    prepare = nothing if store.is_local else RemoteFiles.of(options)
    if plain_name(standard.runner) not in _LOCAL:
        # Such an engine starts as many processes as its machines have cores.
        return Engine(standard.runner, options, Workers(prepare=prepare))
    direct = options.view_as(DirectOptions)
    direct.direct_num_workers = 1
    direct.direct_running_mode = "in_memory"
    standard.runner = None
    return Engine(FnApiRunner(), options, Workers(workers, _EPISODES_A_WORKER * workers + _DOWNLOADS, prepare))


@contextmanager
def named_in_errors(engine: Engine) -> Iterator[None]:
    """Says of which engine an error is that none of our code raised: it can't be started or reached, or it failed.

    Raises RealtalkError in its place; errors of the local engine stay as they are.
    """
    try:
        yield
    except Exception as error:
        if isinstance(engine.runner, PipelineRunner) or unwrapped(error) is not error:
            raise
        why = (" ".join(str(error).split()) or type(error).__name__).rstrip(".")
        raise RealtalkError(
            f"--runner={engine.runner}: {shortened(why, _WHY_CHARACTERS)}; see its own log, "
            "or leave --runner out to run here"
        ) from error


@dataclass(frozen=True)
class RemoteFiles:
    """Makes a worker process know the file systems that this process knows, and their options."""

    options: Mapping[str, Any]
    modules: tuple[str, ...]

    @staticmethod
    def of(options: PipelineOptions) -> "RemoteFiles":
        """The file systems of this process, with the options of Beam that they are reached by."""
        found = {path.rpartition(".")[0] for path in FileSystem.get_all_plugin_paths()}
        beams = "apache_beam."
        return RemoteFiles(
            options.get_all_options(drop_default=True), tuple(sorted(m for m in found if not m.startswith(beams)))
        )

    def __call__(self) -> None:
        for module in self.modules:
            import_module(module)
        FileSystems.set_options(PipelineOptions.from_dictionary(dict(self.options)))

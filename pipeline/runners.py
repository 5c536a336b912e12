"""Which engine runs the graph. The local one is pinned to FnApiRunner: the default runner tries to download another."""

from collections.abc import Sequence

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.runners import PipelineRunner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from schemas.errors import ConfigurationError

# It loses data and reports success: a second sink, tagged outputs, WriteToParquet rows (measured with Beam 2.77).
_REFUSED = {"daskrunner": "it loses tagged outputs and reports success", "dask": "it loses tagged outputs"}
_LOCAL = {"", "directrunner", "fnapirunner", "local"}


def choose_runner(arguments: Sequence[str], workers: int) -> tuple[PipelineRunner | str, PipelineOptions]:
    """A runner and its options from Beam's own command-line arguments.

    No `--runner`: FnApiRunner on this machine, in this process, or in `workers` processes. Raises ConfigurationError
    for a runner that is known to lose data.
    """
    options = PipelineOptions(list(arguments))
    name = (options.view_as(StandardOptions).runner or "").lower()
    if name in _REFUSED:
        raise ConfigurationError(f"--runner={name} is not offered: {_REFUSED[name]}; leave --runner out to run here")
    if name not in _LOCAL:
        return options.view_as(StandardOptions).runner, options
    direct = options.view_as(DirectOptions)
    direct.direct_num_workers = workers
    direct.direct_running_mode = "multi_processing" if workers > 1 else "in_memory"
    options.view_as(StandardOptions).runner = None
    return FnApiRunner(), options

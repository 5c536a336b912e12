"""The local engine is the pinned one, and engines that lose data are refused."""

import pytest
from apache_beam.options.pipeline_options import DirectOptions, GoogleCloudOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.runners import choose_runner
from schemas.errors import ConfigurationError


def test_without_a_runner_the_graph_runs_here_in_one_process() -> None:
    runner, options = choose_runner([], workers=1)
    assert isinstance(runner, FnApiRunner)
    assert options.view_as(DirectOptions).direct_running_mode == "in_memory"


def test_workers_are_processes() -> None:
    _, options = choose_runner(["--runner=DirectRunner"], workers=2)
    direct = options.view_as(DirectOptions)
    assert (direct.direct_running_mode, direct.direct_num_workers) == ("multi_processing", 2)


def test_a_remote_engine_and_its_options_are_passed_on() -> None:
    runner, options = choose_runner(["--runner=DataflowRunner", "--project=p", "--region=r"], workers=1)
    assert runner == "DataflowRunner"
    assert options.view_as(GoogleCloudOptions).project == "p"


def test_an_engine_that_loses_data_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigurationError, match="loses"):
        choose_runner(["--runner=DaskRunner"], workers=1)

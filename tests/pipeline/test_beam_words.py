"""What the command line says of Beam's options, and of errors that went through Beam."""

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.beam_arguments import check_beam_arguments
from pipeline.beam_errors import unwrapped
from schemas.errors import ConfigurationError, EpisodeError, RealtalkError

REMOTE = """Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1512, in process
schemas.errors.RealtalkError: a: b

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "enrol.py", line 95, in process
schemas.errors.RealtalkError: a: b [while running 'Enrol/Embed']

"""


def fails(error: BaseException) -> BaseException:
    """What comes out of a pipeline of this process in which a step raises `error`."""

    def step(_: int) -> int:
        raise error

    pipeline = beam.Pipeline(runner=FnApiRunner())
    _ = pipeline | beam.Create([1]) | "Step" >> beam.Map(step)
    with pytest.raises(BaseException) as caught:
        pipeline.run()
    return caught.value


@pytest.mark.parametrize("kind", [RealtalkError, ConfigurationError, EpisodeError])
def test_an_error_of_a_step_comes_back_as_it_was_raised(kind: type[RealtalkError]) -> None:
    raised = fails(kind("what: where"))
    assert "[while running 'Step']" in str(raised)
    assert type(unwrapped(raised)) is kind
    assert str(unwrapped(raised)) == "what: where"


def test_ctrl_c_in_a_step_is_ctrl_c() -> None:
    raised = fails(KeyboardInterrupt())
    assert isinstance(raised, RuntimeError), "Beam makes another error of it"
    assert isinstance(unwrapped(raised), KeyboardInterrupt)


def test_an_error_of_another_process_is_read_from_its_traceback() -> None:
    found = unwrapped(RuntimeError(REMOTE))
    assert (type(found), str(found)) == (RealtalkError, "a: b")


@pytest.mark.parametrize("error", [RuntimeError("boom"), RuntimeError(""), ValueError("RealtalkError: x")])
def test_what_is_none_of_ours_stays_what_it_is(error: Exception) -> None:
    assert unwrapped(error) is error


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [
            "--runner=DataflowRunner",
            "--project=talk-1",
            "--region",
            "europe-west1",
            "--temp_location=gs://bucket/tmp",
            "--streaming",
        ],
        ["--runner=PortableRunner", "--job_endpoint=localhost:8099", "--an_option_of_the_job_server=1"],
    ],
)
def test_options_that_beam_knows(arguments: list[str]) -> None:
    check_beam_arguments(arguments)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--runnr=DataflowRunner"], "--runnr: no option of Beam; did you mean --runner?"),
        (["more"], "more: no option of Beam; an option is --NAME=VALUE"),
        (["--direct_num_workers=x"], "options for Beam: argument --direct_num_workers: invalid int value: 'x'"),
        (["--direct_num_workers=2"], "--direct_num_workers: is not for Beam to say here; use --workers"),
        (
            ["--direct_running_mode=multi_processing"],
            "--direct_running_mode: is not for Beam to say here; use --workers",
        ),
        (
            ["--runner=DataflowRunner", "--project=talk-1", "--temp_location=gs://bucket/tmp"],
            "--runner=DataflowRunner: Missing required option: region; correct the options after --",
        ),
        (["--runner=a.b"], "--runner=a.b: No module named 'a'; leave --runner out to run here"),
    ],
)
def test_options_that_beam_would_drop(arguments: list[str], line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_beam_arguments(arguments)
    assert str(caught.value) == line


def test_a_runner_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^--runner=NoSuch: Unexpected pipeline runner.* DataflowRunner, "
    ) as it:
        check_beam_arguments(["--runner=NoSuch"])
    assert "\n" not in str(it.value)


@pytest.mark.parametrize("runner", ["DaskRunner", "apache_beam.runners.dask.dask_runner.DaskRunner"])
def test_an_engine_that_loses_data_is_refused_however_it_is_named(runner: str) -> None:
    with pytest.raises(ConfigurationError, match="it loses tagged outputs"):
        check_beam_arguments([f"--runner={runner}"])

"""The local engine is the pinned one, and engines that lose data are refused."""

from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import DirectOptions, GoogleCloudOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from folder_filesystem import PREFIX

from pipeline.runners import choose_engine, named_in_errors
from schemas.errors import ConfigurationError, RealtalkError
from transforms.store import Store
from transforms.workers import WorkerPool

HERE = Store("out")


@pytest.mark.parametrize("workers", [1, 3])
def test_without_a_runner_the_graph_runs_here_in_one_process_beside_its_workers(workers: int) -> None:
    engine = choose_engine(["--runner=DirectRunner"], workers, HERE)
    assert isinstance(engine.runner, FnApiRunner)
    direct = engine.options.view_as(DirectOptions)
    assert (direct.direct_running_mode, direct.direct_num_workers) == ("in_memory", 1)
    assert engine.workers.processes == workers
    assert engine.workers.at_once > workers, "downloads go on while the workers work"


def test_a_remote_engine_and_its_options_are_passed_on() -> None:
    engine = choose_engine(["--runner=DataflowRunner", "--project=p", "--region=r"], 4, HERE)
    assert engine.runner == "DataflowRunner"
    assert engine.options.view_as(GoogleCloudOptions).project == "p"
    assert (engine.workers.processes, engine.workers.at_once) == (1, 1), "it has a process a core"


def test_a_worker_process_knows_the_file_systems_of_the_build(tmp_path: Path) -> None:
    store = Store(f"{PREFIX}{tmp_path}/bucket")
    store.write_text(store.path("kept.json"), "{}")
    engine = choose_engine([], 1, store)
    with engine.workers.pool() as pool:
        assert pool.run(store.read_text, store.path("kept.json")).value == "{}"
    with WorkerPool() as bare, pytest.raises(ValueError, match="folder"):
        bare.run(store.read_text, store.path("kept.json"))


def test_an_engine_that_loses_data_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigurationError, match="loses"):
        choose_engine(["--runner=DaskRunner"], 1, HERE)


def test_what_an_engine_elsewhere_says_is_one_line_that_names_it() -> None:
    remote = choose_engine(["--runner=PrismRunner"], 1, HERE)
    with pytest.raises(RealtalkError) as caught, named_in_errors(remote):
        raise RuntimeError("can't download\n  prism.")
    assert str(caught.value) == (
        "--runner=PrismRunner: can't download prism; see its own log, or leave --runner out to run here"
    )
    with pytest.raises(RealtalkError, match=r"^a: b$"), named_in_errors(remote):
        raise RealtalkError("a: b")
    with pytest.raises(ZeroDivisionError), named_in_errors(choose_engine([], 1, HERE)):
        raise ZeroDivisionError

"""What the configuration means to the stages."""

from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.settings import sources_of
from transforms.source_settings import FilesSource


@pytest.mark.parametrize("output", ["./out", "gs://bucket/out"])
def test_a_folder_that_holds_the_output_does_not_hold_it_as_episodes(tmp_path: Path, output: str) -> None:
    file = tmp_path / "dataset.yaml"
    file.write_text(
        f"name: x\noutput: {output}\nsources: [{{files: .}}]\nspeaker: {{name: Host, enroll: [enroll.flac]}}\n"
    )
    (source,) = sources_of(load_config(file))
    assert isinstance(source, FilesSource)
    kept = [] if output.startswith("gs:") else [str(tmp_path / "out" / "work")]
    assert list(source.excluded) == [*kept, str(tmp_path / "enroll.flac")]

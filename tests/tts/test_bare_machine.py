"""A machine that trains has torch, numpy, pyarrow, soundfile and safetensors, and nothing else that a build needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_dataset import write_dataset

# Everything that a build, or the command line, needs and a training must not.
ABSENT = (
    "apache_beam", "pydantic", "typer", "click", "rich", "yaml", "pandas", "sklearn", "scipy", "librosa", "resemblyzer",
    "pocketsphinx", "onnxruntime", "num2words", "httpx", "av", "pydub", "webrtcvad", "silero_vad", "soxr", "pyloudnorm",
)  # fmt: skip
PROGRAM = """
import importlib.machinery, sys
class Bare(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {absent!r} else super().find_spec(name, path, target)
sys.meta_path = [Bare if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
from tts.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("part", ["acoustic", "vocoder"])
def test_training_needs_five_packages(part: str, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "dataset")
    arguments = ["train", str(dataset), "--out", str(tmp_path / "voice"), "--max-steps", "1", "--parts", part]
    program = PROGRAM.format(absent=ABSENT)
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--cache", str(tmp_path / "features")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr[-1500:]
    assert (tmp_path / "voice" / f"{part}.safetensors").exists()

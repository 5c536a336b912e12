"""The models that a configuration names: installed, weights present, licence, and what to run where not."""

import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import Config
from pipeline.doctor import WORKER_BYTES, Check, Status
from pipeline.plan_models import STAGES, written
from schemas.errors import ConfigurationError
from transforms.models.choice import DEFAULT_PYANNOTE, ModelChoice, is_missing_folder, is_path
from transforms.models.pyannote_pipeline import MEMORY_GB as PYANNOTE_MEMORY_GB
from transforms.models.whisper_model import MEMORY_GB as WHISPER_MEMORY_GB
from transforms.models.whisper_model import cache_folder, device_of, weights_address

_EXTRAS = {"whisper": ("openai-whisper", "whisper"), "pyannote": ("pyannote.audio", "pyannote")}
_WHISPER_LICENCE = "MIT"
_PYANNOTE_LICENCES = {DEFAULT_PYANNOTE: "CC-BY-4.0"}
_TOKEN = "HF_TOKEN"


def check_models(config: Config) -> Iterator[Check]:
    """Look at every neural model that a build would load; nothing is loaded or fetched."""
    chosen: dict[ModelChoice, list[str]] = {}
    for task in STAGES:
        choice = config.models.choice(task)
        if choice.name in _EXTRAS:
            chosen.setdefault(choice, []).append(task)
    for choice, tasks in chosen.items():
        name = f"{' and '.join(tasks)}: {written(choice)}"
        distribution, extra = _EXTRAS[choice.name]
        try:
            version = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            mend = f"pip install 'realtalk[{extra}]'"
            yield Check(name, Status.MISSING, f"{distribution} is not installed", mend)
            continue
        yield Check(name, Status.OK, f"{distribution} {version}")
        yield check_whisper(name, choice, config) if choice.name == "whisper" else check_pyannote(name, choice, config)
    if chosen:
        yield check_device(config.models.device)


def worker_bytes(config: Config) -> int:
    """Memory that one worker takes with the models of a configuration loaded."""
    chosen = {config.models.choice(task).name for task in STAGES}
    gigabytes = {"whisper": WHISPER_MEMORY_GB, "pyannote": PYANNOTE_MEMORY_GB}
    return max(WORKER_BYTES, *(gigabytes.get(name, 0) * 1_000_000_000 for name in chosen))


def check_whisper(name: str, choice: ModelChoice, config: Config) -> Check:
    """Whether the weights of a Whisper model are here, or will be fetched."""
    if is_path(choice.argument):
        return _file_check(name, Path(config.locate(choice.argument)), "its maker's licence")
    try:
        address = weights_address(choice.argument)
    except ConfigurationError as error:
        return Check(name, Status.MISSING, str(error), "name another model in the configuration")
    file = cache_folder() / os.path.basename(address)
    if file.is_file():
        return Check(name, Status.OK, f"weights: {file}, {file.stat().st_size / 1e6:.0f} MB, {_WHISPER_LICENCE}")
    mend = f"nothing, if this machine has a network; else put {address} there"
    return Check(
        name, Status.WARNING, f"weights ({_WHISPER_LICENCE}) are not at {file} yet: a build fetches them", mend
    )


def check_pyannote(name: str, choice: ModelChoice, config: Config) -> Check:
    """Whether a pipeline's folder is whole, or its weights are in the hub's cache, or can be fetched with a token."""
    source = choice.argument or DEFAULT_PYANNOTE
    folder = Path(config.locate(source))
    if folder.is_dir() or is_missing_folder(source):
        return _file_check(name, folder / "config.yaml", "the licence of the pipeline's maker")
    licence = _PYANNOTE_LICENCES.get(source, f"licence: see https://hf.co/{source}")
    from huggingface_hub import try_to_load_from_cache

    if isinstance(path := try_to_load_from_cache(source, "config.yaml"), str):
        return Check(name, Status.OK, f"weights: {Path(path).parent}, {licence}")
    if os.environ.get(_TOKEN):
        found = f"weights ({licence}) are not here yet: a build fetches them with {_TOKEN}"
        return Check(
            name, Status.WARNING, found, f"accept the conditions at https://hf.co/{source}, once, in a browser"
        )
    return Check(
        name,
        Status.MISSING,
        f"weights ({licence}) are not here, and there is no token in {_TOKEN} to fetch them with",
        f"accept the conditions at https://hf.co/{source}, create a token at https://hf.co/settings/tokens, "
        f"and set {_TOKEN} to it; or name the folder of a pipeline",
    )


def check_device(device: str) -> Check:
    """Whether the device that is asked for is there."""
    name = "models.device"
    try:
        found = device_of(device)
    except ConfigurationError as error:
        return Check(name, Status.MISSING, str(error), "say device: auto; a build on other machines may go on as it is")
    if found == "cpu":
        mend = "a GPU; or the embedded models, which are made for a CPU"
        return Check(name, Status.WARNING, "neural models would run on the CPU, many times slower than on a GPU", mend)
    return Check(name, Status.OK, found)


def _file_check(name: str, file: Path, licence: str) -> Check:
    if not file.is_file():
        return Check(name, Status.MISSING, f"{file} is not there", "correct the path in the configuration")
    return Check(name, Status.OK, f"weights: {file}, {licence}")

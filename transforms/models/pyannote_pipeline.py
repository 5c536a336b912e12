"""Loading a diarization pipeline of pyannote.audio 4: from a folder, or from the Hugging Face hub.

H. Bredin: pyannote.audio 2.1 speaker diarization pipeline: principle, benchmark, and recipe, Interspeech 2023;
https://github.com/pyannote/pyannote-audio (MIT). `speaker-diarization-community-1` (CC-BY-4.0) is the pipeline that its
authors publish; its conditions have to be accepted on the hub once, by a person.
"""

import contextlib
import functools
import hashlib
import os
import re
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import ConfigurationError, EpisodeError
from schemas.ids import file_sha256
from transforms.models.base import Needs

DEFAULT_SOURCE = "pyannote/speaker-diarization-community-1"
DEVICES = ("auto", "cpu", "cuda")
#: The networks on a GPU take 2 GB of it; beside them a worker holds torch, CUDA and 20 minutes of audio.
MEMORY_GB = 6
_CONFIG = "config.yaml"
# Where a pipeline's configuration names its models, and how it says that one is in its own folder.
_MODEL_KEYS, _OWN = ("segmentation", "embedding", "plda"), "$model"
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_REFUSED = (401, 403)
_NOT_FOUND = 404


class PyannotePipeline:
    """A pipeline by its source; loaded on first use, once a process for all that share source and device."""

    def __init__(self, source: str = DEFAULT_SOURCE, device: str = "auto") -> None:
        """`source` is the path of a folder, or a hub id; `device` is auto, cpu or cuda.

        Raises ConfigurationError where pyannote.audio is not installed, or the source can't be either.
        """
        try:
            self._version = version("pyannote.audio")
        except PackageNotFoundError:
            raise ConfigurationError(
                "pyannote: pyannote.audio is not installed; pip install 'realtalk[pyannote]'"
            ) from None
        if device not in DEVICES:
            raise ConfigurationError(f"pyannote: device is {device!r}; it takes {', '.join(DEVICES)}")
        self.source, self.device = source, device
        self._is_folder = Path(source).is_dir()
        if self._is_folder and _HUB_ID.fullmatch(source):
            raise ConfigurationError(
                f"pyannote: {source} is a hub id, and a folder of that name is where the build was started; start it "
                f"elsewhere, or write ./{source} for the folder"
            )
        if self._is_folder and not (Path(source) / _CONFIG).is_file():
            raise ConfigurationError(f"pyannote: {source} has no {_CONFIG}; name the folder of a whole pipeline")
        if not self._is_folder and not _HUB_ID.fullmatch(source):
            raise ConfigurationError(
                f"pyannote: {source} is not there; name a pipeline's folder, or a hub id such as {DEFAULT_SOURCE}"
            )

    @functools.cached_property
    def identity(self) -> str:
        """pyannote.audio's version; the hash of all files of a folder, or the id and revision on the hub.

        So also of the models that the pipeline takes from elsewhere.
        """
        weights = _folder_hash(Path(self.source)) if self._is_folder else f"{self.source}@{self._revision}"
        others = "".join(f"+{_identity_of(place)}" for place in _taken_from_elsewhere(self._config))
        return f"pyannote-{self._version}:{weights}{others}"

    @property
    def needs(self) -> Needs:
        """An accelerator, unless the CPU was asked for."""
        return Needs(accelerator=self.device != "cpu", memory_gb=MEMORY_GB)

    @property
    def loaded(self) -> Any:
        """The pyannote.audio pipeline. Raises ConfigurationError, in one line what to do."""
        return _load(self.source, None if self._is_folder else self._revision, self.device)

    @functools.cached_property
    def _revision(self) -> str:
        """The commit of the hub's repository that is in its cache here; its configuration is fetched where none is."""
        return self._config.parent.name

    @functools.cached_property
    def _config(self) -> Path:
        return Path(self.source) / _CONFIG if self._is_folder else _hub_config(self.source)


@contextlib.contextmanager
def memory_errors(source: str, what: str) -> Iterator[None]:
    """EpisodeError, in one line what to do, where the memory of CPU or GPU is not enough for `what`."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise EpisodeError(
            f"out-of-memory: pyannote: {source}: not enough memory for {what} ({_line(error)}); "
            "run with fewer workers, free the GPU, or say device: cpu"
        ) from error


def _hub_config(source: str) -> Path:
    """The configuration of a repository of the hub, in the cache here; fetched where it isn't there."""
    with _hub_errors(source):
        from huggingface_hub import hf_hub_download, try_to_load_from_cache

        path = try_to_load_from_cache(source, _CONFIG)
        if not isinstance(path, str):
            path = hf_hub_download(source, _CONFIG, token=_token())
    return Path(path)


def _taken_from_elsewhere(config: Path) -> list[str]:
    """Models that a pipeline's configuration names outside of its own folder: paths, or hub ids."""
    try:
        params = yaml.safe_load(config.read_text(encoding="utf-8"))["pipeline"]["params"]
        named = [params.get(key) for key in _MODEL_KEYS]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        # What is wrong with it is said when it is loaded.
        return []
    places = [one.get("checkpoint") if isinstance(one, dict) else one for one in named]
    return [place for place in places if isinstance(place, str) and not place.startswith(_OWN)]


def _identity_of(place: str) -> str:
    """Hash of a folder or a file, or id and revision of a repository on the hub."""
    path = Path(place)
    if path.is_dir():
        return _folder_hash(path)
    if path.is_file():
        return file_sha256(path)[:16]
    repository, _, revision = place.partition("@")
    if not _HUB_ID.fullmatch(repository):
        return place
    return f"{repository}@{revision or _hub_config(repository).parent.name}"


def _folder_hash(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        # Downloading tools keep their books, with dates, in hidden folders.
        if not name.startswith("."):
            whole.update(f"{name}\0{file_sha256(path)}\n".encode())
    return whole.hexdigest()[:16]


def _token() -> str | None:
    return next((os.environ[name] for name in _TOKENS if os.environ.get(name)), None)


@functools.lru_cache(maxsize=2)
def _load(source: str, revision: str | None, device: str) -> Any:
    # Read at import: pyannote.audio tells its makers what it is used on unless this says no.
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    import torch

    torch.set_num_threads(1)
    where = _device(device)
    pipeline_class, diarization_class = _classes()
    errors = _hub_errors(source) if revision else _folder_errors(source)
    with errors, warnings.catch_warnings():
        # Checkpoints of other versions of lightning and torch say so at length.
        warnings.simplefilter("ignore")
        pipeline = pipeline_class.from_pretrained(source, revision=revision, token=_token())
        if pipeline is not None:
            pipeline.to(where)
    if not isinstance(pipeline, diarization_class) or pipeline.klustering == "OracleClustering":
        raise ConfigurationError(
            f"pyannote: {source} is no pipeline that tells speakers apart; choose one such as {DEFAULT_SOURCE}"
        )
    # Otherwise the voices' embeddings are not handed out.
    pipeline.legacy = False
    return pipeline


def _classes() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            # It warns where torchcodec finds no ffmpeg; audio is decoded before it gets here.
            warnings.simplefilter("ignore")
            from pyannote.audio import Pipeline
            from pyannote.audio.pipelines import SpeakerDiarization
    except (ImportError, OSError) as error:
        raise ConfigurationError(
            f"pyannote: pyannote.audio can't be imported ({_line(error)}); torch and torchaudio have to be of one "
            "version and one kind (CUDA or CPU): pip install 'realtalk[pyannote]' into a fresh environment"
        ) from error
    return Pipeline, SpeakerDiarization


def _device(device: str) -> Any:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError("pyannote: device is cuda, and torch sees no GPU here; say device: auto, or cpu")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def _folder_errors(source: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        _raise_if_out_of_memory(error, source)
        raise ConfigurationError(
            f"pyannote: {source} can't be loaded ({type(error).__name__}: {_line(error)}); "
            "a file is missing or damaged: fetch the pipeline's folder again"
        ) from error


@contextlib.contextmanager
def _hub_errors(source: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        _raise_if_out_of_memory(error, source)
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in _REFUSED:
            why = "the token given has no access to it" if _token() else f"no token in {_TOKENS[0]}"
            raise ConfigurationError(
                f"pyannote: {source} can't be fetched: {why}; accept its conditions at https://hf.co/{source}, "
                f"create a token at https://hf.co/settings/tokens, and set {_TOKENS[0]} to it"
            ) from error
        if status == _NOT_FOUND:
            raise ConfigurationError(
                f"pyannote: the hub has no pipeline called {source}; the default is {DEFAULT_SOURCE}"
            ) from error
        raise ConfigurationError(
            f"pyannote: {source} can't be fetched from the Hugging Face hub ({type(error).__name__}: {_line(error)}); "
            "check the network, or download the pipeline elsewhere and name its folder"
        ) from error


def _raise_if_out_of_memory(error: Exception, source: str) -> None:
    if _is_out_of_memory(error):
        raise ConfigurationError(
            f"pyannote: not enough memory to load {source} ({_line(error)}); "
            "run with fewer workers, free the GPU, or say device: cpu"
        ) from error


def _is_out_of_memory(error: BaseException) -> bool:
    # torch.OutOfMemoryError is a RuntimeError; on a CPU the allocator says it in words.
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words


def _line(error: BaseException) -> str:
    """The first line of what an error says, short."""
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__

"""Whisper's models (Radford et al., 2023; github.com/openai/whisper): which one, who it is, and loading it.

Weights are a named model's, fetched once by openai-whisper, or a checkpoint file's: {"dims", "model_state_dict"}.
"""

import fcntl
import functools
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from schemas.errors import ConfigurationError, EpisodeError
from schemas.ids import file_sha256
from transforms.models.base import Needs
from transforms.models.choice import is_path, nearest

AUTO, FP16, FP32 = "auto", "fp16", "fp32"
_INSTALL = "pip install 'realtalk[whisper]'"
_SHOWN_DIGITS = 16
#: Of a machine: large-v3's 1.55 billion weights are 6.2 GB before they go to a GPU.
MEMORY_GB = 8
_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """Which Whisper: `model` a name ("turbo") or the path of a checkpoint; what it runs on, and in which precision.

    `device` is "auto" (a GPU where there is one), "cpu" or "cuda"; `precision` "fp16" (on a GPU only) or "fp32".
    """

    model: str
    device: str = AUTO
    precision: str = FP32

    @property
    def is_file(self) -> bool:
        return is_path(self.model)

    @property
    def identity(self) -> str:
        """The model's name, the hash of its weights, precision and version; nothing is loaded or fetched to tell it.

        Raises ConfigurationError where openai-whisper isn't installed or there is no such model or file.
        """
        check_installed()
        name = os.path.basename(self.model) if self.is_file else self.model
        package = version("openai-whisper")
        return f"whisper:{name} sha256:{self.sha256[:_SHOWN_DIGITS]} {self.precision} openai-whisper:{package}"

    @property
    def sha256(self) -> str:
        """Hash of the weights: of a named model the one that openai-whisper checks its download against."""
        if not self.is_file:
            return weights_address(self.model).split("/")[-2]
        try:
            status = os.stat(self.model)
            return _file_hash(self.model, status.st_size, status.st_mtime_ns)
        except OSError as error:
            raise ConfigurationError(
                f"{self.model}: no Whisper checkpoint can be read there ({error.strerror}); name the file, or a model "
                "such as turbo"
            ) from None

    @property
    def needs(self) -> Needs:
        """Of the machine: a GPU unless it was told to do without."""
        return Needs(accelerator=self.device != "cpu", memory_gb=MEMORY_GB)

    def load(self) -> Any:
        """The whisper.Whisper, loaded once in a process; raises ConfigurationError or EpisodeError with one line."""
        return _load(self)


def check_installed() -> None:
    """Raise ConfigurationError where openai-whisper isn't installed."""
    if importlib.util.find_spec("whisper") is None:
        raise ConfigurationError(f"Whisper is not installed; {_INSTALL}")


def device_of(device: str) -> str:
    """ "cuda" or "cpu"; raises ConfigurationError where a GPU is asked for and none is there."""
    import torch

    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ConfigurationError("models.device is cuda, and no GPU can be used here; write device: cpu, or auto")
    return ("cuda" if has_gpu else "cpu") if device == AUTO else device


def precision_of(precision: str, device: str) -> str:
    """ "fp16" or "fp32": where it is "auto", what the device is best at."""
    if precision != AUTO:
        return precision
    # Where a GPU is asked for there is one on the machines that work, whatever the one is that starts them.
    return FP16 if device == "cuda" or device_of(device) == "cuda" else FP32


@contextmanager
def memory_told(what: str) -> Iterator[None]:
    """Raise EpisodeError with one line where memory runs out inside the block."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise EpisodeError(
            f"out-of-memory: {what}: memory is not enough; take a smaller model (transcriber: whisper:base), "
            "precision: fp16 on a GPU, fewer workers, or device: cpu"
        ) from None


def is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _NO_MEMORY)


@functools.lru_cache(maxsize=2)
def _load(source: WhisperModel) -> Any:
    check_installed()
    import torch
    import whisper

    device = device_of(source.device)
    if device == "cpu":
        if source.precision == FP16:
            raise ConfigurationError("models.precision is fp16, which needs a GPU; write precision: fp32, or auto")
        torch.set_num_threads(1)
    sha256 = source.sha256
    file = source.model if source.is_file else _fetched(source.model)
    with memory_told(f"loading Whisper {source.model}"):
        try:
            model = whisper.load_model(file, device=device)
        except Exception as error:  # torch and pickle raise anything on a file that isn't theirs
            if is_out_of_memory(error):
                raise
            raise EpisodeError(
                f"whisper-model: {file} is no Whisper checkpoint ({_first_line(error)}); it has to hold dims and "
                "model_state_dict, as openai-whisper writes them"
            ) from None
        known = _heads_of(sha256)
        if known:
            model.set_alignment_heads(known)
            model.to(device)
        if source.precision == FP16:
            _halve(model)
    return model.eval()


def _halve(model: Any) -> None:
    """Weights that whisper would turn into 16 bits at each use, turned once; its norms stay in 32 bits."""
    import torch

    for module in model.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv1d)):
            module.half()


def _heads_of(sha256: str) -> bytes | None:
    """The heads that show where words are, of a model whose weights are known; None of any other."""
    import whisper

    return next((whisper._ALIGNMENT_HEADS[name] for name, url in whisper._MODELS.items() if sha256 in url), None)


def weights_address(name: str) -> str:
    """Where a named model is fetched from; raises ConfigurationError where there is none of that name."""
    import whisper

    if name not in whisper._MODELS:
        near = nearest(name, whisper.available_models())
        raise ConfigurationError(f"there is no Whisper model {name!r}; {near}, or name a checkpoint: ./model.pt")
    return str(whisper._MODELS[name])


def cache_folder() -> Path:
    """Where openai-whisper keeps what it fetched."""
    return Path(os.getenv("XDG_CACHE_HOME") or Path.home() / ".cache") / "whisper"


def _fetched(name: str) -> str:
    """The file of a named model, fetched where it isn't there yet."""
    import whisper

    cache = cache_folder()
    address = weights_address(name)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # whisper writes into the file itself: of two workers the second would cut off what the first has fetched.
        with open(cache / f".{name}.lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return str(whisper._download(address, str(cache), False))
    except (OSError, RuntimeError, TypeError) as error:
        raise EpisodeError(
            f"whisper-hub: Whisper {name} can't be fetched from {address} ({_first_line(error)}); put the file at "
            f"{cache / os.path.basename(address)}, or name another: whisper:./model.pt"
        ) from None


@functools.lru_cache(maxsize=8)
def _file_hash(path: str, size: int, modified: int) -> str:
    return file_sha256(path)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip().rstrip(".:") if lines else type(error).__name__

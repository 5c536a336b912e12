"""Calls of models, written down while a build makes them, and made again without the build."""

import pickle
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transforms.models.base import AlignmentError, Model

CALLS = ("stream", "embed_at", "align", "find", "transcribe", "score")


@dataclass(frozen=True)
class Recorded:
    """Makes a model that writes its calls into `folder`; pickles to a worker in place of what made the model alone."""

    make: Callable[[], Model]
    folder: str

    def __call__(self) -> Any:
        path = Path(self.folder, f"{uuid.uuid4().hex}.calls")
        with open(path, "wb") as file:
            pickle.dump(self.make, file)
        return RecordedModel(self.make(), path)


class RecordedModel:
    def __init__(self, model: Model, path: Path) -> None:
        self._model = model
        self._path = path

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._model, name)
        if name not in CALLS:
            return attribute

        def call(*arguments: Any) -> Any:
            if name == "stream":
                return attribute(self._noted(*arguments))
            self._note(name, arguments)
            return attribute(*arguments)

        return call

    def _noted(self, blocks: Iterable[Any]) -> Iterator[Any]:
        heard = []
        for block in blocks:
            heard.append(block)
            yield block
        self._note("stream", (heard,))

    def _note(self, name: str, arguments: tuple[Any, ...]) -> None:
        with open(self._path, "ab") as file:
            pickle.dump((name, arguments), file)


def replay(folder: Path) -> dict[str, float]:
    """CPU seconds of the same calls of the same models in this process, by model; loading it counts once each."""
    seconds: dict[str, float] = {}
    models: dict[Any, Any] = {}
    for path in sorted(folder.glob("*.calls")):
        with open(path, "rb") as file:
            make = pickle.load(file)
            while file.peek(1):
                name, arguments = pickle.load(file)
                began = time.process_time()
                model = models.setdefault(make, None) or make()
                models[make] = model
                _call(getattr(model, name), arguments)
                of = make.__name__
                seconds[of] = seconds.get(of, 0.0) + time.process_time() - began
    return seconds


def _call(method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        found = method(*arguments)
    except AlignmentError:
        return
    if isinstance(found, Iterator):
        for _ in found:
            pass

"""What is done for a version: one class a kind of target, each in its file."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from pipeline.watch.turns import Turn
from schemas.errors import RealtalkError
from schemas.manifest import Manifest


class TargetError(RealtalkError):
    """What a target was to do has failed; it may be tried again."""


class TargetStoppedError(RealtalkError):
    """Somebody stopped what was done; it isn't tried again without being asked for."""


@dataclass(frozen=True)
class Ready:
    """A version that is ready. `dataset` is the folder or URI, `start` counts how often this version was begun."""

    dataset: str
    manifest: Manifest
    start: int

    @property
    def version(self) -> str:
        """The version."""
        return self.manifest.version


class Target(ABC):
    """Something that is done once for each version."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What is done, in a few words and without secrets."""

    @abstractmethod
    def check(self, dataset: str) -> None:
        """Raises ConfigurationError where it could not be done for a dataset; asked before anything is waited for."""

    @abstractmethod
    def run(self, ready: Ready, turn: Turn) -> str:
        """Do it; returns how it ended, in a few words. Raises TargetError where it failed, or TargetStoppedError."""

"""A model that travels to workers: how to make it, and its identity."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from schemas.errors import ConfigurationError
from transforms.models.base import (
    Model,
    Needs,
)

M = TypeVar("M", bound=Model)


class OneModel(Generic[M]):
    """A model that is made on first use and stays; what travels to a worker is how to make it, and its identity."""

    def __init__(self, make: Callable[[], M]) -> None:
        self.make = make
        self._model: M | None = None
        self._identity: str | None = None

    @property
    def model(self) -> M:
        """Raises ConfigurationError where this machine has another model than the one that the identity is of."""
        if self._model is None:
            model = self.make()
            if self._identity not in (None, model.identity):
                raise ConfigurationError(
                    f"this worker's model is {model.identity}, the build's is {self._identity}; "
                    "install the same packages on every machine"
                )
            self._model = model
        return self._model

    @property
    def identity(self) -> str:
        """Of the model; where it is known already, no model is made to tell it."""
        if self._identity is None:
            self._identity = self.model.identity
        return self._identity

    @property
    def needs(self) -> Needs:
        """What the model wants of a machine; asked where the build is planned."""
        return self.model.needs

    def __getstate__(self) -> dict[str, Any]:
        return {"make": self.make, "_model": None, "_identity": self.identity}

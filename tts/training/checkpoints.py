"""What a training leaves behind: weights that speak, and a state that it goes on from."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from schemas.errors import RealtalkError
from tts.training.parts import Part
from tts.voice import ACOUSTIC_NAME, VOCODER_NAME, read_facts, write_facts, write_weights

STATE_FOLDER = "training"
WEIGHTS = {"acoustic": ACOUSTIC_NAME, "vocoder": VOCODER_NAME}


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a part is: `step`s taken, `batches` seen by all processes together, `seconds` it learned for."""

    step: int = 0
    batches: int = 0
    seconds: float = 0.0


def save(folder: Path, part: Part, reached: Reached) -> None:
    """Keep a part's weights and its state; each is whole or not there, and voice.json says how far it is."""
    write_weights(_state(folder, part.name), part.tensors(), {"reached": json.dumps(asdict(reached))})
    write_weights(folder / WEIGHTS[part.name], part.voice())
    with alone(folder):
        facts = read_facts(folder)
        steps = {**facts.steps, part.name: reached.step}
        minutes = {**facts.minutes, part.name: round(reached.seconds / 60, 3)}
        write_facts(folder, replace(facts, steps=dict(sorted(steps.items())), minutes=dict(sorted(minutes.items()))))


def resume(folder: Path, part: Part) -> Reached:
    """Go on from the state that a training left; from the beginning where it left none.

    Raises RealtalkError where the state is damaged, or of other networks.
    """
    path = _state(folder, part.name)
    if not path.exists():
        return Reached()
    try:
        with safe_open(str(path), framework="pt") as file:
            reached = Reached(**json.loads(file.metadata()["reached"]))
        part.load(load_file(str(path)))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        why = " ".join(str(error).split())[:160]
        raise RealtalkError(f"{path}: can't be gone on from ({why}); remove {path.parent} to begin anew") from error
    return reached


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder of a voice's states against the other part's process."""
    place = folder / STATE_FOLDER
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _state(folder: Path, part: str) -> Path:
    return folder / STATE_FOLDER / f"{part}.safetensors"

"""The voices that are served: those that torch runs, and those that were written as ONNX, which need no torch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tts.audio_files import Marks, marks_of
from tts.onnx.voice import ACOUSTIC_NAME, load_onnx_voice
from tts.onnx.voice import speak as speak_by_onnx
from tts.origin import Origin

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Served:
    """A voice: its sampling rate in Hz, what its files say of themselves, and `speak` as tts.synthesis has it, but for
    the voice."""

    name: str
    rate: int
    origin: Origin
    marks: Marks
    speak: Callable[..., Iterator[Floats]]


def load_served(folder: Path, device: str = "cpu") -> Served:
    """The voice in a folder, trained or written as ONNX, which a CPU runs; raises RealtalkError where there is none."""
    if (folder / ACOUSTIC_NAME).exists():
        exported = load_onnx_voice(folder)
        facts = exported.facts
        speak = partial(speak_by_onnx, exported)
        return Served(facts.name, facts.sampling_rate, facts.origin, marks_of(facts), speak)
    return _trained(folder, device)


def _trained(folder: Path, device: str) -> Served:
    import torch

    from tts.synthesis import speak
    from tts.voice import load_voice

    # As many threads as requests are computed at once; more of them would only wait for each other.
    torch.set_num_threads(1)
    voice = load_voice(folder, device)
    facts = voice.facts
    return Served(facts.name, facts.features.sampling_rate, facts.origin, marks_of(facts), partial(speak, voice))

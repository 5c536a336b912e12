"""The noise that a refiner begins with. Numpy alone, so that a voice sounds the same whatever runs it."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from tts.phones import Symbols

Floats = NDArray[np.float32]


def noise_of(symbols: Symbols, seed: int, mels: int, frames: int) -> Floats:
    """Normal noise for a sentence, float32 (mels, frames): the seed and the sentence decide it, not what was said
    before. More frames of it begin with the same ones."""
    content = b"|".join((str(seed).encode("ascii"), symbols.ids.tobytes(), symbols.marks.tobytes()))
    own = int.from_bytes(hashlib.sha256(content).digest()[:8], "big")
    drawn = np.random.default_rng(own).standard_normal((frames, mels), np.float32)
    return np.ascontiguousarray(drawn.T)

"""Cut consecutive blocks of samples into whole frames."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from transforms.models.base import Samples


def whole_frames(blocks: Iterable[Samples], frame: int) -> Iterator[NDArray[np.float32]]:
    """Arrays of shape (n, frame), n > 0, that hold the samples of the blocks in order; what is left over is dropped."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        samples = np.concatenate([rest, np.asarray(block, np.float32)])
        count = len(samples) // frame
        rest = samples[count * frame :]
        if count:
            yield samples[: count * frame].reshape(count, frame)

"""The file that a learned pronunciation model is: an .npz of plain integer arrays (no pickle).

The n-grams of all orders form a tree, written order by order: for each n-gram its last symbol, how many longer ones
continue it, and its two logarithms in steps of STEP nats.
"""

import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from schemas.errors import ConfigurationError
from transforms.text.graphones import Graphone
from transforms.text.ngrams import SYMBOL_BITS, Level

STEP = 0.1
_SYMBOL_MASK = (1 << SYMBOL_BITS) - 1


@dataclass(frozen=True, slots=True)
class GraphoneModel:
    """`graphones[k]` is symbol FIRST_SYMBOL + k of the n-gram levels; level n - 1 holds the n-grams of n symbols."""

    graphones: tuple[Graphone, ...]
    levels: tuple[Level, ...]


def write_model(model: GraphoneModel, path: Path) -> None:
    """Write the model; the same model gives the same bytes (of one zlib)."""
    symbols, children, probabilities, backoffs = [], [], [], []
    for level, longer in zip(model.levels, [*model.levels[1:], None], strict=True):
        symbols.append(level.keys & _SYMBOL_MASK)
        probabilities.append(np.clip(np.round(-level.log_probability / STEP), 0, 255))
        if longer is not None:
            places = np.searchsorted(level.keys, longer.keys >> SYMBOL_BITS)
            count = np.bincount(places, minlength=len(level.keys))
            children.append(count)
            backoffs.append(np.clip(np.round(-level.log_backoff[count > 0] / STEP), -128, 127))
    joined = np.concatenate(symbols)
    spelling = json.dumps([[letters, " ".join(phones)] for letters, phones in model.graphones], separators=(",", ":"))
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        graphones=np.frombuffer(spelling.encode("ascii"), np.uint8),
        sizes=np.array([len(level.keys) for level in model.levels], np.int32),
        # Two bytes apart compress better than pairs.
        symbols_low=(joined & 255).astype(np.uint8),
        symbols_high=(joined >> 8).astype(np.uint8),
        children=np.concatenate(children).astype(np.uint16),
        probabilities=np.concatenate(probabilities).astype(np.uint8),
        backoffs=np.concatenate(backoffs).astype(np.int8),
    )
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(buffer.getvalue())
    os.replace(temporary, path)


def read_model(path: Path) -> GraphoneModel:
    """Read a model; raises ConfigurationError where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        spelling: Sequence[tuple[str, str]] = json.loads(arrays["graphones"].tobytes())
        return GraphoneModel(tuple((letters, tuple(phones.split())) for letters, phones in spelling), _levels(arrays))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"pronunciation model {path} can't be read ({error}); reinstall realtalk, or make it anew with "
            "python -m transforms.text.train_pronunciation"
        ) from error


def _levels(arrays: dict[str, np.ndarray]) -> tuple[Level, ...]:
    symbols = arrays["symbols_low"].astype(np.int64) | (arrays["symbols_high"].astype(np.int64) << 8)
    levels: list[Level] = []
    begin = backoffs_read = 0
    parents = np.zeros(1, np.int64)
    for n, size in enumerate(arrays["sizes"].tolist(), start=1):
        place = slice(begin, begin + size)
        keys = symbols[place] if n == 1 else (parents << SYMBOL_BITS) | symbols[place]
        log_backoff = np.zeros(size)
        if n < len(arrays["sizes"]):
            children = arrays["children"][place]
            parents = np.repeat(keys, children)
            inner = np.flatnonzero(children)
            log_backoff[inner] = -STEP * arrays["backoffs"][backoffs_read : backoffs_read + len(inner)]
            backoffs_read += len(inner)
        levels.append(Level(keys, -STEP * arrays["probabilities"][place].astype(np.float64), log_backoff))
        begin += size
    return tuple(levels)

"""How likely words follow one another in English: the trigrams that pocketsphinx brings."""

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.errors import ConfigurationError

# pocketsphinx's logarithms are to this base.
_LOG_BASE = 1.0001
# Natural logarithm of the chance of a word that the model does not know: that of rare ones.
_UNKNOWN = -13.0
_ORDER = 3


def word_chance(word: str, before: Sequence[str] = ()) -> float:
    """Natural logarithm of the chance of a word after those `before` it, of which the last two count."""
    history = list(reversed(before[-(_ORDER - 1) :])) if before else []
    return max(float(english().prob([word, *history])) * math.log(_LOG_BASE), _UNKNOWN)


def text_chance(words: Sequence[str], start: int = 0) -> float:
    """Natural logarithm of the chance of the words from `start` on, each after those before it."""
    return sum(word_chance(words[k], words[max(k - _ORDER + 1, 0) : k]) for k in range(start, len(words)))


@functools.cache
def english() -> Any:
    """pocketsphinx's trigrams of English (NGramModel)."""
    import pocketsphinx

    nothing = pocketsphinx.Config(hmm=None, lm=None)
    return pocketsphinx.NGramModel(nothing, pocketsphinx.LogMath(), str(model_file("en-us.lm.bin")))


def model_file(name: str) -> Path:
    """A file of pocketsphinx's English model."""
    import pocketsphinx

    file = Path(pocketsphinx.get_model_path()) / "en-us" / name
    if not file.is_file():
        raise ConfigurationError(f"pocketsphinx's file {file} is missing; reinstall pocketsphinx")
    return file

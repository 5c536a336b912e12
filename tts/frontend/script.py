"""What a voice is given to speak: sentences of words with their phones, how each is said, and the silence after."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tts.phones import Symbols, symbols_of

Floats = NDArray[np.float32]

#: What a voice can do: times as fast, semitones, dB.
RATES, PITCHES, VOLUMES = (0.25, 4.0), (-12.0, 12.0), (-40.0, 20.0)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a word is said beside how the voice would: `rate` times as fast, `pitch` semitones higher, `volume` dB
    louder."""

    rate: float = 1.0
    pitch: float = 0.0
    volume: float = 0.0

    def within(self, outer: "Manner") -> "Manner":
        """Both together, and no further than a voice can follow, however deep markup is nested."""
        rate, pitch, volume = self.rate * outer.rate, self.pitch + outer.pitch, self.volume + outer.volume
        return Manner(_within(rate, RATES), _within(pitch, PITCHES), _within(volume, VOLUMES))


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


PLAIN = Manner()


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word as written, and its phones (ARPAbet without stress); () for what is written and not said."""

    text: str
    phones: tuple[str, ...]
    manner: Manner = PLAIN


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words that are said in one go. `pause`: seconds of silence after them; None as long as is natural."""

    words: tuple[SaidWord, ...]
    pause: float | None = None
    ends_paragraph: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it is said."""
        return not any(word.phones for word in self.words)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    def symbols(self) -> Symbols:
        """What the acoustic model reads."""
        return symbols_of((word.text, word.phones) for word in self.words)

    def rates(self) -> Floats:
        """The rate of each symbol, float32 (n,)."""
        return self._of_symbols(lambda manner: manner.rate)

    def pitches(self) -> Floats:
        """Semitones that each symbol is higher by, float32 (n,)."""
        return self._of_symbols(lambda manner: manner.pitch)

    def gains(self) -> Floats:
        """What the samples of each symbol are multiplied by, float32 (n,)."""
        return self._of_symbols(lambda manner: math.pow(10, manner.volume / 20))

    def _of_symbols(self, value: Callable[[Manner], float]) -> Floats:
        # A pause is said like the word that it follows, the first like the word that it stands before.
        said: Sequence[SaidWord] = [word for word in self.words if word.phones]
        values = [value(said[0].manner)] if said else [1.0]
        for word in said:
            values += [value(word.manner)] * (len(word.phones) + 1)
        return np.array(values, np.float32)

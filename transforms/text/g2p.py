"""Pronounces a word that no dictionary has: the most likely sequence of graphones that spells it.

Method: joint-sequence models (Bisani and Ney, 2008), searched with a beam from left to right.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.text.dictionary import Pronunciation
from transforms.text.graphone_model import GraphoneModel
from transforms.text.ngrams import BEGIN, END, FIRST_SYMBOL, SYMBOL_BITS

_IMPOSSIBLE = -1e9
_END = np.array([END], np.int64)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How wide the search is: hypotheses a letter, and how far (nats) one may lie behind the best."""

    beam: int = 10
    margin: float = 8.0


@dataclass(frozen=True, slots=True)
class _Hypotheses:
    """Ways to spell the same letters: the last symbols (keys), ln P, and all the symbols."""

    contexts: NDArray[np.int64]
    scores: NDArray[np.float32]
    paths: list[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Extension:
    """Hypotheses, the symbols that can follow them, and ln P of every pair, shape (hypotheses, symbols)."""

    source: _Hypotheses
    symbols: NDArray[np.int64]
    scores: NDArray[np.float32]


class GraphonePronouncer:
    """Spells words with the graphones of a model."""

    def __init__(self, model: GraphoneModel, settings: SearchSettings | None = None) -> None:
        self._graphones = model.graphones
        self._settings = settings or SearchSettings()
        self._order = len(model.levels)
        self._context_mask = _mask(self._order - 1)
        # Keys of shorter n-grams are smaller, so all orders together are sorted too.
        self._keys = np.concatenate([level.keys for level in model.levels])
        self._log_probability = np.concatenate([level.log_probability for level in model.levels]).astype(np.float32)
        self._log_backoff = np.concatenate([level.log_backoff for level in model.levels]).astype(np.float32)
        by_letters: dict[str, list[int]] = defaultdict(list)
        for symbol, (letters, _) in enumerate(model.graphones, start=FIRST_SYMBOL):
            by_letters[letters].append(symbol)
        self._symbols = {letters: np.array(symbols, np.int64) for letters, symbols in by_letters.items()}
        self._longest = max(len(letters) for letters in by_letters)

    def pronounce(self, word: str, count: int = 1) -> tuple[Pronunciation, ...]:
        """Up to `count` pronunciations, best first, of a word of a-z and apostrophes; () if it has none."""
        start = _Hypotheses(np.array([BEGIN], np.int64), np.zeros(1, np.float32), [()])
        reached = {0: start}
        for end in range(1, len(word) + 1):
            extensions = []
            for begin in range(max(0, end - self._longest), end):
                symbols = self._symbols.get(word[begin:end])
                source = reached.get(begin)
                if symbols is not None and source is not None:
                    scores = source.scores[:, None] + self._score(source.contexts, symbols)
                    extensions.append(_Extension(source, symbols, scores))
            if extensions:
                reached[end] = self._best(extensions)
        if len(word) not in reached:
            return ()
        return self._pronunciations(reached[len(word)], count)

    def _pronunciations(self, spelled: _Hypotheses, count: int) -> tuple[Pronunciation, ...]:
        scores = spelled.scores + self._score(spelled.contexts, _END)[:, 0]
        found: dict[Pronunciation, None] = {}
        for k in np.argsort(-scores, kind="stable"):
            symbols = spelled.paths[k]
            phones = tuple(phone for symbol in symbols for phone in self._graphones[symbol - FIRST_SYMBOL][1])
            if phones:
                found[phones] = None
        return tuple(found)[:count]

    def _best(self, extensions: list[_Extension]) -> _Hypotheses:
        """The likeliest extensions, one for each context: those that share it have the same future."""
        scores = np.concatenate([extension.scores.ravel() for extension in extensions])
        contexts = np.concatenate(
            [((e.source.contexts[:, None] << SYMBOL_BITS) & self._context_mask | e.symbols).ravel() for e in extensions]
        )
        owners = [(e, row, symbol) for e in extensions for row in range(len(e.source.paths)) for symbol in e.symbols]
        order = np.argsort(-scores, kind="stable")
        floor = scores[order[0]] - self._settings.margin
        chosen: dict[int, int] = {}
        for k in order.tolist():
            if len(chosen) == self._settings.beam or scores[k] < floor:
                break
            chosen.setdefault(int(contexts[k]), k)
        places = list(chosen.values())
        paths = []
        for k in places:
            extension, row, symbol = owners[k]
            paths.append((*extension.source.paths[row], int(symbol)))
        return _Hypotheses(contexts[places], scores[places], paths)

    def _score(self, contexts: NDArray[np.int64], symbols: NDArray[np.int64]) -> NDArray[np.float32]:
        """ln P(symbol | context), shape (contexts, symbols), from the longest n-gram that the model has."""
        result = np.full((len(contexts), len(symbols)), _IMPOSSIBLE, np.float32)
        backoff = np.zeros(len(contexts), np.float32)
        missing = np.ones(result.shape, np.bool_)
        for n in range(self._order, 0, -1):
            context = contexts & _mask(n - 1)
            # At the beginning of a word there are fewer than n - 1 symbols to look at.
            long_enough = context >> (SYMBOL_BITS * (n - 2)) > 0 if n > 1 else np.ones(len(contexts), np.bool_)
            if not long_enough.any():
                continue
            grams = (context[:, None] << SYMBOL_BITS) | symbols
            place = np.minimum(np.searchsorted(self._keys, grams), len(self._keys) - 1)
            found = missing & long_enough[:, None] & (self._keys[place] == grams)
            result[found] = (self._log_probability[place] + backoff[:, None])[found]
            missing &= ~found
            if n == 1 or not missing.any():
                break
            place = np.minimum(np.searchsorted(self._keys, context), len(self._keys) - 1)
            backoff += np.where(long_enough & (self._keys[place] == context), self._log_backoff[place], np.float32(0))
        return result


def _mask(symbols: int) -> int:
    return (1 << (SYMBOL_BITS * symbols)) - 1

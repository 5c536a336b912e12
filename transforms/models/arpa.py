"""A small trigram language model of a few sentences, in the ARPA text format that recognisers read."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

# Share of each n-gram's count that goes to what was not seen (absolute discounting: Ney, Essen and Kneser, 1994).
_DISCOUNT = 0.5
_ORDER = 3
# ARPA's way to say never: log10 of the probability of what only ever begins a sentence.
_NEVER = -99.0
_BEGIN = "<s>"
_END = "</s>"

_Gram = tuple[str, ...]


def write_arpa(sentences: Iterable[Sequence[str]]) -> str:
    """Text of a back-off trigram model (absolute discounting) of sentences of words; at least one must have a word."""
    counts: list[Counter[_Gram]] = [Counter() for _ in range(_ORDER)]
    for sentence in sentences:
        if not sentence:
            continue
        line = (_BEGIN, *sentence, _END)
        for order in range(1, _ORDER + 1):
            counts[order - 1].update(line[i : i + order] for i in range(len(line) - order + 1))
    if not counts[0]:
        raise ValueError("no sentence has a word")
    tables = _probabilities(counts)
    lines = ["\\data\\", *(f"ngram {order}={len(table)}" for order, table in enumerate(tables, start=1)), ""]
    for order, table in enumerate(tables, start=1):
        lines.append(f"\\{order}-grams:")
        lines += [_line(gram, *table[gram], last=order == _ORDER) for gram in sorted(table)]
        lines.append("")
    lines += ["\\end\\", ""]
    return "\n".join(lines)


def _probabilities(counts: Sequence[Counter[_Gram]]) -> list[dict[_Gram, tuple[float, float]]]:
    """For each order, log10 probability and log10 back-off weight of each n-gram."""
    said = sum(count for (word,), count in counts[0].items() if word != _BEGIN)
    probability = {gram: count / said for gram, count in counts[0].items() if gram != (_BEGIN,)}
    tables: list[Iterable[_Gram]] = [counts[0], *counts[1:]]
    backoff: dict[_Gram, float] = {}
    for table in counts[1:]:
        followers: dict[_Gram, list[_Gram]] = defaultdict(list)
        for gram in sorted(table):
            followers[gram[:-1]].append(gram)
        for history, grams in followers.items():
            total = sum(table[gram] for gram in grams)
            spare = _DISCOUNT * len(grams) / total
            for gram in grams:
                probability[gram] = (table[gram] - _DISCOUNT) / total
            unseen = 1.0 - sum(probability[gram[1:]] for gram in grams)
            backoff[history] = spare / unseen if unseen > 1e-9 else 1.0
    return [
        {gram: (_log10(probability.get(gram)), _log10(backoff.get(gram, 1.0))) for gram in table} for table in tables
    ]


def _log10(value: float | None) -> float:
    return _NEVER if value is None or value <= 0 else max(math.log10(value), _NEVER)


def _line(gram: _Gram, probability: float, backoff: float, last: bool) -> str:
    text = f"{probability:.4f}\t{' '.join(gram)}"
    return text if last else f"{text}\t{backoff:.4f}"

"""How the scores of candidates are spread, in bins that are the same everywhere: histograms of episodes add up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

#: Column: least, most, bins between. What lies outside of them is counted in one bin more on either side.
BINS: Mapping[str, tuple[float, float, int]] = MappingProxyType(
    {
        "duration": (0.0, 30.0, 60),
        "speaker_similarity": (0.0, 1.0, 50),
        "speaker_purity": (0.0, 1.0, 50),
        "overlap": (0.0, 1.0, 50),
        "text_score": (0.0, 1.0, 50),
        "alignment_score": (-15.0, 0.0, 60),
        "coverage": (0.0, 1.0, 50),
        "chars_per_second": (0.0, 40.0, 80),
        "snr_db": (-20.0, 100.0, 120),
        "dnsmos_ovrl": (1.0, 5.0, 80),
        "dnsmos_sig": (1.0, 5.0, 80),
        "dnsmos_bak": (1.0, 5.0, 80),
        "loudness_lufs": (-70.0, 0.0, 70),
        "clipped": (0.0, 0.02, 40),
        "bandwidth_hz": (0.0, 24_000.0, 48),
        "leading_silence": (0.0, 2.0, 40),
        "trailing_silence": (0.0, 2.0, 40),
        "no_speech": (0.0, 1.0, 50),
        "log_probability": (-3.0, 0.0, 60),
        "language_probability": (0.0, 1.0, 50),
        "disagreement": (0.0, 1.0, 50),
        "silent_words": (0.0, 1.0, 50),
        "compression_ratio": (0.0, 10.0, 50),
        "repeated_words": (0.0, 1.0, 50),
        "stock_words": (0.0, 1.0, 50),
        "other_script": (0.0, 1.0, 50),
    }
)
LEAST, MOST = "least", "most"
_SECOND = 1_000_000


def edges_of(column: str) -> NDArray[np.float64]:
    """The edges between the bins of a column, shape (bins + 1,), in numbers as people write them."""
    least, most, bins = BINS[column]
    return np.round(np.linspace(least, most, bins + 1), 6)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Clips and microseconds by bin, shape (bins + 2,): below the edges, between them, above.

    `kept` are chosen clips, `all` every candidate, `only_this` those that nothing but this column speaks against.
    """

    kept: tuple[Counts, Counts]
    all: tuple[Counts, Counts]
    only_this: tuple[Counts, Counts]

    def __add__(self, other: "Histogram") -> "Histogram":
        kept, everything, only = (
            (mine[0] + theirs[0], mine[1] + theirs[1])
            for mine, theirs in zip(self._parts(), other._parts(), strict=True)
        )
        return Histogram(kept, everything, only)

    def _parts(self) -> tuple[tuple[Counts, Counts], ...]:
        return self.kept, self.all, self.only_this


def histogram(
    column: str,
    side: str,
    values: NDArray[np.float64],
    microseconds: Counts,
    is_kept: NDArray[np.bool_],
    is_only_this: NDArray[np.bool_],
) -> Histogram:
    """The histogram of a column's values (NaN: no score, in no bin), each of a clip of so many `microseconds`.

    A value on an edge passes a limit there: for limits of the `side` "least" it is in the bin above, of "most" below.
    """
    edges = edges_of(column)
    known = ~np.isnan(values)
    place = np.searchsorted(edges, values, side="right" if side == LEAST else "left")

    def counted(which: NDArray[np.bool_]) -> tuple[Counts, Counts]:
        chosen = which & known
        size = len(edges) + 1
        seconds = np.zeros(size, np.int64)
        np.add.at(seconds, place[chosen], microseconds[chosen])
        return np.bincount(place[chosen], minlength=size).astype(np.int64), seconds

    return Histogram(counted(is_kept), counted(np.ones(len(values), np.bool_)), counted(is_only_this))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What another limit on one side of a column gives: clips and seconds, all other limits as they are."""

    side: str
    limit: float
    clips: int
    seconds: float
    delta_clips: int
    delta_seconds: float


def what_ifs(
    column: str, found: Histogram, kept: tuple[int, int], side: str, limit: float, steps: int = 6
) -> Iterator[WhatIf]:
    """Exactly what limits on the `steps` edges on either side of the one in force ("least" or "most") give.

    `found` is the histogram for that side, `kept` clips and microseconds of all that is chosen, with a score or
    without. All other limits stay as they are.
    """
    edges = edges_of(column)
    at = int(np.searchsorted(edges, limit))
    exact = at < len(edges) and edges[at] == limit
    clips, seconds = kept
    for number in (*range(max(0, at - steps), at), *range(at + exact, min(len(edges), at + exact + steps))):
        is_looser = (edges[number] < limit) == (side == LEAST)
        if side == LEAST:
            moved = slice(number + 1, at + 1) if is_looser else slice(0, number + 1)
        else:
            moved = slice(at + exact, number + 1) if is_looser else slice(number + 1, None)
        source, sign = (found.only_this, 1) if is_looser else (found.kept, -1)
        count, length = (sign * int(part[moved].sum()) for part in source)
        yield WhatIf(side, float(edges[number]), clips + count, (seconds + length) / _SECOND, count, length / _SECOND)


def plain(
    column: str, found: Mapping[str, Histogram], kept: tuple[int, int], limits: Sequence[tuple[str, float]]
) -> dict[str, Any]:
    """As report.json has it: `found` by side, `limits` (side, value) in force.

    The first and the last bin hold what is outside of the edges. Clips without a score are in no bin.
    """
    shown = next(iter(found.values()))
    return {
        "column": column,
        "edges": edges_of(column).tolist(),
        "kept_clips": shown.kept[0].tolist(),
        "kept_seconds": (shown.kept[1] / _SECOND).tolist(),
        "all_clips": shown.all[0].tolist(),
        "all_seconds": (shown.all[1] / _SECOND).tolist(),
        "thresholds": [{"side": side, "value": value} for side, value in limits],
        "what_if": [asdict(one) for side, value in limits for one in what_ifs(column, found[side], kept, side, value)],
    }

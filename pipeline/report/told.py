"""What report.json says of the candidates that were counted. All is in seconds; hours are left to who reads it."""

import math
from typing import Any

from pipeline.report.histograms import BINS, plain
from pipeline.report.picks import RANDOM
from pipeline.report.statistics import SECOND, Statistics, Tally, limits_of, sides_of
from schemas.verdict import Thresholds

_DOUBT = 0.05
_RAREST = 20


def report_of(found: Statistics, thresholds: Thresholds) -> dict[str, Any]:
    """What report.json says of the candidates; hours are left to who reads it: all is in seconds."""
    limits = limits_of(thresholds)
    sample = found.picks.get(RANDOM, ())
    size = len(sample)
    clips, seconds = found.kept
    return {
        "candidates": tally(found.candidates),
        "kept": tally(found.kept),
        "splits": {name: tally(one) for name, one in sorted(found.splits.items())},
        "reasons": [
            {"code": code, **tally(one)}
            for code, one in sorted(found.reasons.items(), key=lambda item: (-item[1][1], item[0]))
        ],
        "distributions": [
            plain(
                column,
                {side: found.histograms[column, side] for side in sides_of(column, limits)},
                found.kept,
                limits.get(column, []),
            )
            for column in BINS
        ],
        "sample": {
            "size": size,
            "clips": [clip for _, clip, _ in sample],
            "confidence": 1 - _DOUBT,
            "most_faulty_share": most_faulty_share(size),
        },
        "coverage": {
            "seconds": seconds / SECOND,
            "clips": clips,
            "words": found.words.total(),
            "vocabulary": len(found.words),
            "phones": dict(sorted(found.phones.items())),
            "diphones": dict(sorted(found.diphones.items())),
            "rarest_diphones": [
                pair for pair, _ in sorted(found.diphones.items(), key=lambda item: (item[1], item[0]))[:_RAREST]
            ],
            "duplicates": found.duplicates,
        },
        "rights": {
            "licenses": [
                {"license": name, "source": source, **tally(one)}
                for (name, source), one in sorted(found.licenses.items())
            ],
            "clips_without_license": sum(one[0] for (name, _), one in found.licenses.items() if not name),
        },
    }


def most_faulty_share(heard: int) -> float:
    """The largest share of faulty clips with which a random sample of `heard` has none in one case of twenty."""
    return round(1 - math.pow(_DOUBT, 1 / heard), 4) if heard else 1.0


def tally(counted: Tally) -> dict[str, float]:
    """Clips and seconds."""
    return {"clips": counted[0], "seconds": counted[1] / SECOND}

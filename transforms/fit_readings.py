"""Tokens aligned in the readings that fit the sound best: a number or an abbreviation may be said in several ways."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.text import Token
from transforms.models.base import Aligner, Alignment, AlignmentError, Samples
from transforms.said import Reading
from transforms.text.spoken import alternatives

# Other readings of a token that are tried, and what one must gain (log-likelihood a frame).
_MOST_READINGS = 4
_READING_GAIN = 0.02

Fitted = tuple[tuple[Reading, ...], Alignment]


def fit(aligner: Aligner, samples: Samples, readings: Sequence[Reading]) -> Fitted:
    """The readings put in time; raises AlignmentError."""
    return tuple(readings), aligner.align(samples, [word for reading in readings for word in reading.spoken])


def refined(
    aligner: Aligner, samples: Samples, tokens: Sequence[Token], fitted: Fitted, language: str, least_score: float
) -> Fitted:
    """The readings that fit best: those of a word below `least_score` are tried otherwise (`language`: a code)."""
    best = fitted
    for place, reading in enumerate(fitted[0]):
        if _score(best, place) >= least_score or not reading.whole:
            continue
        for spoken in alternatives(tokens[reading.place], language)[:_MOST_READINGS]:
            now = best[0]
            try:
                other = fit(aligner, samples, (*now[:place], replace(now[place], spoken=spoken), *now[place + 1 :]))
            except AlignmentError:
                continue
            if other[1].score > best[1].score + _READING_GAIN:
                best = other
    return best


def _score(fitted: Fitted, place: int) -> float:
    """Of the worst spoken word of a reading."""
    readings, alignment = fitted
    first = sum(len(reading.spoken) for reading in readings[:place])
    return min(word.score for word in alignment.words[first : first + len(readings[place].spoken)])

"""A publisher's transcript as one line of spoken words, each with the time and the label that its caption gives it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.text import Caption, Token
from transforms.text.spoken import spoken_words, tokenise_many

# How fast people talk, for captions that don't say when they end (letters and spaces a second).
_LETTERS_PER_SECOND = 15.0
# An end that is not given is the next caption's start, but no later than this many times the text's own length.
_SLOWEST = 2.0
# Captions longer than this (s) say too little of when a word is said.
_LONGEST_TIMED_CAPTION = 20.0


@dataclass(frozen=True, slots=True)
class Script:
    """All that is said according to a transcript.

    `words` are the spoken words, `token_of` the token of each, `labels` the speaker named for each token, `times` about
    when each spoken word is said by the captions (seconds, shape (n,)); where `timed` is false the times only count
    the length of the text before.
    """

    tokens: tuple[Token, ...]
    words: tuple[str, ...]
    token_of: tuple[int, ...]
    labels: tuple[str, ...]
    times: NDArray[np.float64]
    timed: bool

    def label(self, word: int) -> str:
        """The speaker that the captions name for a spoken word."""
        return self.labels[self.token_of[word]]


def read_script(captions: Sequence[Caption], language: str = "en") -> Script:
    """The captions in their order, tokenised as one text of a language (a code or tag such as "de")."""
    tokenised = tokenise_many([caption.text for caption in captions], language)
    tokens = tuple(token for line in tokenised for token in line)
    spoken = spoken_words(tokens)
    labels = tuple(caption.speaker for caption, line in zip(captions, tokenised, strict=True) for _ in line)
    lengths = [np.array([len(word) + 1 for token in line for word in token.spoken], np.float64) for line in tokenised]
    timed = _is_timed(captions, lengths)
    times = _caption_times(captions, lengths) if timed else _reading_times(lengths)
    return Script(
        tokens=tokens,
        words=tuple(word for word, _ in spoken),
        token_of=tuple(token for _, token in spoken),
        labels=labels,
        times=times,
        timed=timed,
    )


def spoken_sentences(captions: Sequence[Caption]) -> tuple[tuple[str, ...], ...]:
    """The spoken words of each caption."""
    tokenised = tokenise_many([caption.text for caption in captions])
    return tuple(tuple(word for token in line for word in token.spoken) for line in tokenised)


def _is_timed(captions: Sequence[Caption], lengths: Sequence[NDArray[np.float64]]) -> bool:
    """Whether at least half of the text is in captions whose times say where in them a word is."""
    known = sum(
        float(length.sum())
        for caption, length, end in zip(captions, lengths, _ends(captions, lengths), strict=True)
        if caption.start is not None and end - caption.start <= _LONGEST_TIMED_CAPTION
    )
    return known > 0 and 2 * known >= sum(float(length.sum()) for length in lengths)


def _caption_times(captions: Sequence[Caption], lengths: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    times: list[NDArray[np.float64]] = []
    latest = 0.0
    for caption, length, end in zip(captions, lengths, _ends(captions, lengths), strict=True):
        start = latest if caption.start is None else caption.start
        middles = np.cumsum(length) - length / 2
        times.append(start + max(end - start, 0.0) * middles / max(float(length.sum()), 1.0))
        latest = max(end, start)
    return np.concatenate(times) if times else np.zeros(0)


def _ends(captions: Sequence[Caption], lengths: Sequence[NDArray[np.float64]]) -> list[float]:
    """When each caption ends, as it says or as the next one and the length of its text let suppose."""
    ends: list[float] = []
    following = None
    for caption, length in zip(reversed(captions), reversed(lengths), strict=True):
        own = float(length.sum()) / _LETTERS_PER_SECOND
        start = caption.start
        if start is None:
            ends.append(0.0 if following is None else following)
        elif caption.end is not None and caption.end > start:
            ends.append(caption.end)
        elif following is not None and following > start:
            ends.append(
                min(following, start + max(_SLOWEST * own, own + 1.0)) if own < _LONGEST_TIMED_CAPTION else following
            )
        else:
            ends.append(start + own)
        following = start if start is not None else following
    return ends[::-1]


def _reading_times(lengths: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    length = np.concatenate(lengths) if lengths else np.zeros(0)
    return (np.cumsum(length) - length / 2) / _LETTERS_PER_SECOND

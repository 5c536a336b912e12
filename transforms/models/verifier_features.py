"""What trees judge a word of a text by: how well it fits the audio, and how much better its rivals would.

Scores are natural log-likelihoods relative to the best state of the model in each frame, so they compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from transforms.models.english_order import word_chance
from transforms.models.sphinx_decoder import Segment
from transforms.models.sphinx_edits import LANGUAGE_WEIGHT, language_gain

# Features of a word itself, then those of the words beside it.
_OWN = (
    "gop", "worst", "second_worst", "deficit", "worst_deficit", "relative", "score", "agreement", "frames", "phones",
    "longest_phone", "first_phone", "last_phone",
)  # fmt: skip
_BESIDE = ("gop", "worst", "first_phone", "last_phone", "longest_phone")
_GAPS = ("gap_before", "heard_before", "gap_after", "heard_after")
# Of each rival text: whether it holds the word; how its phones fit over the word's frames (sum and mean), and over the
# words beside it too; the share of frames with the same phone; its words before, within and after that are not ours.
# Of the stretch of a rival's other words that a word is in or beside: how much better it fits than the text there,
# with all that is between words, how much likelier it is English, both together, and how many more words it has.
_RIVAL = (
    "held", "gain", "mean_gain", "wide_gain", "alike", "more_before", "instead", "more_after",
    "fits_better", "likelier", "better", "longer",
)  # fmt: skip
_RIVALS = ("english", "edited")
# How likely a word is English: how much likelier after the word before it and for the one after it than by itself, and
# by the trigrams that hold it. Not by itself: a rare word is no wrong one.
_LANGUAGE = ("follows", "is_followed", "fluent")
FEATURES = (
    *_OWN,
    *_GAPS,
    *(f"{side}_{name}" for side in ("before", "after") for name in _BESIDE),
    "clip_gop",
    "clip_worst",
    *_LANGUAGE,
    *(f"{rival}_{name}" for rival in _RIVALS for name in _RIVAL),
    *(f"{rival}_{side}_held" for rival in _RIVALS for side in ("before", "after")),
    *(f"{rival}_share_held" for rival in _RIVALS),
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text aligned to the audio: its words, and all segments with what is between words."""

    words: tuple[Segment, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Rival:
    """Words that may be said instead, and the same aligned like the text; None where that failed."""

    words: tuple[Segment, ...]
    fitted: Fitted | None


def word_features(words: Sequence[Segment], loop: Sequence[Segment]) -> NDArray[np.float64]:
    """FEATURES of aligned words with phones, beside the phones that fit best; shape (words, features)."""
    count = max(words[-1].end, loop[-1].end)
    rival = np.zeros(count)
    names = np.full(count, "SIL", dtype=object)
    for segment in loop:
        rival[segment.first : segment.end] = segment.score / max(segment.frames, 1)
        names[segment.first : segment.end] = segment.text
    own = np.array([_own(word, rival, names) for word in words])
    gop, worst = own[:, _OWN.index("gop")], own[:, _OWN.index("worst")]
    clip_gop, clip_worst = float(np.median(gop)), float(np.median(worst))
    own[:, _OWN.index("relative")] = gop - clip_gop
    edges = [0, *(edge for word in words for edge in (word.first, word.end)), count]
    gaps = np.array([(edges[k + 1] - edges[k], _heard(names, edges[k], edges[k + 1])) for k in range(0, len(edges), 2)])
    beside = own[:, [_OWN.index(name) for name in _BESIDE]]
    usual = np.median(beside, axis=0)
    before = np.vstack([usual, beside[:-1]])
    after = np.vstack([beside[1:], usual])
    whole = np.tile([clip_gop, clip_worst], (len(words), 1))
    return np.hstack([own, gaps[:-1], gaps[1:], before, after, whole])


def _own(word: Segment, rival: NDArray[np.float64], names: NDArray[np.object_]) -> list[float]:
    phones = word.phones
    lacks = np.array([phone.score - rival[phone.first : phone.end].sum() for phone in phones])
    frames = np.array([max(phone.frames, 1) for phone in phones])
    means = lacks / frames
    ordered = np.sort(means)
    same = sum(int(np.count_nonzero(names[phone.first : phone.end] == phone.text)) for phone in phones)
    return [
        float(lacks.sum() / frames.sum()),
        float(ordered[0]),
        float(ordered[min(1, len(ordered) - 1)]),
        float(lacks.sum()),
        float(lacks.min()),
        0.0,
        word.score / max(word.frames, 1),
        same / float(frames.sum()),
        float(frames.sum()),
        float(len(phones)),
        float(frames.max()),
        float(means[0]),
        float(means[-1]),
    ]


def _heard(names: NDArray[np.object_], start: int, end: int) -> int:
    """Frames of a gap between words in which something else than silence fits best."""
    return int(np.count_nonzero(names[start:end] != "SIL"))


def language_features(words: Sequence[str]) -> NDArray[np.float64]:
    """How likely each word is where it is in English; shape (words, features)."""
    alone = [word_chance(word) for word in words]
    after = [word_chance(word, words[max(k - 1, 0) : k]) for k, word in enumerate(words)]
    follows = [chance - own if k else 0.0 for k, (chance, own) in enumerate(zip(after, alone, strict=True))]
    fluent = [word_chance(word, words[max(k - 2, 0) : k]) for k, word in enumerate(words)]
    held = [sum(fluent[k : k + 3]) / len(fluent[k : k + 3]) for k in range(len(words))]
    return np.column_stack([follows, [*follows[1:], 0.0], held])


def rival_features(own: Fitted, rivals: Sequence[Rival]) -> NDArray[np.float64]:
    """What rival texts say of aligned words; shape (words, features), in the order of FEATURES."""
    words = own.words
    found = [np.hstack([_rival_columns(words, rival), _stretch_columns(own, rival)]) for rival in rivals]
    held = [columns[:, _RIVAL.index("held")] for columns in found]
    beside = [side for one in held for side in (np.r_[1.0, one[:-1]], np.r_[one[1:], 1.0])]
    shares = [np.full(len(words), one.mean()) for one in held]
    return np.hstack([*found, np.column_stack(beside), np.column_stack(shares)])


def _stretch_columns(own: Fitted, rival: Rival) -> NDArray[np.float64]:
    """The last four of _RIVAL; of two stretches beside a word the better one."""
    words, columns = own.words, np.zeros((len(own.words), 4))
    if rival.fitted is None:
        return columns
    theirs, text = rival.fitted.words, [word.text for word in words]
    partners = _partners(words, theirs)
    ordered = [(i, j) for i, j in enumerate(partners) if j >= 0 and j not in partners[:i]]
    matched = [(-1, -1), *ordered, (len(words), len(theirs))]
    gain = _cumulated(rival.fitted, own)
    for (i, j), (after, other_after) in pairwise(matched):
        if after - i == 1 and other_after - j == 1:
            continue
        first = min(words[i].first, theirs[j].first) if i >= 0 else 0
        end = max(words[after].end, theirs[other_after].end) if after < len(words) else len(gain) - 1
        fits_better = gain[end] - gain[first]
        instead = [word.text for word in theirs[j + 1 : other_after]]
        likelier = language_gain(text, i + 1, after, instead)
        better = fits_better / LANGUAGE_WEIGHT + likelier
        longer = len(instead) - (after - i - 1)
        # Between two words that the rival has too, what it has more is beside both.
        inside = range(i + 1, after) if after - i > 1 else range(max(i, 0), min(after + 1, len(words)))
        for place in inside:
            if not columns[place].any() or better > columns[place, 2]:
                columns[place] = fits_better, likelier, better, longer
    return columns


def _cumulated(better: Fitted, worse: Fitted) -> NDArray[np.float64]:
    """By how much one alignment fits better than another up to each frame."""
    count = max(fitted.segments[-1].end for fitted in (better, worse))
    one, other = (_score_by_frame(fitted.segments, count) for fitted in (better, worse))
    return np.concatenate([[0.0], np.cumsum(one - other)])


def _score_by_frame(segments: Sequence[Segment], count: int) -> NDArray[np.float64]:
    scores = np.zeros(count)
    for phone in (phone for segment in segments for phone in segment.phones):
        scores[phone.first : phone.end] = phone.score / max(phone.frames, 1)
    return scores


def _rival_columns(words: Sequence[Segment], rival: Rival) -> NDArray[np.float64]:
    aligned = rival.fitted.words if rival.fitted else ()
    count = max(segment.end for segment in (*words, *aligned))
    ours, our_names = _by_frame(words, count)
    theirs, names = _by_frame(aligned, count) if aligned else (ours, our_names)
    both = (our_names != "") & (names != "")
    gain = np.concatenate([[0.0], np.cumsum(np.where(both, theirs - ours, 0.0))])
    alike = np.concatenate([[0.0], np.cumsum(both & (names == our_names))])
    partners = _partners(words, rival.words)
    before, instead = _unmatched(words, rival.words, partners)
    last = len(words) - 1
    return np.array(
        [
            (
                float(partners[i] >= 0),
                gain[word.end] - gain[word.first],
                (gain[word.end] - gain[word.first]) / max(word.frames, 1),
                gain[words[min(i + 1, last)].end] - gain[words[max(i - 1, 0)].first],
                (alike[word.end] - alike[word.first]) / max(word.frames, 1),
                before[i],
                instead[i],
                before[i + 1],
            )
            for i, word in enumerate(words)
        ]
    )


def _by_frame(words: Sequence[Segment], count: int) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Mean score and name of the phone at each frame; 0 and "" outside of words."""
    scores, names = np.zeros(count), np.full(count, "", dtype=object)
    for phone in (phone for word in words for phone in word.phones):
        scores[phone.first : phone.end] = phone.score / max(phone.frames, 1)
        names[phone.first : phone.end] = phone.text
    return scores, names


def _partners(words: Sequence[Segment], others: Sequence[Segment]) -> list[int]:
    """For each word the place of the same word at the same time (half of the shorter one) in a rival; -1 for none."""
    return [
        next((j for j, other in enumerate(others) if other.text == word.text and _is_together(word, other)), -1)
        for word in words
    ]


def _is_together(one: Segment, other: Segment) -> bool:
    shared = min(one.end, other.end) - max(one.first, other.first)
    return 2 * shared >= max(min(one.frames, other.frames), 1)


def _unmatched(
    words: Sequence[Segment], others: Sequence[Segment], partners: Sequence[int]
) -> tuple[list[int], list[int]]:
    """How many of a rival's words that are not ours lie in each gap (one more than words), and in each word.

    Beside a word that the rival has too, none lies in it: what is heard there is heard in the gap.
    """
    gaps, inside = [0] * (len(words) + 1), [0] * len(words)
    middles = np.array([(word.first + word.end) / 2 for word in words])
    for j, other in enumerate(others):
        if j in partners:
            continue
        middle = (other.first + other.end) / 2
        at = next((i for i, word in enumerate(words) if word.first <= middle < word.end and partners[i] < 0), None)
        if at is None:
            gaps[int(np.searchsorted(middles, middle))] += 1
        else:
            inside[at] += 1
    return gaps, inside

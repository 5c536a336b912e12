"""Aligned words become utterances: only phrases that are whole, sure, and the target's, from pause to pause."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from schemas.text import Phone, Utterance, Word, worst
from schemas.turn import Span
from transforms.models.loud import LOUD_FRAME_SECONDS
from transforms.passages import Passage
from transforms.said import SaidPassage, SaidWord

# A silence this long (s) between two words divides phrases.
PAUSE_SECONDS = 0.08
# More speech than this (s) on end, outside words, is a word that the text lacks.
_UNCOVERED_SECONDS = 0.15
_HOLE_FRAMES = 3
# Words end a little later than an aligner says, and begin a little earlier.
WORD_PAD_SECONDS = 0.06
# Words may reach this far (s) over an edge of the target's spans where speech runs on.
_EDGE_SECONDS = 0.08
# Utterances with a shorter pause (s) between them touch.
_TOUCHING_SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class Limits:
    """What a phrase must score, and its words (mean log-likelihood a frame).

    `word_deficit` is what a word may lack to the phrase's limit, summed over its frames: short words vary more.
    """

    phrase_score: float
    word_score: float
    word_deficit: float

    def is_unlikely(self, word: Word) -> bool:
        """Whether a word scores so low that another may be said there."""
        deficit = (self.phrase_score - word.score) * (word.end - word.start) / LOUD_FRAME_SECONDS
        return word.score < self.word_score or deficit > self.word_deficit


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Words without a pause between them. `sure` is whether nothing unknown is said before it, since the last one."""

    words: tuple[SaidWord, ...]
    passage: int
    sure: bool

    @property
    def start(self) -> float:
        return self.words[0].word.start

    @property
    def end(self) -> float:
        return self.words[-1].word.end


@dataclass(frozen=True, slots=True)
class Rejected:
    """Words of phrases that were left out (or doubted), and why: fault -> number of words."""

    words: int
    faults: tuple[tuple[str, int], ...]


def assemble(
    passages: Sequence[SaidPassage], speech: Sequence[Span], source: str, limits: Limits, keeps_doubtful: bool = False
) -> tuple[tuple[Utterance, ...], Rejected]:
    """Utterances of the passages' words, in order, and what was left out.

    A phrase is left out whole if it or one of its words is below the limits, if the target's speech ends inside it, or
    if speech runs into it that no word covers. With `keeps_doubtful` it is in an utterance of its own instead, all of
    its words doubted, and so is a phrase with a doubted word.
    """
    clipped = _without_repeats(_joined_at_cuts(passages))
    sounding = [one.loud & _spoken_frames(one, speech) for one in clipped]
    phrases: list[_Phrase] = []
    for number, (one, frames) in enumerate(zip(clipped, sounding, strict=True)):
        phrases.extend(_phrases(_judged(one, frames, limits), number, frames, one.passage))
    rejected: Counter[str] = Counter()
    good = []
    for phrase in phrases:
        fault = _fault(phrase, limits.phrase_score)
        if keeps_doubtful and not fault and any(said.word.doubted for said in phrase.words):
            fault = "not what is said"
        good.append(not fault)
        if fault:
            rejected[fault] += len(phrase.words)
    usual = _usual_label(word for phrase, ok in zip(phrases, good, strict=True) if ok for word in phrase.words)
    utterances = []
    for run in _runs(phrases, good, usual):
        utterances.append(_utterance([phrases[i] for i in run], clipped, sounding, source, usual))
    found = list(_touching(utterances, phrases))
    if keeps_doubtful:
        # Those of two passages may overlap: no utterance has both.
        bad = (_doubted(phrase) for phrase, ok in zip(phrases, good, strict=True) if not ok)
        for _, of_one in groupby(bad, lambda phrase: phrase.passage):
            found.append(_utterance(list(of_one), clipped, sounding, source, usual))
        found.sort(key=lambda utterance: utterance.start)
    return tuple(found), Rejected(sum(rejected.values()), tuple(sorted(rejected.items())))


def in_words(times: NDArray[np.floating], words: Iterable[Word]) -> NDArray[np.bool_]:
    """Which of some times (s, shape (n,)) are inside words, or as near as a word's sound may reach over its edge."""
    inside = np.zeros(len(times), np.bool_)
    for word in words:
        inside |= (times >= word.start - WORD_PAD_SECONDS) & (times < word.end + WORD_PAD_SECONDS)
    return inside


def _joined_at_cuts(passages: Sequence[SaidPassage]) -> list[SaidPassage]:
    """Where running speech was cut, both sides heard the word at the cut: it stays on the side of its middle."""
    joined = list(passages)
    for number in range(1, len(joined)):
        before, after = joined[number - 1], joined[number]
        if not (before.passage.cut_after and after.passage.cut_before):
            continue
        cut = after.passage.start
        kept = tuple(w for w in before.words if w.middle < cut or not any(_overlap(w, other) for other in after.words))
        joined[number - 1] = replace(before, words=kept)
        rest = tuple(w for w in after.words if not any(_overlap(w, other) for other in kept))
        joined[number] = replace(after, words=rest)
    return joined


def _overlap(one: SaidWord, other: SaidWord) -> bool:
    """Whether two words are mostly the same stretch of time."""
    shared = min(one.word.end, other.word.end) - max(one.word.start, other.word.start)
    return shared > 0.5 * min(one.word.end - one.word.start, other.word.end - other.word.start)


def _without_repeats(passages: Sequence[SaidPassage]) -> list[SaidPassage]:
    """The same word of the script can't be said in two passages: where it was found twice, both are in doubt."""
    counts = Counter(word.place for one in passages for word in one.words)
    return [
        replace(
            one,
            words=tuple(replace(w, fault=w.fault or "found twice") if counts[w.place] > 1 else w for w in one.words),
        )
        for one in passages
    ]


def _spoken_frames(one: SaidPassage, speech: Sequence[Span]) -> NDArray[np.bool_]:
    """Which frames are speech of this passage: detected as such, and not beyond its edges."""
    times = one.passage.read_start + (np.arange(len(one.loud)) + 0.5) * LOUD_FRAME_SECONDS
    spoken = np.zeros(len(times), np.bool_)
    for span in speech:
        spoken |= (times >= span.start) & (times < span.end)
    return spoken & (times >= one.passage.start) & (times < one.passage.end)


def _judged(one: SaidPassage, sounding: NDArray[np.bool_], limits: Limits) -> tuple[SaidWord, ...]:
    passage = one.passage
    earliest = passage.read_start if passage.cut_before else passage.start - _EDGE_SECONDS
    latest = passage.read_end if passage.cut_after else passage.end + _EDGE_SECONDS
    words = []
    for said in one.words:
        fault = said.fault
        reach_before, reach_after = passage.start - said.word.start, said.word.end - passage.end
        if (passage.open_before and reach_before > _EDGE_SECONDS) or (
            passage.open_after and reach_after > _EDGE_SECONDS
        ):
            fault = fault or "at the edge of the target's speech"
        elif not earliest <= said.middle <= latest:
            fault = fault or "outside of the target's speech"
        elif limits.is_unlikely(said.word):
            fault = fault or "not what is said"
        words.append(replace(said, fault=fault))
    return _touched_by_unknown(words, sounding, passage)


def _touched_by_unknown(
    words: Sequence[SaidWord], sounding: NDArray[np.bool_], passage: Passage
) -> tuple[SaidWord, ...]:
    """Words marked that have speech right beside them which no word covers."""
    marked = list(words)
    gaps = [(passage.read_start, words[0].word.start)] if words else []
    gaps += [(a.word.end, b.word.start) for a, b in pairwise(words)]
    gaps += [(words[-1].word.end, passage.read_end)] if words else []
    for number, (start, end) in enumerate(gaps):
        unknown = _uncovered(sounding, passage, start, end)
        if unknown is None:
            continue
        if number > 0 and unknown[0] - start < PAUSE_SECONDS:
            marked[number - 1] = replace(marked[number - 1], fault=marked[number - 1].fault or "unknown speech beside")
        if number < len(words) and end - unknown[1] < PAUSE_SECONDS:
            marked[number] = replace(marked[number], fault=marked[number].fault or "unknown speech beside")
    return tuple(marked)


def _uncovered(sounding: NDArray[np.bool_], passage: Passage, start: float, end: float) -> tuple[float, float] | None:
    """From when to when there is speech in a gap between words (s), None where there's as good as none."""
    first = max(round((start + WORD_PAD_SECONDS - passage.read_start) / LOUD_FRAME_SECONDS), 0)
    last = max(round((end - WORD_PAD_SECONDS - passage.read_start) / LOUD_FRAME_SECONDS), 0)
    heard = np.flatnonzero(sounding[first:last]) + first
    # Echoes are short and come one by one.
    runs = np.split(heard, np.flatnonzero(np.diff(heard) > _HOLE_FRAMES) + 1)
    long = [run for run in runs if len(run) * LOUD_FRAME_SECONDS >= _UNCOVERED_SECONDS]
    if not long:
        return None
    offset = passage.read_start
    return offset + float(long[0][0]) * LOUD_FRAME_SECONDS, offset + float(long[-1][-1] + 1) * LOUD_FRAME_SECONDS


def _phrases(
    words: Sequence[SaidWord], number: int, sounding: NDArray[np.bool_], passage: Passage
) -> Iterator[_Phrase]:
    phrase: list[SaidWord] = []
    sure = not words or _uncovered(sounding, passage, passage.read_start, words[0].word.start) is None
    for said in words:
        if phrase and said.word.start - phrase[-1].word.end >= PAUSE_SECONDS:
            yield _Phrase(tuple(phrase), number, sure)
            sure = _uncovered(sounding, passage, phrase[-1].word.end, said.word.start) is None
            phrase = []
        phrase.append(said)
    if phrase:
        yield _Phrase(tuple(phrase), number, sure)


def _fault(phrase: _Phrase, phrase_score: float) -> str:
    for said in phrase.words:
        if said.fault:
            return said.fault
    return "not what is said" if _score(phrase.words) < phrase_score else ""


def _doubted(phrase: _Phrase) -> _Phrase:
    return replace(phrase, words=tuple(replace(said, word=replace(said.word, doubted=True)) for said in phrase.words))


def _usual_label(words: Iterable[SaidWord]) -> str:
    """The label that the transcript gives most of the target's words, by their length in time."""
    seconds: Counter[str] = Counter()
    for said in words:
        if said.label:
            seconds[said.label] += round(1000 * (said.word.end - said.word.start))
    return max(sorted(seconds), key=lambda label: seconds[label]) if seconds else ""


def _foreign(words: Sequence[SaidWord], usual: str) -> float:
    return sum(bool(usual and said.label and said.label != usual) for said in words) / len(words)


def _runs(phrases: Sequence[_Phrase], good: Sequence[bool], usual: str) -> Iterator[list[int]]:
    """Good phrases of one passage, one after the other, all labelled as the target's or all not."""
    run: list[int] = []
    for i, phrase in enumerate(phrases):
        if run:
            last = phrases[run[-1]]
            same = bool(_foreign(last.words, usual)) == bool(_foreign(phrase.words, usual))
            runs_on = phrase.passage == last.passage or phrase.start - last.end < PAUSE_SECONDS
            if not (good[i] and phrase.sure and same and runs_on):
                yield run
                run = []
        if good[i]:
            run.append(i)
    if run:
        yield run


def _utterance(
    phrases: Sequence[_Phrase],
    passages: Sequence[SaidPassage],
    sounding: Sequence[NDArray[np.bool_]],
    source: str,
    usual: str,
) -> Utterance:
    words = tuple(said for phrase in phrases for said in phrase.words)
    start, end = phrases[0].start, phrases[-1].end
    numbers = sorted({phrase.passage for phrase in phrases})
    phones: list[Phone] = []
    heard = covered = 0
    for number in numbers:
        own = [said for phrase in phrases if phrase.passage == number for said in phrase.words]
        phones += _between(passages[number].phones, own[0].word.start, own[-1].word.end)
        offset = passages[number].passage.read_start
        times = offset + (np.arange(len(sounding[number])) + 0.5) * LOUD_FRAME_SECONDS
        speech = sounding[number] & (times >= start) & (times < end)
        inside = in_words(times, [said.word for said in words])
        heard += int(speech.sum())
        covered += int((speech & inside).sum())
    return Utterance(
        start=start,
        end=end,
        words=tuple(said.word for said in words),
        phones=tuple(phones),
        transcript_source=source,
        alignment_score=_score(words),
        coverage=covered / heard if heard else 1.0,
        foreign=_foreign(words, usual),
        evidence=worst(passages[number].evidence for number in numbers),
    )


def _between(phones: Iterable[Phone], start: float, end: float) -> Iterator[Phone]:
    return (phone for phone in phones if start <= (phone.start + phone.end) / 2 <= end)


def _touching(utterances: Sequence[Utterance], phrases: Sequence[_Phrase]) -> Iterator[Utterance]:
    """Utterances with nothing but a short pause between them share its middle as their edge."""
    sure = {phrase.start: phrase.sure for phrase in phrases}
    previous = {b.start: a.end for a, b in pairwise(phrases)}
    edges = []
    for a, b in pairwise(utterances):
        near = 0 <= b.start - a.end <= _TOUCHING_SECONDS
        edges.append((a.end + b.start) / 2 if near and sure[b.start] and previous.get(b.start) == a.end else None)
    for utterance, before, after in zip(utterances, [None, *edges], [*edges, None], strict=False):
        yield replace(
            utterance,
            start=utterance.start if before is None else before,
            end=utterance.end if after is None else after,
        )


def _score(words: Sequence[SaidWord]) -> float:
    lengths = [max(said.word.end - said.word.start, LOUD_FRAME_SECONDS) for said in words]
    return sum(said.word.score * length for said, length in zip(words, lengths, strict=True)) / sum(lengths)

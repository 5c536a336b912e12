"""Align: a publisher's transcript, found again inside the target's speech, word by word and phone by phone.

Neither its times nor its words nor its labels are trusted. Each passage of the target's speech is looked for among the
captions near it, whoever they name; what fits the sound is aligned; what fits it badly, reaches over the target's edge
or has unknown speech beside it is left out.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import groupby, islice, takewhile

import numpy as np
from numpy.typing import NDArray

from schemas.recording import Recording
from schemas.text import Caption, Utterances, Word
from schemas.turn import Span
from transforms.audio import read_span
from transforms.find_text import Hit, Locator, anchor_of, locate
from transforms.fit_readings import Fitted, fit, refined
from transforms.models.base import Aligner, Alignment, AlignmentError, Heard, Samples
from transforms.models.loud import LOUD_FRAME_SECONDS, loud_frames
from transforms.passages import Passage, find_passages
from transforms.said import Reading, SaidPassage, doubts, said_passage
from transforms.script import Script, read_script
from transforms.utterances import Limits, assemble, in_words

# A found passage of fewer words may be anywhere: nothing is learnt from it.
_TELLING_WORDS = 5
# An anchor's words cover this share of what sounds in it.
_COVERED_SHARE = 0.6
# So many words of the next speaker may be put at the edge of a passage by mistake.
_MOST_STRANGERS = 3
# Words that are really said sound for this share of their frames.
_HEARD_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class AlignSettings:
    """How text is looked for and what is good enough. Scores are the aligner's: here pocketsphinx's, mean
    log-likelihoods of a 10 ms frame."""

    preferred_seconds: float = 12.0  # passages are divided at pauses until they are shorter
    longest_seconds: float = 16.0  # and in running speech if they are longer
    margin_seconds: float = 3.0  # captions this much before and after a passage may be said in it
    wide_margin_seconds: float = 12.0  # ... where nothing was found nearer
    most_words: int = 1500  # a passage is not looked for among more words
    passage_score: float = -7.6  # a passage that fits worse is not there
    phrase_score: float = -7.4  # a phrase that fits worse is not said
    word_score: float = -12.5  # a phrase with a worse word is not said
    word_deficit: float = 60.0  # ... or with one that lacks so much to the phrase's score, over all its frames
    reading_score: float = -6.0  # a number or abbreviation that fits worse is tried in other readings

    def limits(self) -> Limits:
        """What an alignment may look like."""
        return Limits(self.phrase_score, self.word_score, self.word_deficit)


@dataclass(frozen=True, slots=True)
class _Found:
    """Words of the script in a passage; `covered` is the share of what sounds in it that lies inside words.

    `heard` is what the aligner heard by itself, if it did.
    """

    hits: tuple[Hit, ...]
    readings: tuple[Reading, ...]
    alignment: Alignment
    loud: NDArray[np.bool_]
    covered: float
    heard: Heard | None

    def evidence(self, places: AbstractSet[int]) -> tuple[float, float]:
        """How loud, and how well aligned, some of the tokens are."""
        spoken = iter(self.alignment.words)
        words = [word for one in self.readings for word in islice(spoken, len(one.spoken)) if one.place in places]
        frames = [(round(word.start / LOUD_FRAME_SECONDS), round(word.end / LOUD_FRAME_SECONDS)) for word in words]
        loud = [float(self.loud[start:end].mean()) if end > start else 0.0 for start, end in frames]
        return round(sum(loud) / len(loud), 1), sum(word.score for word in words) / len(words)


def align_target(
    recording: Recording,
    target: tuple[Span, ...],
    speech: tuple[Span, ...],
    captions: tuple[Caption, ...],
    transcript_format: str,
    aligner: Aligner,
    settings: AlignSettings,
    language: str = "en",
) -> Utterances:
    """What the target says according to the captions, aligned anew; `shift` is what the captions' times were off by.

    `target` are the spans that are surely the target's alone, `speech` all detected speech (seconds), `language` (a
    code or tag such as "de") that of the captions. Passages whose
    text isn't found, and phrases that fit badly, are in no utterance; `notes` count them.
    """
    script = read_script(captions, language)
    if not script.words:
        return Utterances((), notes=("the transcript holds no words that can be said",))
    passages = find_passages(recording, target, speech, settings.preferred_seconds, settings.longest_seconds)
    if not passages:
        return Utterances((), notes=("no speech was detected in the target's turns",))
    seeker = _Seeker(recording, script, aligner, settings, language)
    locator = locate(script, passages, seeker.listen_for_anchor)
    looked = [(passage, seeker.look_around(passage, locator)) for passage in passages]
    missing = [passage for passage, found in looked if found is None]
    said = [seeker.said(*one) for one in seeker.without_repeats([(p, found) for p, found in looked if found])]
    source = f"publisher:{transcript_format}"
    utterances, rejected = assemble(said, speech, source, settings.limits())
    notes = [*_notes_on_times(script, locator), *_notes_on_missing(missing, passages)]
    if rejected.words:
        faults = ", ".join(f"{fault}: {count}" for fault, count in rejected.faults)
        notes.append(f"{rejected.words} aligned words left out with their phrases ({faults})")
    return Utterances(utterances, round(locator.shift, 3), tuple(notes))


class _Seeker:
    """Looks for words of one script in passages of one recording."""

    def __init__(
        self, recording: Recording, script: Script, aligner: Aligner, settings: AlignSettings, language: str
    ) -> None:
        self._recording = recording
        self._script = script
        self._aligner = aligner
        self._settings = settings
        self._language = language
        self._anchors: dict[Passage, _Found] = {}

    def listen_for_anchor(self, passage: Passage, first: int, last: int) -> Sequence[Hit]:
        found = self._look(passage, first, last)
        if found is None or found.covered < _COVERED_SHARE:
            return ()
        self._anchors[passage] = found
        return found.hits

    def look_around(self, passage: Passage, locator: Locator) -> _Found | None:
        """Look near where the captions say, then further; what is found helps to find the next."""
        if locator.is_anchor(passage) and passage in self._anchors:
            return self._anchors[passage]
        window = locator.window(passage, self._settings.margin_seconds)
        found = self._look_among_few(passage, *window)
        if found is None or found.covered < _COVERED_SHARE:
            wider = locator.window(passage, self._settings.wide_margin_seconds)
            again = self._look_among_few(passage, *wider) if wider != window else None
            if again and (
                found is None or (again.covered, again.alignment.score) > (found.covered, found.alignment.score)
            ):
                found = again
        if found and len(found.hits) >= _TELLING_WORDS and found.covered >= _COVERED_SHARE:
            locator.learn(anchor_of(self._script, found.hits))
        return found

    def without_repeats(self, found: Sequence[tuple[Passage, _Found]]) -> list[tuple[Passage, _Found]]:
        """Words that were found at the end of one passage and at the beginning of the next stay where they sound."""
        kept = list(found)
        for place in range(1, len(kept)):
            (before, a), (after, b) = kept[place - 1], kept[place]
            shared = {one.place for one in a.readings} & {one.place for one in b.readings}
            # Where running speech was cut, both have heard the word at the cut, and it's the same sound.
            if before.cut_after or not shared or len(shared) >= min(len(a.readings), len(b.readings)):
                continue
            if a.evidence(shared) < b.evidence(shared):
                kept[place - 1] = before, self._without(before, a, shared)
            else:
                kept[place] = after, self._without(after, b, shared)
        return kept

    def said(self, passage: Passage, found: _Found) -> SaidPassage:
        """The found words as they are written, in seconds of the recording."""
        script = self._script
        heard = found.heard
        return said_passage(
            passage,
            script.tokens,
            script.labels,
            found.readings,
            found.alignment,
            found.loud,
            evidence=heard.evidence if heard else None,
            doubted=doubts([word for one in found.readings for word in one.spoken], heard) if heard else (),
        )

    def _look_among_few(self, passage: Passage, first: int, last: int) -> _Found | None:
        return self._look(passage, first, last) if last - first <= self._settings.most_words else None

    def _look(self, passage: Passage, first: int, last: int) -> _Found | None:
        if last <= first:
            return None
        samples = read_span(self._recording.heard_path, passage.read_start, passage.read_end)
        stretch = self._aligner.find(samples, self._script.words[first:last])
        if stretch is None:
            return None
        hits = tuple(
            Hit(first + stretch.first + k, _moved(word, passage.read_start))
            for k, word in enumerate(stretch.alignment.words)
        )
        best = self._refined(samples, tuple(_readings(self._script, hits)), stretch.alignment)
        if best[1].score < self._settings.passage_score:
            return None
        loud = loud_frames(samples)
        found = _Found(hits, *best, loud, _covered(best[1].words, loud, passage), stretch.heard)
        strangers = self._strangers(found)
        return self._without(passage, found, strangers) if strangers else found

    def _strangers(self, found: _Found) -> frozenset[int]:
        """Tokens at the edges that are captioned for another than the rest, and are in an echo or fit badly."""
        labels = [self._script.labels[reading.place] for reading in found.readings]
        usual = max(sorted(set(labels)), key=labels.count)
        if labels.count(usual) == len(labels):
            return frozenset()
        doubtful = set()
        ordered = list(zip(found.readings, labels, strict=True))
        for side in (ordered, ordered[::-1]):
            places = {reading.place for reading, _ in takewhile(lambda one: one[1] != usual, side)}
            if 0 < len(places) <= _MOST_STRANGERS:
                loud, score = found.evidence(places)
                if loud < _HEARD_SHARE or score < self._settings.phrase_score:
                    doubtful |= places
        return frozenset(doubtful)

    def _without(self, passage: Passage, found: _Found, places: AbstractSet[int]) -> _Found:
        """The same, without some of its tokens; as it is where the rest can't be aligned."""
        samples = read_span(self._recording.heard_path, passage.read_start, passage.read_end)
        best = self._align(samples, tuple(one for one in found.readings if one.place not in places))
        if best is None:
            return found
        hits = tuple(hit for hit in found.hits if self._script.token_of[hit.index] not in places)
        return _Found(hits, *best, found.loud, _covered(best[1].words, found.loud, passage), found.heard)

    def _refined(self, samples: Samples, readings: tuple[Reading, ...], alignment: Alignment) -> Fitted:
        tokens, least = self._script.tokens, self._settings.reading_score
        return refined(self._aligner, samples, tokens, (readings, alignment), self._language, least)

    def _align(self, samples: Samples, readings: tuple[Reading, ...]) -> Fitted | None:
        try:
            return fit(self._aligner, samples, readings)
        except AlignmentError:
            return None


def _readings(script: Script, hits: Sequence[Hit]) -> Iterator[Reading]:
    for place, group in groupby(hits, key=lambda hit: script.token_of[hit.index]):
        spoken = tuple(script.words[hit.index] for hit in group)
        yield Reading(place, spoken, whole=len(spoken) == len(script.tokens[place].spoken))


def _covered(words: Sequence[Word], loud: NDArray[np.bool_], passage: Passage) -> float:
    """Share (0..1) of what sounds in the passage itself that lies inside words."""
    times = passage.read_start + (np.arange(len(loud)) + 0.5) * LOUD_FRAME_SECONDS
    own = loud & (times >= passage.start) & (times < passage.end)
    inside = in_words(times, [_moved(word, passage.read_start) for word in words])
    return float((own & inside).sum() / max(int(own.sum()), 1))


def _moved(word: Word, offset: float) -> Word:
    return replace(word, start=word.start + offset, end=word.end + offset)


def _notes_on_times(script: Script, locator: Locator) -> Iterator[str]:
    if not locator.timed:
        yield f"the transcript's times {'fit nowhere' if script.timed else 'say too little'}: its text was searched"
    for start, end, by in locator.jumps:
        yield f"the transcript's times change by {by:+.1f} s between {start:.0f} and {end:.0f} s"


def _notes_on_missing(missing: Sequence[Passage], passages: Sequence[Passage]) -> Iterator[str]:
    if missing:
        seconds = sum(passage.duration for passage in missing)
        yield f"{len(missing)} of {len(passages)} passages ({seconds:.1f} s) say nothing that is in the transcript"

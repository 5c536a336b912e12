"""Cut: the target's utterances become clips, divided at pauses, preferably where sentences end, never inside a word."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from schemas.clip import Cut
from schemas.ids import digest
from schemas.recording import STANDARD_RATES, Recording
from schemas.text import Phone, Utterance, Utterances, Word, worst
from schemas.turn import Span, TargetSpeech
from transforms.models.choice import UNSPACED
from transforms.pauses import LevelTrack, Pause, dip_between, level_track, pause_after, pause_before, pause_between
from transforms.render import encode_flac, render_cut
from transforms.room_tone import RoomTone
from transforms.segmentation import Boundary, Lengths, divide
from transforms.silence import HOP_SECONDS
from transforms.text.spoken import is_clause_end, is_sentence_end

__all__ = ["CutSettings", "clip_id", "clip_rate", "encode_flac", "in_clip_time", "left_out", "plan_cuts", "render_cut"]

# A rate is worth having where the source fills this share of its band.
FILLED_SHARE = 0.8
# Diarization and detectors are this generous (s).
_TURN_PAD_SECONDS = 0.1
# More sound than this between two words is a word that the text lacks, not a breath.
_WORDLESS_SECONDS, _WORDLESS_BETWEEN_SECONDS = 0.4, 0.15
# What dividing costs by what the text says there; a pause of a quarter second costs no more.
_CLAUSE_COST, _PHRASE_COST = 1.2, 2.2
_NO_PAUSE_COST, _ENOUGH_PAUSE_SECONDS = 1.5, 0.25
# A clip is a sentence, unless that is short: two in one clip cost this.
_SENTENCES_COST = 0.6
# A pause as quiet as the room costs nothing; one that is as quiet as the voice ever is, and a mere dip, do.
_OWN_NOISE_COST, _DIP_COST = 1.0, 4.0
# So near the sound beyond it, quiet is that sound's tail or onset.
_GUARD_SECONDS = 0.03
# An aligner's words may end this much early: sound so near a word is its own.
_WORD_PAD_SECONDS = 0.1
# What aligners leave between two phones by rounding.
_PHONE_HOLE_SECONDS = 0.001
# Four decimals are a tenth of a millisecond: no sample is lost, and no two machines disagree.
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class CutSettings:
    """How clips are cut. Seconds, but for the rate."""

    min_seconds: float = 1.0
    max_seconds: float = 15.0
    preferred_min_seconds: float = 3.0
    preferred_max_seconds: float = 12.0
    sampling_rate: int = 24_000  # Hz, at most
    min_edge_seconds: float = 0.1  # a clip's edge with less quiet is filled up with room tone
    max_edge_seconds: float = 0.25  # more quiet than this is left outside
    join_pause_seconds: float = 0.8  # utterances nearer than this may share a clip
    max_pause_seconds: float = 1.0  # no clip holds a longer pause

    def lengths(self) -> Lengths:
        """Preferences squeezed into the limits, whatever those are."""
        room = self.max_seconds - self.min_seconds
        least = min(max(self.preferred_min_seconds, self.min_seconds), self.min_seconds + 0.25 * room)
        most = min(max(self.preferred_max_seconds, least), self.max_seconds - 0.1 * room)
        return Lengths(self.min_seconds, self.max_seconds, least, max(least, most))


@dataclass(frozen=True, slots=True)
class _Passage:
    """Words of one or more utterances that may share a clip; `origin` says which utterance each is of."""

    words: tuple[Word, ...]
    origin: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A pause, and what its doubtfulness costs."""

    pause: Pause
    cost: float


def plan_cuts(
    recording: Recording,
    utterances: Utterances,
    target: TargetSpeech,
    speech: tuple[Span, ...],
    settings: CutSettings,
) -> tuple[Cut, ...]:
    """Clips of the target's utterances, in order, none with a word of another.

    A clip begins and ends in silence that is heard, not only announced by word times: within about 0.15 s of a word's
    edge the sound has to fall quiet (or, in a reverberant room, to dip). Words without such a place near them that
    would make a clip of allowed length are in no clip: see `left_out`.
    """
    spoken = tuple(utterance for utterance in utterances.utterances if utterance.words)
    if not spoken:
        return ()
    spoken = tuple(sorted(spoken, key=lambda utterance: (utterance.start, utterance.end)))
    track = level_track(recording)
    tone = RoomTone(track, speech)
    turns = (Span(turn.start, turn.end) for turn in target.turns if not turn.is_target)
    others = (*turns, *target.overlaps)
    cuts: list[Cut] = []
    passages = tuple(_passages(spoken, others, settings))
    for number, passage in enumerate(passages):
        earliest = passages[number - 1].words[-1].end if number else 0.0
        latest = passages[number + 1].words[0].start if number + 1 < len(passages) else recording.duration
        pauses = _pauses(passage.words, track, _free(passage.words, others, earliest, latest))
        boundaries = _boundaries(passage, pauses, settings)
        for i, j in divide(boundaries, settings.lengths()):
            first, last = pauses[i], pauses[j]
            if first is None or last is None:
                continue  # not reached: a boundary without a pause has infinite cost
            cut = _cut(passage, spoken, i, j, first.pause.before, last.pause.after, settings)
            coverage, silent = _coverage(cut, spoken, speech, track)
            cuts.append(_with_tone(replace(cut, coverage=coverage, silent_words=silent), tone))
    return tuple(in_clip_time(cut) for cut in cuts)


def left_out(utterances: Utterances, cuts: Sequence[Cut]) -> tuple[Span, ...]:
    """Stretches (s of the recording) of aligned words that are in no clip."""
    spans: list[Span] = []
    continues = False
    ordered = sorted(cuts, key=lambda cut: cut.start)
    starts = [cut.start for cut in ordered]
    for word in sorted((word for utterance in utterances.utterances for word in utterance.words), key=_middle):
        # Clips share at most their edges: a word is in one of the two that begin last before it, or in none.
        nearest = bisect_right(starts, _middle(word))
        if any(_middle(word) <= cut.end for cut in ordered[max(0, nearest - 2) : nearest]):
            continues = False
            continue
        if continues and word.start - spans[-1].end < _WORDLESS_SECONDS:
            spans[-1] = Span(spans[-1].start, max(spans[-1].end, word.end))
        else:
            spans.append(Span(word.start, word.end))
        continues = True
    return tuple(spans)


def clip_rate(recording: Recording, settings: CutSettings, bandwidth_hz: float | None = None) -> int:
    """Rate of a recording's clips (Hz): the highest standard one within the setting and the source's own rate.

    With `bandwidth_hz`, what the source's speech reaches, also no rate of which the source fills less than four fifths
    (speech that was once at 16 kHz gives clips of 16 kHz whatever rate it came in).
    """
    limit = min(settings.sampling_rate, recording.source_rate, recording.sampling_rate)
    allowed = [rate for rate in STANDARD_RATES if rate <= limit]
    filled = [rate for rate in allowed if bandwidth_hz is None or bandwidth_hz >= FILLED_SHARE * rate / 2]
    return max(filled or allowed[:1] or STANDARD_RATES[:1])


def clip_id(media_sha256: str, cut: Cut, rate: int) -> str:
    """Identity of a clip: the hash of which audio it is, and of what is said in it (16 hexadecimal digits)."""
    times = [cut.start, cut.end, cut.leading_tone, cut.trailing_tone, cut.tone_start, cut.tone_end]
    return digest("clip", media_sha256, [round(time, _DECIMALS) for time in times], rate, cut.text)


def _passages(utterances: Sequence[Utterance], others: Sequence[Span], settings: CutSettings) -> Iterator[_Passage]:
    """Utterances joined where only a short pause is between them: nobody else's speech, no other source of words."""
    words: list[Word] = []
    origin: list[int] = []
    for number, utterance in enumerate(utterances):
        if words and not _may_join(utterances[number - 1], utterance, others, settings):
            yield _Passage(tuple(words), tuple(origin))
            words, origin = [], []
        words.extend(utterance.words)
        origin.extend([number] * len(utterance.words))
    yield _Passage(tuple(words), tuple(origin))


def _may_join(a: Utterance, b: Utterance, others: Sequence[Span], settings: CutSettings) -> bool:
    start, end = a.words[-1].end, b.words[0].start
    between = any(turn.start < end and turn.end > start for turn in others)
    same = a.transcript_source == b.transcript_source and _is_doubted(a) == _is_doubted(b)
    return not between and same and 0.0 <= end - start <= settings.join_pause_seconds


def _is_doubted(utterance: Utterance) -> bool:
    return all(word.doubted for word in utterance.words)


def _free(words: Sequence[Word], others: Sequence[Span], earliest: float, latest: float) -> Span:
    """How far the edges of a passage's first and last clip may reach: not into other words or others' speech."""
    start, end = words[0].start, words[-1].end
    before = (turn.end - _TURN_PAD_SECONDS for turn in others if turn.end - _TURN_PAD_SECONDS <= start)
    after = (turn.start + _TURN_PAD_SECONDS for turn in others if turn.start + _TURN_PAD_SECONDS >= end)
    return Span(max((earliest, *before)), min((latest, *after)))


def _pauses(words: Sequence[Word], track: LevelTrack, free: Span) -> list[_Found | None]:
    """The pause before each word, and the one after the last: as quiet as the room, else as quiet as the voice ever is,
    else where its sound dips."""
    own = track.inside(words[0].start - _WORD_PAD_SECONDS, words[-1].end + _WORD_PAD_SECONDS)
    found: list[_Found | None] = []
    for i in range(len(words) + 1):
        a, b = (words[i - 1] if i else None), (words[i] if i < len(words) else None)
        tries = ((_pause(levels, a, b, free), cost) for levels, cost in ((track, 0.0), (own, _OWN_NOISE_COST)))
        pause, cost = next(((pause, cost) for pause, cost in tries if pause), (_dip(track, a, b), _DIP_COST))
        found.append(_Found(pause, cost) if pause else None)
    return found


def _pause(track: LevelTrack, a: Word | None, b: Word | None, free: Span) -> Pause | None:
    if a and b:
        return pause_between(track, a.end, b.start)
    if b:
        return pause_before(track, b.start, free.start)
    return pause_after(track, a.end, free.end) if a else None


def _dip(track: LevelTrack, a: Word | None, b: Word | None) -> Pause | None:
    end = a.end if a else b.start - _WORD_PAD_SECONDS if b else 0.0
    return dip_between(track, end, b.start if b else end + _WORD_PAD_SECONDS)


def _boundaries(passage: _Passage, pauses: Sequence[_Found | None], settings: CutSettings) -> list[Boundary]:
    words, boundaries = passage.words, []
    for i, found in enumerate(pauses):
        a, b = (words[i - 1] if i else None), (words[i] if i < len(words) else None)
        gap = b.start - a.end if a and b else 0.0
        # Between two utterances words may be missing; inside of one an aligner has accounted for everything.
        joins = bool(a and b) and passage.origin[i - 1] != passage.origin[i]
        wordless = _WORDLESS_BETWEEN_SECONDS if joins else _WORDLESS_SECONDS
        if found is None:
            place = b.start if b else words[-1].end
            boundaries.append(Boundary(place, place, float("inf"), gap, divides=gap > wordless))
            continue
        pause, cost = found.pause, found.cost
        whole = 0.0
        if a and b:
            ends = is_sentence_end(a.text, b.text)
            whole = _SENTENCES_COST if ends else 0.0
            cost += 0.0 if ends else _CLAUSE_COST if is_clause_end(a.text, b.text) else _PHRASE_COST
            cost += _NO_PAUSE_COST * max(0.0, 1.0 - pause.seconds / _ENOUGH_PAUSE_SECONDS)
        end = pause.after.start + _edge(pause.after, settings) + _missing(pause.after, settings)
        start = pause.before.end - _edge(pause.before, settings) - _missing(pause.before, settings)
        silent = max(gap, pause.before.end - pause.after.start) if a and b else 0.0
        divides = silent > settings.max_pause_seconds or pause.noise_seconds > wordless
        boundaries.append(Boundary(end, start, cost, silent, whole, divides))
    return boundaries


def _edge(quiet: Span, settings: CutSettings) -> float:
    """How much of the recording's own quiet a clip takes along: none of what the sound on its far side fades into."""
    return min(max(quiet.duration - _GUARD_SECONDS, quiet.duration / 2), settings.max_edge_seconds)


def _missing(quiet: Span, settings: CutSettings) -> float:
    """How much room tone fills an edge up."""
    return max(0.0, settings.min_edge_seconds - _edge(quiet, settings))


def _cut(
    passage: _Passage, utterances: Sequence[Utterance], i: int, j: int, before: Span, after: Span, settings: CutSettings
) -> Cut:
    """The clip of words i..j-1, its times still those of the recording."""
    words = passage.words[i:j]
    first, last = passage.origin[i], passage.origin[j - 1]
    evidence = worst(utterance.evidence for utterance in utterances[first : last + 1])
    space = "" if evidence and evidence.language in UNSPACED else " "
    return Cut(
        start=round(before.end - _edge(before, settings), _DECIMALS),
        end=round(after.start + _edge(after, settings), _DECIMALS),
        text=space.join(word.text for word in words),
        spoken=" ".join(word.spoken for word in words if word.spoken),
        words=words,
        phones=_phones(utterances[first : last + 1], words),
        transcript_source=utterances[first].transcript_source,
        alignment_score=_alignment_score(words, utterances[first : last + 1]),
        coverage=1.0,
        leading_tone=round(_missing(before, settings), _DECIMALS),
        trailing_tone=round(_missing(after, settings), _DECIMALS),
        evidence=evidence,
    )


def _phones(utterances: Sequence[Utterance], words: Sequence[Word]) -> tuple[Phone, ...]:
    start, end = words[0].start, words[-1].end
    return tuple(
        phone for utterance in utterances for phone in utterance.phones if start <= (phone.start + phone.end) / 2 <= end
    )


def _alignment_score(words: Sequence[Word], utterances: Sequence[Utterance]) -> float:
    """Mean log-likelihood a frame: the words' own by their length where they have any, else their utterances'."""
    weights = [max(word.end - word.start, HOP_SECONDS) for word in words]
    if any(word.score for word in words):
        return sum(word.score * weight for word, weight in zip(words, weights, strict=True)) / sum(weights)
    lengths = [max(utterance.end - utterance.start, HOP_SECONDS) for utterance in utterances]
    scores = (utterance.alignment_score * length for utterance, length in zip(utterances, lengths, strict=True))
    return sum(scores) / sum(lengths)


def _coverage(
    cut: Cut, utterances: Sequence[Utterance], speech: Sequence[Span], track: LevelTrack
) -> tuple[float, float]:
    """Share (0..1) of the clip's speech, both detected and heard, that lies inside its words, and of the words' time
    that lies outside of it.

    A clip that holds all of an utterance has no more than the utterance's own: there the missing words may be.
    """
    first, last = round(cut.start / HOP_SECONDS), min(round(cut.end / HOP_SECONDS), len(track.levels))
    times = (np.arange(first, last) + 0.5) * HOP_SECONDS
    detected = _inside(times, [(span.start, span.end) for span in speech if span.end > cut.start], 0.0)
    heard = detected & ~track.quiet(first, last)
    spans = [(word.start, word.end) for word in cut.words]
    worded = heard & _inside(times, spans, _WORD_PAD_SECONDS)
    share = float(worded.sum() / heard.sum()) if heard.any() else 1.0
    in_words = _inside(times, spans, 0.0)
    silent = float((in_words & ~heard).sum() / max(int(in_words.sum()), 1))
    whole = (
        one.coverage for one in utterances if cut.start <= _middle(one.words[0]) and _middle(one.words[-1]) <= cut.end
    )
    return min(share, *whole, 1.0), silent


def _inside(times: NDArray[np.floating], spans: Sequence[tuple[float, float]], pad: float) -> NDArray[np.bool_]:
    inside = np.zeros(len(times), np.bool_)
    for start, end in spans:
        first, last = np.searchsorted(times, (start - pad, end + pad))
        inside[first:last] = True
    return inside


def _with_tone(cut: Cut, tone: RoomTone) -> Cut:
    """The cut with the stretch that fills its edges up; they stay as they are in a recording too short for any."""
    if not cut.leading_tone and not cut.trailing_tone:
        return cut
    stretch = tone.near(cut.start, cut.end)
    if stretch is None:
        return replace(cut, leading_tone=0.0, trailing_tone=0.0)
    return replace(cut, tone_start=round(stretch.start, _DECIMALS), tone_end=round(stretch.end, _DECIMALS))


def in_clip_time(cut: Cut) -> Cut:
    """A cut whose times are in seconds of the recording, with words and phones in those of the clip: none is outside of
    it, and phones are without holes."""
    shift, duration = cut.leading_tone - cut.start, cut.duration

    def moved(time: float) -> float:
        return round(min(max(time + shift, 0.0), duration), _DECIMALS)

    words = tuple(replace(word, start=moved(word.start), end=moved(word.end)) for word in cut.words)
    phones: list[Phone] = []
    for phone in cut.phones:
        here = replace(phone, start=moved(phone.start), end=moved(phone.end))
        before = phones[-1].end if phones else 0.0
        if here.start - before > _PHONE_HOLE_SECONDS:
            phones.append(Phone("SIL", before, here.start))
        phones.append(here)
    if phones and duration - phones[-1].end > _PHONE_HOLE_SECONDS:
        phones.append(Phone("SIL", phones[-1].end, round(duration, _DECIMALS)))
    return replace(cut, words=words, phones=tuple(phones))


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2

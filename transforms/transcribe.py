"""Transcribe: what a recogniser hears in the target's speech, where nothing is published.

Its words are no ground truth (an embedded recogniser gets every second word of people wrong): utterances say that they
were recognised, and their clips fail the default gates.
"""

from collections.abc import Sequence
from dataclasses import replace

from schemas.recording import Recording
from schemas.text import Utterances
from schemas.turn import Span
from transforms.align import AlignSettings
from transforms.audio import read_span
from transforms.models.base import Aligner, AlignmentError, Transcriber
from transforms.models.loud import loud_frames
from transforms.passages import Passage, find_passages
from transforms.utterances import SaidPassage, SaidWord, assemble

SOURCE = "recognised:pocketsphinx"


def transcribe_target(
    recording: Recording,
    target: tuple[Span, ...],
    speech: tuple[Span, ...],
    transcriber: Transcriber,
    aligner: Aligner,
    settings: AlignSettings,
) -> Utterances:
    """Recognise the target's speech passage by passage, then put the words and their phones in time.

    What is recognised but can't be aligned is left out, and counted in the notes.
    """
    passages = find_passages(recording, target, speech, settings.preferred_seconds, settings.longest_seconds)
    heard = [_heard(recording, passage, transcriber, aligner) for passage in passages]
    said: list[SaidPassage] = []
    place = 0
    for one in heard:
        if one is not None:
            said.append(_numbered(one, place))
            place += len(one.words)
    utterances, rejected = assemble(said, speech, SOURCE, settings.limits())
    notes = []
    if None in heard:
        notes.append(f"{heard.count(None)} of {len(heard)} passages could not be recognised")
    if rejected.words:
        notes.append(f"{rejected.words} recognised words left out with their phrases")
    return Utterances(utterances, notes=tuple(notes))


def _heard(recording: Recording, passage: Passage, transcriber: Transcriber, aligner: Aligner) -> SaidPassage | None:
    samples = read_span(recording.path, passage.read_start, passage.read_end)
    spoken = [word.text for word in transcriber.transcribe(samples)]
    if not spoken:
        return None
    try:
        alignment = aligner.align(samples, spoken)
    except AlignmentError:
        return None
    offset = passage.read_start
    words = tuple(
        SaidWord(replace(word, start=word.start + offset, end=word.end + offset, spoken=word.text), 0)
        for word in alignment.words
    )
    phones = tuple(replace(phone, start=phone.start + offset, end=phone.end + offset) for phone in alignment.phones)
    return SaidPassage(passage, words, phones, loud_frames(samples))


def _numbered(passage: SaidPassage, first: int) -> SaidPassage:
    """The passage with places that go on from those of the passages before it."""
    words: Sequence[SaidWord] = passage.words
    return replace(passage, words=tuple(replace(word, place=first + i) for i, word in enumerate(words)))

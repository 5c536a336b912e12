"""Transcribe: what the target says where no transcript is published, written down by a recogniser."""

from collections.abc import Iterator, Sequence
from itertools import islice

from schemas.recording import Recording
from schemas.text import Token, Utterances, Word
from schemas.turn import Span
from transforms.align import AlignSettings
from transforms.audio import PassageAudio
from transforms.models.base import Aligner, Alignment, AlignmentError, Heard, Samples, Transcriber
from transforms.models.loud import loud_frames
from transforms.passages import find_passages
from transforms.said import Reading, SaidPassage, language_of, said_passage
from transforms.text.spoken import is_unsayable, tokenise
from transforms.utterances import assemble


def transcribe_target(
    recording: Recording,
    target: tuple[Span, ...],
    speech: tuple[Span, ...],
    transcriber: Transcriber,
    aligner: Aligner,
    settings: AlignSettings,
    names: Sequence[str] = (),
) -> Utterances:
    """What a recogniser hears in the target's spans (seconds), aligned word by word and phone by phone.

    `transcript_source` names the recogniser, so that no gate takes its words for a publisher's; `names` are those of
    the show. Phrases that fit badly are left out if the recogniser gives no evidence; of one that does they are kept
    and doubted, so that they become candidates with their reasons.
    """
    passages = find_passages(recording, target, speech, settings.preferred_seconds, settings.longest_seconds)
    audio = PassageAudio(recording.heard_path, [(one.read_start, one.read_end) for one in passages])
    said: list[SaidPassage] = []
    tokens: list[Token] = []
    has_evidence = False
    for passage, samples, heard in zip(passages, audio, transcriber.transcribe_all(audio, names), strict=True):
        written = tokenise(heard.text, language_of(heard))
        has_evidence |= heard.evidence is not None
        found = _said(samples, heard, written, len(tokens), aligner)
        tokens.extend(written)
        if found is not None:
            readings, alignment, doubted = found
            said.append(
                said_passage(
                    passage,
                    tokens,
                    [""] * len(tokens),
                    readings,
                    alignment,
                    loud_frames(samples),
                    evidence=heard.evidence,
                    doubted=doubted,
                )
            )
    source = f"recognised:{transcriber.identity.split(':', 1)[0]}"
    utterances, rejected = assemble(said, speech, source, settings.limits(), keeps_doubtful=has_evidence)
    notes = []
    if len(said) < len(passages):
        notes.append(f"nothing was recognised in {len(passages) - len(said)} of {len(passages)} passages")
    if rejected.words:
        what = "doubted" if has_evidence else "left out"
        notes.append(f"{rejected.words} recognised words {what} with their phrases")
    return Utterances(utterances, notes=tuple(notes))


def _said(
    samples: Samples, heard: Heard, written: Sequence[Token], first: int, aligner: Aligner
) -> tuple[list[Reading], Alignment, list[bool]] | None:
    """The words heard in a passage, in time, and which of them are doubted; `first` is the place of the first token."""
    spoken = [_spoken(token) for token in written]
    readings = [Reading(first + place, words) for place, words in enumerate(spoken) if words]
    words = [word for reading in readings for word in reading.spoken]
    if not words:
        return None
    try:
        return readings, aligner.align(samples, words), []
    except AlignmentError:
        if heard.evidence is None:
            return None
        return readings, Alignment(tuple(_as_heard(heard, written, spoken)), (), 0.0), [True] * len(words)


def _spoken(token: Token) -> tuple[str, ...]:
    """How a token is said; one in letters that no pronunciation is known of, as it is written."""
    if token.spoken or not is_unsayable(token):
        return token.spoken
    letters = "".join(c for c in token.text.lower() if c.isalnum() or c in "'’")
    return () if any(c.isdigit() for c in letters) else (letters,)


def _as_heard(heard: Heard, written: Sequence[Token], spoken: Sequence[tuple[str, ...]]) -> Iterator[Word]:
    """Spoken words at the times that the recogniser gives, those of one written word in equal parts."""
    remaining = iter(heard.words)
    for token, words in zip(written, spoken, strict=True):
        own = list(islice(remaining, len(token.text.split())))
        part = (own[-1].end - own[0].start) / max(len(words), 1)
        for number, word in enumerate(words):
            start = own[0].start + number * part
            yield Word(word, start, start + part, own[0].score, word)

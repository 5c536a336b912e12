"""Transcribe: what the target says where no transcript is published, written down by a recogniser."""

from collections.abc import Sequence

from schemas.recording import Recording
from schemas.text import Token, Utterances
from schemas.turn import Span
from transforms.align import AlignSettings
from transforms.audio import read_span
from transforms.models.base import Aligner, Alignment, AlignmentError, Samples, Transcriber
from transforms.models.loud import loud_frames
from transforms.passages import find_passages
from transforms.said import Reading, SaidPassage, said_passage
from transforms.text.spoken import tokenise
from transforms.utterances import assemble


def transcribe_target(
    recording: Recording,
    target: tuple[Span, ...],
    speech: tuple[Span, ...],
    transcriber: Transcriber,
    aligner: Aligner,
    settings: AlignSettings,
) -> Utterances:
    """What a recogniser hears in the target's spans (seconds), aligned word by word and phone by phone.

    `transcript_source` names the recogniser, so that no gate takes its words for a publisher's.
    """
    passages = find_passages(recording, target, speech, settings.preferred_seconds, settings.longest_seconds)
    said: list[SaidPassage] = []
    tokens: list[Token] = []
    for passage in passages:
        samples = read_span(recording.heard_path, passage.read_start, passage.read_end)
        heard = tokenise(" ".join(word.text for word in transcriber.transcribe(samples)))
        readings = [Reading(len(tokens) + i, token.spoken) for i, token in enumerate(heard) if token.spoken]
        tokens.extend(heard)
        alignment = _aligned(aligner, samples, readings)
        if alignment is not None:
            said.append(said_passage(passage, tokens, [""] * len(tokens), readings, alignment, loud_frames(samples)))
    source = f"recognised:{transcriber.identity.split(':', 1)[0]}"
    utterances, rejected = assemble(said, speech, source, settings.limits())
    notes = []
    if len(said) < len(passages):
        notes.append(f"nothing was recognised in {len(passages) - len(said)} of {len(passages)} passages")
    if rejected.words:
        notes.append(f"{rejected.words} recognised words left out with their phrases")
    return Utterances(utterances, notes=tuple(notes))


def _aligned(aligner: Aligner, samples: Samples, readings: Sequence[Reading]) -> Alignment | None:
    words = [word for reading in readings for word in reading.spoken]
    if not words:
        return None
    try:
        return aligner.align(samples, words)
    except AlignmentError:
        return None

"""A text that a person wrote for a clip, put in time on the clip's own audio, by the scores that captions need."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from schemas.clip import Cut
from schemas.text import Token
from transforms.align import AlignSettings
from transforms.cut import in_clip_time
from transforms.fit_readings import fit, refined
from transforms.models.base import Aligner, Alignment, AlignmentError, Samples
from transforms.models.choice import UNSPACED
from transforms.models.loud import LOUD_FRAME_SECONDS, loud_frames
from transforms.said import Reading
from transforms.text.spoken import is_unsayable, regroup, tokenise
from transforms.utterances import in_words

# Characters of a word that are shown of one that is no word at all.
_SHOWN = 40


def realign(
    samples: Samples, seconds: float, text: str, source: str, aligner: Aligner, settings: AlignSettings, language: str
) -> Cut:
    """A clip of `seconds` with `text` in place of its own: words, phones, alignment_score and coverage are the text's.

    `samples` are the clip's, mono at MODEL_RATE, shape (n,); times are in seconds from its start, and so is the cut
    itself. `source` is its transcript_source, `language` (a code or tag) that of the text. Stage directions are left
    out. Raises AlignmentError, which says why, where the text can't be said, or isn't what is said.
    """
    tokens = _sayable(text, language)
    readings = [Reading(place, token.spoken) for place, token in enumerate(tokens) if token.spoken]
    if not readings:
        raise AlignmentError("it holds no words that can be said")
    fitted = fit(aligner, samples, readings)
    best, alignment = refined(aligner, samples, tokens, fitted, language, settings.reading_score)
    _require_fit(alignment, settings)
    spoken = {reading.place: reading.spoken for reading in best}
    said = [replace(token, spoken=spoken.get(place, ())) for place, token in enumerate(tokens)]
    words = regroup(said, [(word.start, word.end, word.score) for word in alignment.words])
    cut = Cut(
        start=0.0,
        end=seconds,
        text=("" if language in UNSPACED else " ").join(word.text for word in words),
        spoken=" ".join(word.spoken for word in words),
        words=words,
        phones=alignment.phones,
        transcript_source=source,
        alignment_score=alignment.score,
        coverage=_coverage(samples, alignment),
    )
    return in_clip_time(cut)


def _sayable(text: str, language: str) -> Sequence[Token]:
    """What is said of a text, with its punctuation."""
    tokens = tokenise(text, language)
    for token in tokens:
        if is_unsayable(token):
            raise AlignmentError(f"nobody can pronounce {token.text[:_SHOWN]!r} here; write it as it is said")
    return [token for token in tokens if token.spoken or not any(letter.isalnum() for letter in token.text)]


def _require_fit(alignment: Alignment, settings: AlignSettings) -> None:
    if alignment.score < settings.phrase_score:
        raise AlignmentError(
            f"it does not fit the sound (alignment_score {alignment.score:.2f} < {settings.phrase_score:.2f})"
        )
    for word in alignment.words:
        # Not the deficit that captions' words may have: who listened knows better than that limit (on six sentences of
        # eSpeak it refuses words that are said; their worst word has -11.6, half of the wrong ones less than -12.5).
        if word.score < settings.word_score:
            raise AlignmentError(
                f"{word.text!r} is not what is said at {word.start:.1f} s "
                f"(score {word.score:.2f} < {settings.word_score:.2f})"
            )


def _coverage(samples: Samples, alignment: Alignment) -> float:
    """Share (0..1) of what sounds that lies inside words."""
    loud = loud_frames(samples)
    times = (np.arange(len(loud)) + 0.5) * LOUD_FRAME_SECONDS
    return float((loud & in_words(times, alignment.words)).sum() / loud.sum()) if loud.any() else 1.0

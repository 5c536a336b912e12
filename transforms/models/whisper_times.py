"""When tokens are said, by Whisper's cross-attention (whisper.timing.find_alignment) over audio encoded before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transforms.models.base import AlignmentError

#: What Whisper hears at a time (s).
LONGEST_SECONDS = 30.0
_FRAMES_PER_SECOND = 100
# A word is no shorter than one step of the attention (s).
_STEP_SECONDS = 0.02
_LEAST_PROBABILITY = 1e-9


@dataclass(frozen=True, slots=True)
class Timed:
    """A piece of text with its time (s), and the log of the mean probability of its tokens."""

    text: str
    start: float
    end: float
    score: float


class _Encoded:
    """A whisper.Whisper that is given what its encoder made, instead of making it anew."""

    def __init__(self, model: Any) -> None:
        self.device, self.dims = model.device, model.dims
        self.decoder, self.alignment_heads = model.decoder, model.alignment_heads

    def __call__(self, features: Any, tokens: Any) -> Any:
        return self.decoder(tokens, features)


def time_tokens(model: Any, tokenizer: Any, tokens: Sequence[int], features: Any, seconds: float) -> list[Any]:
    """whisper.timing.WordTiming of the pieces of text tokens in `features` (n_audio_ctx, n_audio_state).

    Raises AlignmentError where there are more tokens than the model can read.
    """
    from whisper.timing import find_alignment

    room = model.dims.n_text_ctx - len(tokenizer.sot_sequence) - 2
    if len(tokens) > room:
        raise AlignmentError(f"the text has {len(tokens)} tokens, the model reads {room}")
    frames = max(math.ceil(seconds * _FRAMES_PER_SECOND), 2)
    timings: list[Any] = find_alignment(_Encoded(model), tokenizer, list(tokens), features, frames)
    return timings


def time_words(model: Any, tokenizer: Any, words: Sequence[str], features: Any, seconds: float) -> list[Timed]:
    """Every given word in time, in order, none empty and all inside of 0..seconds; raises AlignmentError."""
    tokens = [tokenizer.encode(f" {word}") for word in words]
    timings = iter(time_tokens(model, tokenizer, [token for own in tokens for token in own], features, seconds))
    found = []
    for word, own in zip(words, tokens, strict=True):
        pieces: list[Any] = []
        while sum(len(piece.tokens) for piece in pieces) < len(own):
            piece = next(timings, None)
            if piece is None:
                raise AlignmentError(f"no time was found for {word!r}")
            pieces.append(piece)
        count = sum(len(piece.tokens) for piece in pieces)
        mean = sum(piece.probability * len(piece.tokens) for piece in pieces) / count
        found.append(Timed(word, float(pieces[0].start), float(pieces[-1].end), log_probability(mean)))
    return in_order(found, seconds)


def log_probability(probability: float) -> float:
    return math.log(max(float(probability), _LEAST_PROBABILITY))


def in_order(timed: Sequence[Timed], seconds: float) -> list[Timed]:
    """The same, each at least 0.02 s long, none before the one before it or beyond the end.

    Raises AlignmentError where so many don't fit.
    """
    if len(timed) * _STEP_SECONDS > seconds:
        raise AlignmentError(f"{len(timed)} words don't fit into {seconds:.2f} s")
    starts, ends = [], []
    at = 0.0
    for one in timed:
        starts.append(max(one.start, at))
        ends.append(max(one.end, starts[-1] + _STEP_SECONDS))
        at = ends[-1]
    latest = seconds
    for place in reversed(range(len(timed))):
        ends[place] = min(ends[place], latest)
        starts[place] = max(min(starts[place], ends[place] - _STEP_SECONDS), 0.0)
        latest = starts[place]
    return [Timed(one.text, start, end, one.score) for one, start, end in zip(timed, starts, ends, strict=True)]

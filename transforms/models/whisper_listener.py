"""Whisper listening: spans of up to 30 s in, text with evidence out, in batches, the same at every run."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from schemas.errors import ConfigurationError
from schemas.text import Evidence, Word
from transforms.models.base import MODEL_RATE, AlignmentError, Heard, Samples
from transforms.models.choice import AUTO, UNSPACED
from transforms.models.whisper_model import FP16, WhisperModel, is_out_of_memory, memory_told
from transforms.models.whisper_times import LONGEST_SECONDS, Timed, in_order, log_probability, time_tokens

# Raised by one when the same audio gives other words than before.
_REVISION = 1
# Where the likeliest tokens fail, they are drawn, ever more freely (whisper.transcribe).
_TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0)
_MOST_COMPRESSION, _LEAST_LOG_PROBABILITY, _SILENT_PROBABILITY = 2.4, -1.0, 0.6
# Whisper leaves out what its prompt leaves out: this one says that fillers are written.
_FILLERS = {"en": "Um, so, uh, I, I mean, you know, er, hmm, well, like, mm-hmm, ah."}
_MOST_NAME_LETTERS = 400
# Of a decoding that gave no number.
_NO_LOG_PROBABILITY = -100.0
# A language is known by this many spans, spread over the episode.
_LANGUAGE_SPANS = 5
# Spans decoded at a time.
_BATCH = {"cuda": 16, "cpu": 4}
_PREPENDED, _APPENDED = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True)
class Listened:
    """What was heard in a span, and the span as the model's decoder sees it: (n_audio_ctx, n_audio_state)."""

    heard: Heard
    features: Any


class WhisperListener:
    """A Whisper model with a language ("en", or "auto": detected), loaded on first use."""

    def __init__(self, source: WhisperModel, language: str) -> None:
        self.source = source
        self.language = language

    @property
    def identity(self) -> str:
        return f"{self.source.identity} language:{self.language} listener:{_REVISION}"

    @property
    def model(self) -> Any:
        """Raises ConfigurationError where the model doesn't know the language."""
        model = self.source.load()
        if not model.is_multilingual and self.language not in (AUTO, "en"):
            raise ConfigurationError(f"{self.source.model} knows English only, models.language is {self.language}")
        return model

    def tokenizer(self, language: str) -> Any:
        from whisper.tokenizer import get_tokenizer

        model = self.model
        return get_tokenizer(
            model.is_multilingual, num_languages=model.num_languages, language=language, task="transcribe"
        )

    def encode(self, spans: Sequence[Samples]) -> Any:
        """Spans of up to 30 s as the encoder's states, shape (n, n_audio_ctx, n_audio_state); raises ValueError."""
        import torch
        from whisper.audio import N_SAMPLES, log_mel_spectrogram, pad_or_trim

        longest = max(len(samples) for samples in spans) / MODEL_RATE
        if longest > LONGEST_SECONDS:
            raise ValueError(f"Whisper hears up to {LONGEST_SECONDS:g} s at a time, not {longest:.1f}")
        model = self.model
        dtype = torch.float16 if self.source.precision == FP16 else torch.float32
        padded = np.stack([pad_or_trim(np.ascontiguousarray(samples, np.float32), N_SAMPLES) for samples in spans])
        # One by one: a spectrogram is cut off relative to the loudest of all that it is made of.
        mels = [log_mel_spectrogram(samples, model.dims.n_mels, device=model.device) for samples in padded]
        with torch.no_grad():
            return model.encoder(torch.stack(mels).to(dtype))

    def language_of(self, spans: Sequence[Samples]) -> str:
        """The language of an episode: the given one, or the likeliest over spans spread over it."""
        if self.language != AUTO:
            return self.language
        if not self.model.is_multilingual or not spans:
            return "en"
        count = min(len(spans), _LANGUAGE_SPANS)
        places = [int((number + 0.5) * len(spans) / count) for number in range(count)]
        found = [self.language_probabilities(self.encode([spans[place]]))[0] for place in places]
        return max(found[0], key=lambda code: sum(one[code] for one in found))

    def language_probabilities(self, features: Any) -> list[dict[str, float]]:
        """The probability of each language, by its code, for each of the encoded spans."""
        _, found = self.model.detect_language(features, self.tokenizer("en"))
        return list(found)

    def listen(self, spans: Sequence[Samples], language: str, names: Sequence[str] = ()) -> Iterator[Listened]:
        """What is said in each span, in order, decoded in batches."""
        size = _BATCH[self.model.device.type]
        for first in range(0, len(spans), size):
            batch = [spans[place] for place in range(first, min(first + size, len(spans)))]
            yield from self._batch(batch, language, prompt_of(names, language))

    def _batch(self, spans: Sequence[Samples], language: str, prompt: str) -> list[Listened]:
        """Several spans at once, fewer where memory isn't enough for so many."""
        try:
            return self._listen(spans, language, prompt)
        except (MemoryError, RuntimeError) as error:
            if len(spans) == 1 or not is_out_of_memory(error):
                with memory_told(f"listening with Whisper {self.source.model}"):
                    raise
        half = len(spans) // 2
        return [*self._batch(spans[:half], language, prompt), *self._batch(spans[half:], language, prompt)]

    def _listen(self, spans: Sequence[Samples], language: str, prompt: str) -> list[Listened]:
        from whisper import DecodingOptions

        options = DecodingOptions(
            language=language, prompt=prompt, without_timestamps=True, fp16=self.source.precision == FP16
        )
        features = self.encode(spans)
        probabilities = self.language_probabilities(features) if self.model.is_multilingual else None
        listened = []
        for place, result in enumerate(self._decode(features, options)):
            evidence = Evidence(
                no_speech=_finite(result.no_speech_prob, 1.0),
                log_probability=_finite(result.avg_logprob, _NO_LOG_PROBABILITY),
                language=language,
                language_probability=probabilities[place][language] if probabilities else None,
            )
            words = self._words(result.tokens, features[place], language, len(spans[place]) / MODEL_RATE)
            listened.append(Listened(Heard(words, evidence), features[place]))
        return listened

    def _decode(self, features: Any, options: Any) -> list[Any]:
        """whisper.DecodingResult of each span; drawn with a seed of its own, so that no span depends on others."""
        import torch
        from whisper import decode

        model = self.model
        results = list(decode(model, features, options))
        devices = [model.device] if model.device.type == "cuda" else []
        for place in range(len(results)):
            for temperature in _TEMPERATURES:
                if not _has_failed(results[place]):
                    break
                with torch.random.fork_rng(devices):
                    torch.manual_seed(0)
                    drawn = replace(options, temperature=temperature)
                    (results[place],) = decode(model, features[place : place + 1], drawn)
        return results

    def _words(self, tokens: Sequence[int], features: Any, language: str, seconds: float) -> tuple[Word, ...]:
        from whisper.timing import merge_punctuations

        tokenizer = self.tokenizer(language)
        said = [token for token in tokens if token < tokenizer.eot]
        if not tokenizer.decode(said).strip():
            return ()
        timings = time_tokens(self.model, tokenizer, said, features, seconds)
        merge_punctuations(timings, _PREPENDED, _APPENDED)
        try:
            timed = in_order(list(_written(timings, language)), seconds)
        except AlignmentError:
            return ()
        return tuple(Word(one.text, one.start, one.end, one.score) for one in timed)


def prompt_of(names: Sequence[str], language: str) -> str:
    """What Whisper is told to have heard before: how names are written, and that fillers are."""
    told = ""
    for name in dict.fromkeys(" ".join(name.split()) for name in names):
        if name and len(told) + len(name) <= _MOST_NAME_LETTERS:
            told = f"{told}, {name}" if told else name
    return " ".join(filter(None, (f"{told}." if told else "", _FILLERS.get(language, ""))))


def _has_failed(result: Any) -> bool:
    """Whether a decoding is a loop or too unlikely, and not for silence (whisper.transcribe.decode_with_fallback)."""
    is_unlikely = result.avg_logprob < _LEAST_LOG_PROBABILITY
    if is_unlikely and result.no_speech_prob > _SILENT_PROBABILITY:
        return False
    return bool(is_unlikely or result.compression_ratio > _MOST_COMPRESSION)


def _written(timings: Sequence[Any], language: str) -> Iterator[Timed]:
    """Written words, without spaces: pieces up to the next space, or each for itself where none are written."""
    open_word: Timed | None = None
    for timing in timings:
        text = "".join(timing.word.split())
        if not text:
            continue
        if open_word and (timing.word[0].isspace() or language in UNSPACED):
            yield open_word
            open_word = None
        score = log_probability(timing.probability)
        if open_word is None:
            open_word = Timed(text, float(timing.start), float(timing.end), score)
        else:
            open_word = replace(open_word, text=open_word.text + text, end=float(timing.end))
    if open_word:
        yield open_word


def _finite(value: float, otherwise: float) -> float:
    return float(value) if math.isfinite(value) else otherwise

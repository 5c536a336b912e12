"""Given text in time, and given text found in audio, by Whisper."""

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from schemas.text import Word
from transforms.models.base import MODEL_RATE, Aligner, Alignment, AlignmentError, Heard, Needs, Samples, Stretch
from transforms.models.choice import AUTO
from transforms.models.whisper_listener import WhisperListener
from transforms.models.whisper_model import WhisperModel, memory_told
from transforms.models.whisper_times import LONGEST_SECONDS, Timed, time_words
from transforms.text.matching import find_place
from transforms.text.spoken import spoken_words, tokenise

#: What fits well enough (transforms.align.AlignSettings), in Whisper's scores: logs of the mean probability of a word's
#: tokens, given the words before. Text that is found was matched word by word already; these are only for what is wrong
#: inside of it.
SCORES: Mapping[str, float] = MappingProxyType(
    {
        "passage_score": -6.0,
        "phrase_score": -6.0,
        "word_score": -9.0,
        "word_deficit": 1e9,
        "reading_score": -3.0,
    }
)
# Raised by one when the same audio and text give another result than before.
_REVISION = 1
# Text of which less was heard isn't what is said.
_LEAST_MATCHED = 0.4
# The embedded aligner is taken at its word where so many of its words lie where Whisper's are.
_LEAST_AGREEMENT = 0.8
# It is slow, and fails, on longer audio (s).
_LONGEST_FOR_PHONES = 20.0


class WhisperAligner(Aligner):
    """Words by Whisper's cross-attention; their exact edges, and phones, by an embedded aligner where the two agree.

    Attention says which words are said, and when to about a tenth of a second; it has no phones. In English each text
    is aligned by `phones` as well: where at least four of five words overlap, its times stand (exact to 11 ms).
    Elsewhere, and in other languages, times are Whisper's and there are no phones. Audio of up to 30 s.
    """

    def __init__(
        self, source: WhisperModel, language: str = "en", names: Sequence[str] = (), phones: Aligner | None = None
    ) -> None:
        """Take the model, loaded on first use, the names that it is told, and what aligns phones (None: nothing)."""
        self._source = source
        self._listener = WhisperListener(source, language)
        self._names = tuple(names)
        self._phones = phones if language in ("en", AUTO) else None
        self._encoded: tuple[bytes, Any] | None = None
        self._heard: tuple[bytes, Heard] | None = None

    @property
    def needs(self) -> Needs:
        return self._source.needs

    @property
    def identity(self) -> str:
        names = hashlib.sha256("\n".join(self._names).encode()).hexdigest()[:8] if self._names else "none"
        phones = self._phones.identity if self._phones else "none"
        return f"{self._listener.identity} aligner:{_REVISION} names:{names} phones:{phones}"

    def align(self, samples: Samples, words: Sequence[str]) -> Alignment:
        """Align every word (spoken form); raises AlignmentError."""
        if not words:
            raise AlignmentError("there are no words to align")
        seconds = len(samples) / MODEL_RATE
        if not 0 < seconds <= LONGEST_SECONDS:
            raise AlignmentError(f"{seconds:.2f} s of audio; up to {LONGEST_SECONDS:g} s are aligned at a time")
        with memory_told(f"aligning with Whisper {self._listener.source.model}"):
            features, language = self._features(samples)
            timed = time_words(self._listener.model, self._listener.tokenizer(language), words, features, seconds)
        return self._refined(samples, timed, language)

    def find(self, samples: Samples, words: Sequence[str]) -> Stretch | None:
        """Find and align the contiguous stretch of `words` that is said in the samples; None where nothing fits.

        What is recognised freely is looked for in the words, at the least edit distance; `heard` is what it was.
        """
        if not words or not 0 < len(samples) / MODEL_RATE <= LONGEST_SECONDS:
            return None
        heard = self._listen(samples)
        language = heard.evidence.language if heard.evidence else "en"
        place = find_place([word for word, _ in spoken_words(tokenise(heard.text, language))], words)
        if place is None or place.matched < _LEAST_MATCHED:
            return None
        try:
            return Stretch(place.first, self.align(samples, words[place.first : place.end]), heard)
        except AlignmentError:
            return None

    def _refined(self, samples: Samples, timed: Sequence[Timed], language: str) -> Alignment:
        words = [Word(one.text, one.start, one.end, one.score, one.text) for one in timed]
        score = _score(words)
        if self._phones is None or language != "en" or len(samples) > _LONGEST_FOR_PHONES * MODEL_RATE:
            return Alignment(tuple(words), (), score)
        try:
            exact = self._phones.align(samples, [word.text for word in words])
        except AlignmentError:
            return Alignment(tuple(words), (), score)
        agreed = sum(a.start < b.end and b.start < a.end for a, b in zip(words, exact.words, strict=True))
        if agreed < _LEAST_AGREEMENT * len(words):
            return Alignment(tuple(words), (), score)
        placed = [Word(a.text, b.start, b.end, a.score, a.text) for a, b in zip(words, exact.words, strict=True)]
        return Alignment(tuple(placed), exact.phones, score)

    def _features(self, samples: Samples) -> tuple[Any, str]:
        """The encoded samples and their language; kept until there are others, for the next text on the same audio."""
        key = _key(samples)
        if self._encoded is None or self._encoded[0] != key:
            features = self._listener.encode([samples])
            self._encoded = key, features[0]
        features = self._encoded[1]
        if self._listener.language != AUTO:
            return features, self._listener.language
        if not self._listener.model.is_multilingual:
            return features, "en"
        (found,) = self._listener.language_probabilities(features[None])
        return features, max(found, key=lambda code: found[code])

    def _listen(self, samples: Samples) -> Heard:
        """What is heard freely; kept until there is other audio, for the next look at more words."""
        key = _key(samples)
        if self._heard is None or self._heard[0] != key:
            language = self._listener.language_of([samples])
            (listened,) = self._listener.listen([samples], language, self._names)
            self._heard, self._encoded = (key, listened.heard), (key, listened.features)
        return self._heard[1]


def _key(samples: Samples) -> bytes:
    return hashlib.sha256(samples.tobytes()).digest()


def _score(words: Sequence[Word]) -> float:
    seconds = sum(word.end - word.start for word in words)
    return sum(word.score * (word.end - word.start) for word in words) / seconds

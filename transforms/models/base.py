"""What a stage asks of a model: one abstract class a task. Models are loaded once a worker, on first use.

Everywhere: samples are mono float32 in -1..1 at 16 000 Hz, shape (n,), unless a parameter says otherwise.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.text import Evidence, Phone, Word
from schemas.turn import Span
from transforms.models.voice_scale import GE2E_SCALE, VoiceScale

MODEL_RATE = 16_000
Samples = NDArray[np.float32]
# Windows overlap: of an hour, all of them are many times its samples.
_WINDOWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Needs:
    """What a machine that runs a model should have: an accelerator (else a CPU will do), and gigabytes of memory."""

    accelerator: bool = False
    memory_gb: int = 0


class Model(ABC):
    """A model that says who it is: name, version or file hash, and the settings that change its answers."""

    @property
    def needs(self) -> Needs:
        """Of the machine; told without loading anything. By default whatever machine there is."""
        return Needs()

    @property
    @abstractmethod
    def identity(self) -> str:
        """Name, version or file hash, and settings: what results are kept under."""


class SpeechDetector(Model):
    """Says how likely each frame is speech."""

    @property
    @abstractmethod
    def frame_seconds(self) -> float:
        """Seconds from one probability to the next."""

    @abstractmethod
    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """One probability (0..1) a frame, shape (len(samples) // frame,); a detector starts afresh at each call."""

    def stream(self, blocks: Iterable[Samples]) -> Iterator[NDArray[np.float32]]:
        """Probabilities of consecutive blocks of one recording: joined, they are those of the blocks joined.

        Each block but the last holds whole frames. A detector that carries its state from block to block overrides
        this, and needs no more memory for a longer recording; this one joins the blocks.
        """
        yield self.probabilities(np.concatenate(list(blocks) or [np.zeros(0, np.float32)]))


class SpeakerEmbedder(Model):
    """Turns a window of speech into a point of unit length; near points are the same voice."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Numbers in an embedding."""

    @property
    @abstractmethod
    def window_seconds(self) -> float:
        """Seconds of speech that one embedding is of."""

    @property
    def scale(self) -> VoiceScale:
        """What cosines of its embeddings mean; by default as for GE2E."""
        return GE2E_SCALE

    @abstractmethod
    def embed(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed windows of shape (n, window samples); returns (n, dimension), rows of unit length."""

    def embed_at(self, samples: Samples, starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embed the windows that begin at sample offsets `starts`, shape (n,); returns (n, dimension).

        What lies outside of the samples is silence. An embedder whose windows can share work overrides this.
        """
        length = round(self.window_seconds * MODEL_RATE)
        padded = np.pad(samples, length)
        found = [np.zeros((0, self.dimension), np.float32)]
        for first in range(0, len(starts), _WINDOWS_AT_ONCE):
            some = starts[first : first + _WINDOWS_AT_ONCE] + length
            found.append(self.embed(np.stack([padded[start : start + length] for start in some])))
        return np.concatenate(found)


@dataclass(frozen=True, slots=True)
class Segmented:
    """Who speaks when in one piece of audio; times in seconds from its start.

    `turns` are (start, end, voice) in the order of time, and may overlap; `overlaps` is where they do. `voice` is the
    row of `centroids`, shape (k, d), rows of unit length, or zero for a voice that could not be embedded.
    """

    turns: tuple[tuple[float, float, int], ...]
    overlaps: tuple[Span, ...]
    centroids: NDArray[np.float32]


class SpeakerSegmenter(Model):
    """Says who speaks when in a piece of audio; the voices of two pieces are linked by their centroids."""

    @property
    @abstractmethod
    def embedder(self) -> SpeakerEmbedder:
        """What embeds windows into the space of the centroids."""

    @abstractmethod
    def segment(self, samples: Samples) -> Segmented:
        """Turns of one piece; memory grows with its length."""


class OverlapDetector(Model):
    """Says how likely somebody else talks into a voice."""

    @property
    @abstractmethod
    def frame_seconds(self) -> float: ...

    @abstractmethod
    def log_odds(self, samples: Samples) -> NDArray[np.float32]:
        """Of two voices at once in each frame of speech, shape (len(samples) // frame,); what counts is their order."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Given words in time, seconds from the start of the samples; `score` is the mean log-likelihood a frame."""

    words: tuple[Word, ...]
    phones: tuple[Phone, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser wrote down of a stretch of audio, as written, in seconds from its start.

    `evidence` is None of a recogniser that has no opinion on how far it is right.
    """

    words: tuple[Word, ...]
    evidence: Evidence | None = None

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of the words that were looked for, in time: `first` is the index of the first of them.

    `heard` is what an aligner that recognises heard by itself, None of one that only compares.
    """

    first: int
    alignment: Alignment
    heard: Heard | None = None


class AlignmentError(Exception):
    """The text does not fit the audio."""


class Aligner(Model):
    """Puts given text in time."""

    @abstractmethod
    def align(self, samples: Samples, words: Sequence[str]) -> Alignment:
        """Align every word (spoken form); raises AlignmentError."""

    @abstractmethod
    def find(self, samples: Samples, words: Sequence[str]) -> Stretch | None:
        """Find and align the contiguous stretch of `words` that is said in the samples; None where nothing fits.

        Any prefix and suffix of `words` may be missing from the audio.
        """


class TextVerifier(Model):
    """Tells whether a text is what is said, word for word."""

    @abstractmethod
    def score(self, samples: Samples, words: Sequence[str], talk: Sequence[str]) -> float:
        """How likely (0..1) it is that no word (spoken form) is wrong, missing or too much.

        `talk` are sentences of spoken words of the whole talk, these words' own among them.
        """


class Transcriber(Model):
    """Writes down what is said."""

    @abstractmethod
    def transcribe(self, samples: Samples, hints: Sequence[str] = ()) -> tuple[Word, ...]:
        """Words in time; `hints` are sentences that the talk probably resembles."""

    def transcribe_all(self, spans: Sequence[Samples], names: Sequence[str] = ()) -> Iterator[Heard]:
        """What is heard in each span of one episode, in order; spans are read when they are asked for.

        `names` are those of the show, for a recogniser that can be told how they are written. One that works in
        batches, or has an opinion on what it wrote, overrides this.
        """
        for samples in spans:
            yield Heard(self.transcribe(samples))


@dataclass(frozen=True, slots=True)
class Quality:
    """DNSMOS P.835: overall, signal, background (1..5)."""

    overall: float
    signal: float
    background: float


class QualityScorer(Model):
    """Scores how a clip sounds."""

    @abstractmethod
    def score(self, samples: Samples) -> Quality:
        """Scores of samples of shape (n,) at MODEL_RATE."""

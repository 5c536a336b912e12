"""One pocketsphinx decoder: its traps closed, its integer scores as natural logarithms, its segments as values."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from transforms.models.base import MODEL_RATE, AlignmentError, Samples

# Frames of the en-us model.
FRAME_SECONDS = 0.01
FRAME_SAMPLES = 160
# Shorter audio makes no feature vector (they take two frames on both sides).
SHORTEST_SECONDS = 0.1
# Scores are logarithms to the base 1.0001, kept in 1/1024 of their size; the library's exp() forgets that it did so.
_SCORE_SCALE = 1024
_NATURAL_PER_SCORE = _SCORE_SCALE * math.log(1.0001)
# Beams at which no sentence of people or of a synthesiser fails to align (the defaults lose a male espeak voice).
WIDE_BEAMS = {"beam": 1e-100, "pbeam": 1e-100, "wbeam": 1e-80}
_FILLERS = ("<", "[", "(", "+")
_WORD = re.compile(r"[a-z']*[a-z][a-z']*")
_SILENT = 1e-7

# From one state of a search to another, with what likelihood (that of audio is of the same scale), by which word.
Arc = tuple[int, int, float, str]


class Pronounces(Protocol):
    """Pronunciations of any word of a-z and apostrophes in ARPAbet, best first."""

    @property
    def identity(self) -> str: ...

    def pronunciations(self, word: str, count: int = 3) -> tuple[tuple[str, ...], ...]: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """A word (or phone) over frames `first`..`end` (half open); `score` its log-likelihood, the sum of its frames."""

    text: str
    first: int
    end: int
    score: float
    phones: tuple["Segment", ...] = ()

    @property
    def frames(self) -> int:
        """How many frames it lasts."""
        return self.end - self.first


@dataclass(frozen=True, slots=True)
class Path:
    """The best way through a search: its words without fillers, and its whole score (natural logarithm)."""

    words: tuple[Segment, ...]
    score: float


def is_word(text: str) -> bool:
    """Whether a spoken word is what the dictionary is made of: a-z and apostrophes."""
    return _WORD.fullmatch(text) is not None


def as_pcm(samples: Samples) -> bytes:
    """16-bit little-endian bytes of samples in -1..1; raises AlignmentError where there's nothing to hear."""
    if samples.ndim != 1:
        raise AlignmentError(f"audio has {samples.ndim} dimensions, not 1")
    if len(samples) < SHORTEST_SECONDS * MODEL_RATE:
        raise AlignmentError(f"{len(samples)} samples are too short to align")
    if not np.isfinite(samples).all():
        raise AlignmentError("audio holds samples that are no numbers")
    if float(np.abs(samples).max()) < _SILENT:
        raise AlignmentError("audio is silent")
    return (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


class SphinxDecoder:
    """A decoder and the words it knows. Every search starts afresh: what came before never changes a result."""

    def __init__(self, pronouncer: Pronounces, **options: Any) -> None:
        """Load the acoustic model and the dictionary; `options` are pocketsphinx's own."""
        import pocketsphinx

        # bestpath searches a lattice that the phone pass of alignment can't follow (14 of 75 clips failed).
        self._decoder = pocketsphinx.Decoder(**{"lm": None, "bestpath": False, "loglevel": "FATAL", **options})
        self._pronouncer = pronouncer

    def learn(self, words: Sequence[str]) -> None:
        """Make words pronounceable; raises AlignmentError for what isn't a word."""
        for word in dict.fromkeys(words):
            if not is_word(word):
                raise AlignmentError(f"{word!r} is not a spoken word of a-z and apostrophes")
            if self._decoder.lookup_word(word) is not None:
                continue
            ways = self._pronouncer.pronunciations(word)
            if not ways:
                raise AlignmentError(f"no pronunciation is known for {word!r}")
            for number, phones in enumerate(ways, start=1):
                # Words join the search that is set up next; the one at hand need not know them.
                self._decoder.add_word(word if number == 1 else f"{word}({number})", " ".join(phones), update=False)

    def align_words(self, pcm: bytes, words: Sequence[str]) -> Path | None:
        """The words one after another, silence between them or not; None where the search does not reach the end."""
        self.learn(words)
        self._decoder.set_align_text(" ".join(words))
        self._hear(pcm)
        path = self._best_path()
        return path if path and len(path.words) == len(words) else None

    def word_sequence(self) -> Any:
        """What `align_words` has just found, as the plan of a phone pass; call it at once, and nothing after it."""
        # hyp(), seg() or get_prob() from here on would be a segmentation fault.
        self._decoder.set_alignment()
        return self._decoder.get_alignment()

    def align_phones(self, pcm: bytes, sequence: Any) -> tuple[Segment, ...]:
        """Words with phones by a decoder's `word_sequence`; fillers are among them, named "" (phone "SIL").

        Raises AlignmentError where the phones have no place in the audio.
        """
        self._decoder.set_alignment(sequence)
        try:
            self._hear(pcm)
        except RuntimeError as error:
            raise AlignmentError(f"the phones do not fit the audio: {error}") from error
        return tuple(_entry(word) for word in self._decoder.get_alignment())

    def find(self, pcm: bytes, words: Sequence[str]) -> Path | None:
        """The best contiguous stretch of `words`, entered and left at any word."""
        count = len(words)
        # Arcs without a word would be in the path, and the phone pass can't follow them.
        arcs = [(place, place + 1, 1.0, word) for place, word in enumerate(words)]
        arcs += [(0, place + 1, 1.0 / count, word) for place, word in enumerate(words) if place > 0]
        arcs += [(place, count, 1.0 / count, word) for place, word in enumerate(words[:-1]) if place > 0]
        arcs += [(0, count, 1.0 / count**2, word) for word in words]
        return self.follow(pcm, arcs, count)

    def follow(self, pcm: bytes, arcs: Sequence[Arc], last: int) -> Path | None:
        """The best way along arcs from state 0 to the `last` one; None where none reaches it."""
        self.learn([word for *_, word in arcs])
        self._decoder.add_fsg("ways", self._decoder.create_fsg("ways", 0, last, arcs))
        self._decoder.activate_search("ways")
        self._hear(pcm)
        return self._best_path()

    def phones(self, pcm: bytes) -> tuple[Segment, ...]:
        """Any phones one after another, whatever fits best: what known text is compared with."""
        self._decoder.add_allphone_file("phones", None)
        self._decoder.activate_search("phones")
        self._hear(pcm)
        if self._decoder.hyp() is None:
            return ()
        return tuple(
            Segment(_phone_name(s.word), s.start_frame, s.end_frame + 1, _natural(s.ascore))
            for s in self._decoder.seg()
        )

    def recognise(self, pcm: bytes) -> Path | None:
        """Free decoding with the language model that the decoder was made with."""
        self._hear(pcm)
        return self._best_path()

    def _hear(self, pcm: bytes) -> None:
        # Without new features, the last frames of the audio before leak into this one, and results depend on order.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()

    def _best_path(self) -> Path | None:
        hypothesis = self._decoder.hyp()
        # seg() after an empty hypothesis is a segmentation fault.
        if hypothesis is None or not hypothesis.hypstr:
            return None
        words = tuple(
            Segment(_plain(segment.word), segment.start_frame, segment.end_frame + 1, _natural(segment.ascore))
            for segment in self._decoder.seg()
            if not segment.word.startswith(_FILLERS)
        )
        return Path(words, _natural(hypothesis.score)) if words else None


def _natural(probability: float) -> float:
    return math.log(probability) * _SCORE_SCALE if probability > 0 else -math.inf


def _entry(entry: Any) -> Segment:
    phones = tuple(_phone(phone) for phone in entry)
    filler = entry.name.startswith(_FILLERS)
    text = "" if filler else _plain(entry.name)
    return Segment(text, entry.start, entry.start + entry.duration, entry.score * _NATURAL_PER_SCORE, phones)


def _phone(entry: Any) -> Segment:
    return Segment(_phone_name(entry.name), entry.start, entry.start + entry.duration, entry.score * _NATURAL_PER_SCORE)


def _phone_name(name: str) -> str:
    return "SIL" if name.startswith("+") else name


def _plain(word: str) -> str:
    """A word without the number of its pronunciation."""
    return word.split("(", 1)[0]

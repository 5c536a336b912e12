"""What is said, written down by pocketsphinx: for episodes without any transcript.

About every second word of spontaneous speech is wrong: what comes out is marked as recognised and fails the default
gates. It is good for knowing what an episode is about.
"""

import functools
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path as FilePath
from typing import Any

from schemas.errors import ConfigurationError
from schemas.text import Word
from transforms.models.arpa import write_arpa
from transforms.models.base import AlignmentError, Samples, Transcriber
from transforms.models.sphinx_decoder import FRAME_SECONDS, Pronounces, SphinxDecoder, as_pcm, is_word

_REVISION = 1
_Sentences = tuple[tuple[str, ...], ...]


class SphinxTranscriber(Transcriber):
    """Recognition with the en-us trigrams of pocketsphinx, or with trigrams of the hints and no other words."""

    def __init__(self, pronouncer: Pronounces | None = None) -> None:
        """Take what pronounces unknown words of hints (by default the embedded one). Loaded on first use."""
        self._given_pronouncer = pronouncer
        self._hinted: tuple[_Sentences, SphinxDecoder] | None = None

    @property
    def identity(self) -> str:
        return f"pocketsphinx:{version('pocketsphinx')} recogniser:{_REVISION} {self._pronouncer.identity}"

    def transcribe(self, samples: Samples, hints: Sequence[str] = ()) -> tuple[Word, ...]:
        """Words in time, () where nothing is recognised; `hints` are sentences of spoken words.

        `score` is the mean log-likelihood of a frame. Audio of up to about 15 s.
        """
        try:
            pcm = as_pcm(samples)
        except AlignmentError:
            return ()
        sentences = tuple(tuple(filter(self._is_sayable, hint.lower().split())) for hint in hints)
        decoder = self._for_hints(sentences) if any(sentences) else self._general
        path = decoder.recognise(pcm)
        if path is None:
            return ()
        return tuple(
            Word(s.text, s.first * FRAME_SECONDS, s.end * FRAME_SECONDS, s.score / max(s.frames, 1), s.text)
            for s in path.words
        )

    def _is_sayable(self, word: str) -> bool:
        return is_word(word) and bool(self._pronouncer.pronunciations(word))

    def _for_hints(self, sentences: _Sentences) -> SphinxDecoder:
        """A decoder of the hints' own words; kept until there are other hints."""
        if self._hinted is None or self._hinted[0] != sentences:
            self._hinted = sentences, self._decoder_of(sentences)
        return self._hinted[1]

    def _decoder_of(self, sentences: _Sentences) -> SphinxDecoder:
        # A language model that joins a decoder takes seconds, for all words of the dictionary: this one has its own.
        with tempfile.TemporaryDirectory(prefix="realtalk-") as folder:
            language_model, dictionary = FilePath(folder) / "hints.lm", FilePath(folder) / "hints.dict"
            language_model.write_text(write_arpa(sentences), encoding="ascii")
            words = sorted({word for sentence in sentences for word in sentence})
            lines = [f"{name} {' '.join(phones)}\n" for word in words for name, phones in self._variants(word)]
            dictionary.write_text("".join(lines), encoding="ascii")
            return SphinxDecoder(self._pronouncer, lm=str(language_model), dict=str(dictionary))

    def _variants(self, word: str) -> list[tuple[str, tuple[str, ...]]]:
        ways = self._pronouncer.pronunciations(word)
        return [(word if number == 1 else f"{word}({number})", way) for number, way in enumerate(ways, start=1)]

    @functools.cached_property
    def _pronouncer(self) -> Pronounces:
        if self._given_pronouncer is not None:
            return self._given_pronouncer
        from transforms.text.pronunciation import Pronouncer

        return Pronouncer()

    @functools.cached_property
    def _general(self) -> SphinxDecoder:
        return SphinxDecoder(self._pronouncer, lm=_general_language_model())


def _general_language_model() -> Any:
    import pocketsphinx

    file = FilePath(pocketsphinx.get_model_path()) / "en-us" / "en-us.lm.bin"
    if not file.is_file():
        raise ConfigurationError(f"pocketsphinx's language model {file} is missing; reinstall pocketsphinx")
    return str(file)

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
from transforms.models.sphinx_decoder import FRAME_SECONDS, Path, Pronounces, SphinxDecoder, as_pcm, is_word

_REVISION = 1
_HINTS = "hints"


class SphinxTranscriber(Transcriber):
    """Recognition with the en-us trigrams of pocketsphinx, or with trigrams of the hints and no other words."""

    def __init__(self, pronouncer: Pronounces | None = None) -> None:
        """Take what pronounces unknown words of hints (by default the embedded one). Loaded on first use."""
        self._given_pronouncer = pronouncer

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
        sentences = [sentence for hint in hints if (sentence := [w for w in hint.lower().split() if is_word(w)])]
        path = self._with_hints(pcm, sentences) if sentences else self._general.recognise(pcm)
        if path is None:
            return ()
        return tuple(
            Word(s.text, s.first * FRAME_SECONDS, s.end * FRAME_SECONDS, s.score / max(s.frames, 1), s.text)
            for s in path.words
        )

    def _with_hints(self, pcm: bytes, sentences: Sequence[Sequence[str]]) -> Path | None:
        decoder = self._hinted
        decoder.learn([word for sentence in sentences for word in sentence])
        with tempfile.TemporaryDirectory(prefix="realtalk-") as folder:
            file = FilePath(folder) / "hints.lm"
            file.write_text(write_arpa(sentences), encoding="ascii")
            decoder.add_language_model(_HINTS, str(file))
        return decoder.recognise(pcm, _HINTS)

    @functools.cached_property
    def _pronouncer(self) -> Pronounces:
        if self._given_pronouncer is not None:
            return self._given_pronouncer
        from transforms.text.pronunciation import Pronouncer

        return Pronouncer()

    @functools.cached_property
    def _general(self) -> SphinxDecoder:
        return SphinxDecoder(self._pronouncer, lm=_general_language_model())

    @functools.cached_property
    def _hinted(self) -> SphinxDecoder:
        return SphinxDecoder(self._pronouncer)


def _general_language_model() -> Any:
    import pocketsphinx

    file = FilePath(pocketsphinx.get_model_path()) / "en-us" / "en-us.lm.bin"
    if not file.is_file():
        raise ConfigurationError(f"pocketsphinx's language model {file} is missing; reinstall pocketsphinx")
    return str(file)

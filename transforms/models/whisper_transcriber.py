"""What is said, written down by Whisper, with what speaks for and against it."""

from collections.abc import Iterator, Sequence

from schemas.text import Word
from transforms.models.base import Heard, Needs, Samples, Transcriber
from transforms.models.whisper_listener import WhisperListener
from transforms.models.whisper_model import WhisperModel


class WhisperTranscriber(Transcriber):
    """Recognition in spans of up to 30 s, decoded in batches, each without knowing the one before it.

    Text is as Whisper writes it, fillers too; word times are those of its cross-attention. The language is given
    ("en"), or "auto": detected once an episode. Where the likeliest text is a loop or too unlikely, others are drawn,
    the same ones at every run.
    """

    def __init__(self, source: WhisperModel, language: str = "en") -> None:
        """Take the model; it is loaded on first use."""
        self._source = source
        self._listener = WhisperListener(source, language)

    @property
    def needs(self) -> Needs:
        return self._source.needs

    @property
    def identity(self) -> str:
        return self._listener.identity

    def transcribe(self, samples: Samples, hints: Sequence[str] = ()) -> tuple[Word, ...]:
        """Words in time, () where nothing is recognised; `score` is the log of the tokens' mean probability.

        `hints` are told as what was said before. Up to 30 s of audio; raises ValueError for more.
        """
        (heard,) = self.transcribe_all([samples], hints)
        return heard.words

    def transcribe_all(self, spans: Sequence[Samples], names: Sequence[str] = ()) -> Iterator[Heard]:
        """What is heard in each span of one episode, in order."""
        language = self._listener.language_of(spans)
        for listened in self._listener.listen(spans, language, names):
            yield listened.heard

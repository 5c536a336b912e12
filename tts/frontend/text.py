"""The front end: a text, or SSML, to sentences."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from types import MappingProxyType

from schemas.errors import RealtalkError
from transforms.text.pronunciation import Pronouncer
from transforms.text.spoken import is_unsayable, tokenise_many
from tts.frontend.cut import cut_to_length, sentences_of
from tts.frontend.lexicon import Lexicon
from tts.frontend.parts import Break, End, Part, Said, Text
from tts.frontend.pronounce import Speller
from tts.frontend.script import SaidWord, Sentence
from tts.frontend.ssml import is_ssml, read_ssml
from tts.frontend.written import as_tokenised

_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
_MOST_TOLD = 40

NO_LEXICON: Lexicon = MappingProxyType({})


def _silent(line: str) -> None:
    """Tells nobody."""


class FrontEnd:
    """Says how texts are said. `tell` hears a line about each thing that is left out or not understood."""

    def __init__(
        self,
        lexicon: Mapping[str, tuple[str, ...]] = NO_LEXICON,
        tell: Callable[[str], None] = _silent,
        pronouncer: Pronouncer | None = None,
    ) -> None:
        """Keep it for several texts; `lexicon` has the user's own words in lower case with their ARPAbet phones."""
        self._speller = Speller(pronouncer or Pronouncer(), lexicon)
        self._tell = tell

    def sentences(self, text: str, ssml: bool | None = None) -> Iterator[Sentence]:
        """Sentences of a text, or of SSML (None: where it begins with <speak), made as they are asked for.

        Raises RealtalkError at once where SSML is not well formed or nothing in the text can be said.
        """
        is_markup = is_ssml(text) if ssml is None else ssml
        parts: Iterable[Part] = read_ssml(text, self._tell) if is_markup else _parts(text)
        found = self._sentences(parts)
        begun: list[Sentence] = []
        for sentence in found:
            begun.append(sentence)
            if not sentence.is_silent:
                return chain(begun, found)
        raise RealtalkError("text: nothing in it can be said in English; give words in Latin letters, or numbers")

    def _sentences(self, parts: Iterable[Part]) -> Iterator[Sentence]:
        """Cut parts at breaks and ends of paragraphs and sentences, then at full stops, then where it's too long."""
        run: list[Text | Said] = []
        for part in chain(parts, (End(paragraph=True),)):
            if isinstance(part, (Text, Said)):
                run.append(part)
                continue
            pause = part.seconds if isinstance(part, Break) else None
            ends = isinstance(part, End) and part.paragraph
            if run or pause is not None:
                yield from cut_to_length(sentences_of(self._words(run), pause, ends))
            run = []

    def _words(self, run: Iterable[Text | Said]) -> Iterator[SaidWord]:
        texts: list[Text] = []
        for part in run:
            if isinstance(part, Text):
                texts.append(part)
                continue
            yield from self._of_texts(texts)
            texts = []
            yield SaidWord(part.text, part.phones, part.manner)
        yield from self._of_texts(texts)

    def _of_texts(self, texts: list[Text]) -> Iterator[SaidWord]:
        groups = tokenise_many([as_tokenised(text.text) for text in texts])
        tokens = list(chain.from_iterable(groups))
        manners = [text.manner for text, group in zip(texts, groups, strict=True) for _ in group]
        for token in tokens:
            if is_unsayable(token):
                self._tell(f"text: {token.text[:_MOST_TOLD]!r} can't be said in English and is left out")
            elif not token.spoken and any(letter.isalnum() for letter in token.text):
                self._tell(f"text: {token.text[:_MOST_TOLD]!r} is no speech and is left out")
        yield from self._speller.words(tokens, manners)


def _parts(text: str) -> Iterator[Part]:
    """A plain text: its paragraphs, between empty lines."""
    for paragraph in _PARAGRAPHS.split(text.strip()):
        yield Text(paragraph)
        yield End(paragraph=True)

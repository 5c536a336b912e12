"""Written English to sentences of phones."""

import re
from collections.abc import Callable, Iterator, Sequence

from schemas.errors import RealtalkError
from schemas.text import Token
from transforms.text.pronunciation import Pronouncer
from transforms.text.sentences import is_clause_end, is_sentence_end
from transforms.text.spoken import is_unsayable, tokenise
from tts.frontend.script import SaidWord, Sentence

_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
# About 20 seconds at 13 phones a second; what a voice learned from is not longer.
_MOST_PHONES = 240


class FrontEnd:
    """Says how a text is said."""

    def __init__(self, pronouncer: Pronouncer | None = None, tell: Callable[[str], None] = lambda line: None) -> None:
        self.pronouncer = pronouncer or Pronouncer()
        self.tell = tell

    def sentences(self, text: str, ssml: bool | None = None) -> Iterator[Sentence]:
        """Sentences of a text; raises RealtalkError where nothing of it can be said."""
        return iter(self._of_text(text))

    def _of_text(self, text: str) -> list[Sentence]:
        found: list[Sentence] = []
        for paragraph in _PARAGRAPHS.split(text.strip()):
            found += self._of_paragraph(tokenise(paragraph))
        if all(sentence.is_silent for sentence in found):
            raise RealtalkError("text: nothing in it can be said in English; give words in Latin letters, or numbers")
        return found

    def _of_paragraph(self, tokens: Sequence[Token]) -> Iterator[Sentence]:
        words: list[SaidWord] = []
        for place, token in enumerate(tokens):
            if is_unsayable(token):
                self.tell(f"text: {token.text!r} can't be said in English and is left out")
            following = tokens[place + 1].text if place + 1 < len(tokens) else ""
            words.append(SaidWord(token.text, self._phones(token)))
            if is_sentence_end(token.text, following) or is_clause_end(token.text, following) and len(words) > 60:
                yield Sentence(tuple(words), ends_paragraph=place + 1 == len(tokens))
                words = []
        if words:
            yield Sentence(tuple(words), ends_paragraph=True)

    def _phones(self, token: Token) -> tuple[str, ...]:
        return tuple(phone for word in token.spoken for phone in self.pronouncer.pronounce(word))

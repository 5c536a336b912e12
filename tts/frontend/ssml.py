"""SSML (W3C, version 1.1; what speech synthesisers commonly read of it) to parts of a text.

Read by expat, which comes with Python; document types and entities are refused, so nothing can be expanded or fetched.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from schemas.errors import RealtalkError
from transforms.text.context import is_english
from tts.frontend.ipa import phones_of_ipa
from tts.frontend.lexicon import phones_of
from tts.frontend.parts import Break, End, Part, Said, Text
from tts.frontend.say_as import KINDS, say_as
from tts.frontend.script import PLAIN, Manner
from tts.frontend.ssml_values import emphasis, prosody, seconds_of_break

_BEGINNING = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<speak[\s>/]", re.DOTALL)
_ALPHABETS = ("ipa", "x-arpabet", "arpabet")
_COLLECTED = frozenset(("say-as", "phoneme", "sub"))
# Understood, though nothing is made of them.
_QUIET = frozenset(("speak", "w", "token", "lang", "mark", "desc"))


class _SsmlError(Exception):
    """What is wrong at the place that the parser has come to."""


@dataclass(slots=True)
class _Element:
    name: str
    given: Mapping[str, str]
    manner: Manner
    text: list[str] = field(default_factory=list)


def is_ssml(text: str) -> bool:
    """Whether a text begins as SSML does."""
    return _BEGINNING.match(text) is not None


def read_ssml(document: str, tell: Callable[[str], None]) -> list[Part]:
    """The parts of an SSML document; `tell` hears of what is not understood, whose text is spoken all the same.

    Raises RealtalkError with the line number of what is not well formed, or has a value that means nothing.
    """
    reader = _Reader(tell)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    reader.line_of = lambda: parser.CurrentLineNumber
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    try:
        parser.Parse(document.strip().encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise RealtalkError(f"SSML, line {error.lineno}: {expat.ErrorString(error.code)}; mend it") from None
    except _SsmlError as error:
        raise RealtalkError(f"SSML, line {parser.CurrentLineNumber}: {error}") from None
    return reader.parts


class _Reader:
    """Makes parts of what the parser meets."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.parts: list[Part] = []
        self.line_of: Callable[[], int] = lambda: 0
        self._tell = tell
        self._open: list[_Element] = []

    def refuse(self, *_: object) -> None:
        raise _SsmlError("document types and entities are not read; leave them out")

    def start(self, tag: str, given: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self._open and name != "speak":
            raise _SsmlError(f"begins with <{name}>, SSML begins with <speak>")
        if self._open and self._open[-1].name in _COLLECTED:
            raise _SsmlError(f"<{name}> can't be inside of <{self._open[-1].name}>")
        language = given.get("xml:lang", "en")
        if not is_english(language):
            raise _SsmlError(f"the language {language!r} is not spoken here, only English")
        manner = self._open[-1].manner if self._open else PLAIN
        self._open.append(_Element(name, given, self._manner(name, given).within(manner)))
        if name in ("p", "s"):
            self.parts.append(End(paragraph=name == "p"))
        elif name == "break":
            seconds = seconds_of_break(given, _SsmlError)
            self.parts += [Break(seconds)] if seconds else []
        elif name == "say-as" and given.get("interpret-as") not in KINDS:
            self._note(f"say-as of {given.get('interpret-as')!r} is not understood; there are {', '.join(KINDS)}")
        elif name not in _QUIET | _COLLECTED | {"prosody", "emphasis"}:
            self._note(f"<{name}> is not understood; its text is spoken")

    def end(self, tag: str) -> None:
        element = self._open.pop()
        if element.name in _COLLECTED:
            self.parts += self._collected(element, " ".join("".join(element.text).split()))
        elif element.name in ("p", "s"):
            self.parts.append(End(paragraph=element.name == "p"))

    def characters(self, text: str) -> None:
        element = self._open[-1]
        if element.name in _COLLECTED:
            element.text.append(text)
        elif text.strip():
            self.parts.append(Text(text, element.manner))

    def _manner(self, name: str, given: Mapping[str, str]) -> Manner:
        if name == "prosody":
            return prosody(given, _SsmlError, self._note)
        return emphasis(given, _SsmlError) if name == "emphasis" else PLAIN

    def _collected(self, element: _Element, text: str) -> list[Part]:
        given, manner = element.given, element.manner
        if element.name == "sub":
            if "alias" not in given:
                raise _SsmlError('<sub> has no alias="..."')
            return [Text(given["alias"], manner)]
        if element.name == "say-as":
            try:
                return list(say_as(text, given.get("interpret-as", ""), given.get("format", ""), manner))
            except ValueError as error:
                raise _SsmlError(f"{text[:40]!r} {error}") from None
        return [Said(text or "?", self._phones(given), manner)]

    def _phones(self, given: Mapping[str, str]) -> tuple[str, ...]:
        alphabet = given.get("alphabet", "ipa")
        if alphabet not in _ALPHABETS:
            raise _SsmlError(f"the alphabet {alphabet!r} is not read, there are ipa and x-arpabet")
        try:
            return phones_of_ipa(given.get("ph", "")) if alphabet == "ipa" else phones_of(given.get("ph", ""))
        except ValueError as error:
            raise _SsmlError(f"ph={given.get('ph', '')!r}: {error}") from None

    def _note(self, what: str) -> None:
        self._tell(f"SSML, line {self.line_of()}: {what}")

"""What a text is made of once its markup is understood."""

from dataclasses import dataclass

from tts.frontend.script import PLAIN, Manner


@dataclass(frozen=True, slots=True)
class Text:
    """Written English."""

    text: str
    manner: Manner = PLAIN


@dataclass(frozen=True, slots=True)
class Said:
    """What is written, and which phones it is."""

    text: str
    phones: tuple[str, ...]
    manner: Manner = PLAIN


@dataclass(frozen=True, slots=True)
class Break:
    """So many seconds of silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """The end of a sentence, or of a paragraph."""

    paragraph: bool = False


Part = Text | Said | Break | End

"""Written tokens to words with phones: by the user's lexicon, by their neighbours, by the dictionary."""

import re
from collections.abc import Iterator, Sequence

from schemas.text import Token
from transforms.text.pronunciation import Pronouncer, plural_ending
from transforms.text.readings import bare
from tts.frontend.homographs import article, homograph
from tts.frontend.lexicon import Lexicon, key_of
from tts.frontend.script import Manner, SaidWord

Phones = tuple[str, ...]

# A token that is more words than this (a telephone number) is said as words of its own.
_MOST_IN_ONE = 3
_LETTER_A: Phones = ("EY",)
_CLOSING = re.compile(r"[^\w]*$")


class Speller:
    """Says which phones the tokens of a text are."""

    def __init__(self, pronouncer: Pronouncer, lexicon: Lexicon) -> None:
        self._pronouncer = pronouncer
        self._lexicon = lexicon

    def words(self, tokens: Sequence[Token], manners: Sequence[Manner]) -> Iterator[SaidWord]:
        """Words of tokens that follow each other, each said in its manner; one a token, or several of a long one."""
        before: list[str] = []
        following: Sequence[str] = ()
        said: list[tuple[Token, Manner, list[tuple[str, Phones]]]] = []
        for place, (token, manner) in enumerate(zip(tokens, manners, strict=True)):
            after = _next_spoken(tokens, place)
            said.append((token, manner, list(self._of_token(token, before, after))))
            before = [*before[-3:], *token.spoken]
        # From the end, because an article depends on what follows it.
        for _, _, parts in reversed(said):
            for number in range(len(parts) - 1, -1, -1):
                word, phones = parts[number]
                parts[number] = word, article(word, following) or phones
                following = phones or following
        for token, manner, parts in said:
            yield from _words_of(token, manner, parts)

    def _of_token(self, token: Token, before: Sequence[str], after: str) -> Iterator[tuple[str, Phones]]:
        own = self._own(token)
        if own:
            yield " ".join(token.spoken), own
            return
        core = bare(token.text)[0]
        for place, word in enumerate(token.spoken):
            following = token.spoken[place + 1] if place + 1 < len(token.spoken) else after
            earlier = [*before, *token.spoken[:place]]
            yield word, self._phones(word, core, earlier, following, len(token.spoken) == 1)

    def _own(self, token: Token) -> Phones:
        """What the user's lexicon says of a whole token, or of it without 's."""
        key = key_of(bare(token.text)[0])
        known = self._lexicon.get(key, ())
        if not known and key.endswith("'s"):
            stem = self._lexicon.get(key.removesuffix("'s"), ())
            known = (*stem, *plural_ending(stem)) if stem else ()
        return known

    def _phones(self, word: str, core: str, before: Sequence[str], after: str, is_alone: bool) -> Phones:
        own = self._lexicon.get(word, ())
        if own:
            return own
        if word == "a" and _is_letter_a(core, before, after, is_alone):
            return _LETTER_A
        if word == "polish" and core[:1].isupper() and before:
            return ("P", "OW", "L", "IH", "SH")
        return homograph(word, before, after) or self._pronouncer.pronounce(word)


def _is_letter_a(core: str, before: Sequence[str], after: str, is_alone: bool) -> bool:
    """Whether an "a" is the letter: in "AI", "9am" and "vitamin A", not in "a day" and "2½"."""
    if not is_alone:
        return "A" in core or len(after) == 1 or (bool(before) and len(before[-1]) == 1)
    return core == "A" and bool(before) and (not after or len(after) < 3 or before[-1] in _LETTERED)


# What has a letter for a name.
_LETTERED = frozenset(("vitamin", "plan", "grade", "hepatitis", "group", "type", "class", "section", "letter", "point"))


def _next_spoken(tokens: Sequence[Token], place: int) -> str:
    return next((token.spoken[0] for token in tokens[place + 1 : place + 4] if token.spoken), "")


def _words_of(token: Token, manner: Manner, parts: Sequence[tuple[str, Phones]]) -> Iterator[SaidWord]:
    if len(parts) <= _MOST_IN_ONE:
        yield SaidWord(token.text, tuple(phone for _, phones in parts for phone in phones), manner)
        return
    for word, phones in parts[:-1]:
        yield SaidWord(word, phones, manner)
    word, phones = parts[-1]
    ending = _CLOSING.search(token.text)
    yield SaidWord(word + (ending[0] if ending else ""), phones, manner)

"""Written text as it is said, and back: tokens, their spoken words, other readings, words in time."""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.text import Token, Word
from transforms.text.context import Context, is_british, is_english
from transforms.text.folding import sayable_letters
from transforms.text.lexicon import SOUNDS
from transforms.text.names import LONGEST_WORD
from transforms.text.numerals import Words, distinct
from transforms.text.readings import bare, readings
from transforms.text.sentences import is_clause_end, is_sentence_end

__all__ = [
    "alternatives",
    "is_clause_end",
    "is_sentence_end",
    "is_unsayable",
    "regroup",
    "spoken_words",
    "tokenise",
    "tokenise_many",
]

# Square brackets and notes always hold what is not speech; round ones, asterisks and angles only if it is a sound.
_DIRECTION = re.compile(
    r"\[[^\[\]]{0,200}\]|[♪♫♬][^♪♫♬]{0,400}[♪♫♬]+|[♪♫♬]+"
    r"|\([^()\[\]♪]{1,60}\)|\*[^*\[\]♪]{1,60}\*|<[^<>\[\]♪]{1,60}>"
)
_WORD_IN_DIRECTION = re.compile(r"[a-z]+")
_MOST_WORDS_OF_SOUND = 5
_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A written word, or a whole stage direction: its text, and what of it may be speech ("" of a direction)."""

    text: str
    speech: str


def tokenise(text: str, language: str = "en") -> tuple[Token, ...]:
    """The written words of a text and how each is said; " ".join of the tokens' texts is the text, spaces evened.

    Never said, spoken == (): punctuation alone; stage directions ([music], (laughs), *applause*, what is between
    notes ♪), each one token, spaces and all. Said, but spoken == () because there is no way to write it: words of
    other scripts in English, digits in other languages, endless strings; `is_unsayable` tells them, and an aligner
    finds speech there that no word covers.
    """
    return tokenise_many((text,), language)[0]


def tokenise_many(texts: Sequence[str], language: str = "en") -> tuple[tuple[Token, ...], ...]:
    """Tokens of each text (a caption, say), where each text goes on from the one before ("March" | "4 2023")."""
    chunks = [list(_chunks(text)) for text in texts]
    line = list(itertools.chain.from_iterable(chunks))
    if is_english(language):
        tokens = _english(line, is_british(language))
    else:
        tokens = [Token(chunk.text, _foreign(chunk.speech)) for chunk in line]
    remaining = iter(tokens)
    return tuple(tuple(itertools.islice(remaining, len(part))) for part in chunks)


def spoken_words(tokens: Sequence[Token]) -> tuple[tuple[str, int], ...]:
    """Every spoken word with the index of its token."""
    return tuple((word, index) for index, token in enumerate(tokens) for word in token.spoken)


def regroup(tokens: Sequence[Token], spoken_times: Sequence[tuple[float, float, float]]) -> tuple[Word, ...]:
    """Words in time from (start, end, score) of every spoken word, in the order of `spoken_words(tokens)`.

    One word for each token that is said, its score the mean of its spoken words' by their length in time. The text
    of a token that is not said joins the word before it (at the beginning, the first word), so that " ".join of the
    words' texts is the tokens' text. No words at all if nothing is said. Raises ValueError if the counts differ.
    """
    expected = sum(len(token.spoken) for token in tokens)
    if len(spoken_times) != expected:
        raise ValueError(f"{expected} spoken words, but {len(spoken_times)} times")
    words: list[Word] = []
    silent: list[str] = []
    position = 0
    for token in tokens:
        if not token.spoken:
            if words:
                words[-1] = _retold(words[-1], f"{words[-1].text} {token.text}")
            else:
                silent.append(token.text)
            continue
        times = spoken_times[position : position + len(token.spoken)]
        position += len(token.spoken)
        text = " ".join([*silent, token.text])
        silent = []
        words.append(Word(text, times[0][0], times[-1][1], _mean_score(times), " ".join(token.spoken)))
    return tuple(words)


def alternatives(token: Token, language: str = "en") -> tuple[Words, ...]:
    """Other ways the same token may be said, best first, for an aligner to try; without the one it has."""
    if not token.spoken or not is_english(language):
        return ()
    british = is_british(language)
    # As it stands without its neighbours, as a word in a line of capitals, as a day after its month.
    contexts = [Context(british=british), Context(british=british, shouting=True)]
    if bare(token.text)[0].isdigit():
        contexts += [Context("January", british=british), Context(british=british, after_comma=True)]
    found: list[Words] = [way for context in contexts for way in readings(token.text, context)]
    # "billion" that took the dollars of "$1.2" may have been said without them.
    if len(token.spoken) > 1 and token.spoken[0] == bare(token.text)[0].lower():
        found.append(token.spoken[:1])
    return tuple(way for way in distinct(found) if way != token.spoken)


def is_unsayable(token: Token) -> bool:
    """Whether a token stands for speech that has no spoken form here: another script, an endless string."""
    if token.spoken:
        return False
    speech = "".join(chunk.speech for chunk in _chunks(token.text))
    return any(c.isalnum() for c in speech)


def _chunks(text: str) -> Iterator[_Chunk]:
    """Written words; a stage direction is one, and one with a word that it touches."""
    even = " ".join(text.split())
    directions = [match.span() for match in _DIRECTION.finditer(even) if _is_direction(match[0])]
    inside = 0
    start = 0
    spaces = [match.start() for match in re.finditer(" ", even)]
    for place in [*spaces, len(even)] if even else ():
        while inside < len(directions) and directions[inside][1] <= place:
            inside += 1
        if inside < len(directions) and directions[inside][0] < place:
            continue
        yield _Chunk(even[start:place], _speech(even, start, place, directions[:inside]))
        start = place + 1


def _speech(text: str, start: int, end: int, directions: Sequence[tuple[int, int]]) -> str:
    """text[start:end] without the directions in it; they are sorted, and those of this stretch come last."""
    parts = []
    for first, last in reversed(directions):
        if last <= start:
            break
        parts.append(text[last:end])
        end = first
    return text[start:end] + "".join(reversed(parts)) if parts else text[start:end]


def _is_direction(text: str) -> bool:
    if text[0] in "[♪♫♬":
        return True
    found = _WORD_IN_DIRECTION.findall(text.lower())
    return 0 < len(found) <= _MOST_WORDS_OF_SOUND and (found[0] in SOUNDS or found[-1] in SOUNDS)


def _english(line: Sequence[_Chunk], british: bool) -> list[Token]:
    cores = [bare(chunk.speech)[0] for chunk in line]
    said = [place for place, core in enumerate(cores) if core]
    neighbours = {place: k for k, place in enumerate(said)}
    tokens = []
    for place, chunk in enumerate(line):
        k = neighbours.get(place)
        if k is None:
            ways = readings(chunk.speech, Context()) if chunk.speech else ()
        else:
            context = Context(
                previous=cores[said[k - 1]] if k else "",
                following=cores[said[k + 1]] if k + 1 < len(said) else "",
                shouting=_is_shouting(cores, said, k),
                british=british,
                after_comma=bool(k) and line[said[k - 1]].text.endswith(","),
            )
            ways = readings(chunk.speech, context)
        tokens.append(Token(chunk.text, ways[0] if ways else ()))
    return tokens


def _is_shouting(cores: Sequence[str], said: Sequence[int], k: int) -> bool:
    """Whether most letters around a word in capitals are capitals."""
    if not cores[said[k]].isupper():
        return False
    nearby = [cores[said[j]] for j in range(max(0, k - _NEIGHBOURS), min(len(said), k + _NEIGHBOURS + 1)) if j != k]
    letters = [letter for core in nearby for letter in core if letter.isalpha()]
    return 2 * sum(letter.isupper() for letter in letters) > len(letters) > 3


def _foreign(speech: str) -> Words:
    """Words of other languages: their letters as they are, of Latin ones the plain form; figures are said who knows
    how."""
    word = sayable_letters(speech).strip("'")
    if any(c.isdigit() for c in speech):
        return ()
    if not word:
        letters = "".join(c for c in speech.lower() if c.isalpha() or unicodedata.combining(c))
        return (letters,) if 0 < len(letters) <= LONGEST_WORD else ()
    words = tuple(filter(None, (sayable_letters(part).strip("'") for part in re.split(r"[^\w'’]+", speech))))
    return words if all(len(part) <= LONGEST_WORD for part in words) else ()


def _retold(word: Word, text: str) -> Word:
    return Word(text, word.start, word.end, word.score, word.spoken)


def _mean_score(times: Sequence[tuple[float, float, float]]) -> float:
    length = sum(end - start for start, end, _ in times)
    if length <= 0:
        return sum(score for _, _, score in times) / len(times)
    return sum((end - start) * score for start, end, score in times) / length

"""Where words are cut into sentences, and long sentences into what is said in one go."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from transforms.text.sentences import is_clause_end, is_sentence_end
from tts.frontend.script import SaidWord, Sentence
from tts.phones import NO_MARK, mark_of

# About 20 seconds at 13 phones a second; no clip that a voice learned from is much longer.
MOST_PHONES = 240
# Seconds of silence where a sentence is cut: at the end of a clause, and between any words.
_AT_CLAUSE, _BETWEEN_WORDS = 0.25, 0.12


def sentences_of(words: Iterable[SaidWord], pause: float | None, ends_paragraph: bool) -> Iterator[Sentence]:
    """Sentences of words; `pause` and `ends_paragraph` are of the last one. One at least, though it be silent."""
    yield from (_closed(one) for one in _cut(words, pause, ends_paragraph))


def _closed(sentence: Sentence) -> Sentence:
    """With a full stop where a sentence, or a heading, ends without a mark: a voice lets its pitch fall there."""
    written = [mark_of(word.text) for word in sentence.words]
    if sentence.is_silent or sentence.pause is not None or written[-1] != NO_MARK:
        return sentence
    return replace(sentence, words=(*sentence.words, SaidWord(".", ())))


def _cut(words: Iterable[SaidWord], pause: float | None, ends_paragraph: bool) -> Iterator[Sentence]:
    current: list[SaidWord] = []
    ready: Sentence | None = None
    for word in words:
        if current and is_sentence_end(current[-1].text, word.text):
            if ready is not None:
                yield ready
            ready = Sentence(tuple(current))
            current = []
        current.append(word)
    if ready is not None and any(word.phones for word in current):
        yield ready
        ready = None
    if ready is None:
        yield Sentence(tuple(current), pause, ends_paragraph)
    else:
        # Marks alone after the last full stop, such as a closing dash, are no sentence.
        yield replace(ready, pause=pause, ends_paragraph=ends_paragraph)


def cut_to_length(sentences: Iterable[Sentence], most: int = MOST_PHONES) -> Iterator[Sentence]:
    """The same, where no sentence of several words has more phones than `most`."""
    for sentence in sentences:
        yield from _shorter(sentence, most)


def _shorter(sentence: Sentence, most: int) -> Iterator[Sentence]:
    words = sentence.words
    place = _best_cut(words) if sum(len(word.phones) for word in words) > most else 0
    if not place:
        yield sentence
        return
    at_clause = is_clause_end(words[place - 1].text, words[place].text)
    pause = _AT_CLAUSE if at_clause else _BETWEEN_WORDS
    yield from _shorter(Sentence(words[:place], pause), most)
    yield from _shorter(replace(sentence, words=words[place:]), most)


def _best_cut(words: Sequence[SaidWord]) -> int:
    """Before which word to cut: nearest to the middle, rather where a clause ends; 0 where there is no way."""
    passed = [0]
    for word in words:
        passed.append(passed[-1] + len(word.phones))
    total = passed[-1]
    places = [place for place in range(1, len(words)) if 0 < passed[place] < total]
    if not places:
        return 0

    def cost(place: int) -> float:
        off = abs(2 * passed[place] - total) / total
        return off + (0.0 if is_clause_end(words[place - 1].text, words[place].text) else 0.6)

    return min(places, key=cost)

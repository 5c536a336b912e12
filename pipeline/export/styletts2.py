"""StyleTTS 2: `file|IPA|speaker` at 24 kHz, train_list.txt and val_list.txt, the audio in wavs/ (its root_path).

The IPA is of the clip's aligned phones, in the symbols that espeak-ng writes American English with and that StyleTTS 2
was trained on; the dataset's phones know no stress, and so the IPA has none. Punctuation is the text's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.export.clips import Clip, RefusedError
from pipeline.export.lines import cut_line
from pipeline.export.unit import Unit
from transforms.text.dictionary import default_dictionary
from transforms.text.spoken import tokenise

#: Hz of StyleTTS 2.
RATE = 24_000
_LISTS = {"train": "train_list.txt", "validation": "val_list.txt", "test": "test_list.txt"}
_PUNCTUATION = frozenset(';:,.!?¡¿—…"«»“”')
_IPA = {
    "AA": "ɑː", "AE": "æ", "AH": "ʌ", "AO": "ɔː", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "tʃ", "D": "d", "DH": "ð",
    "EH": "ɛ", "ER": "ɜː", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "iː", "JH": "dʒ", "K": "k",
    "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ",
    "T": "t", "TH": "θ", "UH": "ʊ", "UW": "uː", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_SILENCE = "SIL"


def write(clip: Clip, unit: Unit) -> None:
    """One clip: a line and a WAV file."""
    name = f"{clip.id}.wav"
    # One speaker: the number is the row of a table of speakers.
    line = cut_line(name, ipa(clip["words"] or (), clip["phones"] or ()), "0")
    unit.wav(clip, f"wavs/{name}")
    unit.add(_LISTS[unit.split], line)


def ipa(words: Sequence[Mapping[str, Any]], phones: Sequence[Mapping[str, Any]]) -> str:
    """Words in time and ARPAbet phones in time as IPA with the words' punctuation; raises RefusedError."""
    said = [phone for phone in phones if phone["symbol"] != _SILENCE]
    if not said:
        raise RefusedError("it has no phones, which StyleTTS 2 reads (only English has them)")
    symbols: list[list[str]] = [[] for _ in words]
    for phone in said:
        if phone["symbol"] not in _IPA:
            raise RefusedError(f"its phone {phone['symbol']!r} has no IPA")
        # Edges of phones and words are rounded; the middle of a phone is inside its word.
        middle = (phone["start"] + phone["end"]) / 2
        holding = [index for index, word in enumerate(words) if word["start"] <= middle <= word["end"]]
        if not holding:
            raise RefusedError(f"its phone {phone['symbol']} at {middle:.2f} s is in no word")
        symbols[holding[0]].append(phone["symbol"])
    return " ".join(part for part in map(_word, words, symbols) if part)


def _word(word: Mapping[str, Any], symbols: Sequence[str]) -> str:
    text = str(word["text"])
    inner = text.strip("".join(filter(lambda letter: not letter.isalnum(), text)))
    if inner and not symbols:
        raise RefusedError(f"its word {text!r} has no phones")
    before, _, after = text.partition(inner) if inner else (text, "", "")
    said = " ".join("".join(_IPA[symbol] for symbol in part) for part in spoken_parts(text, symbols))
    return f"{_marks(before)}{said}{_marks(after)}"


def spoken_parts(text: str, symbols: Sequence[str]) -> list[Sequence[str]]:
    """The phones of each spoken word of a written one: "$350" is said as four.

    All in one part where the dictionary does not tell where the words begin.
    """
    spoken = [word for token in tokenise(text) for word in token.spoken]
    return (_split(spoken, tuple(symbols)) if len(spoken) > 1 else None) or [symbols]


def _split(spoken: Sequence[str], symbols: tuple[str, ...]) -> list[Sequence[str]] | None:
    if not spoken:
        return None if symbols else []
    for phones in default_dictionary().lookup(spoken[0]):
        if symbols[: len(phones)] == tuple(phones):
            rest = _split(spoken[1:], symbols[len(phones) :])
            if rest is not None:
                return [phones, *rest]
    return None


def _marks(text: str) -> str:
    return "".join(letter for letter in text if letter in _PUNCTUATION)

"""IPA to ARPAbet, of English."""

import re
import unicodedata
from types import MappingProxyType

# The longest that fits counts. Vowels of British English become the nearest American ones.
_SOUNDS = MappingProxyType(
    {
        "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY", "tʃ": "CH", "dʒ": "JH",
        "ɪə": "IH R", "eə": "EH R", "ʊə": "UH R", "ɝ": "ER", "ɚ": "ER", "ɜ": "ER", "əɹ": "ER", "ɜɹ": "ER", "ər": "ER",
        "ɜr": "ER", "ɑ": "AA", "ɒ": "AA", "a": "AA", "æ": "AE", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɔ": "AO", "ɛ": "EH",
        "e": "EH", "ɪ": "IH", "ɨ": "IH", "i": "IY", "ʊ": "UH", "u": "UW", "o": "OW", "b": "B", "d": "D", "ð": "DH",
        "f": "F", "ɡ": "G", "g": "G", "h": "HH", "k": "K", "x": "K", "l": "L", "ɫ": "L", "m": "M", "n": "N", "ŋ": "NG",
        "p": "P", "r": "R", "ɹ": "R", "ɾ": "D", "s": "S", "ʃ": "SH", "t": "T", "θ": "TH", "v": "V", "w": "W",
        "ʍ": "W", "j": "Y", "z": "Z", "ʒ": "ZH", "ʔ": "T", "l̩": "AH L", "n̩": "AH N", "m̩": "AH M",
    }
)  # fmt: skip
_LONGEST = max(map(len, _SOUNDS))
# Stress, length, ties, syllables, and the brackets that phones are written in.
_UNSOUNDED = re.compile("[ˈˌ'ːˑ.\\s‿͜͡/\\[\\]\u032f-]+")


def phones_of_ipa(text: str) -> tuple[str, ...]:
    """ARPAbet phones of IPA; raises ValueError that names what is no sound of English."""
    plain = _UNSOUNDED.sub("", unicodedata.normalize("NFD", text))
    found: list[str] = []
    place = 0
    while place < len(plain):
        length = next((n for n in range(_LONGEST, 0, -1) if plain[place : place + n] in _SOUNDS), 0)
        if not length:
            raise ValueError(f"{plain[place]!r} is no sound of English")
        found += _SOUNDS[plain[place : place + length]].split()
        place += length
    if not found:
        raise ValueError("there are no phones")
    return tuple(found)

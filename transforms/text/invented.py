"""Signs that a recogniser invented its text: repetition, credits, another script. Plain functions of the text.

Recognisers trained on subtitles write what subtitles hold where nobody speaks, and fall into loops (Koenecke et al.,
2024, "Careless Whisper"; Radford et al., 2023, section 4.5).
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence

# A loop says something of up to so many words again and again.
_LONGEST_LOOP_WORDS = 12
# So many single words ("very, very, very") are still how people talk; of longer stretches one repetition is.
_TIMES_SAID = {1: 3, 2: 2}
_TIMES_SAID_OF_MORE = 2
# A credit that names someone goes on for this many words where no sentence ends before.
_NAME_WORDS = 6

# What subtitles say that nobody says, or only says at the end of a programme.
_CREDITS = (
    r"(?:sub)?titles? (?:were |was )?(?:created |made |provided |edited |corrected )?by",
    r"(?:closed )?captions? (?:were |was )?(?:created |made |provided |edited )?by",
    r"captioned by",
    r"captioning (?:made possible|provided|funded) by",
    r"transcri(?:bed|ption|pt) (?:provided |made )?by",
    r"translat(?:ed|ion) by",
    r"(?:sub|sync)s? and corrections? by",
    r"untertitel(?:ung)? (?:der|des|von|im auftrag)",
    r"sous titrage",
    r"sous titres (?:réalisés|par)",
    r"subtítulos (?:realizados|por)",
    r"legendas pela",
    r"sottotitoli (?:creati|a cura|e revisione)",
    r"ondertiteling",
    r"copyright",
)
_STOCK = (
    r"thank(?:s| you)(?: (?:all|everyone|guys|so much|very much))* for (?:watching|listening|viewing|tuning in)"
    r"(?: (?:this|the|my|our) (?:video|episode|show|podcast|channel))?",
    r"(?:please |don't forget to |and |like |comment |share )*subscribe"
    r"(?: (?:to (?:my|our|the|this) channel|for more|now))?",
    r"(?:i'll |we'll )?see you (?:all |guys )?in the next (?:video|one|episode)",
    r"(?:please )?(?:like|leave a like)(?: and| comment| share)* subscribe",
    r"amara org(?: community)?",
    r"www (?:[a-z]+ )*(?:com|org|net|tv)",
    r"the end",
    r"(?:vielen )?danke? (?:fürs|für das) zuschauen",
    r"merci d'avoir regardé(?: cette vidéo)?",
    r"gracias por ver(?: el (?:video|vídeo))?",
)
_CREDIT = re.compile(rf"\b(?:{'|'.join(_CREDITS)})\b")
_STOCK_PHRASE = re.compile(rf"\b(?:{'|'.join(_STOCK)})\b")
_WORD = re.compile(r"[\w']+")
_SENTENCE = re.compile(r"[.!?。！？]+(?:\s|$)")

# The script (first word of a letter's Unicode name) of languages that aren't written in Latin letters.
_SCRIPTS = {
    "CYRILLIC": "ru uk bg sr mk be kk tg mn tt ba",
    "ARABIC": "ar fa ur ps sd",
    "HEBREW": "he yi",
    "GREEK": "el",
    "DEVANAGARI": "hi mr ne sa",
    "BENGALI": "bn as",
    "THAI": "th",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "HANGUL": "ko",
    "CJK": "zh yue ja ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "SINHALA": "si",
    "KHMER": "km",
    "LAO": "lo",
    "MYANMAR": "my",
    "TIBETAN": "bo",
    "ETHIOPIC": "am",
}
# Written in Latin letters too.
_ALSO_LATIN = frozenset({"sr", "kk", "tg", "mn", "tt", "ba", "sd"})


def compression_ratio(text: str) -> float:
    """How many times shorter zlib makes a text; 2.4 and more is a loop (whisper.utils.compression_ratio). 0.0 of ""."""
    plain = text.encode()
    return len(plain) / len(zlib.compress(plain)) if plain else 0.0


def repeated_share(words: Sequence[str]) -> float:
    """Share (0..1) of the words that only say again what was said right before them: n-grams of up to 12 words.

    What people repeat is left out: a word up to three times, a longer stretch twice.
    """
    heard = [word.lower() for word in words]
    repeated: set[int] = set()
    for length in range(1, min(_LONGEST_LOOP_WORDS, len(heard) // 2) + 1):
        start = 0
        while start + 2 * length <= len(heard):
            end = start + length
            while heard[end : end + length] == heard[start : start + length]:
                end += length
            times = (end - start) // length
            if times > _TIMES_SAID.get(length, _TIMES_SAID_OF_MORE):
                repeated.update(range(start + length, end))
                start = end
            else:
                start += 1
    return len(repeated) / len(heard) if heard else 0.0


def stock_share(text: str) -> float:
    """Share (0..1) of the words that belong to credits ("subtitles by ...") and to phrases that end videos."""
    words = stock = 0
    for sentence in _SENTENCE.split(text.lower().replace("’", "'").replace(".org", " org").replace(".com", " com")):
        plain = " ".join(_WORD.findall(sentence))
        words += len(plain.split())
        credit = _CREDIT.search(plain)
        credited = ""
        if credit:
            credited = " ".join([credit[0], *plain[credit.end() :].split()[:_NAME_WORDS]])
            plain = plain[: credit.start()]
        stock += len(credited.split()) + sum(len(match[0].split()) for match in _STOCK_PHRASE.finditer(plain))
    return min(stock / words, 1.0) if words else 0.0


def other_script_share(text: str, language: str) -> float:
    """Share (0..1) of the letters that the language (a code such as "en") isn't written with; 0.0 without letters."""
    own = {script for script, languages in _SCRIPTS.items() if language in languages.split()}
    letters = [letter for letter in text if letter.isalpha()]
    if not own or language in _ALSO_LATIN:
        own.add("LATIN")
    strange = sum(unicodedata.name(letter, "?").split()[0] not in own for letter in letters)
    return strange / len(letters) if letters else 0.0

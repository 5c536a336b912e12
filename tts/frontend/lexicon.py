"""A user's own pronunciations: a word and its phones a line."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from schemas.errors import ConfigurationError
from transforms.text.folding import straight_apostrophes
from tts.phones import ARPABET

Phones = tuple[str, ...]
Lexicon = Mapping[str, Phones]

_MOST_TOLD = 5
_STRESS = re.compile(r"[0-2]$")


def read_lexicon(path: Path) -> dict[str, Phones]:
    """Words (in lower case) and their phones (ARPAbet) from a text file: "word P HH OW N Z" or "word,P HH OW N Z" a
    line.

    Stress (AH0) is left out, as are empty lines and those that begin with #. Raises ConfigurationError that names
    every bad line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--lexicon {path}: can't be read ({' '.join(str(error).split())})") from None
    found: dict[str, Phones] = {}
    faults = list(_read(text, found))
    if faults:
        told = "; ".join(faults[:_MOST_TOLD])
        more = f"; and {len(faults) - _MOST_TOLD} more lines" if len(faults) > _MOST_TOLD else ""
        raise ConfigurationError(
            f"--lexicon {path}: {told}{more}; a line is a word and its ARPAbet phones: gif JH IH F"
        )
    return found


def key_of(word: str) -> str:
    """A word as lexicons have it."""
    return straight_apostrophes(word).strip().lower()


def phones_of(text: str) -> Phones:
    """ARPAbet phones without stress; raises ValueError that names the first that is none."""
    phones = tuple(_STRESS.sub("", phone.upper()) for phone in text.split())
    wrong = next((phone for phone in phones if phone not in ARPABET), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no ARPAbet phone")
    if not phones:
        raise ValueError("there are no phones")
    return phones


def _read(text: str, found: dict[str, Phones]) -> Iterator[str]:
    """Fill `found`; yields what is wrong, with the number of its line."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, phones = _parts(line)
        try:
            known = phones_of(phones)
        except ValueError as error:
            yield f"line {number}: {word!r}: {error}"
            continue
        if not word:
            yield f"line {number}: there is no word"
        elif found.setdefault(word, known) != known:
            yield f"line {number}: {word!r} is given twice"


def _parts(line: str) -> tuple[str, str]:
    separator = next((sign for sign in ("\t", ",") if sign in line), None)
    word, _, phones = line.strip().partition(separator or " ")
    return key_of(word.strip().strip('"')), phones.replace('"', " ").replace(",", " ")

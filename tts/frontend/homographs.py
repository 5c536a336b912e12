"""Words that are spelled alike and pronounced differently: which one it is, by the words beside it.

Only those words that the dictionary can't tell apart and simple neighbours can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tts.phones import ARPABET

Phones = tuple[str, ...]

VOWELS = frozenset(phone for phone in ARPABET if phone[0] in "AEIOU")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_VERB = _words(
    "to will would can could should may might must shall do does did don't doesn't didn't won't can't couldn't "
    "shouldn't wouldn't cannot not let's please i you we they i'll you'll we'll they'll he'll she'll it'll i'd we'd "
    "they'd who never always often"
)
_DETERMINERS = _words(
    "the a an this that these those my your his her its our their some any no every each of in for with many most much "
    "whose both two three four five six seven eight nine ten"
)
_HAVE = _words("have has had having i've you've we've they've been was were is are being haven't hasn't hadn't he's")
_PAST = _words("he she it already yesterday")
_BE = _words("is are was were be been being am")
_NEAR = _words("so very too as pretty quite really how came come get got getting stay stayed") | _BE
_ON_AIR = _words("go goes going went gone broadcast aired streamed streaming recorded performed performing")


@dataclass(frozen=True, slots=True)
class _Rule:
    """Said so after one of the words `before`, or before one of `after`."""

    phones: str
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()


def _verb(phones: str) -> _Rule:
    return _Rule(phones, _BEFORE_VERB)


# The first rule that fits; the last, without neighbours, always does.
_RULES: Mapping[str, tuple[_Rule, ...]] = MappingProxyType(
    {
        "abuse": (_verb("AH B Y UW Z"), _Rule("AH B Y UW S")),
        "bass": (_Rule("B EY S"),),
        "bow": (_verb("B AW"), _Rule("B AW", after=_words("of down")), _Rule("B OW", _DETERMINERS), _Rule("B AW")),
        "close": (
            _verb("K L OW Z"),
            _Rule("K L OW S", _NEAR, _words("to friend friends call look range relationship family ties attention")),
            _Rule("K L OW Z"),
        ),
        "content": (
            _Rule("K AH N T EH N T", _BE - _words("is"), _words("with to")),
            _Rule("K AA N T EH N T"),
        ),
        "contract": (_verb("K AH N T R AE K T"), _Rule("K AA N T R AE K T")),
        "desert": (_verb("D IH Z ER T"), _Rule("D EH Z ER T")),
        "estimate": (_verb("EH S T AH M EY T"), _Rule("EH S T AH M AH T")),
        "excuse": (_Rule("IH K S K Y UW S", _DETERMINERS | _words("good bad lame")), _Rule("IH K S K Y UW Z")),
        "graduate": (_verb("G R AE JH UW EY T"), _Rule("G R AE JH UW AH T")),
        "house": (_Rule("HH AW Z", _words("to")), _Rule("HH AW S")),
        "lead": (
            _Rule("L EH D", after=_words("pipe pipes paint poisoning pencil pencils acid bullet bullets shot")),
            _Rule("L EH D", _words("of")),
            _Rule("L IY D"),
        ),
        "live": (
            _Rule("L AY V", _ON_AIR),
            _Rule("L AY V", after=_words(
                "music show shows tv television broadcast broadcasts audience audiences event events stream streams "
                "streaming coverage performance performances concert concerts album recording video session sessions "
                "band bands version wire wires ammunition bait from"
            )),
            _Rule("L IH V"),
        ),
        "lives": (_Rule("L AY V Z", _DETERMINERS | _words("save saved saving lost cost")), _Rule("L IH V Z")),
        "object": (_verb("AH B JH EH K T"), _Rule("AA B JH EH K T")),
        "perfect": (_Rule("P ER F EH K T", _words("to")), _Rule("P ER F IH K T")),
        "present": (_verb("P R IY Z EH N T"), _Rule("P R EH Z AH N T")),
        "produce": (_Rule("P R OW D UW S", _words("fresh local the organic of")), _Rule("P R AH D UW S")),
        "project": (_verb("P R AH JH EH K T"), _Rule("P R AA JH EH K T")),
        "rebel": (_verb("R IH B EH L"), _Rule("R EH B AH L")),
        "record": (_verb("R IH K AO R D"), _Rule("R EH K ER D")),
        "separate": (_verb("S EH P ER EY T"), _Rule("S EH P R AH T")),
        "subject": (_verb("S AH B JH EH K T"), _Rule("S AH B JH IH K T")),
        "tear": (
            _verb("T EH R"),
            _Rule("T EH R", after=_words("up down apart off it them through into open")),
            _Rule("T IH R"),
        ),
        "tears": (_Rule("T EH R Z", _words("he she it")), _Rule("T IH R Z")),
        "use": (
            _Rule("Y UW S", after=_words("of")),
            _Rule("Y UW S", _DETERMINERS | _words("common personal everyday daily first")),
            _Rule("Y UW Z"),
        ),
        "wind": (_verb("W AY N D"), _Rule("W AY N D", after=_words("up down")), _Rule("W IH N D")),
        "wound": (_Rule("W AW N D", after=_words("up down around")), _Rule("W UW N D")),
    }
)  # fmt: skip


def homograph(word: str, before: Sequence[str], after: str) -> Phones:
    """How a spoken word is pronounced after the words `before` and before the word `after`; () where it's no matter.

    All in lower case, as spoken; `before` are those of the same sentence, `after` is "" at its end.
    """
    previous = before[-1] if before else ""
    if word == "read":
        return _read(before)
    if word == "used":
        passive = previous in _BE
        return ("Y", "UW", "S", "T") if after == "to" and not passive else ()
    for rule in _RULES.get(word, ()):
        if not (rule.before or rule.after) or previous in rule.before or after in rule.after:
            return tuple(rule.phones.split())
    return ()


def article(word: str, following: Sequence[str]) -> Phones:
    """ "the" before the phones of the next word: before a vowel it rhymes with "see"; () for other words."""
    if word != "the":
        return ()
    return ("DH", "IY") if following and following[0] in VOWELS else ("DH", "AH")


def _read(before: Sequence[str]) -> Phones:
    """In the past after "have", or after "he", which would else be "he reads"."""
    previous = before[-1] if before else ""
    near = frozenset(before[-3:])
    asked = near & _words("to did does didn't doesn't let could can will would should must might")
    is_past = not asked and (bool(near & _HAVE) or previous in _PAST)
    return ("R", "EH" if is_past else "IY", "D")

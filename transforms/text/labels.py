"""Who speaks, where a transcript says so in its text: "Alban: It is so nice", "- Really?", ">> And now".

A label is believed by evidence of the whole file, because "Remember: be kind" looks the same.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_MOST_WORDS = 4
_LONGEST = 50
_PARTICLES = frozenset(("de", "da", "del", "der", "di", "du", "la", "le", "of", "the", "van", "von", "and", "&"))
_NUMBERED = re.compile(
    r"(?:speaker|spk|guest|host|co-?host|voice|participant|person|interviewer|interviewee|narrator|announcer|caller"
    r"|moderator|audience|unknown(?: speaker)?|unidentified(?: speaker)?|male|female|man|woman)"
    r"(?:[ _#-]{0,2}[0-9A-Z]{1,3})?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w.'’-]*|\d{1,2}|&")
_TIME_BESIDE = re.compile(r"\s*[(\[]\s*\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?\s*[)\]]\s*$")
_DASH = re.compile(r"[-‐•](?=[^\W\d_]|[\"'“‘(\[])|[-–—‐•]\s+|>{2,3}\s*")
_DASH_APART = re.compile(r"[-–—‐•]\s+|>{2,3}\s*")
# What introduces a remark, a section or a credit.
_INTRODUCTIONS = (
    "also and answer back breaking but bonus by caption captions caveat chapter chorus conclusion copyright credit "
    "credits date description disclaimer duration edit email episode example exercise fact finally first footnote "
    "headline hint http https idea important intro introduction issue lesson link links listen location look lyrics "
    "meaning memo method music next no note notes number ok okay or outro part plus point problem ps question "
    "questions quote reason remember reminder result results rule season second section see so solution source "
    "sources spoiler step story subject subtitle subtitles summary synced third time timing tip tips title tldr "
    "topic transcript transcribed transcription translated translation translator trivia update verse warning "
    "website well with yes"
)
_NOT_SPEAKERS = frozenset(_INTRODUCTIONS.split())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the text of a caption, and which caption it is of."""

    caption: int
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """Text of one speaker inside one caption; `speaker` None where the text says that another one speaks, not who."""

    caption: int
    text: str
    speaker: str | None
    labelled: bool


def speaker_label(line: str) -> tuple[str, str] | None:
    """A line as (name, what the name says), if it looks so: "Adam Curry: hello" but not "Note: ..." or "At 12:30"."""
    colon = line.find(":", 0, _LONGEST + 20)
    if colon < 1 or (colon + 1 < len(line) and not line[colon + 1].isspace()):
        # The label may have a time of its own: "Adam Curry (00:01:10): hello".
        colon = line.find("):", 0, _LONGEST + 20) + 1 or line.find("]:", 0, _LONGEST + 20) + 1
        if colon < 1:
            return None
    name = _TIME_BESIDE.sub("", line[:colon]).strip().strip("*_[]")
    return (name, line[colon + 1 :].strip()) if is_name(name) else None


def is_name(text: str) -> bool:
    """Whether a text could name a speaker: a few capitalised words, SPEAKER_1, Q; no word that introduces things."""
    if not text or len(text) > _LONGEST:
        return False
    if _NUMBERED.fullmatch(text):
        return True
    words = text.split()
    if len(words) > _MOST_WORDS or words[0].lower().rstrip(".") in _NOT_SPEAKERS or (words[0] == "A" and words[1:]):
        return False
    if not all(_WORD.fullmatch(word) for word in words) or not words[0][0].isupper():
        return False
    return all(word[0].isupper() or word[0].isdigit() or word.lower() in _PARTICLES for word in words)


def attribute(lines: Sequence[Line]) -> list[Said]:
    """Who says what, in order: labels found and taken off, lines of one speaker joined, names carried on.

    A name holds until the next one where a file names only the changes; where it names nearly every caption, a
    caption without a name has none. Dashes and ">>" at the beginning of lines mean someone else.
    """
    starts = _first_lines(lines)
    believed = _believed(lines, starts)
    dialogue = _has_dialogue(lines, starts)
    said: list[Said] = []
    texts: list[list[str]] = []
    for line in lines:
        text, another = _undashed(line.text, dialogue)
        label = speaker_label(text)
        if label and label[0] in believed:
            said.append(Said(line.caption, "", label[0], True))
            text = label[1]
        elif another or not said or said[-1].caption != line.caption:
            said.append(Said(line.caption, "", None if another else "", False))
        else:
            texts[-1].append(text)
            continue
        texts.append([text])
    return _carried([replace(piece, text=" ".join(parts).strip()) for piece, parts in zip(said, texts, strict=True)])


def _first_lines(lines: Sequence[Line]) -> frozenset[int]:
    return frozenset(place for place, line in enumerate(lines) if not place or lines[place - 1].caption != line.caption)


def _believed(lines: Sequence[Line], starts: Iterable[int]) -> frozenset[str]:
    """Names that are labels here: all that look so if some come again or most captions have one, else none."""
    counts: Counter[str] = Counter()
    labelled = 0
    openings = 0
    for place in sorted(starts):
        openings += 1
        label = speaker_label(_undashed(lines[place].text, True)[0])
        if label:
            labelled += 1
            counts[label[0]] += 1
    sure = {name for name, count in counts.items() if count > 1 or _NUMBERED.fullmatch(name)}
    if sure or 2 * labelled >= openings:
        return frozenset(counts)
    return frozenset()


def _has_dialogue(lines: Sequence[Line], starts: Iterable[int]) -> bool:
    """Whether dashes at the beginning of lines mean speakers here: some caption has them on two lines."""
    opening = set(starts)
    dashed = [place for place, line in enumerate(lines) if _DASH.match(line.text)]
    return any(place not in opening or lines[place].text.startswith(">>") for place in dashed)


def _undashed(text: str, dialogue: bool) -> tuple[str, bool]:
    match = (_DASH if dialogue else _DASH_APART).match(text)
    if not match or not text[match.end() :].strip():
        return text, False
    return text[match.end() :], dialogue


def _carried(said: Sequence[Said]) -> list[Said]:
    names = [piece.speaker for piece in said if piece.labelled]
    repeats = sum(one == other for one, other in itertools.pairwise(names))
    only_changes = 2 * repeats <= len(names) - 1 or len(names) == 1
    result = []
    current: str | None = ""
    for piece in said:
        if piece.labelled or piece.speaker is None:
            current = piece.speaker
        speaker = piece.speaker if piece.labelled else (current if only_changes else "")
        result.append(Said(piece.caption, piece.text, speaker or "", piece.labelled))
    return result

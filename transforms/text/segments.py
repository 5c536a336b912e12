"""JSON transcripts to captions: Podcasting 2.0, Whisper, and their relatives."""

import itertools
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.errors import EpisodeError
from schemas.text import Caption
from transforms.text.cues import seconds
from transforms.text.markup import plain_text
from transforms.text.subtitles import labelled_captions

_LISTS = ("segments", "words", "transcript", "results", "captions", "cues", "utterances", "monologues")
_TEXTS = ("body", "text", "word", "punctuated_word", "content", "transcript")
_STARTS = ("startTime", "start", "start_time", "startTimeSeconds", "begin", "from")
_ENDS = ("endTime", "end", "end_time", "endTimeSeconds", "to")
_SPEAKERS = ("speaker", "speakerName", "speaker_name", "speaker_label", "name")
# Segments of one or two words are put together to captions about as long as those of other formats.
_FEW_WORDS = 2
_LONGEST_CAPTION = 8.0
_LONGEST_GAP = 1.0
_MOST_SEGMENTS = 40
_PUNCTUATION = frozenset(".,!?;:…")
_ENDINGS = (".", "!", "?", "…")


def parse_json(text: str) -> list[Caption]:
    """Captions of a JSON transcript: {"segments": [{"speaker", "startTime", "endTime", "body"}]} of Podcasting 2.0,
    {"segments": [{"start", "end", "text"}]} of Whisper, or a bare list of such; word by word or not.

    Raises EpisodeError where it's no JSON, or nested too deep.
    """
    try:
        document = json.loads(text, parse_constant=lambda name: None)
    except RecursionError:
        raise EpisodeError("transcript-json: it is nested too deep to be a transcript") from None
    except ValueError as error:
        raise EpisodeError(f"transcript-json: it is no valid JSON ({_one_line(error)})") from None
    segments = list(_segments(document))
    if not segments:
        whole = _first(document, _TEXTS) if isinstance(document, dict) else None
        return labelled_captions([(None, None, [plain_text(whole)])]) if isinstance(whole, str) else []
    if statistics.median(len(segment.text.split()) for segment in segments) <= _FEW_WORDS:
        segments = list(_joined(segments))
    else:
        segments = list(_joined_by_span(segments))
    captions = [Caption(plain_text(s.text), s.start, s.end, s.speaker) for s in segments]
    if any(caption.speaker for caption in captions):
        return captions
    return labelled_captions([(caption.start, caption.end, [caption.text]) for caption in captions])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _segments(document: Any) -> Iterator[Caption]:
    if isinstance(document, dict):
        for name in _LISTS:
            if isinstance(document.get(name), list) and document[name]:
                document = document[name]
                break
    if not isinstance(document, list):
        return
    for item in document:
        if not isinstance(item, dict):
            continue
        text = _first(item, _TEXTS)
        if isinstance(text, str) and text.strip():
            start, end = _time(_first(item, _STARTS)), _time(_first(item, _ENDS))
            speaker = _first(item, _SPEAKERS)
            yield Caption(text, start, end, _name(speaker))


def _first(item: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return plain_text(str(value)[:200])


def _time(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return round(float(value), 6) if abs(value) < 1e7 and math.isfinite(value) and value >= 0 else None
    return seconds(value) if isinstance(value, str) and len(value) < 40 else None


def _joined_by_span(segments: Sequence[Caption]) -> Iterator[Caption]:
    """Segments that share their speaker and their times as one: some publishers break the lines of one cue so."""
    for (_, start, _), group in itertools.groupby(segments, lambda s: (s.speaker, s.start, s.end)):
        parts = list(group)
        if start is None:
            yield from parts
        else:
            yield _together(parts, False)


def _joined(words: Sequence[Caption]) -> Iterator[Caption]:
    # Whisper writes the space before a word into the word.
    own_spaces = sum(word.text[:1].isspace() or word.text[-1:].isspace() for word in words) * 3 > len(words)
    parts: list[Caption] = []
    for word in words:
        if parts and _is_cut(parts, word):
            yield _together(parts, own_spaces)
            parts = []
        parts.append(word)
    yield _together(parts, own_spaces)


def _is_cut(parts: Sequence[Caption], word: Caption) -> bool:
    first, last = parts[0], parts[-1]
    if word.speaker != last.speaker or len(parts) >= _MOST_SEGMENTS:
        return True
    times = (first.start, last.end if last.end is not None else last.start, word.start)
    if any(time is None for time in times):
        return last.text.rstrip().endswith(_ENDINGS) and len(parts) > 3
    begin, end, start = (time for time in times if time is not None)
    return start - end > _LONGEST_GAP or start - begin > _LONGEST_CAPTION or last.text.rstrip().endswith(_ENDINGS)


def _together(parts: Sequence[Caption], own_spaces: bool) -> Caption:
    pieces = [parts[0].text]
    for part in parts[1:]:
        if not own_spaces and part.text.strip() not in _PUNCTUATION:
            pieces.append(" ")
        pieces.append(part.text)
    return Caption("".join(pieces), parts[0].start, parts[-1].end, parts[0].speaker)

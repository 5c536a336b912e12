"""What people who listened decided: clips that are left out, and texts in place of those that were wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from schemas.clip import candidate_schema
from schemas.text import Phone, Word
from schemas.verdict import corrected_source

# What a verifier or a recogniser said of the text that was there says nothing of another.
_OF_THE_OLD_TEXT = (
    "text_score", "log_probability", "disagreement", "silent_words", "compression_ratio", "repeated_words",
    "stock_words", "other_script",
)  # fmt: skip
_OF_THE_NEW_TEXT = ("text", "spoken", "alignment_score", "coverage", "chars_per_second")


@dataclass(frozen=True, slots=True)
class Correction:
    """A text that a person wrote for a clip, as it was aligned on the clip's audio (times in seconds from its start).

    `written` is the text as it was written, by whom (`reviewer`) and when (`time`, ISO 8601), `aligner` the identity of
    the model. `fingerprint` and `duration` (s) are those of the audio that it was aligned on, and belong to no other.
    """

    written: str
    reviewer: str
    time: str
    aligner: str
    fingerprint: str
    duration: float
    text: str
    spoken: str
    words: tuple[Word, ...]
    phones: tuple[Phone, ...]
    alignment_score: float
    coverage: float
    chars_per_second: float

    def is_of(self, clip: Mapping[str, Any]) -> bool:
        """Whether a clip (`fingerprint`, `duration`) has the audio that the text was aligned on."""
        return bool(self.fingerprint == clip["fingerprint"] and self.duration == clip["duration"])


@dataclass(frozen=True)
class Reviewed:
    """`left_out` has the verdicts (other than "ok") by clip id, `corrections` all corrected texts that were aligned.

    A clip is not left out for its verdict where it is in `settled` and its correction is of its audio.
    """

    left_out: Mapping[str, str] = field(default_factory=dict)
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()

    def correction(self, clip: Mapping[str, Any]) -> Correction | None:
        """The corrected text of a clip (`id`, `fingerprint`, `duration`); None without one of the same audio."""
        found = self.corrections.get(clip["id"])
        return found if found is not None and found.is_of(clip) else None


#: Of a dataset that nobody has listened to.
NOTHING = Reviewed()


def with_corrections(candidates: pa.Table, reviewed: Reviewed) -> tuple[pa.Table, dict[str, str]]:
    """The candidates with the corrected texts and all that depends on them, and the verdicts of those left out.

    No text is put onto other audio than it was aligned on. Applied twice, it changes nothing more.
    """
    rows = candidates.select(["id", "fingerprint", "duration"]).to_pylist() if reviewed.corrections else []
    found = {place: one for place, row in enumerate(rows) if (one := reviewed.correction(row)) is not None}
    settled = {rows[place]["id"] for place in found} & reviewed.settled
    left_out = {clip: verdict for clip, verdict in reviewed.left_out.items() if clip not in settled}
    if not found:
        return candidates, left_out
    schema = candidate_schema()
    for name in (*_OF_THE_NEW_TEXT, *_OF_THE_OLD_TEXT, "words", "phones", "transcript_source"):
        values = candidates[name].to_pylist()
        for place, correction in found.items():
            values[place] = _value(correction, name, values[place])
        position = candidates.schema.get_field_index(name)
        column = pa.array(values, schema.field(name).type)
        candidates = candidates.set_column(position, schema.field(name), column)
    return candidates, left_out


def _value(correction: Correction, name: str, before: Any) -> Any:
    if name in _OF_THE_OLD_TEXT:
        return None
    if name == "transcript_source":
        return corrected_source(before or "")
    if name == "words":
        return [{"text": w.text, "start": w.start, "end": w.end, "score": w.score} for w in correction.words]
    if name == "phones":
        return [{"symbol": p.symbol, "start": p.start, "end": p.end} for p in correction.phones]
    return getattr(correction, name)

"""The verdict on a candidate clip: a cheap rule over its scores, with every reason said.

A reason is four words, "dnsmos_ovrl 2.41 < 2.80": its code (the column that failed), what was observed, how it relates
to the limit, and the limit. A score that isn't there gives two: "dnsmos_ovrl missing". Reasons come in a fixed order:
whose and which audio it is, who speaks, whether the text fits, how it sounds, its shape; the first one names the cause
that the others often follow from.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from schemas.errors import ConfigurationError

KEPT, REJECTED = "kept", "rejected"
MISSING = "missing"

Range = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a clip must fulfil. None, alone or as an end of a range, means no limit; a limit itself is still good.

    The field is called like the column it judges. Ranges are (least, most).
    """

    # Which audio. A recogniser's words are no ground truth (pocketsphinx: word error rate 0.53 on people), but those of
    # one that gives evidence on what it wrote are judged by that, below.
    allow_recognised: bool = False
    # MP3 at podcast rates holds less than 24 kHz promises; `bandwidth_hz` says how much less.
    allow_upsampled: bool = True
    # Who speaks: the mean cosine to the target's voice in this episode (the target's own clips are hardly ever below
    # 0.75), and by how much the window that is least the target's is more like them than like anybody else, as a
    # logistic share (0.5: another voice is as near); schemas/clip.py has the formula.
    speaker_similarity: float | None = 0.70
    speaker_purity: float | None = 0.10
    # Most share of the clip in which someone else speaks too.
    overlap: float | None = 0.02
    # Least mean log-likelihood a frame: only comparable inside one aligner, and no proof by itself, so no limit here.
    alignment_score: float | None = None
    # Least probability that no word of the text is wrong. Where no text was verified none has any, and all pass.
    # Chosen on the readers that the verifier learnt from, each judged by trees of the others: 85 % of right texts pass.
    text_score: float | None = 0.60
    # What a recogniser invented (Whisper): no limit applies to a clip that none with an opinion listened to. The first
    # two are Whisper's own limits for silence and for a failed decoding (whisper.transcribe), 2.4 is its for loops; the
    # others, and those of strict and permissive, are reasoned and not measured.
    no_speech: float | None = 0.6
    log_probability: float | None = -1.0
    # Least probability of the language that the text is in.
    language_probability: float | None = 0.5
    # Most share of the words that differ from what was heard freely (a publisher's text), or of words in phrases that
    # the aligner finds to fit badly (a recogniser's).
    disagreement: float | None = 0.25
    # Most share of the words' time in which nobody speaks.
    silent_words: float | None = 0.5
    # Of a recogniser's text only: how often it says the same again, shares of words that are repeated or that credits
    # and the ends of videos are made of, share of letters that the language isn't written with.
    compression_ratio: float | None = 2.4
    repeated_words: float | None = 0.25
    stock_words: float | None = 0.5
    other_script: float | None = 0.1
    # Least share of the speech that lies inside words: speech without a word is text that is missing.
    coverage: float | None = 0.80
    # English is read at 13 to 17 characters a second; far outside, text and audio don't belong together.
    chars_per_second: Range = (5.0, 25.0)
    # How it sounds. No limits here: DNSMOS rates clean speech in a reverberant room (1.0 to 1.7) no better than speech
    # under loud music, and WADA takes a room's tail for noise (down to -20 dB), so a limit on either would leave out
    # whole episodes for their room. `strict` has them: Emilia (He et al., 2024) keeps DNSMOS overall > 3.0.
    snr_db: float | None = None
    dnsmos_ovrl: float | None = None
    dnsmos_sig: float | None = None
    dnsmos_bak: float | None = None
    loudness_lufs: Range = (-45.0, -8.0)
    # Most share of samples in clipped runs.
    clipped: float | None = 0.001
    # Least bandwidth in Hz: a telephone ends at 3400.
    bandwidth_hz: float | None = 5000.0
    # Its shape, in seconds.
    duration: Range = (1.0, 20.0)
    leading_silence: Range = (0.0, 0.6)
    trailing_silence: Range = (0.0, 0.6)


STRICT = Thresholds(
    allow_upsampled=False,
    speaker_similarity=0.80,
    speaker_purity=0.50,
    overlap=0.0,
    no_speech=0.3,
    log_probability=-0.5,
    language_probability=0.8,
    disagreement=0.10,
    silent_words=0.3,
    compression_ratio=2.2,
    repeated_words=0.1,
    stock_words=0.2,
    other_script=0.0,
    coverage=0.90,
    chars_per_second=(8.0, 22.0),
    snr_db=15.0,
    dnsmos_ovrl=3.0,
    dnsmos_sig=3.3,
    dnsmos_bak=3.5,
    loudness_lufs=(-35.0, -10.0),
    clipped=0.0001,
    bandwidth_hz=8000.0,
    duration=(1.5, 15.0),
    leading_silence=(0.02, 0.4),
    trailing_silence=(0.02, 0.4),
)
DEFAULT = Thresholds()
PERMISSIVE = Thresholds(
    allow_recognised=True,
    text_score=None,
    speaker_similarity=0.60,
    speaker_purity=0.0,
    overlap=0.10,
    no_speech=0.8,
    log_probability=-1.5,
    language_probability=0.3,
    disagreement=0.50,
    silent_words=0.7,
    compression_ratio=2.8,
    repeated_words=0.4,
    stock_words=0.8,
    other_script=0.2,
    coverage=0.60,
    chars_per_second=(3.0, 30.0),
    loudness_lufs=(-55.0, -5.0),
    clipped=0.01,
    bandwidth_hz=3000.0,
    duration=(0.5, 30.0),
    leading_silence=(0.0, 1.5),
    trailing_silence=(0.0, 1.5),
)

#: Profiles by name, the strictest first. Each lets through all that the one before it does.
PROFILES: Mapping[str, Thresholds] = MappingProxyType(
    {"strict": STRICT, "default": DEFAULT, "permissive": PERMISSIVE},
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`tier` is the name of the strictest profile that the clip passes, "" for none.

    The tier doesn't depend on the thresholds that decide `kept`: it tells clips of one dataset apart.
    """

    kept: bool
    tier: str
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the column `verdict` of candidates/*.parquet has it."""
        return KEPT if self.kept else REJECTED


@dataclass(frozen=True, slots=True)
class Interval:
    """A column and the least and most it may be; `decimals` are shown in reasons."""

    column: str
    least: float | None
    most: float | None
    decimals: int

    def low_reasons(self, observed: Iterable[float]) -> list[str]:
        """Reasons for values below the least."""
        return [] if self.least is None else _reasons(self.column, observed, "<", self.least, self.decimals)

    def high_reasons(self, observed: Iterable[float]) -> list[str]:
        """Reasons for values above the most."""
        return [] if self.most is None else _reasons(self.column, observed, ">", self.most, self.decimals)


# Columns in the order of their reasons, and the decimals that a reader needs.
_LEAST = {
    "speaker_similarity": 2, "speaker_purity": 2, "alignment_score": 2, "text_score": 2, "log_probability": 2,
    "language_probability": 2, "coverage": 2, "snr_db": 1, "dnsmos_ovrl": 2, "dnsmos_sig": 2, "dnsmos_bak": 2,
    "bandwidth_hz": 0,
}  # fmt: skip
_MOST = {
    "overlap": 2, "no_speech": 2, "disagreement": 2, "silent_words": 2, "compression_ratio": 2, "repeated_words": 2,
    "stock_words": 2, "other_script": 2, "clipped": 4,
}  # fmt: skip
_RANGES = {"chars_per_second": 1, "loudness_lufs": 1, "duration": 2, "leading_silence": 2, "trailing_silence": 2}
#: Columns of a recogniser's evidence, with what a text is judged by that it may have invented.
EVIDENCE = (
    "no_speech", "log_probability", "language_probability", "disagreement", "silent_words", "compression_ratio",
    "repeated_words", "stock_words", "other_script",
)  # fmt: skip
#: Columns of stages and models that a build may leave out: no limit applies to a clip without a score.
OPTIONAL = frozenset({"text_score", *EVIDENCE})
#: Sources of recognised text that comes with evidence: it is judged by that, not by where it comes from.
_WITH_EVIDENCE = frozenset({"recognised:whisper"})
#: How the source of a text begins that a person who listened wrote, "corrected:publisher:vtt" for one of a publisher.
_CORRECTED = "corrected:"
#: Sources of text that no verifier judges: a recogniser's is no ground truth, and who listened is a better judge.
UNVERIFIABLE = ("recognised:", _CORRECTED)
#: In the column `models` where texts were verified.
VERIFIER_MARK = '"verifier"'
_FLAGS = ("allow_recognised", "allow_upsampled")


def sides() -> dict[str, str]:
    """Every column of numbers that clips are judged by: "least" where more is better, "most" where less is, "range"."""
    return {**dict.fromkeys(_LEAST, "least"), **dict.fromkeys(_MOST, "most"), **dict.fromkeys(_RANGES, "range")}


def intervals(thresholds: Thresholds) -> tuple[Interval, ...]:
    """The limits on numbers that are in force, in the order of their reasons."""
    found = []
    for field in fields(thresholds):
        name = field.name
        limit = getattr(thresholds, name)
        if name in _FLAGS:
            continue
        least, most = limit if name in _RANGES else (limit, None) if name in _LEAST else (None, limit)
        if least is not None or most is not None:
            found.append(Interval(name, least, most, {**_LEAST, **_MOST, **_RANGES}[name]))
    return tuple(found)


def duplicate_reason(original: str) -> str:
    """The reason against a clip whose audio another clip (`original`) has."""
    return f"duplicate_of {original} != none"


def review_reason(verdict: str) -> str:
    """The reason against a clip that a person who listened to it gave this verdict."""
    return f"review {verdict} != ok"


def recognised_reason(transcript_source: str) -> str:
    """The reason against a transcript by a recogniser; "" where it's a publisher's, or comes with evidence."""
    if not transcript_source:
        return f"transcript_source {MISSING}"
    if not transcript_source.startswith("recognised:") or transcript_source in _WITH_EVIDENCE:
        return ""
    return f"transcript_source {transcript_source} != publisher"


def corrected_source(transcript_source: str) -> str:
    """The source of a text that a person wrote in the place of one with this source."""
    return transcript_source if transcript_source.startswith(_CORRECTED) else f"{_CORRECTED}{transcript_source}"


def upsampled_reason(upsampled: bool | None) -> str:
    """The reason against audio that was upsampled; "" where it wasn't."""
    if upsampled is None:
        return f"upsampled {MISSING}"
    return "upsampled true != false" if upsampled else ""


def is_unverified(row: Mapping[str, Any]) -> bool:
    """Whether a published text has no score where others of the dataset have: it looked too bad to be verified."""
    published = not (row.get("transcript_source") or "").startswith(UNVERIFIABLE)
    return published and VERIFIER_MARK in (row.get("models") or "") and math.isnan(_number(row.get("text_score")))


def missing_reason(column: str) -> str:
    """The reason against a clip without a score."""
    return f"{column} {MISSING}"


def judge(row: Mapping[str, Any], thresholds: Thresholds) -> Verdict:
    """Judge one candidate (a row of candidate_schema; a column that is absent, None or NaN counts as missing).

    A duplicate is rejected whatever the thresholds are, and has no tier.
    """
    reasons = _failures(row, thresholds)
    tier = next((name for name, profile in PROFILES.items() if not _failures(row, profile)), "")
    return Verdict(not reasons, tier, tuple(reasons))


def reason_code(reason: str) -> str:
    """The column that a reason is about."""
    return reason.partition(" ")[0]


def thresholds_from(selection: str | Mapping[str, Any]) -> Thresholds:
    """Thresholds from a profile's name, or from limits that change a profile ("profile", or else "default").

    `select: {profile: strict, dnsmos_ovrl: 3.2}` is the mapping's form in YAML. Raises ConfigurationError, which names
    the nearest profile or threshold where one is unknown.
    """
    if isinstance(selection, str):
        return _profile(selection)
    changes = dict(selection)
    base = _profile(changes.pop("profile", "default"))
    known = [field.name for field in fields(Thresholds)]
    for name in changes:
        if name not in known:
            raise ConfigurationError(f"select has no threshold called {name!r}; {_nearest(str(name), known)}")
    return replace(base, **{name: _limit(name, value) for name, value in changes.items()})


def _failures(row: Mapping[str, Any], thresholds: Thresholds) -> list[str]:
    reasons = []
    if row.get("duplicate_of"):
        reasons.append(duplicate_reason(row["duplicate_of"]))
    if not thresholds.allow_recognised:
        reasons.append(recognised_reason(row.get("transcript_source") or ""))
    if not thresholds.allow_upsampled:
        reasons.append(upsampled_reason(row.get("upsampled")))
    for interval in intervals(thresholds):
        value = _number(row.get(interval.column))
        if math.isnan(value):
            reasons.extend([] if interval.column in OPTIONAL else [missing_reason(interval.column)])
        elif interval.least is not None and value < interval.least:
            reasons.extend(interval.low_reasons([value]))
        elif interval.most is not None and value > interval.most:
            reasons.extend(interval.high_reasons([value]))
    reasons = [reason for reason in reasons if reason]
    if not reasons and thresholds.text_score is not None and is_unverified(row):
        return [missing_reason("text_score")]
    return reasons


def _number(value: Any) -> float:
    return math.nan if value is None or isinstance(value, (bool, str)) else float(value)


def _reasons(column: str, observed: Iterable[float], relation: str, limit: float, decimals: int) -> list[str]:
    """One reason a value, with as many decimals as tell the value from the limit."""
    places = next((n for n in range(decimals, 18) if float(f"{limit:.{n}f}") == limit), 18)
    shown = f"{limit:.{places}f}"
    return [
        f"{column} {text if text != shown else repr(float(value))} {relation} {shown}"
        for value, text in ((value, f"{value:.{places}f}") for value in observed)
    ]


def _profile(name: Any) -> Thresholds:
    if not isinstance(name, str) or name not in PROFILES:
        raise ConfigurationError(f"select has no profile called {name!r}; {_nearest(str(name), list(PROFILES))}")
    return PROFILES[name]


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


def _limit(name: str, value: Any) -> Any:
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise ConfigurationError(f"select.{name} is true or false, not {value!r}")
        return value
    if name not in _RANGES:
        if not _is_limit(value):
            raise ConfigurationError(f"select.{name} is a number (or null for no limit), not {value!r}")
        return None if value is None else float(value)
    ends = (None, None) if value is None else value
    if not isinstance(ends, (list, tuple)) or len(ends) != 2 or not all(_is_limit(end) for end in ends):
        raise ConfigurationError(f"select.{name} is a range [least, most] (null for no limit), not {value!r}")
    least, most = (None if end is None else float(end) for end in ends)
    if least is not None and most is not None and least > most:
        raise ConfigurationError(f"select.{name} is a range [least, most], and {least:g} is more than {most:g}")
    return least, most


def _is_limit(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value))

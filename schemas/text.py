"""Text in time: captions as published, words and phones as aligned, utterances."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caption:
    """A cue of a publisher's transcript. Times in seconds, None where the format has none; `speaker` "" if unnamed."""

    text: str
    start: float | None = None
    end: float | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A written word and how it is said: Token("$3.50", ("three", "dollars", "and", "fifty", "cents")).

    `text` keeps case and punctuation; `spoken` is lower case words of a-z and apostrophes, () for what is not said
    (a dash, a stage direction).
    """

    text: str
    spoken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A written word in time (seconds from the start of the recording, or of the clip that holds it).

    `score` is the aligner's mean log-likelihood a frame (higher is better; comparable inside one model only). `doubted`
    says that another listener heard something else there; it counts where there is Evidence.
    """

    text: str
    start: float
    end: float
    score: float = 0.0
    spoken: str = ""
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone in time: ARPAbet without stress, "SIL" for silence."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a recogniser that listened by itself says of a stretch of audio, for or against any text of it.

    `no_speech` is the probability (0..1) that nobody speaks; `log_probability` the mean over the tokens that it wrote;
    `language` a code such as "en", `language_probability` (0..1) None of a model that knows one language only.
    """

    no_speech: float
    log_probability: float
    language: str
    language_probability: float | None = None


def worst(evidence: Iterable[Evidence | None]) -> Evidence | None:
    """The worst of what is said of several stretches; None where nothing is said of any."""
    known = [one for one in evidence if one is not None]
    if not known:
        return None
    languages = [one.language_probability for one in known if one.language_probability is not None]
    return Evidence(
        no_speech=max(one.no_speech for one in known),
        log_probability=min(one.log_probability for one in known),
        language=known[0].language,
        language_probability=min(languages, default=None),
    )


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of the target's speech with its words, in seconds of the recording.

    `transcript_source` is "publisher:vtt", ..., or "recognised:pocketsphinx". `coverage` is the share (0..1) of the
    stretch's speech that lies inside words. `foreign` is the share (0..1) of the words that the transcript labels as
    someone else's than the target's usual label: a hint, 0.0 where labels are missing. Where two utterances touch
    (`end` of one is `start` of the next), nothing is said between them; where they don't, there may be. `evidence` is
    None where no recogniser with an opinion listened.
    """

    start: float
    end: float
    words: tuple[Word, ...]
    phones: tuple[Phone, ...]
    transcript_source: str
    alignment_score: float
    coverage: float = 1.0
    foreign: float = 0.0
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Utterances:
    """All the aligned text of one episode's target speech. `shift` is what the captions were off by (seconds)."""

    utterances: tuple[Utterance, ...]
    shift: float = 0.0
    notes: tuple[str, ...] = ()

"""An episode on its way through the stages: what each stage has made of it so far."""

from dataclasses import dataclass, field

from schemas.clip import Cut
from schemas.episode import Episode
from schemas.errors import Failure
from schemas.recording import Media, Recording
from schemas.text import Caption, Utterances
from schemas.turn import Diarization, Identity, Span, TargetSpeech


@dataclass(frozen=True, slots=True)
class Captions:
    """A publisher's transcript as read; `format` "" and no cues where none is used; `note` says why one is not."""

    cues: tuple[Caption, ...] = ()
    format: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """Where someone speaks, and the highest frequency (Hz) that the speech holds."""

    spans: tuple[Span, ...]
    bandwidth_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class Interjections:
    """Where somebody else talks into the target's speech; in order and disjoint."""

    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Cuts:
    """The clips that will be taken from an episode; `note` says how much text is in none of them, "" for none."""

    cuts: tuple[Cut, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Every clip of an episode with its scores (`scores_path`) and its audio (`audio_path`), both Parquet.

    In `EpisodeState.scored` the columns about the speaker are still empty; `EpisodeState.candidates` has them.
    """

    scores_path: str
    audio_path: str
    clips: int
    seconds: float


@dataclass(frozen=True, slots=True)
class EpisodeState:
    """What is known of an episode.

    `no_transcript` says why there is no transcript where one is published. `keys` names the content of each result: the
    cache key of its stage. With a `failure` the way ended there.
    """

    episode: Episode
    media: Media | None = None
    no_transcript: str = ""
    recording: Recording | None = None
    captions: Captions | None = None
    speech: Speech | None = None
    diarization: Diarization | None = None
    identity: Identity | None = None
    target_clusters: tuple[str, ...] = ()
    target: TargetSpeech | None = None
    utterances: Utterances | None = None
    cuts: Cuts | None = None
    scored: Candidates | None = None
    candidates: Candidates | None = None
    keys: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None

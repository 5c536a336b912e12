"""Who speaks when: spans, windows of speaker embeddings, turns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch of a recording in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of one speaker. `speaker` names a cluster of this episode ("S0", "S1", ..., by speaking time).

    `overlap` is the share (0..1) of the turn in which someone else speaks too. `similarity` is the cosine to the
    target's identity, NaN-free: 0.0 before the target is known.
    """

    start: float
    end: float
    speaker: str
    is_target: bool = False
    similarity: float = 0.0
    overlap: float = 0.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A speaker of one episode: how long they speak (seconds) and their mean embedding (unit length)."""

    speaker: str
    seconds: float
    centroid: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who speaks when in one recording, before anyone knows who the target is.

    `windows_path` is a .npz with `start`, `end` (seconds, float32, shape (n,)), `embedding` (float16, (n, d), unit
    length) and `speaker` (int16, (n,), index into `clusters`, -1 unassigned): later stages score with it and never
    run the speaker model again. `overlaps` are spans in which more than one voice is heard.
    """

    windows_path: str
    turns: tuple[Turn, ...]
    clusters: tuple[Cluster, ...]
    overlaps: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """The target speaker across episodes: a unit-length embedding, and where it comes from."""

    name: str
    embedding: tuple[float, ...]
    source: str


@dataclass(frozen=True, slots=True)
class TargetSpeech:
    """The turns of one episode with the target marked, and the spans that are surely the target's alone.

    `spans` hold no overlapped speech that was heard; `overlaps` are those found inside of the target's turns, beside
    the diarization's at changes of speaker. `speaker` is the target's cluster, "" where the episode lacks the target.
    """

    turns: tuple[Turn, ...]
    spans: tuple[Span, ...]
    speaker: str
    similarity: float = 0.0
    overlaps: tuple[Span, ...] = ()

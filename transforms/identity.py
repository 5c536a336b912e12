"""Who the target is, across episodes."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import numpy as np
from schemas.errors import ConfigurationError
from schemas.text import Caption
from schemas.turn import Cluster, Diarization, Identity
from transforms.audio import read_span
from transforms.models.base import MODEL_RATE, SpeakerEmbedder


@dataclass(frozen=True)
class EpisodeVoices:
    episode_id: str
    clusters: tuple[Cluster, ...]
    label_seconds: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True)
class TargetChoice:
    identity: Identity | None
    clusters: Mapping[str, tuple[str, ...]]


def embed_enrolment(passages: Sequence[tuple[str, float | None, float | None]], embedder: SpeakerEmbedder) -> Identity:
    total = np.zeros(embedder.dimension)
    for path, start, end in passages:
        samples = read_span(path, start or 0.0, end if end is not None else 1e9)
        n = round(embedder.window_seconds * MODEL_RATE)
        if len(samples) < n:
            raise ConfigurationError(f"{path}: too short")
        windows = np.stack([samples[i : i + n] for i in range(0, len(samples) - n + 1, MODEL_RATE // 2)])
        total += embedder.embed(windows).sum(0)
    total /= np.linalg.norm(total)
    return Identity("", tuple(float(x) for x in total), "enrolment")


def label_seconds(diarization: Diarization, captions: Sequence[Caption]) -> tuple[tuple[str, str, float], ...]:
    found: dict[tuple[str, str], float] = {}
    for c in captions:
        if c.speaker and c.start is not None and c.end is not None:
            for t in diarization.turns:
                s = min(t.end, c.end) - max(t.start, c.start)
                if s > 0:
                    found[t.speaker, c.speaker] = found.get((t.speaker, c.speaker), 0) + s
    return tuple((a, b, s) for (a, b), s in sorted(found.items()))


def choose_targets(voices: Sequence[EpisodeVoices], enrolment: Identity | None, name: str) -> TargetChoice:
    if enrolment is None:
        best = max((c for v in voices for c in v.clusters), key=lambda c: c.seconds)
        enrolment = Identity(name, best.centroid, "auto")
    e = np.array(enrolment.embedding)
    weight: dict[str, float] = {}
    for v in voices:
        for speaker, label, seconds in v.label_seconds:
            c = next(c for c in v.clusters if c.speaker == speaker) if any(c.speaker == speaker for c in v.clusters) else None
            if c:
                weight[label] = weight.get(label, 0) + seconds * (float(np.array(c.centroid) @ e) - 0.65)
    host = max(weight, key=weight.get) if weight else None
    chosen = {}
    for v in voices:
        share = {}
        for c in v.clusters:
            mine = sum(s for sp, l, s in v.label_seconds if sp == c.speaker and l == host)
            al = sum(s for sp, l, s in v.label_seconds if sp == c.speaker)
            share[c.speaker] = mine / al if al else 0
        score = {c.speaker: float(np.array(c.centroid) @ e) + 0.2 * share[c.speaker] for c in v.clusters}
        top = max(score, key=score.get)
        chosen[v.episode_id] = (top,) if score[top] > 0.7 else ()
    return TargetChoice(enrolment, chosen)

"""The target's turns."""
from collections.abc import Sequence
from dataclasses import dataclass, replace
import numpy as np
from schemas.text import Caption
from schemas.turn import Diarization, Identity, Span, TargetSpeech
from transforms.windows import load_windows


@dataclass(frozen=True, slots=True)
class TargetSettings:
    min_span: float = 0.6


def find_target(d: Diarization, identity: Identity, chosen: tuple[str, ...], captions: Sequence[Caption], settings: TargetSettings) -> TargetSpeech:
    e = np.array(identity.embedding)
    sims = {c.speaker: float(np.array(c.centroid) @ e) for c in d.clusters}
    turns = tuple(replace(t, is_target=t.speaker in chosen, similarity=sims.get(t.speaker, 0.0)) for t in d.turns)
    spans = []
    for t in turns:
        if t.is_target:
            pieces = [(t.start, t.end)]
            for o in d.overlaps:
                pieces = [p for a, b in pieces for p in ((a, min(b, o.start)), (max(a, o.end), b)) if p[1] - p[0] > settings.min_span]
            spans += [Span(a, b) for a, b in pieces]
    return TargetSpeech(turns, tuple(spans), chosen[0] if chosen else "", sims.get(chosen[0], 0.0) if chosen else 0.0)


class ClipVoice:
    def __init__(self, d: Diarization, identity: Identity, chosen: tuple[str, ...]) -> None:
        self.w = load_windows(d.windows_path)
        c = [np.array(c.centroid) for c in d.clusters if c.speaker in chosen]
        self.s = self.w.embedding @ (np.mean(c, 0) if c else np.array(identity.embedding)).astype(np.float32)

    def scores(self, start: float, end: float) -> tuple[float, float]:
        m = (self.w.start < end - 0.4) & (self.w.end > start + 0.4)
        if not m.any():
            m = np.zeros(len(self.w), bool); m[np.argmin(abs(self.w.middle - (start + end) / 2))] = True
        return float(self.s[m].mean()), float(self.s[m].min())

"""Publisher's text in time."""
from collections.abc import Sequence
from dataclasses import dataclass
import numpy as np
from schemas.recording import Recording
from schemas.text import Caption, Phone, Utterance, Utterances, Word
from schemas.turn import Span
from transforms.audio import read_span
from transforms.models.base import Aligner, AlignmentError
from transforms.text.spoken import regroup, spoken_words, tokenise_many


@dataclass(frozen=True, slots=True)
class AlignSettings:
    margin: float = 1.2


def chunks(spans, speech, longest=12.0):
    for span in spans:
        inside = [(max(s.start, span.start), min(s.end, span.end)) for s in speech if min(s.end, span.end) - max(s.start, span.start) > 0.2]
        cur = None
        for a, b in inside:
            if cur and b - cur[0] <= longest: cur = (cur[0], b)
            else:
                if cur: yield cur
                cur = (a, b)
        if cur: yield cur


def align_target(recording: Recording, target: Sequence[Span], speech: Sequence[Span], captions: Sequence[Caption], fmt: str, aligner: Aligner, settings: AlignSettings) -> Utterances:
    tokens = tokenise_many([c.text for c in captions])
    flat, times = [], []
    for c, ts in zip(captions, tokens):
        n = max(1, len(ts))
        for i, t in enumerate(ts):
            flat.append(t); times.append(c.start + (c.end - c.start) * (i + .5) / n)
    times = np.array(times); out = []
    for a, b in chunks(target, speech):
        idx = np.flatnonzero((times > a - settings.margin) & (times < b + settings.margin))
        if not len(idx): continue
        toks = flat[idx[0]: idx[-1] + 1]
        sw = spoken_words(toks)
        samples = read_span(recording.path, a, b)
        found = aligner.find(samples, [w for w, _ in sw])
        if len(found) < 2: continue
        first, last = sw[found[0][0]][1], sw[found[-1][0]][1]
        mine = toks[first: last + 1]
        ws = [w for w, _ in spoken_words(mine)]
        try: al = aligner.align(samples, ws)
        except AlignmentError: continue
        words = regroup(mine, [(a + w.start, a + w.end, w.score) for w in al.words])
        phones = tuple(Phone(p.symbol, a + p.start, a + p.end) for p in al.phones)
        cov = (words[-1].end - words[0].start) / (b - a)
        if al.score < -7: continue
        out.append(Utterance(a, b, words, phones, f"publisher:{fmt}", al.score, min(cov, 1.0)))
    return Utterances(tuple(out))

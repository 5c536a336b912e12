"""Measure: every score of a clip, from its samples. Nothing is decided here."""

from dataclasses import dataclass

import numpy as np

from schemas.clip import Cut, Scores
from schemas.verdict import EVIDENCE
from transforms.bandwidth import bandwidth
from transforms.clipping import clipped_share
from transforms.fingerprint import fingerprint
from transforms.loudness import loudness_lufs, peak_db
from transforms.models.base import MODEL_RATE, QualityScorer, Samples
from transforms.pitch import f0_median
from transforms.silence import edge_silences
from transforms.snr import wada_snr
from transforms.text.invented import compression_ratio, other_script_share, repeated_share, stock_share

# Shorter speech than this says nothing about its rate.
_SHORTEST_SPEECH_SECONDS = 0.1
# Scores are written with as many decimals as mean something; the last bits of a sum differ from machine to machine.
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """What the scores depend on besides the samples."""

    # Audio that fills less than this share of the band below half its rate was upsampled. MP3 and AAC at podcast rates
    # hold 16 kHz and more, resamplers lose up to a tenth, and the next lower common rate holds two thirds.
    filled_share: float = 0.8


def measure(
    samples: Samples,
    rate: int,
    cut: Cut,
    scorer: QualityScorer,
    settings: MeasureSettings,
    source_bandwidth_hz: float | None = None,
) -> Scores:
    """Every score of a clip; `samples` mono float32 at `rate` Hz, shape (n,).

    `source_bandwidth_hz` is what the speech of the whole recording reaches (bandwidth.speech_bandwidth): it says better
    than one clip, which may hold no fricative, whether the audio was upsampled. Without it, or at 0, the clip has to.
    """
    import soxr

    at_model_rate = samples if rate == MODEL_RATE else soxr.resample(samples, rate, MODEL_RATE, quality="HQ")
    quality = scorer.score(np.clip(at_model_rate, -1.0, 1.0).astype(np.float32))
    leading, trailing = edge_silences(samples, rate)
    held = bandwidth(samples, rate)
    reached = max(held, source_bandwidth_hz or 0.0)
    return Scores(
        snr_db=_rounded(wada_snr(samples)),
        dnsmos_ovrl=_rounded(quality.overall),
        dnsmos_sig=_rounded(quality.signal),
        dnsmos_bak=_rounded(quality.background),
        loudness_lufs=_rounded(loudness_lufs(samples, rate)),
        peak_db=_rounded(peak_db(samples)),
        clipped=round(clipped_share(samples), _DECIMALS + 4),
        bandwidth_hz=held,
        upsampled=reached < settings.filled_share * rate / 2,
        leading_silence=_rounded(leading),
        trailing_silence=_rounded(trailing),
        chars_per_second=_rounded(chars_per_second(cut)),
        f0_median_hz=_rounded(f0_median(samples, rate)),
        fingerprint=fingerprint(samples, rate),
    )


def chars_per_second(cut: Cut) -> float:
    """Letters (of what is said, not of what is written) a second from the first word to the last; 0.0 without words."""
    if not cut.words:
        return 0.0
    letters = sum(letter.isalpha() for letter in cut.spoken)
    return letters / max(cut.words[-1].end - cut.words[0].start, _SHORTEST_SPEECH_SECONDS)


def evidence_columns(cut: Cut) -> dict[str, float | None]:
    """The columns `EVIDENCE` of a clip; None where no recogniser with an opinion listened to it.

    A publisher's text isn't judged by what it says, only by how far it is what was heard.
    """
    found: dict[str, float | None] = dict.fromkeys(EVIDENCE)
    evidence = cut.evidence
    if evidence is None or not cut.words:
        return found
    found |= {
        "no_speech": evidence.no_speech,
        "log_probability": evidence.log_probability,
        "language_probability": evidence.language_probability,
        "disagreement": sum(word.doubted for word in cut.words) / len(cut.words),
        "silent_words": cut.silent_words,
    }
    if cut.transcript_source.startswith("recognised:"):
        found |= {
            "compression_ratio": compression_ratio(cut.text),
            "repeated_words": repeated_share(cut.spoken.split()),
            "stock_words": stock_share(cut.text),
            "other_script": other_script_share(cut.text, evidence.language),
        }
    return {name: None if value is None else _rounded(value) for name, value in found.items()}


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)

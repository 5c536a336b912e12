"""Measure: every score of a clip, from its samples."""

from dataclasses import dataclass

from schemas.clip import Cut, Scores
from transforms.bandwidth import bandwidth
from transforms.clipping import clipped_share
from transforms.fingerprint import fingerprint
from transforms.loudness import loudness_lufs, peak_db
from transforms.models.base import MODEL_RATE, QualityScorer, Samples
from transforms.pitch import f0_median
from transforms.silence import edge_silences
from transforms.snr import wada_snr


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """What the scores depend on besides the samples."""

    filled_share: float = 0.8  # audio that fills less of the band below half its rate was upsampled


def measure(samples: Samples, rate: int, cut: Cut, scorer: QualityScorer, settings: MeasureSettings) -> Scores:
    """Every score of a clip; `samples` mono float32 at `rate` Hz, shape (n,)."""
    import soxr

    at_model_rate = samples if rate == MODEL_RATE else soxr.resample(samples, rate, MODEL_RATE).astype("float32")
    quality = scorer.score(at_model_rate)
    leading, trailing = edge_silences(samples, rate)
    held = bandwidth(samples, rate)
    spoken_seconds = cut.words[-1].end - cut.words[0].start if cut.words else cut.duration
    letters = sum(not letter.isspace() for letter in cut.spoken)
    return Scores(
        snr_db=wada_snr(samples),
        dnsmos_ovrl=quality.overall,
        dnsmos_sig=quality.signal,
        dnsmos_bak=quality.background,
        loudness_lufs=loudness_lufs(samples, rate),
        peak_db=peak_db(samples),
        clipped=clipped_share(samples),
        bandwidth_hz=held,
        upsampled=held < settings.filled_share * rate / 2,
        leading_silence=leading,
        trailing_silence=trailing,
        chars_per_second=letters / max(spoken_seconds, 0.1),
        f0_median_hz=f0_median(samples, rate),
        fingerprint=fingerprint(samples, rate),
    )

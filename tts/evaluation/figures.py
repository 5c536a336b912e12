"""From what was judged of each clip to the figures of a voice, each with a 95 % interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tts.evaluation.acoustics import Distance, distance
from tts.evaluation.bootstrap import Estimate, mean, ratio
from tts.evaluation.judges import Judged, unit
from tts.evaluation.utterances import COPY, ORIGINAL, SPOKEN, VERSIONS, Speed, Versions
from tts.evaluation.words import WordErrors, least_errors

FORMAT = 1
_LATENCIES = (50, 95)


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """Of one version of one clip. `similarity`: cosine to the mean voice of the other clips' recordings.

    `distance` from the recording; None of the recording itself.
    """

    heard: str
    words: WordErrors
    similarity: float
    overall: float
    signal: float
    background: float
    distance: Distance | None


@dataclass(frozen=True, eq=False)
class ClipFigures:
    """Of one clip: its versions by name. `embedding`: of its recording."""

    id: str
    episode: str
    text: str
    versions: Mapping[str, VersionFigures]
    speed: Speed
    embedding: NDArray[np.float32]


@dataclass(frozen=True)
class Evaluation:
    """What evaluation.json says. Estimates are by name of the version; a difference is paired, clip by clip.

    `speaker_similarity` has "others" too where recordings of other speakers were given. `speed`: `cpu_a_second`, CPU
    seconds a second of speech; `first_audio_p50` and `_p95`, seconds until the first samples of a sentence.
    """

    voice: str
    dataset: str
    dataset_version: str
    split: str
    device: str
    seed: int
    models: Mapping[str, str]
    clips: int
    episodes: int
    words: int
    seconds: float
    word_error_rate: Mapping[str, Estimate]
    word_error_rate_difference: Mapping[str, Estimate]
    speaker_similarity: Mapping[str, Estimate]
    dnsmos: Mapping[str, Mapping[str, Estimate]]
    distance: Mapping[str, Mapping[str, Estimate]]
    speed: Mapping[str, float]
    per_clip: Sequence[Mapping[str, Any]]
    format: int = FORMAT

    def summary(self) -> dict[str, Any]:
        """For voice.json: everything but what is said of each clip."""
        found = asdict(self)
        del found["per_clip"]
        return found


def clip_figures(versions: Sequence[Versions], judged: Sequence[Sequence[Judged]]) -> list[ClipFigures]:
    """Figures of each clip, of what was judged of its versions in the order of VERSIONS."""
    originals = np.stack([of_clip[0].embedding for of_clip in judged])
    total = originals.sum(axis=0)
    found = []
    for one, of_clip, own in zip(versions, judged, originals, strict=True):
        # The clip itself is left out: else its recording would be compared with itself.
        centre = unit(total - own) if len(originals) > 1 else own
        figures = {
            name: _version_figures(one, version, of_clip[0] if name != ORIGINAL else None, centre)
            for name, version in zip(VERSIONS, of_clip, strict=True)
        }
        found.append(ClipFigures(one.clip.id, one.clip.episode, one.clip.text, figures, one.speed, own))
    return found


def evaluation_of(
    clips: Sequence[ClipFigures],
    others: Sequence[NDArray[np.float32]],
    *,
    voice: str,
    dataset: str,
    dataset_version: str,
    split: str,
    models: Mapping[str, str],
    seed: int,
    device: str,
) -> Evaluation:
    """The figures of all clips together; `others` are embeddings of other speakers."""
    by_version = {name: [clip.versions[name] for clip in clips] for name in VERSIONS}
    centre = unit(np.sum([clip.embedding for clip in clips], axis=0))
    similarity = {name: mean([one.similarity for one in found], seed) for name, found in by_version.items()}
    if others:
        similarity["others"] = mean([float(centre @ other) for other in others], seed)
    return Evaluation(
        voice=voice,
        dataset=dataset,
        dataset_version=dataset_version,
        split=split,
        device=device,
        seed=seed,
        models=models,
        clips=len(clips),
        episodes=len({clip.episode for clip in clips}),
        words=sum(one.words.words for one in by_version[ORIGINAL]),
        seconds=sum(clip.speed.seconds for clip in clips),
        word_error_rate={name: _rate(found, seed) for name, found in by_version.items()},
        word_error_rate_difference={
            name: _difference(by_version[name], by_version[ORIGINAL], seed) for name in (COPY, SPOKEN)
        },
        speaker_similarity=similarity,
        dnsmos={
            name: {
                score: mean([float(getattr(one, score)) for one in found], seed)
                for score in ("overall", "signal", "background")
            }
            for name, found in by_version.items()
        },
        distance={name: _distances(by_version[name], seed) for name in (COPY, SPOKEN)},
        speed=_speed([clip.speed for clip in clips]),
        per_clip=[_row(clip) for clip in clips],
    )


def _version_figures(
    versions: Versions, judged: Judged, recording: Judged | None, centre: NDArray[np.float32]
) -> VersionFigures:
    return VersionFigures(
        heard=" ".join(judged.heard),
        words=least_errors(versions.clip.references, judged.heard),
        similarity=float(centre @ judged.embedding),
        overall=judged.overall,
        signal=judged.signal,
        background=judged.background,
        distance=distance(recording.track, judged.track) if recording is not None else None,
    )


def _rate(found: Sequence[VersionFigures], seed: int) -> Estimate:
    return ratio([one.words.errors for one in found], [one.words.words for one in found], seed)


def _difference(found: Sequence[VersionFigures], originals: Sequence[VersionFigures], seed: int) -> Estimate:
    """Of the word error rate, over the same clips."""
    more = [a.words.errors - b.words.errors for a, b in zip(found, originals, strict=True)]
    return ratio(more, [one.words.words for one in originals], seed)


def _distances(found: Sequence[VersionFigures], seed: int) -> dict[str, Estimate]:
    distances = [one.distance for one in found if one.distance is not None]
    estimates = {
        name: mean([float(getattr(one, name)) for one in distances], seed)
        for name in ("cepstral_db", "pitch_cents", "pitch_hz", "voicing", "duration")
    }
    estimates["absolute_duration"] = mean([abs(one.duration) for one in distances], seed)
    return estimates


def _speed(speeds: Sequence[Speed]) -> dict[str, float]:
    seconds = sum(speed.seconds for speed in speeds)
    firsts = [speed.first for speed in speeds if math.isfinite(speed.first)]
    found = {"cpu_a_second": sum(speed.cpu for speed in speeds) / seconds if seconds else float("nan")}
    for level in _LATENCIES:
        found[f"first_audio_p{level}"] = float(np.percentile(firsts, level)) if firsts else float("nan")
    return found


def _row(clip: ClipFigures) -> dict[str, Any]:
    return {
        "id": clip.id,
        "episode_id": clip.episode,
        "text": clip.text,
        "seconds": clip.speed.seconds,
        "versions": {name: asdict(found) for name, found in clip.versions.items()},
    }

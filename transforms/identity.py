"""Who the target is: an enrolled voice or who speaks most, held across all episodes by one identity."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ConfigurationError, EpisodeError
from schemas.ids import file_sha256
from schemas.recording import Media
from schemas.turn import Cluster, Identity, Span
from transforms.audio import read_span
from transforms.clustering import ClusterSettings, agglomerate, total, unit
from transforms.models.base import MODEL_RATE, Samples, SpeakerEmbedder, SpeechDetector
from transforms.models.voice_scale import GE2E_SCALE, VoiceScale

# Less speech says too little about a voice.
_LEAST_SPEECH_SECONDS = 1.5
_HOP_SECONDS = 0.5
# The rooms an enrolment is heard in beside its own: a furnished one and a live one, the speaker near the microphone.
_REVERBERATION_SECONDS = (0.4, 0.7)
_DIRECT_TO_REVERBERANT_DB = 5.0
_ROOM_DELAY_SECONDS = 0.0025
_ROOM_SEED = 1


def embed_enrolment(
    passages: Sequence[tuple[str, float | None, float | None]],
    embedder: SpeakerEmbedder,
    detector: SpeechDetector | None = None,
) -> Identity:
    """The voice of passages of the target alone: files in any format, or spans (seconds) of an episode's recording.

    Only their speech counts (by `detector`, webrtcvad by default), second for second. An enrolment is heard as it is
    and in two simulated rooms: a reverberant episode moves a voice as far as another voice is away, and the mean of
    the three stays near to it in dry and in live rooms. Raises ConfigurationError where a passage can't be read or
    holds less than 1.5 s of speech.
    """
    if detector is None:
        from transforms.models.webrtc import WebRtcDetector

        detector = WebRtcDetector()
    rooms = [None, *(_room(seconds) for seconds in _REVERBERATION_SECONDS)]
    sums = np.zeros((len(rooms), embedder.dimension), np.float32)
    for path, start, end in passages:
        samples, starts = _speech_windows(path, start, end, embedder, detector)
        for index, room in enumerate(rooms):
            heard = samples if room is None else _reverberated(samples, room)
            sums[index] += embedder.embed_at(heard, starts).sum(axis=0)
    if not passages:
        raise ConfigurationError("speaker.enroll: nothing to know the target by; name a file, or a span of an episode")
    voice = unit(unit(sums).sum(axis=0))
    names = ", ".join(Path(path).name for path, _, _ in passages)
    return Identity("", tuple(round(float(value), 6) for value in voice), f"enrolment: {names}")


def _room(seconds: float) -> NDArray[np.float32]:
    """A simulated room response: the direct sound, and noise that decays by 60 dB in `seconds` (Polack, 1988)."""
    noise = np.random.default_rng(_ROOM_SEED).normal(size=round((seconds + _ROOM_DELAY_SECONDS) * MODEL_RATE))
    times = np.arange(len(noise)) / MODEL_RATE
    tail = noise * 10 ** (-3 * times / seconds) * (times >= _ROOM_DELAY_SECONDS)
    response = tail * 10 ** (-_DIRECT_TO_REVERBERANT_DB / 20) / np.sqrt(np.sum(tail**2))
    response[0] = 1.0
    return response.astype(np.float32)


def _reverberated(samples: Samples, room: NDArray[np.float32]) -> Samples:
    size = len(samples) + len(room) - 1
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size)
    return wet[: len(samples)].astype(np.float32)


def _speech_windows(
    path: str, start: float | None, end: float | None, embedder: SpeakerEmbedder, detector: SpeechDetector
) -> tuple[Samples, NDArray[np.int64]]:
    """Samples of a passage, and where in them (sample offsets) windows over its speech begin."""
    samples, spans = enrolled_speech(path, start, end, detector)
    middles = np.concatenate([np.arange(span.start, span.end, _HOP_SECONDS) for span in spans])
    starts = np.round((middles - embedder.window_seconds / 2) * MODEL_RATE).astype(np.int64)
    # A window half outside of a short file would be half silence.
    starts = np.clip(starts, 0, max(0, len(samples) - round(embedder.window_seconds * MODEL_RATE)))
    return samples, np.unique(starts)


def enrolled_speech(
    path: str, start: float | None, end: float | None, detector: SpeechDetector
) -> tuple[Samples, tuple[Span, ...]]:
    """Samples (16 kHz) of a passage of the target alone, and the speech in them. Raises ConfigurationError."""
    from transforms.speech import SpeechSettings, speech_spans

    samples = _samples(path, start, end)
    duration = len(samples) / MODEL_RATE
    spans = speech_spans(detector.probabilities(samples), detector.frame_seconds, duration, SpeechSettings())
    spoken = sum(span.duration for span in spans)
    if spoken < _LEAST_SPEECH_SECONDS:
        where = "" if start is None and end is None else f" from {start or 0.0:.1f} to {end or duration:.1f} s"
        raise ConfigurationError(
            f"speaker.enroll: {path}{where} holds {spoken:.1f} s of speech; "
            f"give at least {_LEAST_SPEECH_SECONDS:.1f} s, better 10 s, of the target alone"
        )
    return samples, spans


def _samples(path: str, start: float | None, end: float | None) -> Samples:
    """Samples at 16 kHz: of a span of a recording, or of a whole file in any format."""
    from transforms.decode import decode

    try:
        if start is not None or end is not None:
            return read_span(path, start or 0.0, end if end is not None else float(1 << 20))
        with tempfile.TemporaryDirectory() as folder:
            media = Media(path, file_sha256(path), Path(path).stat().st_size, path)
            recording = decode(media, Path(folder) / "enrolment.flac")
            return read_span(recording.heard_path, 0.0, recording.duration)
    except (OSError, RuntimeError, EpisodeError) as error:
        raise ConfigurationError(
            f"speaker.enroll: {path} can't be read as audio ({error}); name a recording of the target alone"
        ) from error


@dataclass(frozen=True, slots=True)
class EpisodeVoices:
    """The voices of one episode: its clusters, and how long each spoke under which caption label (seconds)."""

    episode_id: str
    clusters: tuple[Cluster, ...]
    label_seconds: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """The target's identity, their clusters in each episode (none where they are not heard), and how sure that is.

    `similarities` has the cosine of each chosen cluster to `identity`, in the order of `clusters`. `trusted_label` is
    the caption label that goes with the voice across the episodes, "" where there is none.
    """

    identity: Identity
    clusters: Mapping[str, tuple[str, ...]]
    similarities: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    trusted_label: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceSettings:
    """How alike a cluster has to be to be the target's.

    A likeness is a cosine less half the mean cosine of the episode's other voices: a room, a codec or a telephone
    moves all of them alike. The thresholds were set on episodes with and without the enrolled voice.
    """

    # Likeness of the target's cluster to the enrolment, and to other episodes' clusters of the target.
    to_enrolment: float = GE2E_SCALE.to_enrolment
    to_episodes: float = GE2E_SCALE.to_episodes
    # From here on, and this much ahead of the episode's second, a cluster teaches what the target sounds like.
    sure: float = GE2E_SCALE.sure
    ahead: float = GE2E_SCALE.ahead
    # What the trusted caption label moves a likeness by at most: up only against the episode's other voices, down also
    # against the threshold. No label makes a target of a voice that is unlike.
    label_weight: float = GE2E_SCALE.label_weight
    # A label is trusted whose voices are this much more like the target than the others'.
    label_agreement: float = GE2E_SCALE.label_agreement
    # What a label that is the speaker's very name is trusted more.
    named_agreement: float = GE2E_SCALE.named_agreement
    # The target's other clusters in an episode: as much like their first one, and this little less like the target;
    # a little more where the trusted label names them too.
    same_voice: float = GE2E_SCALE.same_voice
    behind: float = GE2E_SCALE.behind
    behind_labelled: float = GE2E_SCALE.behind_labelled
    least_seconds: float = 3.0
    # Who is heard for less than this, and less than this share of the speech, is a jingle or a passer-by.
    main_seconds: float = 10.0
    main_share: float = 0.2
    # Cosine from which clusters of several episodes are one voice, and of a target to a voice that is not theirs.
    linked: float = GE2E_SCALE.linked
    common: float = GE2E_SCALE.common

    @staticmethod
    def of(scale: VoiceScale) -> "ChoiceSettings":
        """With the limits of an embedder."""
        return ChoiceSettings(
            to_enrolment=scale.to_enrolment,
            to_episodes=scale.to_episodes,
            sure=scale.sure,
            ahead=scale.ahead,
            label_weight=scale.label_weight,
            label_agreement=scale.label_agreement,
            named_agreement=scale.named_agreement,
            same_voice=scale.same_voice,
            behind=scale.behind,
            behind_labelled=scale.behind_labelled,
            linked=scale.linked,
            common=scale.common,
        )


def least_main_seconds(speech: float, settings: ChoiceSettings = ChoiceSettings()) -> float:
    """For how long (s) a voice has to be heard to be taken for the target, where all voices are for `speech` s."""
    return max(min(settings.main_seconds, settings.main_share * speech), settings.least_seconds)


# Voices that every episode is taken to have beside its own (their cosine to the target is the settings' `common`).
_COMMON_VOICES = 3
# Only who speaks a good part of an episode can be who speaks most.
_CANDIDATES_PER_EPISODE = 4
# Of an episode's labelled speech, more than this adds nothing to the trust in a label (s).
_ENOUGH_LABELLED_SECONDS = 60.0
# Captions that name somebody for less than this say nothing of a cluster (s, and of its speech).
_LEAST_LABELLED_SECONDS = 2.0
_LEAST_LABELLED_SHARE = 0.4


def choose_targets(
    voices: Sequence[EpisodeVoices],
    enrolment: Identity | None,
    name: str,
    settings: ChoiceSettings = ChoiceSettings(),
) -> TargetChoice:
    """Find the target in all episodes at once: by the enrolled voice, or where there is none, as who speaks most.

    Each episode is judged by voice first. What is sure there, by voice or by voice and caption label together, becomes
    part of the identity that the other episodes are judged by. A label counts as far as it goes with the voice in all
    the episodes; it never makes a target of a voice that is unlike. The same voices in any order give the same answer.
    """
    episodes = [_Episode.of(one) for one in sorted(voices, key=lambda one: one.episode_id)]
    first = np.array(enrolment.embedding, np.float32) if enrolment else _speaks_most(episodes, settings)
    if not len(first) or not episodes:
        heard = tuple(round(float(value), 6) for value in first)
        source = enrolment.source if enrolment else "auto: nobody speaks"
        return TargetChoice(Identity(name, heard, source), {one.episode_id: () for one in voices})
    threshold = settings.to_enrolment if enrolment else settings.to_episodes
    likeness = [episode.likeness(first, settings) - threshold for episode in episodes]
    for _ in range(2):
        label, trust = _trusted_label(episodes, likeness, name, settings)
        hints = [episode.hints(label) * trust * settings.label_weight for episode in episodes]
        sure = [
            _sure(episode, like, hint, settings) for episode, like, hint in zip(episodes, likeness, hints, strict=True)
        ]
        likeness = _judged_again(episodes, sure, first, threshold, settings)
    chosen = [
        _chosen(episode, like, hint, settings) for episode, like, hint in zip(episodes, likeness, hints, strict=True)
    ]
    identity = unit(first + unit(np.sum(_sure_voices(episodes, sure, len(first)), axis=0)))
    heard_in = sum(best is not None for best in sure)
    source = (
        f"{enrolment.source if enrolment else 'auto: who speaks most'}; sure in {heard_in} of {len(episodes)} episodes"
    )
    return TargetChoice(
        Identity(name, tuple(round(float(value), 6) for value in identity), source),
        {one.id: tuple(one.names[index] for index in indices) for one, indices in zip(episodes, chosen, strict=True)},
        {
            one.id: tuple(round(float(one.centroids[index] @ identity), 4) for index in indices)
            for one, indices in zip(episodes, chosen, strict=True)
        },
        label if trust > 0 else "",
    )


@dataclass(frozen=True)
class _Episode:
    """An episode's clusters as arrays: centroids (k, d), seconds (k,), labelled seconds (k, labels)."""

    id: str
    names: tuple[str, ...]
    centroids: NDArray[np.float32]
    seconds: NDArray[np.float64]
    labels: tuple[str, ...]
    labelled: NDArray[np.float64]

    @staticmethod
    def of(voices: EpisodeVoices) -> "_Episode":
        names = tuple(cluster.speaker for cluster in voices.clusters)
        labels = tuple(sorted({label for _, label, _ in voices.label_seconds}))
        labelled = np.zeros((len(names), len(labels)))
        for speaker, label, seconds in voices.label_seconds:
            if speaker in names:
                labelled[names.index(speaker), labels.index(label)] += seconds
        centroids = np.array([cluster.centroid for cluster in voices.clusters], np.float32)
        seconds_each = np.array([cluster.seconds for cluster in voices.clusters], np.float64)
        return _Episode(voices.episode_id, names, unit(centroids), seconds_each, labels, labelled)

    def likeness(self, identity: NDArray[np.float32], settings: ChoiceSettings) -> NDArray[np.float64]:
        """How much more each cluster is like an identity than the others are, shape (k,)."""
        if not self.names:
            return np.zeros(0)
        cosines = (self.centroids @ identity).astype(np.float64)
        others = cosines.sum() - cosines + _COMMON_VOICES * settings.common
        return cosines - 0.5 * others / (len(cosines) - 1 + _COMMON_VOICES)

    def is_main(self, settings: ChoiceSettings) -> NDArray[np.bool_]:
        """Whether each cluster is heard for long enough to be the target's main one, shape (k,)."""
        return self.seconds >= least_main_seconds(float(self.seconds.sum()), settings)

    def hints(self, label: str) -> NDArray[np.float64]:
        """-1..1 for each cluster, shape (k,): its captions name another .. `label`; 0 where they name nobody."""
        named = self.labelled.sum(axis=1)
        if label not in self.labels:
            return np.zeros(len(self.names))
        share = self.labelled[:, self.labels.index(label)] / np.maximum(named, 1e-9)
        enough = np.maximum(_LEAST_LABELLED_SECONDS, _LEAST_LABELLED_SHARE * self.seconds)
        return np.where(named >= enough, 2 * share - 1, 0.0)


def _trusted_label(
    episodes: Sequence[_Episode], likeness: Sequence[NDArray[np.float64]], name: str, settings: ChoiceSettings
) -> tuple[str, float]:
    """The label whose voices are more like the target than the other voices of their episodes, and a trust of 0..1."""
    gains: dict[str, list[tuple[float, float]]] = {}
    for episode, like in zip(episodes, likeness, strict=True):
        for index, label in enumerate(episode.labels):
            under = episode.labelled[:, index]
            rest = episode.labelled.sum(axis=1) - under
            rest = rest if rest.sum() > 0 else np.where(under > 0, 0.0, episode.seconds)
            if under.sum() > 0 and rest.sum() > 0:
                gain = float(under @ like / under.sum() - rest @ like / rest.sum())
                gains.setdefault(label, []).append((min(1.0, under.sum() / _ENOUGH_LABELLED_SECONDS), gain))
    agreement = {
        label: sum(weight * gain for weight, gain in found) / (sum(weight for weight, _ in found) + 1)
        + settings.named_agreement * (label.casefold() == name.casefold())
        for label, found in gains.items()
    }
    if not agreement:
        return "", 0.0
    best = max(sorted(agreement), key=lambda label: agreement[label])
    trusted = agreement[best] >= settings.label_agreement
    return best, min(1.0, agreement[best] / (2 * settings.label_agreement)) if trusted else 0.0


def _sure(
    episode: _Episode, likeness: NDArray[np.float64], hints: NDArray[np.float64], settings: ChoiceSettings
) -> int | None:
    """The cluster that is the target's beyond doubt, None where there is none."""
    scores = likeness + hints
    order = np.lexsort((np.arange(len(scores)), -scores))
    if not len(order) or not episode.is_main(settings)[order[0]]:
        return None
    best = int(order[0])
    accepted = likeness[best] + min(hints[best], 0.0)
    ahead = scores[best] - scores[order[1]] if len(order) > 1 else settings.ahead
    return best if accepted >= settings.sure and ahead >= settings.ahead else None


def _judged_again(
    episodes: Sequence[_Episode],
    sure: Sequence[int | None],
    first: NDArray[np.float32],
    threshold: float,
    settings: ChoiceSettings,
) -> list[NDArray[np.float64]]:
    """Likeness over the threshold: to the first identity, and to it with other episodes' sure voices; their mean."""
    rows = _sure_voices(episodes, sure, len(first))
    everywhere = np.sum(rows, axis=0)
    again = []
    for episode, row in zip(episodes, rows, strict=True):
        to_first = episode.likeness(first, settings) - threshold
        others = everywhere - row
        if np.linalg.norm(others) > 0.5:
            with_others = episode.likeness(unit(first + unit(others)), settings) - settings.to_episodes
            again.append((to_first + with_others) / 2)
        else:
            again.append(to_first)
    return again


def _sure_voices(episodes: Sequence[_Episode], sure: Sequence[int | None], dimension: int) -> list[NDArray[np.float32]]:
    """Each episode's sure centroid, zero where it has none; summed in the order of episodes."""
    nothing = np.zeros(dimension, np.float32)
    return [nothing if best is None else one.centroids[best] for one, best in zip(episodes, sure, strict=True)]


def _chosen(
    episode: _Episode, likeness: NDArray[np.float64], hints: NDArray[np.float64], settings: ChoiceSettings
) -> tuple[int, ...]:
    """The target's clusters, the surest first: the best that is alike enough, and those that are the same voice."""
    scores = likeness + hints
    enough = (likeness + np.minimum(hints, 0.0) >= 0) & (episode.seconds >= settings.least_seconds)
    order = [int(index) for index in np.lexsort((np.arange(len(scores)), -scores)) if enough[index]]
    is_main = episode.is_main(settings)
    best = next((index for index in order if is_main[index]), -1)
    if best < 0:
        return ()
    alike = episode.centroids @ episode.centroids[best] >= settings.same_voice
    lag = np.where(hints > 0, settings.behind_labelled, settings.behind)
    near = likeness >= likeness[best] - lag
    return best, *(index for index in order if index != best and alike[index] and near[index])


def _speaks_most(episodes: Sequence[_Episode], settings: ChoiceSettings) -> NDArray[np.float32]:
    """The voice with the most speech over all episodes, clusters of different episodes linked by their sound."""
    found = [
        (episode.centroids[index], float(episode.seconds[index]))
        for episode in episodes
        for index in np.argsort(-episode.seconds, kind="stable")[:_CANDIDATES_PER_EPISODE]
    ]
    if not found:
        return np.zeros(0, np.float32)
    centroids = np.array([centroid for centroid, _ in found], np.float32)
    seconds = np.array([spoken for _, spoken in found])
    weighted = centroids * seconds[:, None].astype(np.float32)
    groups = agglomerate(weighted, seconds, ClusterSettings(same_voice=settings.linked))
    return unit(total(weighted, groups)[int(np.argmax(np.bincount(groups, seconds)))])

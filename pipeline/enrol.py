"""Who the target is: enrolment from files and spans of episodes, and one choice over the voices of all episodes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam

from pipeline.config import Config
from schemas.errors import RealtalkError
from schemas.state import EpisodeState
from schemas.turn import Identity
from transforms.caption_labels import label_seconds
from transforms.identity import EpisodeVoices, TargetChoice, choose_targets, embed_enrolment
from transforms.models.base import SpeakerEmbedder
from transforms.stages import OneModel
from transforms.store import Store

# A file, or a span of one (seconds).
Passage = tuple[str, float | None, float | None]


@dataclass(frozen=True)
class EpisodeSpan:
    """Speech of the target alone in an episode (seconds)."""

    guid: str
    start: float
    end: float


@dataclass(frozen=True)
class EnrolmentPlan:
    """How the target is to be known; with neither files nor spans it is who speaks most."""

    name: str
    files: tuple[str, ...]
    spans: tuple[EpisodeSpan, ...]
    embedder: OneModel[SpeakerEmbedder]

    @property
    def is_automatic(self) -> bool:
        return not self.files and not self.spans


def enrolment_plan(config: Config, embedder: OneModel[SpeakerEmbedder]) -> EnrolmentPlan:
    entries = config.speaker.enroll or ()
    return EnrolmentPlan(
        name=config.speaker.name,
        files=tuple(config.locate(entry.file) for entry in entries if entry.file is not None),
        spans=tuple(
            EpisodeSpan(entry.episode, entry.start, entry.end)
            for entry in entries
            if entry.episode is not None and entry.start is not None and entry.end is not None
        ),
        embedder=embedder,
    )


class Enrol(beam.PTransform):
    """Episode states in; the enrolment's Identity out, or nothing where the target is who speaks most."""

    def __init__(self, plan: EnrolmentPlan, store: Store) -> None:
        super().__init__()
        self.plan = plan
        self.store = store

    def expand(self, states: beam.PCollection) -> beam.PCollection:
        return (
            states
            | "Enrolment spans" >> beam.FlatMap(passages_of, self.plan)
            | "All passages" >> beam.combiners.ToList()
            | "Embed" >> beam.ParDo(EmbedEnrolment(self.plan, self.store))
        )


def passages_of(state: EpisodeState, plan: EnrolmentPlan) -> Iterator[tuple[str, Passage]]:
    for span in plan.spans:
        if span.guid == state.episode.guid and state.recording:
            yield span.guid, (state.recording.path, span.start, span.end)


class EmbedEnrolment(beam.DoFn):
    """The Identity of all files and spans of an enrolment together."""

    def __init__(self, plan: EnrolmentPlan, store: Store) -> None:
        self.plan = plan
        self.store = store

    def process(self, found: Sequence[tuple[str, Passage]]) -> Iterator[Identity]:
        plan = self.plan
        if plan.is_automatic:
            return
        missing = sorted({span.guid for span in plan.spans} - {guid for guid, _ in found})
        if missing:
            raise RealtalkError(
                f"speaker.enroll: the episode {missing[0]!r} is not among those that could be heard; "
                "name another episode, or a file"
            )
        files: list[Passage] = [(self.store.fetch(path), None, None) for path in plan.files]
        spans = sorted((path, start, end) for _, (path, start, end) in found)
        passages = files + [(self.store.fetch(path), start, end) for path, start, end in spans]
        yield replace(embed_enrolment(passages, plan.embedder.model), name=plan.name)


def voices_of(state: EpisodeState, store: Store) -> EpisodeVoices:
    """The small record of an episode's speakers, for the choice over all episodes."""
    assert state.diarization
    assert state.captions
    labels = label_seconds(state.diarization, state.captions.cues)
    return EpisodeVoices(state.episode.id, state.diarization.clusters, labels)


def choose(voices: Sequence[EpisodeVoices], plan: EnrolmentPlan, enrolment: Iterable[Identity]) -> TargetChoice:
    return choose_targets(voices, next(iter(enrolment), None), plan.name)


def attach_target(state: EpisodeState, choice: TargetChoice) -> EpisodeState:
    """The state with the target's identity and clusters in it."""
    chosen: Any = choice.clusters.get(state.episode.id, ())
    return replace(state, identity=choice.identity, target_clusters=tuple(chosen))

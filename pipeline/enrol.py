"""Who the target is: enrolment from files and spans of episodes, and one choice over the voices of all episodes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import apache_beam as beam
from pydantic import TypeAdapter

from pipeline.config import Config
from schemas.errors import RealtalkError
from schemas.ids import digest, file_sha256
from schemas.state import EpisodeState
from schemas.turn import Identity
from transforms.caption_labels import label_seconds
from transforms.episodes import Workers, with_hints
from transforms.identity import ChoiceSettings, EpisodeVoices, TargetChoice, choose_targets, embed_enrolment
from transforms.models.base import Needs, SpeakerEmbedder
from transforms.one_model import OneModel
from transforms.stage import kept_result_path
from transforms.store import Store

# A file, or a span of one (seconds).
Passage = tuple[str, float | None, float | None]

# Raised by one when the same passages give another identity than before.
_VERSION = 1
_IDENTITY = TypeAdapter(Identity)


@dataclass(frozen=True)
class EpisodeSpan:
    """Speech of the target alone in an episode (seconds), which `episode` names: its guid, or its id."""

    episode: str
    start: float
    end: float


@dataclass(frozen=True)
class EnrolmentPlan:
    """How the target is to be known; with neither files nor spans it is who speaks most."""

    name: str
    files: tuple[str, ...]
    spans: tuple[EpisodeSpan, ...]
    embedder: OneModel[SpeakerEmbedder]
    choice: ChoiceSettings = field(default_factory=ChoiceSettings)

    @property
    def is_automatic(self) -> bool:
        """Whether the target is who speaks most."""
        return not self.files and not self.spans

    @property
    def needs(self) -> Needs:
        """What embedding the passages wants of a machine."""
        return Needs() if self.is_automatic else self.embedder.needs


def enrolment_plan(config: Config, embedder: OneModel[SpeakerEmbedder]) -> EnrolmentPlan:
    """How a configuration says that its speaker is to be known."""
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
        choice=ChoiceSettings.of(embedder.model.scale),
    )


class Enrol(beam.PTransform):
    """Episode states in; the enrolment's Identity out, or nothing where the target is who speaks most."""

    def __init__(self, plan: EnrolmentPlan, store: Store, workers: Workers) -> None:
        super().__init__()
        self.embed = EmbedEnrolment(plan, store, workers)

    def expand(self, states: beam.PCollection) -> beam.PCollection:
        return (
            states
            | "Enrolment spans" >> beam.FlatMap(passages_of, self.embed.plan)
            | "All passages" >> beam.combiners.ToList()
            | "Embed" >> with_hints(beam.ParDo(self.embed), self.embed.plan.needs)
        )


def passages_of(state: EpisodeState, plan: EnrolmentPlan) -> Iterator[tuple[str, Passage]]:
    """The passages of an enrolment that an episode holds, with its guid."""
    for span in plan.spans:
        if span.episode in (state.episode.guid, state.episode.id) and state.recording:
            yield span.episode, (state.recording.heard_path, span.start, span.end)


@dataclass(frozen=True)
class Embed:
    """What a worker process does for an enrolment."""

    embedder: OneModel[SpeakerEmbedder]

    def __call__(self, passages: Sequence[Passage]) -> Identity:
        return embed_enrolment(passages, self.embedder.model)


class EmbedEnrolment(beam.DoFn):
    """The Identity of all files and spans of an enrolment together; kept, as the results of stages are."""

    def __init__(self, plan: EnrolmentPlan, store: Store, workers: Workers) -> None:
        self.plan = plan
        self.store = store
        self.workers = workers

    def process(self, found: Sequence[tuple[str, Passage]]) -> Iterator[Identity]:
        plan = self.plan
        if plan.is_automatic:
            return
        missing = sorted({span.episode for span in plan.spans} - {name for name, _ in found})
        if missing:
            raise RealtalkError(
                f"speaker.enroll: the episode {missing[0]!r} is not among those that could be heard; "
                "name another episode, or a file"
            )
        recordings = Counter(name for name, _ in {(name, path) for name, (path, _, _) in found})
        name, count = max(recordings.items(), key=lambda item: item[1], default=("", 0))
        if count > 1:
            raise RealtalkError(
                f"speaker.enroll: {count} episodes have the guid {name!r}; "
                "give the id of one instead (`realtalk plan --format json` shows it)"
            )
        files: list[Passage] = [(self.store.fetch(path), None, None) for path in plan.files]
        spans = sorted((path, start, end) for _, (path, start, end) in found)
        passages = files + [(self.store.fetch(path), start, end) for path, start, end in spans]
        # Recordings are named for all that they depend on.
        heard = (
            [(Path(path).name, file_sha256(path)) for path, _, _ in files],
            [(Path(path).name, start, end) for path, start, end in spans],
        )
        key = digest("enrolment", _VERSION, heard, plan.embedder.identity)
        yield replace(self._kept(key) or self._embedded(passages, key), name=plan.name)

    def _kept(self, key: str) -> Identity | None:
        content = self.store.read_bytes(kept_result_path(self.store, "enrolment", key))
        try:
            return _IDENTITY.validate_json(content) if content is not None else None
        except ValueError:
            return None

    def _embedded(self, passages: Sequence[Passage], key: str) -> Identity:
        identity: Identity = self.workers.pool().run(Embed(self.plan.embedder), passages).value
        self.store.write_text(
            kept_result_path(self.store, "enrolment", key), _IDENTITY.dump_json(identity).decode("utf-8")
        )
        return identity


def voices_of(state: EpisodeState, store: Store) -> EpisodeVoices:
    """The small record of an episode's speakers, for the choice over all episodes."""
    assert state.diarization
    assert state.captions
    labels = label_seconds(state.diarization, state.captions.cues)
    return EpisodeVoices(state.episode.id, state.diarization.clusters, labels)


def choose(voices: Sequence[EpisodeVoices], plan: EnrolmentPlan, enrolment: Iterable[Identity]) -> TargetChoice:
    """The target among the speakers of all episodes: whom the enrolment is of, else who speaks most."""
    return choose_targets(voices, next(iter(enrolment), None), plan.name, plan.choice)


def attach_target(state: EpisodeState, choice: TargetChoice) -> EpisodeState:
    """The state with the target's identity and clusters in it."""
    chosen: Any = choice.clusters.get(state.episode.id, ())
    return replace(state, identity=choice.identity, target_clusters=tuple(chosen))

"""The whole graph on one screen: from sources to a committed dataset, for any Beam runner."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsIter, AsList, AsSingleton, TaggedOutput

from pipeline.choose import Choose
from pipeline.commit import DatasetFacts
from pipeline.commit_step import CommitDataset
from pipeline.enrol import Enrol, EnrolmentPlan, attach_target, choose, voices_of
from pipeline.gates import columns_of
from pipeline.judging import Scored
from pipeline.outcome import JUDGED, STATE, WriteTurns, outcome, source_row
from pipeline.report.count import CountCandidates
from pipeline.result import keep_summary
from schemas.state import EpisodeState
from schemas.verdict import Thresholds
from transforms.corrections import Reviewed
from transforms.episodes import EpisodeStages, Workers
from transforms.http import HttpClient, HttpSettings
from transforms.kept_listings import KeptListings
from transforms.listing import merge_listings
from transforms.progress import ProgressLog
from transforms.source_settings import Source
from transforms.sources import list_source
from transforms.stage import Stage
from transforms.store import Store
from transforms.summarize import Summary, merge_all

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Plan:
    """Everything a build is made of, as values that travel to workers."""

    store: Store
    sources: tuple[Source, ...]
    base: Path
    http: HttpSettings
    until_voices: tuple[Stage, ...]
    after_target: tuple[Stage, ...]
    enrolment: EnrolmentPlan
    thresholds: Thresholds
    profiles: Mapping[str, Thresholds]
    splits: tuple[float, float, float]
    facts: DatasetFacts
    reviewed: Reviewed


def build_graph(root: beam.Pipeline, plan: Plan, workers: Workers) -> None:
    """Put the build of `plan` on a pipeline. What can't be done becomes rows of episodes/, not errors."""
    store = plan.store
    listed = root | "Sources" >> ReadSources(plan)
    first = listed["episodes"] | "Until voices" >> EpisodeStages(plan.until_voices, store, workers)
    heard = first.done
    target = (
        heard
        | "Voices" >> beam.Map(voices_of, store)
        | "All voices" >> beam.combiners.ToList()
        | "Choose target"
        >> beam.Map(choose, plan.enrolment, enrolment=AsIter(heard | "Enrol" >> Enrol(plan.enrolment, store, workers)))
    )
    aimed = heard | "Attach target" >> beam.Map(attach_target, choice=AsSingleton(target))
    second = aimed | "After target" >> EpisodeStages(plan.after_target, store, workers)
    scored = second.done

    chosen = (
        scored
        | "With candidates" >> beam.Filter(lambda state: state.candidates.clips > 0)
        | "As scored" >> beam.Map(as_scored, plan.facts)
        | "Choose clips"
        >> Choose(store, plan.thresholds, plan.splits, plan.facts.sampling_rate, plan.profiles, plan.reviewed)
    )
    ended = (scored, first.failed, second.failed) | "Every episode" >> beam.Flatten()
    outcomes = (
        {
            STATE: ended | "State by id" >> beam.Map(lambda state: (state.episode.id, state)),
            JUDGED: chosen.judged | "Judged by id" >> beam.Map(lambda one: (one.episode_id, one)),
        }
        | "Join" >> beam.CoGroupByKey()
        | "Outcomes" >> beam.FlatMap(outcome, store)
    )
    rows = outcomes | "Rows" >> beam.Map(lambda one: one.row)
    unread = listed[UNREADABLE] | "Unreadable" >> beam.Map(source_row)
    summaries = (
        outcomes | "Summaries" >> beam.Map(lambda one: one.summary),
        unread | "Summaries of unreadable" >> beam.Map(Summary.of_episode),
    )
    _ = (
        summaries
        | "All summaries" >> beam.Flatten()
        | "Sum up" >> beam.CombineGlobally(merge_all)
        | "Keep the summary" >> beam.Map(keep_summary, store)
    )
    _ = (
        root
        | "Trigger" >> beam.Create([None])
        | "Commit"
        >> beam.ParDo(
            CommitDataset(store, plan.facts),
            rows=AsList((rows, unread) | "All rows" >> beam.Flatten()),
            judged=AsList(chosen.judged),
            shards=AsList(chosen.shards),
            turns=AsList(scored | "Turns" >> beam.ParDo(WriteTurns(store))),
            statistics=AsSingleton(
                chosen.judged | "Statistics" >> CountCandidates(store, plan.thresholds, columns_of(plan.facts.gates))
            ),
        )
        | "Tell" >> beam.Map(lambda how: ProgressLog(store).note("commit", result=how))
    )


class ReadSources(beam.PTransform):
    """The episodes of all sources as states (each once), and as Failures what could not be read or was left out."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def expand(self, root: beam.Pipeline) -> Any:
        plan = self.plan
        listed = (
            root
            | "All sources" >> beam.Create([plan.sources])
            | "List"
            >> beam.FlatMap(list_episodes, plan.base, plan.http, plan.store).with_outputs(UNREADABLE, main="episodes")
        )
        return {
            "episodes": listed.episodes | "Spread episodes" >> beam.Reshuffle(),
            UNREADABLE: listed[UNREADABLE],
        }


def list_episodes(sources: tuple[Source, ...], base: Path, http: HttpSettings, store: Store) -> Iterator[Any]:
    """The states of all listed episodes; Failures under the tag UNREADABLE."""
    kept = KeptListings(store, datetime.now(UTC).date().isoformat())
    with HttpClient(http) as client:
        listing = merge_listings([list_source(source, client, base, kept) for source in sources])
    log = ProgressLog(store)
    log.note("feeds", listed=len(listing.episodes))
    for line in (*listing.notes, *(f"{failure.what}: {failure.why}" for failure in listing.failures)):
        log.note("feeds", line=line)
    for failure in listing.failures:
        yield TaggedOutput(UNREADABLE, failure)
    for episode in listing.episodes:
        yield EpisodeState(episode)


def as_scored(state: EpisodeState, facts: DatasetFacts) -> Scored:
    """An episode's candidates for the choice, with the columns that are the dataset's."""
    episode = state.episode
    assert state.media
    assert state.candidates
    return Scored(
        episode_id=episode.id,
        published=episode.published,
        recording_sha256=state.media.sha256,
        scores_path=state.candidates.scores_path,
        audio_path=state.candidates.audio_path,
        columns={
            "episode_id": episode.id,
            "episode_guid": episode.guid,
            "feed_guid": episode.feed_guid,
            "source_url": episode.source_url,
            "recording_sha256": state.media.sha256,
            "speaker": facts.speaker,
            "license": episode.license,
            "license_source": episode.license_source,
            "consent_id": facts.consent_id,
            "config_hash": facts.config_hash,
            "models": facts.models_json,
        },
    )

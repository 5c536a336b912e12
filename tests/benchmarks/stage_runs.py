"""Stages called directly, without the pipeline: what the benchmarks of this folder compare a build with."""

from pathlib import Path

from pipeline.config import Config, load_config
from pipeline.enrol import choose, voices_of
from pipeline.graph import Plan
from pipeline.planning import make_plan
from schemas.state import EpisodeState
from schemas.turn import Identity
from transforms.http import HttpClient
from transforms.identity import TargetChoice, embed_enrolment
from transforms.listing import merge_listings
from transforms.sources import list_source
from transforms.stage import Stage
from transforms.store import Store


def configured(path: Path, output: Path) -> tuple[Config, Plan]:
    config = load_config(path, [f"output={output}"])
    return config, make_plan(config, Store(str(output)))


def listed(plan: Plan) -> list[EpisodeState]:
    with HttpClient(plan.http) as client:
        listing = merge_listings([list_source(source, client, plan.base) for source in plan.sources])
    return [EpisodeState(episode) for episode in listing.episodes]


def through(stages: tuple[Stage, ...], state: EpisodeState, store: Store) -> EpisodeState:
    for stage in stages:
        key = stage.key(state)
        state = stage.apply(state, stage.work(state, key, store), key)
    return state


def enrolled(plan: Plan) -> Identity:
    """Of an enrolment by files."""
    return embed_enrolment([(path, None, None) for path in plan.enrolment.files], plan.enrolment.embedder.model)


def chosen(plan: Plan, states: list[EpisodeState], identity: Identity) -> TargetChoice:
    return choose([voices_of(state, plan.store) for state in states], plan.enrolment, [identity])

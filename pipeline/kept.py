"""What earlier builds have done already: found by the keys of results, without running a stage or asking a server."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.config import Config, is_uri
from pipeline.inspect import open_dataset
from pipeline.reselect import current_configuration
from schemas.episode import Episode
from schemas.errors import RealtalkError
from schemas.manifest import read_manifest
from schemas.recording import Media
from schemas.state import EpisodeState
from transforms.download import Downloaded
from transforms.stage import Stage, load_result
from transforms.store import Store
from transforms.transcript_files import KeptTranscript


def kept_by_config(config: Config) -> Callable[[Episode], tuple[str, ...]]:
    """Tells of an episode which stages of this configuration's build are done in its output."""
    output = config.output_location
    if is_uri(output) or not os.path.isdir(os.path.join(output, "work")):
        return lambda _: ()
    from pipeline.planning import make_plan
    from transforms.clip_stages import CutClips

    store = Store(output)
    plan = make_plan(config, store)
    stages = (*plan.until_voices, *plan.after_target)
    names, finished = [stage.name for stage in stages], finished_episodes(output, config, plan.facts.models)
    same_clips = _is_as_before(output, config, ("clips",))
    whole = tuple(names) if same_clips else tuple(names[: names.index(CutClips.name)])

    def kept(episode: Episode) -> tuple[str, ...]:
        media = kept_media(episode, Path(store.path("work", "downloads")))
        if media is None:
            return ()
        return whole if finished.get(episode.id) == media.sha256 else kept_stages(episode, media, stages, store)

    return kept


def finished_episodes(output: str, config: Config, models: Mapping[str, str]) -> dict[str, str]:
    """{episode id: SHA-256 of its bytes} of what a dataset in `output` was made from, for the same speaker and models.

    The stages after the choice of the target depend on all episodes at once, so their keys can't be told of one alone.
    """
    try:
        if dict(read_manifest(output).models) != dict(models) or not _is_as_before(
            output, config, ("speaker", "models")
        ):
            return {}
        rows = open_dataset(output).table("episodes", ["episode_id", "recording_sha256", "state"]).to_pylist()
    except RealtalkError:
        # No dataset yet, or a damaged one, which a build makes anew.
        return {}
    return {row["episode_id"]: row["recording_sha256"] for row in rows if row["state"] == "done"}


def _is_as_before(output: str, config: Config, sections: Sequence[str]) -> bool:
    """Whether sections of the configuration say what they said when the dataset in `output` was made."""
    try:
        before, now = current_configuration(output).content(), config.content()
    except RealtalkError:
        return False
    return all(before[section] == now[section] for section in sections)


def kept_stages(episode: Episode, media: Media, stages: Sequence[Stage], store: Store) -> tuple[str, ...]:
    """Names of the stages whose results for an episode are there, in the order of `stages`.

    A stage whose key depends on a result that is missing counts as not done.
    """
    state, names = EpisodeState(episode), []
    for stage in stages:
        try:
            key = stage.key(state)
            result = load_result(stage, key, store) if stage.keeps else Downloaded(media)
        except LookupError:
            continue
        if result is not None:
            state = stage.apply(state, result, key)
            names.append(stage.name)
    return tuple(names)


def kept_media(episode: Episode, folder: Path) -> Media | None:
    """The audio that an earlier build downloaded or found, by the books of the download; None where it is gone."""
    try:
        books = json.loads((folder / f"{episode.id}.json").read_text(encoding="utf-8"))
        audio = books["audio"]
        path = audio["path"] if "path" in audio else str(folder / audio["file"])
        if os.path.getsize(path) != audio["bytes"]:
            return None
        kept = KeptTranscript.load(books.get("transcript"))
        transcript = kept.transcript(folder) if kept else None
        return Media(path, audio["sha256"], audio["bytes"], episode.source_url, transcript=transcript)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No books, or books of another version: the build downloads anew.
        return None

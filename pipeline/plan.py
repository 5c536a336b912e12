"""What a build would do: which episodes, how many hours, what is done already, and the time and disk that it takes."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from pipeline.config import Config, is_uri
from pipeline.config_sections import Models
from pipeline.inspect import open_dataset
from pipeline.plan_models import STAGES, PlannedModel, hours_left, neural_seconds, planned_models
from pipeline.settings import http_settings, sources_of
from pipeline.timings import Rate, read_timings
from schemas.episode import Episode
from schemas.errors import RealtalkError
from transforms.http import HttpClient
from transforms.listing import Listing, merge_listings
from transforms.source_settings import Source
from transforms.sources import list_source

# Feeds that do not say how long an episode is say how large it is; most are MP3 at this rate.
_BYTES_PER_SECOND = 128_000 / 8
# Mono FLAC at 44.1 kHz and at the models' 16 kHz, and clips at 24 kHz; read speech takes 42 % of its samples' bytes, a
# room with noise more.
_RECORDING_BYTES_PER_SECOND = (44_100 + 16_000) * 2 * 0.5
_CLIP_BYTES_PER_SECOND = 24_000 * 2 * 0.55
EPISODE, TARGET, CLIPS = "episode", "target", "clips"
#: What a stage works on as a share of an episode, where no earlier build tells: a conversation of two.
SHARES: Mapping[str, float] = {EPISODE: 1.0, TARGET: 0.5, CLIPS: 0.4}


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a stage for an hour of what it works on, and what that is (a key of SHARES)."""

    cpu_seconds_per_hour: float
    of: str = EPISODE


#: In the order of an episode's way. Measured on two shared cores: orders of magnitude, not promises.
COSTS: Mapping[str, Cost] = {
    "media": Cost(0.5),
    "recording": Cost(10.0),
    "captions": Cost(1.0),
    "speech": Cost(6.0),
    "diarization": Cost(52.0),
    "target": Cost(1.0),
    "interjections": Cost(20.0, TARGET),
    "utterances": Cost(310.0, TARGET),
    "cuts": Cost(3.0),
    "scored": Cost(230.0, CLIPS),
    "candidates": Cost(1.0),
    "verified": Cost(1600.0, CLIPS),
}
_EMBEDDED = Models()
# The stage that a configuration may leave out.
_VERIFYING = "verified"
# Where no transcript is published a recogniser writes one, which costs many times what aligning does.
_RECOGNISING = Cost(2200.0, TARGET)


@dataclass(frozen=True)
class PlannedEpisode:
    """An episode that would be built. `length_from` says how its `seconds` are known: file, feed, size, or mean."""

    id: str
    guid: str
    title: str
    published: str | None
    seconds: float
    length_from: str
    bytes: int
    source_url: str
    has_transcript: bool
    done: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedSource:
    """A source as configured, how many episodes it gives, and what could not be taken from it."""

    kind: str
    place: str
    episodes: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedStage:
    """What is left for a stage: episodes, hours of episodes, seconds expected; `measured` by an earlier build.

    `wall_seconds` are those of one worker after the other.
    """

    stage: str
    done: int
    left: int
    hours_left: float
    cpu_seconds: float
    wall_seconds: float
    measured: bool


@dataclass(frozen=True)
class Forecast:
    """What a build would do. Bytes are what it adds to `output`; `free_bytes` None where that can't be told."""

    name: str
    output: str
    config_hash: str
    workers: int
    sources: tuple[PlannedSource, ...]
    episodes: tuple[PlannedEpisode, ...]
    stages: tuple[PlannedStage, ...]
    wall_seconds: float
    download_bytes: int
    disk_bytes: int
    free_bytes: int | None
    notes: tuple[str, ...] = field(default=())
    models: tuple[PlannedModel, ...] = ()
    cost: float = 0.0

    @property
    def hours(self) -> float:
        """Of all episodes, done or not."""
        return sum(episode.seconds for episode in self.episodes) / 3600

    @property
    def cpu_seconds(self) -> float:
        """Of all that is left to do."""
        return sum(stage.cpu_seconds for stage in self.stages)

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "hours": self.hours, "cpu_seconds": self.cpu_seconds}


def forecast(config: Config, done: Callable[[Episode], tuple[str, ...]], cores: int) -> Forecast:
    """List the sources (of the network: feeds only) and forecast. `done` tells which stages of an episode are kept."""
    sources, listings = list_sources(config)
    merged = merge_listings(listings)
    episodes = _episode_plans(merged.episodes, done)
    output = config.output_location
    timings = read_timings(output)
    shares = read_shares(output)
    workers = min(config.workers, cores)
    stages = tuple(
        stage
        for stage in forecast_stages(episodes, timings.rates, shares, workers, config.models)
        if stage.stage != _VERIFYING or config.text.verify
    )
    download = sum(episode.bytes for episode in episodes if "media" not in episode.done and is_uri(episode.source_url))
    return Forecast(
        name=config.name,
        output=output,
        config_hash=config.hash,
        workers=workers,
        sources=tuple(_source_plan(source, listing) for source, listing in zip(sources, listings, strict=True)),
        episodes=episodes,
        stages=stages,
        wall_seconds=_wall_seconds(stages, workers, timings.overhead_seconds),
        download_bytes=download,
        disk_bytes=download + _made_bytes(episodes, shares[CLIPS]),
        free_bytes=free_bytes(output),
        notes=tuple(note for note in merged.notes if all(note not in listing.notes for listing in listings)),
        models=_models(config, episodes, shares[TARGET]),
    )


def list_sources(config: Config) -> tuple[tuple[Source, ...], tuple[Listing, ...]]:
    """Every source and what it holds, in the order of the configuration."""
    sources = sources_of(config)
    with HttpClient(http_settings(config)) as client:
        return sources, tuple(list_source(source, client, config.folder) for source in sources)


def read_shares(output: str) -> dict[str, float]:
    """SHARES as the episodes of a dataset in `output` have them; those of a conversation of two where there is none."""
    shares = dict(SHARES)
    try:
        columns = ["seconds", "target_seconds", "candidate_seconds"]
        table = open_dataset(output).table("episodes", columns)
    except RealtalkError:
        return shares
    totals = {name: sum(value or 0.0 for value in table.column(name).to_pylist()) for name in columns}
    if totals["seconds"] > 0:
        shares[TARGET] = totals["target_seconds"] / totals["seconds"]
        shares[CLIPS] = totals["candidate_seconds"] / totals["seconds"]
    return shares


def forecast_stages(
    episodes: Sequence[PlannedEpisode],
    measured: Mapping[str, Rate],
    shares: Mapping[str, float] = SHARES,
    workers: int = 1,
    models: Models = _EMBEDDED,
) -> tuple[PlannedStage, ...]:
    """What is left for every stage, and what it takes: by measurements, else by the table of COSTS.

    Where a neural model works, its GPU time at stated speeds stands for the CPU time of the thread that waits for it.
    """
    return tuple(
        _stage(name, cost, episodes, measured.get(name), shares[cost.of], workers, models)
        for name, cost in COSTS.items()
    )


def _models(config: Config, episodes: Sequence[PlannedEpisode], target_share: float) -> tuple[PlannedModel, ...]:
    left = {
        stage: hours_left([(one.seconds, one.has_transcript) for one in episodes if stage not in one.done])
        for stage in STAGES.values()
    }
    return planned_models(config.models, left, target_share)


def _stage(
    name: str,
    cost: Cost,
    episodes: Sequence[PlannedEpisode],
    measured: Rate | None,
    share: float,
    workers: int,
    models: Models,
) -> PlannedStage:
    left = [episode for episode in episodes if name not in episode.done]
    hours = sum(episode.seconds for episode in left) / 3600
    if measured is not None:
        loads = min(workers, len(left))
        cpu_seconds = hours * share * measured.cpu_seconds_per_hour + loads * measured.load_cpu_seconds
        wall_seconds = hours * share * measured.wall_seconds_per_hour + loads * measured.load_wall_seconds
    else:
        cpu_seconds = sum(episode.seconds / 3600 * share * _rate(name, cost, episode, models) for episode in left)
        wall_seconds = cpu_seconds
    return PlannedStage(
        name, len(episodes) - len(left), len(left), hours, cpu_seconds, wall_seconds, measured is not None
    )


def _wall_seconds(stages: Sequence[PlannedStage], workers: int, overhead: float) -> float:
    """Episodes are shared by the workers; one episode is never."""
    busy = min(workers, max((stage.left for stage in stages), default=0))
    return sum(stage.wall_seconds for stage in stages) / busy + overhead if busy else 0.0


def _rate(name: str, cost: Cost, episode: PlannedEpisode, models: Models) -> float:
    neural = neural_seconds(models, episode.has_transcript)
    if name in neural:
        return neural[name]
    recognising = name == "utterances" and not episode.has_transcript
    return (_RECOGNISING if recognising else cost).cpu_seconds_per_hour


def _episode_plans(
    episodes: Iterable[Episode], done: Callable[[Episode], tuple[str, ...]]
) -> tuple[PlannedEpisode, ...]:
    lengths = [(episode, *_length(episode)) for episode in episodes]
    known = [seconds for _, seconds, _ in lengths if seconds is not None]
    mean = fmean(known) if known else 0.0
    return tuple(
        _episode_plan(episode, mean if seconds is None else seconds, origin, done(episode))
        for episode, seconds, origin in lengths
    )


def _episode_plan(episode: Episode, seconds: float, origin: str, done: tuple[str, ...]) -> PlannedEpisode:
    return PlannedEpisode(
        id=episode.id,
        guid=episode.guid,
        title=episode.title,
        published=episode.published,
        seconds=seconds,
        length_from=origin,
        bytes=episode.length_bytes or round(seconds * _BYTES_PER_SECOND),
        source_url=episode.source_url,
        has_transcript=bool(episode.transcripts),
        done=done,
    )


def _length(episode: Episode) -> tuple[float | None, str]:
    """Seconds of an episode and how they are known."""
    if not is_uri(episode.source_url) and (seconds := file_seconds(episode.source_url)):
        return seconds, "file"
    if episode.duration:
        return episode.duration, "feed"
    if episode.length_bytes:
        return episode.length_bytes / _BYTES_PER_SECOND, "size"
    return None, "mean"


def file_seconds(path: str) -> float | None:
    """How long a media file says it is (its header is read, no audio); None where it does not say."""
    import av

    try:
        with av.open(path) as container:
            return container.duration / av.time_base if container.duration else None
    except (av.FFmpegError, OSError):
        # What is wrong with the file is said when it is decoded.
        return None


def _source_plan(source: Source, listing: Listing) -> PlannedSource:
    problems = tuple(f"{failure.what}: {failure.why}" for failure in listing.failures)
    kind = type(source).__name__.removesuffix("Source").lower()
    return PlannedSource(kind, source.place, len(listing.episodes), problems, listing.notes)


def _made_bytes(episodes: Sequence[PlannedEpisode], clip_share: float) -> int:
    """Bytes of what is made from the episodes: recordings, candidates' audio, the chosen of it once more in shards."""
    recordings = sum(episode.seconds for episode in episodes if "recording" not in episode.done)
    clips = sum(episode.seconds for episode in episodes if "scored" not in episode.done) * clip_share
    return round(recordings * _RECORDING_BYTES_PER_SECOND + 2 * clips * _CLIP_BYTES_PER_SECOND)


def free_bytes(output: str) -> int | None:
    """Free space where a local folder is or will be; None for a remote one."""
    if is_uri(output):
        return None
    folder = Path(output)
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free

"""What the configuration means to each stage: its settings, from the YAML's words; and the consent that it names."""

import datetime
import os
from collections.abc import Callable

from pipeline.config import Config, is_uri
from pipeline.config_sections import SourceEntry
from schemas.consent import TTS_TRAINING, Consent, read_consent
from transforms.http import HttpSettings
from transforms.source_settings import FeedSource, FilesSource, ManifestSource, OpmlSource, Source, allowed_hosts_of


def sources_of(config: Config) -> tuple[Source, ...]:
    """The sources in their order; their paths are relative to `config.folder`."""
    excluded = _not_episodes(config)
    return tuple(_source(entry, excluded) for entry in config.sources)


def _not_episodes(config: Config) -> tuple[str, ...]:
    """Recordings that a folder of sources may hold besides episodes: what a build keeps, and the enrolments."""
    enrolments = (entry.file for entry in config.speaker.enroll or () if entry.file is not None)
    places = (os.path.join(config.output_location, "work"), *map(config.locate, enrolments))
    return tuple(place for place in places if not is_uri(place))


def http_settings(config: Config) -> HttpSettings:
    """How the web is asked; hosts that the sources name may have a private address, those of allow_hosts any."""
    return HttpSettings(
        contact=config.download.contact,
        allowed_hosts=config.download.allow_hosts,
        source_hosts=allowed_hosts_of(sources_of(config)),
        connections_per_host=config.download.connections_per_host,
        tries=config.download.tries,
        stall_timeout_seconds=config.download.stall_seconds,
    )


def consent_of(config: Config, today: datetime.date | None = None) -> Consent | None:
    """The speaker's consent, None where none is named; `today` is the day of UTC where it is not given.

    Raises ConfigurationError with a line for each fault: one that can't be read, does not hold today, or does not allow
    the training of a voice.
    """
    if config.speaker.consent is None:
        return None
    day = today or datetime.datetime.now(datetime.UTC).date()
    return read_consent(config.locate(config.speaker.consent), day, TTS_TRAINING)


def _source(entry: SourceEntry, excluded: tuple[str, ...]) -> Source:
    kinds: dict[str, Callable[..., Source]] = {
        "feed": FeedSource,
        "opml": OpmlSource,
        "files": FilesSource,
        "manifest": ManifestSource,
    }
    return kinds[entry.kind](
        getattr(entry, entry.kind),
        limit=entry.limit,
        after=entry.after,
        before=entry.before,
        title=entry.title,
        license=entry.license,
        **({"excluded": excluded} if entry.kind == "files" else {}),
    )

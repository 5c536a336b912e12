"""What the configuration means to each stage: its settings, from the YAML's words."""

from collections.abc import Callable

from pipeline.config import Config
from pipeline.config_sections import SourceEntry
from transforms.http import HttpSettings
from transforms.sources import FeedSource, FilesSource, ManifestSource, OpmlSource, Source, allowed_hosts_of


def sources_of(config: Config) -> tuple[Source, ...]:
    """The sources in their order; their paths are relative to `config.folder`."""
    return tuple(_source(entry) for entry in config.sources)


def http_settings(config: Config) -> HttpSettings:
    """How the web is asked; hosts that the configuration itself names may have a private address."""
    return HttpSettings(
        contact=config.download.contact,
        allowed_hosts=(*allowed_hosts_of(sources_of(config)), *config.download.allow_hosts),
        connections_per_host=config.download.connections_per_host,
        tries=config.download.tries,
        stall_timeout_seconds=config.download.stall_seconds,
    )


def _source(entry: SourceEntry) -> Source:
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
    )

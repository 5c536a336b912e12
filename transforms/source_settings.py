"""What a configuration says of where episodes come from, and of which are wanted."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.errors import ConfigurationError, EpisodeError
from transforms.feeds import is_web
from transforms.http import check_url, host_and_port


@dataclass(frozen=True, kw_only=True)
class _Source(ABC):
    """What every source may be limited by.

    `limit` takes that many of the newest; `after` (that day or instant included) and `before` (excluded) are ISO 8601
    dates, in UTC where they name no zone; `title` is a regular expression to be found in the title. `license` stands
    whatever the source itself says, and a note tells where that is something else. Raises ConfigurationError.
    """

    limit: int | None = None
    after: str | None = None
    before: str | None = None
    title: str | None = None
    license: str | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigurationError(f"limit is {self.limit}: give at least 1, or leave it out for all episodes")
        for name in ("after", "before"):
            text = getattr(self, name)
            if text is not None and iso_date(text) is None:
                raise ConfigurationError(f"{name} is {text!r}: write a date such as 2024-05-31")
        try:
            re.compile(self.title or "")
            if "://" in self.place:
                check_url(self.place.strip())
        except re.error as error:
            raise ConfigurationError(f"title {self.title!r} is no regular expression: {error}") from None
        except EpisodeError as error:
            raise ConfigurationError(str(error)) from None

    @property
    @abstractmethod
    def place(self) -> str:
        """The feed, list, pattern or manifest as configured."""


@dataclass(frozen=True)
class FeedSource(_Source):
    """An RSS or Atom feed: an http(s) address, or a file."""

    feed: str = field(kw_only=False)

    @property
    def place(self) -> str:
        return self.feed


@dataclass(frozen=True)
class OpmlSource(_Source):
    """An OPML list of feeds, an http(s) address or a file. Limits hold for each of its feeds.

    Its feeds are asked one after the other, and each has to be an http(s) address: paths and the outlines of
    type="include", which name further lists, are not followed.
    """

    opml: str = field(kw_only=False)

    @property
    def place(self) -> str:
        return self.opml


@dataclass(frozen=True)
class FilesSource(_Source):
    """Audio files: a file, a folder or a pattern. NAME.vtt, .srt, .json, .html, .txt beside one is its transcript.

    Absolute paths in `excluded` name files and folders that are no episodes: what a build itself writes, enrolments.
    """

    files: str = field(kw_only=False)
    excluded: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return self.files


@dataclass(frozen=True)
class ManifestSource(_Source):
    """A CSV or JSONL file with a row for each episode."""

    manifest: str = field(kw_only=False)

    @property
    def place(self) -> str:
        return self.manifest


Source = FeedSource | OpmlSource | FilesSource | ManifestSource


def allowed_hosts_of(sources: Iterable[Source]) -> tuple[str, ...]:
    """ "host:port" of every feed and list of feeds that the configuration names by address.

    These may have a private address (HttpSettings.source_hosts). The port is part of it: a feed at 127.0.0.1:8000
    opens no other service of that machine. Addresses inside lists, manifests and feeds are others' words and open
    nothing.
    """
    places = (source.place.strip() for source in sources if isinstance(source, (FeedSource, OpmlSource)))
    return tuple(dict.fromkeys(host_and_port(place) for place in places if is_web(place)))


def iso_date(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
        return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
    except (ValueError, TypeError):
        return None

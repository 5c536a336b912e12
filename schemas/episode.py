"""An episode as its feed, folder or manifest announces it."""

from dataclasses import dataclass

from schemas.ids import digest


@dataclass(frozen=True, slots=True)
class Person:
    """A `podcast:person` (or author): `role` is lower case, "host" where none is given (Podcasting 2.0 taxonomy)."""

    name: str
    role: str = "host"
    group: str = "cast"


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """Where a publisher's transcript is: a URL or a local path; `type` a MIME type, "" where none is said."""

    url: str
    type: str = ""
    language: str = ""
    rel: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One item of a source.

    `source_url` is the enclosure untouched: http(s), or a local path. `guid` names the episode inside `feed_guid`.
    `published` is ISO 8601 in UTC. `license_source` says where the licence was found ("feed", "item", "configuration").
    """

    id: str
    guid: str
    feed_guid: str
    source_url: str
    title: str = ""
    feed_title: str = ""
    feed_url: str = ""
    published: str | None = None
    media_type: str = ""
    length_bytes: int | None = None
    duration: float | None = None
    language: str = ""
    license: str | None = None
    license_source: str | None = None
    persons: tuple[Person, ...] = ()
    transcripts: tuple[TranscriptLink, ...] = ()
    alternates: tuple[str, ...] = ()
    ai_content: str | None = None


def episode_id(feed_guid: str, guid: str) -> str:
    """Identity of an episode: the hash of its guid inside its feed (16 hexadecimal digits)."""
    return digest("episode", feed_guid, guid)

"""What a feed says: its channel, and an Episode for each item.

RSS 2.0 (and 0.9x, 1.0) and Atom, with the itunes, Media RSS and Podcasting 2.0 namespaces.
"""

import contextlib
import html
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from schemas.episode import Episode, Person, TranscriptLink, episode_id
from schemas.errors import EpisodeError
from transforms.feed_xml import ITEM_NAMES, Node, parse_document
from transforms.http import shown
from transforms.licenses import implied_license, stated_license

AUDIO_SUFFIXES = frozenset(
    (".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".flac", ".wav", ".wma", ".aif", ".aiff", ".amr", ".ac3")
)
VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".3gp"))
_OTHER_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".pdf", ".epub", ".html", ".htm", ".torrent", ".zip", ".txt")
)
_UNTYPED = frozenset(("", "application/octet-stream", "binary/octet-stream", "application/binary", "application/mp4"))
# What publishers write where a MIME type belongs.
_AUDIO_WORDS = frozenset(("audio", "mp3", "application/ogg"))
_AUDIO, _AUDIO_BY_NAME, _VIDEO, _UNTOLD = range(4)
_SPACES = re.compile(r"\s")
# Control characters, lone surrogates, and those that turn the direction of what follows.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# Podcasting 2.0: the guid of a feed that names none is a UUIDv5 of its address, in this namespace.
_FEED_NAMESPACE = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")


@dataclass(frozen=True, slots=True)
class Feed:
    """A parsed page of a feed. `url` is what relative links are relative to: an http(s) address or a local path.

    `license_source` names the element that holds the licence, `next_link` (as written) the page of older items, ""
    after the last (RFC 5005). `is_blocked` says that it asks not to be used at all (podcast:block), `is_unlisted` that
    it asks Apple's directory not to list it (itunes:block). `problem` is "" or one line on what is broken, `is_whole`
    says that nothing is missing.
    """

    url: str
    guid: str
    title: str = ""
    language: str = ""
    license: str | None = None
    license_source: str | None = None
    persons: tuple[Person, ...] = ()
    ai_content: str | None = None
    items: tuple[Node, ...] = ()
    next_link: str = ""
    is_blocked: bool = False
    is_unlisted: bool = False
    problem: str = ""
    is_whole: bool = True


def parse_feed(data: bytes, url: str, asked: str = "") -> Feed:
    """Parse one page of a feed; `asked` is its address before redirects, which names it where it has no podcast:guid.

    Raises EpisodeError as `parse_document`, and "html-not-feed", "not-a-feed", "moved-feed".
    """
    asked = asked or url
    document = parse_document(data, shown(asked))
    root = document.root
    moved = root if root.name == "redirect" else next(root.all("redirect"), None)
    if moved is not None:
        raise EpisodeError(f"moved-feed: {shown(asked)} has moved to {moved.first('newlocation')}; configure that")
    if root.name in ("html", "xhtml:html"):
        raise EpisodeError(f"html-not-feed: {shown(asked)} is a web page, not a feed; look there for its feed's link")
    if root.name == "opml":
        raise EpisodeError(f"not-a-feed: {shown(asked)} is an OPML list of feeds; configure it as `opml:`")
    channel = next(root.all("channel"), None) if root.name in ("rss", "rdf:rdf") else root
    if channel is None or root.name not in ("rss", "rdf:rdf", "atom:feed", "feed"):
        raise EpisodeError(f"not-a-feed: {shown(asked)} is XML of <{root.name[:40]}>; give an RSS or Atom feed")
    base = _base(url, root, channel)
    stated, implied = stated_license(channel), implied_license(channel)
    return Feed(
        url=base,
        # A local feed is called by its file name, so that ids are the same on every machine.
        guid=channel.first("podcast:guid") or guid_of_feed_url(asked if is_web(asked) else Path(asked).name),
        title=clean(channel.first("title", "atom:title")),
        language=channel.first("language", "dc:language") or channel.get("xml:lang") or root.get("xml:lang"),
        license=stated or (implied[0] if implied else None),
        license_source="channel podcast:license" if stated else f"channel {implied[1]}" if implied else None,
        persons=_persons(channel) or _authors(channel),
        ai_content=_ai_content(channel),
        # RSS 1.0 has its items beside the channel.
        items=tuple(channel.all(*ITEM_NAMES)) or tuple(root.all(*ITEM_NAMES)),
        next_link=_next_page(channel),
        is_blocked=_is_blocked(channel, "podcast:block"),
        is_unlisted=_is_blocked(channel, "itunes:block"),
        problem=document.problem,
        is_whole=document.is_whole,
    )


def to_episode(item: Node, feed: Feed, page_url: str, feed_url: str) -> Episode:
    """The Episode of an item; `feed` is the first page, `page_url` what the item's links are relative to.

    Raises EpisodeError: "blocked" (itunes:block or podcast:block), "no-enclosure", "bad-url".
    """
    name = item_guid(item) or clean(item.first("title", "atom:title")) or "an item without a name"
    if _is_blocked(item, "itunes:block", "podcast:block"):
        raise EpisodeError(f"blocked: the feed asks that {name!r} is not used (itunes:block or podcast:block)")
    base = _base(page_url, item)
    enclosure, others = _enclosures(item, base, feed.language, name)
    guid = item_guid(item) or enclosure.url
    stated, implied = stated_license(item), implied_license(item)
    licences = [
        (stated, "item podcast:license"),
        (feed.license if feed.license_source == "channel podcast:license" else None, feed.license_source),
        (implied[0], f"item {implied[1]}") if implied else (None, None),
        (feed.license, feed.license_source),
    ]
    licence, found_in = next(((text, place) for text, place in licences if text), (None, None))
    return Episode(
        id=episode_id(feed.guid, guid),
        guid=guid,
        feed_guid=feed.guid,
        source_url=enclosure.url,
        title=item_title(item),
        feed_title=feed.title,
        feed_url=feed_url,
        published=iso_utc(item_date(item)),
        media_type=enclosure.type,
        length_bytes=enclosure.length,
        duration=_seconds(item.first("itunes:duration")),
        language=item.first("dc:language") or feed.language,
        license=licence,
        license_source=found_in,
        persons=_persons(item) or _cast(feed.persons, item),
        transcripts=tuple(_transcripts(item, base)),
        alternates=tuple(dict.fromkeys(other.url for other in others if other.url != enclosure.url)),
        ai_content=_ai_content(item) or feed.ai_content,
    )


def item_guid(item: Node) -> str:
    """The guid as written, "" where the item has none: relative ones too, because they move with the feed."""
    return item.first("guid", "atom:id", "id")


def item_title(item: Node) -> str:
    for node in item.all("title", "atom:title"):
        if node.text:
            text = html.unescape(node.text) if node.get("type") == "html" else node.text
            return clean(re.sub(r"<[^<>]*>", "", text) if node.get("type") == "html" else text)
    return ""


def item_date(item: Node) -> datetime | None:
    names = ("pubdate", "atom:published", "published", "dc:date", "atom:updated", "updated")
    return next((date for name in names for node in item.all(name) if (date := parse_date(node.text))), None)


def parse_date(text: str) -> datetime | None:
    """UTC time of an RFC 5322 or ISO 8601 date (no zone: UTC); None where it is neither."""
    text = text.strip()
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = parse(text)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def iso_utc(date: datetime | None) -> str | None:
    return date.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if date else None


def guid_of_feed_url(url: str) -> str:
    """UUIDv5 of a feed's address without scheme and trailing slashes (Podcasting 2.0, podcast:guid)."""
    return str(uuid.uuid5(_FEED_NAMESPACE, re.sub(r"^[A-Za-z]+://", "", url).rstrip("/")))


def clean(text: str) -> str:
    """One line that is safe to show: references that were escaped twice resolved, no control characters."""
    return " ".join(_UNSAFE.sub("", _SPACES.sub(" ", html.unescape(text))).split())


def link_to(link: str, base: str) -> str:
    """A link as written where it is an http(s) address, else what it means beside `base`.

    A feed from the web may point into the web only; a local feed also to files in its own folder. Raises EpisodeError
    ("bad-url").
    """
    link = link.strip()
    try:
        parts = urlsplit(link)
        if parts.scheme.lower() in ("http", "https"):
            return link
        if is_web(base):
            joined = urljoin(base, link)
            if link and is_web(joined):
                return joined
        elif link and not parts.scheme and not parts.netloc:
            folder = Path(base).parent.resolve()
            path = (folder / unquote(parts.path)).resolve()
            if path.is_relative_to(folder):
                return str(path)
    except ValueError:
        pass
    raise EpisodeError(f"bad-url: {link[:200]!r} in {shown(base)} is no http(s) address and no file beside the feed")


def is_web(place: str) -> bool:
    return place[:8].lower().startswith(("http://", "https://"))


def suffix_of(url: str) -> str:
    """The file name's ending in an address or a path, lower case: ".mp3"; "" without one."""
    try:
        return PurePosixPath(unquote(urlsplit(url).path if is_web(url) else url)).suffix.lower()
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class _Enclosure:
    url: str
    type: str
    length: int | None
    rank: int


def _enclosures(item: Node, base: str, language: str, name: str) -> tuple[_Enclosure, list[_Enclosure]]:
    """The enclosure to take, and those that may stand in for it: audio before video, else the feed's order."""
    own, problem = _usable(_own_enclosures(item), base)
    alternate, _ = _usable(_alternate_enclosures(item, language), base)
    found = [*own, *alternate]
    if not found:
        raise EpisodeError(problem or f"no-enclosure: {name!r} has no audio or video; the feed gives only its text")
    if found[0].rank == _VIDEO:
        found.sort(key=lambda enclosure: enclosure.rank >= _VIDEO)
    return found[0], found[1:]


def _usable(links: Iterator[tuple[str, str, str]], base: str) -> tuple[list[_Enclosure], str]:
    found, problem = [], ""
    for url, kind, length in links:
        media_type = kind.partition(";")[0].strip().lower()
        rank = _rank(media_type, suffix_of(url))
        if rank is None or not url:
            continue
        try:
            place = link_to(url, base)
        except EpisodeError as error:
            problem = str(error)
            continue
        size = int(length) if re.fullmatch(r"[0-9]{1,15}", length) else 0
        found.append(_Enclosure(place, media_type, size or None, rank))
    return sorted(found, key=lambda enclosure: enclosure.rank), problem


def _own_enclosures(item: Node) -> Iterator[tuple[str, str, str]]:
    for node in item.all("enclosure"):
        yield node.get("url"), node.get("type"), node.get("length")
    for node in item.all("atom:link", "link"):
        if node.get("rel") == "enclosure":
            yield node.get("href"), node.get("type"), node.get("length")
    for level in (item, *item.all("media:group")):
        for node in level.all("media:content"):
            medium = node.get("medium").lower()
            if medium in ("", "audio", "video"):
                yield node.get("url"), node.get("type") or medium, node.get("filesize")


def _alternate_enclosures(item: Node, language: str) -> Iterator[tuple[str, str, str]]:
    for node in item.all("podcast:alternateenclosure"):
        spoken = node.get("lang")
        if spoken and language and not same_language(spoken, language):
            continue
        for source in node.all("podcast:source"):
            if is_web(source.get("uri")):
                yield source.get("uri"), node.get("type"), node.get("length")


def _rank(media_type: str, suffix: str) -> int | None:
    """From the best to the last of the kinds above; None for what holds no speech."""
    if media_type.startswith("audio/") or media_type in _AUDIO_WORDS:
        return None if media_type.endswith("mpegurl") else _AUDIO
    if suffix in AUDIO_SUFFIXES:
        return _AUDIO_BY_NAME
    if media_type == "video" or media_type.startswith("video/") or suffix in VIDEO_SUFFIXES:
        return _VIDEO
    return _UNTOLD if media_type in _UNTYPED and suffix not in _OTHER_SUFFIXES else None


def same_language(one: str, other: str) -> bool:
    """Whether two language tags name one language: "en" and "en-US" do."""
    return re.split(r"[-_]", one.strip().lower())[0] == re.split(r"[-_]", other.strip().lower())[0]


def _base(url: str, *levels: Node) -> str:
    """What links are relative to inside elements that may have an xml:base; one that is no web address is nothing."""
    for level in levels:
        with contextlib.suppress(ValueError):
            joined = urljoin(url, level.get("xml:base")) if level.get("xml:base") else ""
            url = joined if is_web(joined) else url
    return url


def _next_page(channel: Node) -> str:
    older = (node for node in channel.all("atom:link", "link") if node.get("rel") in ("next", "prev-archive"))
    return next((node.get("href") for node in older if node.get("href")), "")


def _is_blocked(level: Node, *names: str) -> bool:
    """Whether blocks of these names hold here: one with an id is for that platform only, and goes before those of all.

    See podcast:block in the Podcasting 2.0 namespace.
    """
    said: dict[str, bool] = {}
    for node in level.all(*names):
        platform = node.get("id").lower()
        said[platform] = said.get(platform, False) or node.text.lower() in ("yes", "true")
    return said.get("realtalk", said.get("", False))


def _persons(level: Node) -> tuple[Person, ...]:
    found = (
        Person(clean(node.text), node.get("role").lower() or "host", node.get("group").lower() or "cast")
        for node in level.all("podcast:person")
    )
    return tuple(dict.fromkeys(person for person in found if person.name))


def _authors(level: Node) -> tuple[Person, ...]:
    """Authors, where nobody says who speaks; RSS writes them "mail@example.com (Name)"."""
    names = [node.first("atom:name", "name") or node.text for node in level.all("atom:author", "author")]
    names += [node.text for node in level.all("itunes:author", "dc:creator")]
    found = (re.sub(r"^\S+@\S+\s*\((.*)\)$", r"\1", clean(name)) for name in names)
    return tuple(dict.fromkeys(Person(name, "author", "writing") for name in found if name and "@" not in name))


def _cast(channel_persons: tuple[Person, ...], item: Node) -> tuple[Person, ...]:
    """Persons of an item that has no podcast:person: the channel's cast, or whoever is called author."""
    if any(person.role != "author" for person in channel_persons):
        return channel_persons
    return _authors(item) or channel_persons


def _transcripts(item: Node, base: str) -> Iterator[TranscriptLink]:
    for node in item.all("podcast:transcript"):
        try:
            url = link_to(node.get("url"), base)
        except EpisodeError:
            continue
        yield TranscriptLink(url, node.get("type").lower(), node.get("language"), node.get("rel").lower())


def _ai_content(level: Node) -> str | None:
    found = (node.text for node in level.all("podcast:txt") if node.get("purpose").lower() == "ai-content")
    return next((clean(text) for text in found if text), None)


def _seconds(text: str) -> float | None:
    """Seconds of "1:02:03", "62:03" or "3723"; None of anything else, and of 0."""
    if not re.fullmatch(r"[0-9]{1,6}(:[0-9]{1,4}){0,2}(\.[0-9]{1,6})?", text):
        return None
    total = 0.0
    for part in text.split(":"):
        total = 60 * total + float(part)
    return total or None

"""Where episodes come from: feeds, lists of feeds, files, manifests; and which of them are wanted."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.episode import Episode, episode_id
from schemas.errors import ConfigurationError, EpisodeError, Failure
from transforms.feed_xml import MAX_FEED_BYTES, Node, parse_document
from transforms.feeds import Feed, is_web, item_date, item_guid, item_title, link_to, parse_date, parse_feed, to_episode
from transforms.http import HttpClient, check_url, host_and_port, shown
from transforms.kept_listings import KeptListings, completed, copy_note
from transforms.listing import Listing, failure_of, licensed, merge_listings
from transforms.local_files import episode_of_row, episodes_of_files, find_files, read_manifest

MAX_PAGES = 200
MAX_FEEDS = 5000
_FEED_TYPES = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"


@dataclass(frozen=True, kw_only=True)
class _Source:
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
            if text is not None and _iso_date(text) is None:
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
    def place(self) -> str:
        """The feed, list, pattern or manifest as configured."""
        raise NotImplementedError


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


def list_source(source: Source, client: HttpClient, base: Path, kept: KeptListings | None = None) -> Listing:
    """The episodes of a source, newest first; paths are relative to `base`.

    Where dates are missing the source's own order stands. A source that can't be read is a failure in the listing;
    raises ConfigurationError only for a manifest that is no such table. What can't be read of feeds, lists and
    manifests this time, but could be before, is taken from its copy in `kept`, with a note in place of the failure.
    """
    try:
        if isinstance(source, FeedSource):
            listing = _list_feed(source, source.feed.strip(), client, base, kept)
        elif isinstance(source, OpmlSource):
            listing = _list_opml(source, client, base, kept)
        elif isinstance(source, FilesSource):
            listing = _list_files(source, base)
        else:
            listing = _list_manifest(source, base)
            if kept is not None:
                kept.keep(_copy_key(source, source.place), listing.episodes)
    except EpisodeError as error:
        failure = failure_of(error, source.place)
        listing = completed(Listing((), (failure,)), failure, _copy_key(source, source.place), kept)
    return listing if source.license is None else licensed(listing, source.license, source.place)


def _copy_key(source: Source, place: str) -> tuple[Any, ...]:
    """By what the copy of a listing is found: its place, and the limits that it was chosen by."""
    return place, source.limit, source.after, source.before, source.title


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An item before it is chosen: what it is chosen by, and what comes of it."""

    guid: str
    title: str
    published: datetime | None
    outcome: Episode | Failure


def _candidate(episode: Episode) -> _Candidate:
    date = parse_date(episode.published) if episode.published else None
    return _Candidate(episode.guid, episode.title, date, episode)


def _select(candidates: list[_Candidate], source: Source, where: str) -> Listing:
    """Newest first, without duplicates, by the source's limits."""
    episodes: list[Episode] = []
    failures: list[Failure] = []
    unique: dict[str, _Candidate] = {}
    for number, candidate in enumerate(candidates):
        if unique.setdefault(candidate.guid or f"\0{number}", candidate) is not candidate:
            line = f"{candidate.guid!r} ({candidate.title}) comes twice; the first of the two is taken"
            failures.append(failure_of(EpisodeError(f"duplicate-guid: {line}"), where))
    pattern = re.compile(source.title or "", re.IGNORECASE)
    for candidate in _newest_first(list(unique.values())):
        if source.limit is not None and len(episodes) >= source.limit:
            break
        if not pattern.search(candidate.title):
            continue
        outcome = _in_time(candidate, source, where)
        if isinstance(outcome, Episode):
            episodes.append(outcome)
        elif outcome is not None:
            failures.append(outcome)
    if candidates and not episodes and not failures:
        place = shown(where) if is_web(where) else where
        line = f"none-wanted: none of the {len(unique)} episodes of {place} is within after, before and title"
        failures.append(failure_of(EpisodeError(f"{line}; change them if you want some"), where))
    return Listing(tuple(episodes), tuple(failures))


def _newest_first(candidates: list[_Candidate]) -> list[_Candidate]:
    """Sorted by date; one without a date stays behind the one before it."""
    last = datetime.max.replace(tzinfo=UTC)
    dates = []
    for candidate in candidates:
        last = candidate.published or last
        dates.append(last)
    order = sorted(range(len(candidates)), key=lambda number: dates[number], reverse=True)
    return [candidates[number] for number in order]


def _in_time(candidate: _Candidate, source: Source, where: str) -> Episode | Failure | None:
    if source.after is None and source.before is None:
        return candidate.outcome
    if candidate.published is None:
        if isinstance(candidate.outcome, Failure):
            return candidate.outcome
        line = f"no-date: {candidate.title or candidate.guid!r} has no date, so `after` and `before` can't take it"
        return failure_of(EpisodeError(line), where, candidate.outcome.id)
    after, before = _iso_date(source.after), _iso_date(source.before)
    too_early = after is not None and candidate.published < after
    too_late = before is not None and candidate.published >= before
    return None if too_early or too_late else candidate.outcome


def _iso_date(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
        return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
    except (ValueError, TypeError):
        return None


def _list_feed(source: Source, place: str, client: HttpClient, base: Path, kept: KeptListings | None = None) -> Listing:
    """The wanted episodes of one feed; reads as many of its pages as they take."""
    where = place if is_web(place) else str(base / Path(place).expanduser())
    candidates: list[_Candidate] = []
    failures: list[Failure] = []
    notes: list[str] = []
    first: Feed | None = None
    asked, seen = where, {where}
    while True:
        try:
            page = _read_page(asked, client)
        except EpisodeError as error:
            failures.append(failure_of(error, asked))
            break
        if first is None and page.is_blocked:
            if kept is not None:
                # Nor from a copy, when it can't be read one day.
                kept.keep(_copy_key(source, where), ())
            return Listing((), (_blocked(where),))
        first = first or page
        if not page.is_whole:
            failures.append(failure_of(EpisodeError(f"broken-feed: {shown(asked)}: {page.problem}"), asked))
        elif page.problem:
            notes.append(f"{shown(asked)}: {page.problem}")
        candidates += (_candidate_of(item, first, page, where) for item in page.items)
        try:
            following = link_to(page.next_link, page.url) if page.next_link else ""
        except EpisodeError as error:
            failures.append(failure_of(error, asked))
            break
        if not following or following in seen or _is_enough(candidates, source, where):
            break
        if len(seen) >= MAX_PAGES:
            notes.append(f"{shown(where)} has more than {MAX_PAGES} pages; the older ones were not read")
            break
        seen.add(following)
        asked = following
    if first and first.is_unlisted:
        notes.append(f"{shown(where)} asks directories not to list it (itunes:block); is it meant to be used?")
    if first and not candidates:
        line = f"empty-feed: {shown(where)} is a feed without any episode; is it the right one?"
        failures.append(failure_of(EpisodeError(line), where))
    is_whole = not failures
    copy = kept.load(_copy_key(source, where)) if kept is not None and not is_whole else None
    if copy is not None:
        listed = {candidate.guid for candidate in candidates}
        missing = [episode for episode in copy.episodes if episode.guid not in listed]
        if missing:
            candidates += map(_candidate, missing)
            notes += (copy_note(failure, copy) for failure in failures)
            failures = []
    chosen = _select(candidates, source, where)
    if kept is not None and is_whole:
        kept.keep(_copy_key(source, where), chosen.episodes)
    return Listing(chosen.episodes, (*failures, *chosen.failures), tuple(notes))


def _blocked(where: str) -> Failure:
    line = (
        f"blocked: {shown(where)} asks in its channel not to be used (podcast:block); if it is yours, say "
        '<podcast:block id="realtalk">no</podcast:block> there'
    )
    return failure_of(EpisodeError(line), where)


def _read_page(place: str, client: HttpClient) -> Feed:
    body, url = _read(place, client)
    return parse_feed(body, url, place)


def _read(place: str, client: HttpClient) -> tuple[bytes, str]:
    """(content, where it was found) of an address or a path."""
    if is_web(place):
        page = client.get(place, headers={"Accept": _FEED_TYPES}, max_bytes=MAX_FEED_BYTES)
        return page.body, page.url
    try:
        with open(place, "rb") as file:
            return file.read(MAX_FEED_BYTES + 1), place
    except OSError as error:
        raise EpisodeError(
            f"no-feed: {place} can't be read: {error.strerror}; correct it in the configuration"
        ) from None


def _candidate_of(item: Node, feed: Feed, page: Feed, feed_url: str) -> _Candidate:
    guid, title, date = item_guid(item), item_title(item), item_date(item)
    try:
        episode = to_episode(item, feed, page.url, feed_url)
    except EpisodeError as error:
        identity = episode_id(feed.guid, guid) if guid else ""
        return _Candidate(guid, title, date, failure_of(error, feed_url, identity))
    return _Candidate(episode.guid, title, date, episode)


def _is_enough(candidates: list[_Candidate], source: Source, where: str) -> bool:
    """Whether older pages can't change the choice: only in a feed that so far goes from new to old."""
    dates = [candidate.published for candidate in candidates if candidate.published]
    if not dates or dates != sorted(dates, reverse=True):
        return False
    after = _iso_date(source.after)
    if after is not None and dates[-1] < after:
        return True
    return source.limit is not None and len(_select(candidates, source, where).episodes) >= source.limit


def _list_opml(source: OpmlSource, client: HttpClient, base: Path, kept: KeptListings | None) -> Listing:
    place = source.opml.strip()
    body, _ = _read(place if is_web(place) else str(base / Path(place).expanduser()), client)
    document = parse_document(body, shown(place))
    if document.root.name != "opml":
        name = document.root.name[:40]
        raise EpisodeError(f"not-opml: {shown(place)} is XML of <{name}>; configure a feed as `feed:`")
    addresses = list(dict.fromkeys(_feeds_in(document.root)))
    if not addresses:
        raise EpisodeError(f"empty-opml: {shown(place)} lists no feeds (outlines with an xmlUrl)")
    broken = failure_of(EpisodeError(f"broken-opml: {shown(place)}: {document.problem}"), place)
    notes, failures = [], []
    if not document.is_whole:
        failures.append(broken)
    elif document.problem:
        notes.append(f"{shown(place)}: {document.problem}")
    if len(addresses) > MAX_FEEDS:
        notes.append(f"{shown(place)} lists {len(addresses)} feeds; the first {MAX_FEEDS} were read")
    listings = [Listing((), tuple(failures), tuple(notes))]
    for address in addresses[:MAX_FEEDS]:
        if is_web(address):
            listings.append(_list_feed(source, address, client, base, kept))
        else:
            error = EpisodeError(f"bad-url: {address[:200]!r} is no http or https address")
            listings.append(Listing((), (failure_of(error, place),)))
    merged = merge_listings(listings)
    if not document.is_whole:
        return completed(merged, broken, _copy_key(source, place), kept)
    if kept is not None:
        kept.keep(_copy_key(source, place), merged.episodes)
    return merged


def _feeds_in(node: Node) -> Iterator[str]:
    for child in node.all("body", "outline"):
        if child.get("xmlurl"):
            yield child.get("xmlurl")
        yield from _feeds_in(child)


def _list_files(source: FilesSource, base: Path) -> Listing:
    root, found = find_files(source.files, base)
    # A source that names one file means it.
    excluded = () if (base / Path(source.files).expanduser()).is_file() else source.excluded
    files, left_out = [], {}
    for path in found:
        place = next((place for place in excluded if path.is_relative_to(place)), None)
        if place is None:
            files.append(path)
        else:
            left_out[place] = (
                f"{source.files}: {place} is left out: what a build keeps or knows a voice by is no episode"
            )
    if not files:
        raise EpisodeError(f"no-files: {'; '.join(left_out.values())}; nothing else is there; correct `files`")
    listing = _select([_candidate(episode) for episode in episodes_of_files(root, files)], source, source.files)
    return replace(listing, notes=tuple(left_out.values()))


def _list_manifest(source: ManifestSource, base: Path) -> Listing:
    path = base / Path(source.manifest).expanduser()
    candidates = []
    for row in read_manifest(path):
        where = f"{source.manifest}, line {row.line}"
        title, date = row.cells.get("title", ""), parse_date(row.cells.get("date", ""))
        try:
            candidates.append(_candidate(episode_of_row(row, path.parent)))
        except EpisodeError as error:
            candidates.append(_Candidate("", title, date, failure_of(error, where)))
    return _select(candidates, source, source.manifest)

"""Episodes of sources: feeds, lists of feeds, files, manifests are read, and the wanted ones chosen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from schemas.episode import episode_id
from schemas.errors import EpisodeError, Failure
from transforms.choose_episodes import Candidate, candidate_of, select_episodes
from transforms.feed_xml import MAX_FEED_BYTES, Node, parse_document
from transforms.feeds import Feed, is_web, item_date, item_guid, item_title, link_to, parse_date, parse_feed, to_episode
from transforms.http import HttpClient, shown
from transforms.kept_listings import KeptListings, completed, copy_note
from transforms.listing import Listing, failure_of, licensed, merge_listings
from transforms.local_files import episode_of_row, episodes_of_files, find_files, read_manifest
from transforms.source_settings import FeedSource, FilesSource, ManifestSource, OpmlSource, Source, iso_date

MAX_PAGES = 200
MAX_FEEDS = 5000
_FEED_TYPES = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"


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
        listing = Listing((), (failure,))
        if failure.what != "empty-manifest":
            listing = completed(listing, failure, _copy_key(source, source.place), kept)
        elif kept is not None:
            kept.keep(_copy_key(source, source.place), ())
    return listing if source.license is None else licensed(listing, source.license, source.place)


def _copy_key(source: Source, place: str) -> tuple[Any, ...]:
    """By what the copy of a listing is found: its place, and the limits that it was chosen by."""
    return place, source.limit, source.after, source.before, source.title


def _list_feed(source: Source, place: str, client: HttpClient, base: Path, kept: KeptListings | None = None) -> Listing:
    """The wanted episodes of one feed; reads as many of its pages as they take."""
    where = place if is_web(place) else str(base / Path(place).expanduser())
    candidates: list[Candidate] = []
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
    is_whole = not failures
    if first and not candidates and is_whole:
        # That is what it says: episodes that were withdrawn don't come back from a copy.
        line = f"empty-feed: {shown(where)} is a feed without any episode; is it the right one?"
        failures.append(failure_of(EpisodeError(line), where))
    copy = kept.load(_copy_key(source, where)) if kept is not None and not is_whole else None
    if copy is not None:
        listed = {candidate.guid for candidate in candidates}
        missing = [episode for episode in copy.episodes if episode.guid not in listed]
        if missing:
            candidates += map(candidate_of, missing)
            notes += (copy_note(failure, copy) for failure in failures)
            failures = []
    chosen = select_episodes(candidates, source, where)
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


def _candidate_of(item: Node, feed: Feed, page: Feed, feed_url: str) -> Candidate:
    guid, title, date = item_guid(item), item_title(item), item_date(item)
    try:
        episode = to_episode(item, feed, page.url, feed_url)
    except EpisodeError as error:
        identity = episode_id(feed.guid, guid) if guid else ""
        return Candidate(guid, title, date, failure_of(error, feed_url, identity))
    return Candidate(episode.guid, title, date, episode)


def _is_enough(candidates: list[Candidate], source: Source, where: str) -> bool:
    """Whether older pages can't change the choice: only in a feed that so far goes from new to old."""
    dates = [candidate.published for candidate in candidates if candidate.published]
    if not dates or dates != sorted(dates, reverse=True):
        return False
    after = iso_date(source.after)
    if after is not None and dates[-1] < after:
        return True
    return source.limit is not None and len(select_episodes(candidates, source, where).episodes) >= source.limit


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
    listing = select_episodes(
        [candidate_of(episode) for episode in episodes_of_files(root, files)], source, source.files
    )
    return replace(listing, notes=tuple(left_out.values()))


def _list_manifest(source: ManifestSource, base: Path) -> Listing:
    path = base / Path(source.manifest).expanduser()
    candidates = []
    for row in read_manifest(path):
        where = f"{source.manifest}, line {row.line}"
        title, date = row.cells.get("title", ""), parse_date(row.cells.get("date", ""))
        try:
            candidates.append(candidate_of(episode_of_row(row, path.parent)))
        except EpisodeError as error:
            candidates.append(Candidate("", title, date, failure_of(error, where)))
    return select_episodes(candidates, source, source.manifest)

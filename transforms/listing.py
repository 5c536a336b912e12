"""What sources hold, as one list: each episode once, and a record of everything that could not be read."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from schemas.episode import Episode
from schemas.errors import EpisodeError, Failure
from transforms.feeds import is_web
from transforms.http import shown

STAGE = "feeds"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source holds. A failure with episode_id "" is about more than one episode: its `where` says what.

    `notes` are about what was read all the same: broken XML that was mended, pages that were left.
    """

    episodes: tuple[Episode, ...]
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def licensed(listing: Listing, licence: str, place: str) -> Listing:
    """The listing under a configured licence, with a note for each other one that the source states."""
    where = shown(place) if is_web(place) else place
    others = Counter(each.license for each in listing.episodes if each.license not in (None, licence))
    notes = tuple(
        f"{where} states {other} for {count} of its episodes; the licence configured "
        f"for it, {licence}, stands instead: make sure that you hold it"
        for other, count in sorted(others.items())
    )
    licensed = (replace(each, license=licence, license_source="configuration") for each in listing.episodes)
    return replace(listing, episodes=tuple(licensed), notes=(*listing.notes, *notes))


def merge_listings(listings: Iterable[Listing]) -> Listing:
    """One listing of all; an episode that several sources hold is taken from the first, and the others are noted.

    Names of local sources are given by hand: two files of one name are two recordings, and the second is a failure.
    """
    episodes: dict[str, Episode] = {}
    failures: dict[Failure, None] = {}
    notes: dict[str, None] = {}
    for listing in listings:
        for episode in listing.episodes:
            first = episodes.setdefault(episode.id, episode)
            if first is episode:
                continue
            kept, other = shown(first.source_url), shown(episode.source_url)
            if kept != other and not is_web(episode.feed_url):
                failures[_same_name(episode, kept, other)] = None
            else:
                notes[f"{episode.guid!r} is listed by two sources; taken from {kept}, not from {other}"] = None
        failures.update(dict.fromkeys(listing.failures))
        notes.update(dict.fromkeys(listing.notes))
    return Listing(tuple(episodes.values()), tuple(failures), tuple(notes))


def _same_name(episode: Episode, kept: str, other: str) -> Failure:
    line = (
        f"same-name: {other} is called {episode.guid!r} as {kept} is, and only that is taken; "
        "rename one, list both in one source, or give each a guid in a manifest"
    )
    return failure_of(EpisodeError(line), other)


def failure_of(error: EpisodeError, where: str, episode: str = "") -> Failure:
    """The record of an error "code: line"."""
    code, _, why = " ".join(str(error).split()).partition(": ")
    return Failure(episode, STAGE, code if why else "failed", why or code, shown(where) if is_web(where) else where)

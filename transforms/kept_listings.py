"""What sources held when they were last read whole, for the day on which one can't be."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.episode import Episode
from schemas.errors import EpisodeError, Failure
from schemas.ids import digest
from transforms.listing import Listing
from transforms.store import Store


@dataclass(frozen=True)
class ListingCopy:
    """The episodes of a source, and the day (ISO 8601) on which it listed them."""

    day: str
    episodes: tuple[Episode, ...]


_COPY = TypeAdapter(ListingCopy)


@dataclass(frozen=True)
class KeptListings:
    """Copies under work/listings/ of a store; `today` is the day that new ones are of."""

    store: Store
    today: str

    def keep(self, key: Sequence[Any], episodes: Sequence[Episode]) -> None:
        copy = ListingCopy(self.today, tuple(episodes))
        # A full disk stops what writes results, which says so; this build has its listing.
        with suppress(EpisodeError, OSError):
            self.store.write_text(self._path(key), _COPY.dump_json(copy).decode("utf-8"))

    def load(self, key: Sequence[Any]) -> ListingCopy | None:
        """The copy of that key; None where there is none that can be read."""
        content = self.store.read_bytes(self._path(key))
        try:
            return _COPY.validate_json(content) if content is not None else None
        except ValidationError:
            return None

    def _path(self, key: Sequence[Any]) -> str:
        return self.store.path("work", "listings", f"{digest('listing', *key)}.json")


def completed(listing: Listing, failure: Failure, key: Sequence[Any], kept: KeptListings | None) -> Listing:
    """The listing of a list or a manifest that was not read whole (`failure`), with what it lacks of its copy."""
    copy = kept.load(key) if kept is not None else None
    if copy is None:
        return listing
    listed = {episode.id for episode in listing.episodes}
    missing = tuple(episode for episode in copy.episodes if episode.id not in listed)
    if not missing:
        return listing
    others = tuple(each for each in listing.failures if each != failure)
    return Listing((*listing.episodes, *missing), others, (*listing.notes, copy_note(failure, copy)))


def copy_note(failure: Failure, copy: ListingCopy) -> str:
    return f"{failure.where}: listed from the copy of {copy.day}; this time {failure.what}: {failure.why}"

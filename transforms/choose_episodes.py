"""Which episodes of a source are wanted: newest first, each once, within its limits."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.episode import Episode
from schemas.errors import EpisodeError, Failure
from transforms.feeds import is_web, parse_date
from transforms.http import shown
from transforms.listing import Listing, failure_of
from transforms.source_settings import Source, iso_date


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item before it is chosen: what it is chosen by, and what comes of it."""

    guid: str
    title: str
    published: datetime | None
    outcome: Episode | Failure


def candidate_of(episode: Episode) -> Candidate:
    date = parse_date(episode.published) if episode.published else None
    return Candidate(episode.guid, episode.title, date, episode)


def select_episodes(candidates: list[Candidate], source: Source, where: str) -> Listing:
    """Newest first, without duplicates, by the source's limits."""
    episodes: list[Episode] = []
    failures: list[Failure] = []
    unique: dict[str, Candidate] = {}
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


def _newest_first(candidates: list[Candidate]) -> list[Candidate]:
    """Sorted by date; one without a date stays behind the one before it."""
    last = datetime.max.replace(tzinfo=UTC)
    dates = []
    for candidate in candidates:
        last = candidate.published or last
        dates.append(last)
    order = sorted(range(len(candidates)), key=lambda number: dates[number], reverse=True)
    return [candidates[number] for number in order]


def _in_time(candidate: Candidate, source: Source, where: str) -> Episode | Failure | None:
    if source.after is None and source.before is None:
        return candidate.outcome
    if candidate.published is None:
        if isinstance(candidate.outcome, Failure):
            return candidate.outcome
        line = f"no-date: {candidate.title or candidate.guid!r} has no date, so `after` and `before` can't take it"
        return failure_of(EpisodeError(line), where, candidate.outcome.id)
    after, before = iso_date(source.after), iso_date(source.before)
    too_early = after is not None and candidate.published < after
    too_late = before is not None and candidate.published >= before
    return None if too_early or too_late else candidate.outcome

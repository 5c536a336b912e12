"""What went wrong, said once and in one line."""

import errno
import os
from dataclasses import dataclass

#: Errors (errno) of a disk, a quota or a file that can grow no more.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DISK_FULL = "disk-full"


class RealtalkError(Exception):
    """A problem of input or machine that the user can mend; its text is one line: what, where, why, what to do."""


class ConfigurationError(RealtalkError):
    """The configuration or the command line is wrong (exit code 2)."""


class EpisodeError(RealtalkError):
    """One episode can't go through a stage; the others go on."""


def disk_full(place: str | os.PathLike[str], detail: str) -> EpisodeError:
    """The error of a place that can't be written to for want of room."""
    return EpisodeError(f"{DISK_FULL}: {os.fspath(place)}: {detail}; free some space and run again")


@dataclass(frozen=True, slots=True)
class Failure:
    """A stage that could not do its work on an episode: `what` is a short code ("http-404"), `why` one line."""

    episode_id: str
    stage: str
    what: str
    why: str
    where: str = ""

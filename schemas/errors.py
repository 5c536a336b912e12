"""What went wrong, said once and in one line."""

from dataclasses import dataclass


class RealtalkError(Exception):
    """A problem of input or machine that the user can mend; its text is one line: what, where, why, what to do."""


class ConfigurationError(RealtalkError):
    """The configuration or the command line is wrong (exit code 2)."""


class EpisodeError(RealtalkError):
    """One episode can't go through a stage; the others go on."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A stage that could not do its work on an episode: `what` is a short code ("http-404"), `why` one line."""

    episode_id: str
    stage: str
    what: str
    why: str
    where: str = ""

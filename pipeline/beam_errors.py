"""What an error that went through Beam was before: Beam wraps errors of workers, and of a person's Ctrl-C."""

import os
import re

from schemas.errors import NO_ROOM, ConfigurationError, EpisodeError, RealtalkError, disk_full

_KINDS: dict[str, type[BaseException]] = {
    kind.__name__: kind for kind in (KeyboardInterrupt, ConfigurationError, EpisodeError, RealtalkError)
}
_PLACE = re.compile(r"(?: \[while running '[^']*'\])+\s*$")
# The last line of a traceback: "schemas.errors.RealtalkError: what, where" or a bare "KeyboardInterrupt".
_RAISED = re.compile(r"^(?:[\w.]+\.)?(?P<kind>\w+)(?:: (?P<text>.*))?$")


def unwrapped(error: BaseException) -> BaseException:
    """The error that a worker raised, where it is one that the user can mend, without Beam's words around it.

    In one process Beam appends the step to the text and makes Ctrl-C a RuntimeError; from other processes comes a
    RuntimeError whose text is their traceback.
    """
    text = _PLACE.sub("", str(error))
    if isinstance(error, RealtalkError):
        return type(error)(text)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return disk_full(error.filename or "the disk", os.strerror(error.errno))
    if not isinstance(error, RuntimeError):
        return error
    lines = text.strip().splitlines()
    found = _RAISED.match(lines[-1]) if lines else None
    kind = _KINDS.get(found["kind"]) if found else None
    return kind(found["text"] or "") if found and kind else error

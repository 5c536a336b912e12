"""The inside of a worker process: takes work from one pipe, does it, puts the answer into another, until the end.

python -m transforms.worker_process     (started by transforms.workers)
"""

import contextlib
import faulthandler
import os
import pickle
import queue
import struct
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
# The kernel shall take this process before the one that can start it anew (0 is usual, 1000 the first to go).
_OOM_SCORE = b"500"


@dataclass(frozen=True)
class Answer:
    """What came of a piece of work: its value, or the error it raised. Seconds are those of the work alone.

    `is_first` says that this process had not done such work before: what it imports and loads for it is in the seconds.
    """

    value: Any
    error: Exception | None
    traceback: str
    cpu_seconds: float
    wall_seconds: float
    is_first: bool


def write_message(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def read_message(pipe: IO[bytes]) -> bytes | None:
    """The next message; None where the other side is gone."""
    header = pipe.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    message = pipe.read(_LENGTH.unpack(header)[0])
    return message if len(message) == _LENGTH.unpack(header)[0] else None


def main() -> None:
    requests, answers = _own_pipes()
    # Where a native library crashed is written to stderr, which is the build's log.
    faulthandler.enable()
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb") as file:
        file.write(_OOM_SCORE)
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests, waiting), daemon=True).start()
    pickle.loads(waiting.get())()
    known: dict[bytes, Callable[..., Any]] = {}
    while True:
        answer = _answer(waiting.get(), known)
        write_message(answers, _pickled(answer))


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes that the process was started with, out of reach of libraries that print."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers


def _receive(requests: IO[bytes], waiting: "queue.SimpleQueue[bytes]") -> None:
    """A thread of its own, so that the end of the build is seen in the middle of work."""
    while (message := read_message(requests)) is not None:
        waiting.put(message)
    os._exit(0)


def _answer(request: bytes, known: dict[bytes, Callable[..., Any]]) -> Answer:
    cpu, wall = time.process_time(), time.monotonic()
    value, error, detail, is_first = None, None, "", False
    try:
        pickled, arguments = pickle.loads(request)
        is_first = pickled not in known
        if is_first:
            known[pickled] = pickle.loads(pickled)
        value = known[pickled](*arguments)
    except Exception as raised:  # noqa: BLE001 - it goes to the one who asked
        error, detail = raised, traceback.format_exc()
    return Answer(value, error, detail, time.process_time() - cpu, time.monotonic() - wall, is_first)


def _pickled(answer: Answer) -> bytes:
    try:
        message = pickle.dumps(answer)
        if answer.error is not None:
            pickle.loads(message)  # an error of a library may pickle and then not load
        return message
    except Exception as error:  # noqa: BLE001 - whatever can't travel is told in words
        told = RuntimeError(f"{type(answer.error or error).__name__}: {answer.error or error}")
        return pickle.dumps(replace(answer, value=None, error=told))


if __name__ == "__main__":
    # Under its own name, which is what the one who asks knows its classes by.
    from transforms.worker_process import main as serve

    serve()

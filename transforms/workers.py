"""Worker processes: work that runs apart, so that a crash of a native library costs one element and not the run.

A pool hands its processes out to threads, one piece of work at a time each. A process is started when it is first
needed, as a fresh interpreter (a fork would take the threads' locks along), and stays: models are loaded once in it. A
process that dies is replaced, and its work tried once more: what the system killed for its memory may well get through.
"""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.errors import EpisodeError, RealtalkError
from transforms.worker_process import Answer, read_message, write_message

T = TypeVar("T")

_ATTEMPTS = 2


class WorkerDiedError(EpisodeError):
    """The process that did the work ended in the middle of it, however often it was tried."""


class PoolClosedError(RealtalkError):
    """The build is being stopped."""


@dataclass(frozen=True)
class Done:
    """What work gave, and what it cost in its process; with what that had to load, where it `is_first` there."""

    value: Any
    cpu_seconds: float
    wall_seconds: float
    is_first: bool = False


def nothing() -> None:
    """Prepares nothing."""


class WorkerPool:
    """At most `size` worker processes. Threads that ask while all are at work wait, first come, first served."""

    def __init__(self, size: int = 1, prepare: Callable[[], None] = nothing) -> None:
        """`prepare` runs first in each process; it has to be picklable, as all work has."""
        self._prepare = pickle.dumps(prepare)
        # The last one back is the first one out: a pool of which one process is enough starts one.
        self._free: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)
        self._alive: set[WorkerProcess] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def run(self, work: Callable[..., Any], *arguments: Any, begun: Callable[[], None] = nothing) -> Done:
        """Call `work(*arguments)` in a worker process; `begun` is called here when one is free for it.

        Work that pickles to the same bytes is one object in a process: what it has loaded stays loaded. Raises what
        the work raises; WorkerDiedError where every process that tried it died; PoolClosedError after `close`.
        """
        request = pickle.dumps((pickle.dumps(work), arguments))
        worker = self._free.get()
        try:
            begun()
            ends: list[int] = []
            while len(ends) < _ATTEMPTS:
                worker = worker if worker and worker.is_alive() else self._start()
                answer = worker.ask(request)
                if answer is not None:
                    break
                ends.append(self._forget(worker))
                worker = None
            else:
                raise WorkerDiedError(_told(ends))
        finally:
            self._free.put(worker)
        if answer.error is not None:
            answer.error.add_note(answer.traceback)
            raise answer.error
        return Done(answer.value, answer.cpu_seconds, answer.wall_seconds, answer.is_first)

    def close(self) -> None:
        """End all processes now, at work or not; those who wait for one get PoolClosedError."""
        with self._lock:
            self._is_closed = True
            alive = list(self._alive)
        for worker in alive:
            worker.kill()
        for worker in alive:
            worker.exit_code()

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_ids(self) -> list[int]:
        """Of the processes that are there now."""
        with self._lock:
            return [worker.process_id for worker in self._alive]

    def _start(self) -> "WorkerProcess":
        with self._lock:
            if self._is_closed:
                raise PoolClosedError("the build was stopped")
            worker = WorkerProcess(self._prepare)
            self._alive.add(worker)
            return worker

    def _forget(self, worker: "WorkerProcess") -> int:
        """Take a process that ended off the list; returns its exit code."""
        with self._lock:
            self._alive.discard(worker)
            if self._is_closed:
                raise PoolClosedError("the build was stopped")
        return worker.exit_code()


class WorkerProcess:
    """One process, and the two pipes to it. It ends when this process does: its end of a pipe is closed then."""

    def __init__(self, prepare: bytes) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "transforms.worker_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                # One thread each: the processes share the cores, and sums in a fixed order give the same bytes.
                "OMP_NUM_THREADS": "1",
                **os.environ,
                "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
            },
            # Ctrl-C is for the build, which ends its workers itself.
            process_group=0,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._send(prepare)

    @property
    def process_id(self) -> int:
        """Of the operating system."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def ask(self, request: bytes) -> Answer | None:
        """The answer to a request; None where the process ended without giving it."""
        self._send(request)
        message = read_message(self._answers)
        if message is None:
            return None
        answer: Answer = pickle.loads(message)
        return answer

    def _send(self, message: bytes) -> None:
        # Where it has ended, reading its answer says so.
        with contextlib.suppress(BrokenPipeError):
            write_message(self._requests, message)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def exit_code(self) -> int:
        """Of the process, which ended or is about to; minus the signal's number where a signal ended it."""
        code = self._process.wait()
        with contextlib.suppress(OSError):
            self._requests.close()
        return code


def _told(ends: list[int]) -> str:
    last = -ends[-1]
    if last == signal.SIGKILL:
        mend = "most often the memory ran out: run with fewer workers, or give the machine more memory"
    else:
        mend = "a native library crashed on this recording: leave it out, or choose another model for this stage"
    return f"worker-died: the process that did the work {_way(ends[-1])}, {len(ends)} times in a row; {mend}"


def _way(code: int) -> str:
    if code < 0:
        return f"was killed by signal {-code} ({signal.strsignal(-code)})"
    return f"ended by itself with exit code {code}"

"""Waiting for a dataset, and doing something once for each version of it."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.ready import committed_manifest, not_ready, store_of
from pipeline.watch.command import ended
from pipeline.watch.ledger import Entry, Ledger, State
from pipeline.watch.targets import Ready, Target, TargetError, TargetStoppedError
from pipeline.watch.turns import Turn, turn_of
from schemas.errors import RealtalkError
from schemas.manifest import Manifest
from transforms.store import Store
from tts.runs import terminable

_LONGEST_WAIT_SECONDS = 3600.0
_BUSY_SECONDS = 1.0


@dataclass(frozen=True)
class WatchSettings:
    """How to wait. Seconds: `interval` between looks, and how long a version has to stay before it is taken (`settle`).

    What failed is tried again `retries` times, after `interval` doubled each time, at most an hour. `again` counts
    failures from before as none. `once` ends when what is there is done.
    """

    interval: float = 30.0
    settle: float = 0.0
    retries: int = 2
    again: bool = False
    once: bool = False


@dataclass(frozen=True)
class _Next:
    """What to do about a version: start it (None), or look again after some seconds; `done` is how it stands."""

    wait: float | None
    done: bool | None = None


@dataclass
class Watcher:
    """One watcher of a dataset. `clock` and `sleep` are in seconds."""

    dataset: str
    target: Target
    ledger: Ledger
    settings: WatchSettings
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    _store: Store = field(init=False)
    _told: str = field(init=False, default="")
    _seen: tuple[str, float] = field(init=False, default=("", 0.0))
    _begun: set[str] = field(init=False, default_factory=set)
    _forgiven: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._store = store_of(self.dataset)

    def run(self) -> bool:
        """Watch until it is stopped; with `once` until what is there is done: whether it went well.

        Raises KeyboardInterrupt on SIGINT and SIGTERM, after the target was stopped; RealtalkError where the ledger
        can't be kept, and with `once` where no dataset is ready.
        """
        self.target.check(self._store.root)
        with terminable():
            while True:
                found = self._looked()
                if self.settings.once and found.done is not None:
                    return found.done
                self.sleep(self.settings.interval if found.wait is None else found.wait)

    def _looked(self) -> _Next:
        """As `_look`; what a bucket can't do at the moment is told, and tried again."""
        try:
            return self._look()
        except RealtalkError:
            raise
        except Exception as error:
            # Beam's file systems raise errors of every kind.
            if self.settings.once or (self._store.is_local and self.ledger.store.is_local):
                raise
            self._tell_once(f"waiting: {self._store.root}: {' '.join(str(error).split()) or type(error).__name__}")
            return _Next(self.settings.interval)

    def _look(self) -> _Next:
        """Start what is due; returns how long to wait, and where nothing is left to do how it went."""
        manifest = self._ready()
        if manifest is None:
            return _Next(self.settings.interval)
        found = self._next(self.ledger.entry(manifest.version))
        if found.wait is not None:
            self._tell_standing(manifest.version, found)
            return found
        rest = self._unsettled(manifest)
        if rest > 0:
            return _Next(rest)
        if not self._is_whole(manifest):
            return _Next(self.settings.interval)
        with turn_of(self.ledger, self.tell) as turn:
            if turn is None:
                self._tell_once(f"{manifest.version}: another watcher is at work on {self._store.root}; waiting")
                return _Next(min(_BUSY_SECONDS, self.settings.interval))
            # Others may have worked on it, and builds made another version, before the turn was ours.
            if self._ready() != manifest:
                return _Next(0.0)
            entry = self._settled(self.ledger.entry(manifest.version), turn)
            found = self._next(entry)
            if found.wait is not None:
                return found
            # What came meanwhile is looked at without delay.
            started = self._next(self._start(manifest, entry, turn))
            if started.done is False:
                self._tell_standing(manifest.version, started)
            return _Next(0.0, started.done)

    def _ready(self) -> Manifest | None:
        """The manifest of what is there; None, and why is told, where nothing is. With `once` that is raised."""
        try:
            manifest = committed_manifest(self._store)
            if manifest is None:
                raise not_ready(self._store.root)
        except RealtalkError as error:
            if self.settings.once:
                raise
            self._tell_once(f"waiting: {error}")
            return None
        return manifest

    def _is_whole(self, manifest: Manifest) -> bool:
        """Whether every shard is there: a copy may have its manifest before. With `once` that is raised."""
        for shard in manifest.shards:
            path = self._store.path(*shard.name.split("/"))
            if not self._store.exists(path) or self._store.size(path) != shard.bytes:
                line = f"{path}: is missing or not whole yet; run realtalk audit if it stays so"
                if self.settings.once:
                    raise RealtalkError(line)
                self._tell_once(f"waiting: {line}")
                return False
        return True

    def _unsettled(self, manifest: Manifest) -> float:
        """Seconds until a version has stayed for long enough."""
        if self._seen[0] != manifest.version:
            self._seen = (manifest.version, time.monotonic())
        return self._seen[1] + self.settings.settle - time.monotonic()

    def _next(self, entry: Entry | None) -> _Next:
        if entry is None or entry.state in (State.STARTED, State.INTERRUPTED):
            return _Next(None)
        if entry.state is State.FINISHED:
            return _Next(self.settings.interval, True)
        if entry.state is State.STOPPED:
            asked = self.settings.again and entry.version not in self._begun
            return _Next(None) if asked else _Next(self.settings.interval, False)
        before = self._forgiven.setdefault(entry.version, entry.failures) if self.settings.again else 0
        failures = entry.failures - before
        if failures == 0:
            return _Next(None)
        if failures > self.settings.retries:
            return _Next(self.settings.interval, False)
        wait = min(self.settings.interval * 2 ** (failures - 1), _LONGEST_WAIT_SECONDS)
        left = entry.changed + wait - time.time()
        return _Next(left if left > 0 else None)

    def _settled(self, entry: Entry | None, turn: Turn) -> Entry | None:
        """An entry whose watcher was killed while it worked, with the end that the command has noted itself."""
        if entry is None or entry.state is not State.STARTED:
            return entry
        code = turn.exit_code(entry.version, entry.starts)
        if code is None:
            return entry
        return self._note_end(entry, lambda: ended(code))

    def _start(self, manifest: Manifest, before: Entry | None, turn: Turn) -> Entry:
        entry = Entry(
            version=manifest.version,
            state=State.STARTED,
            starts=before.starts + 1 if before else 1,
            failures=before.failures if before else 0,
            target=self.target.name,
            host=socket.gethostname(),
            changed=time.time(),
        )
        if self.settings.again:
            self._forgiven.setdefault(entry.version, entry.failures)
        self.ledger.write(entry)
        self.tell(f"{entry.version}: starting {self.target.name}")
        self._begun.add(entry.version)
        try:
            return self._note_end(entry, lambda: self.target.run(Ready(self._store.root, manifest, entry.starts), turn))
        except KeyboardInterrupt:
            self._note(entry, State.INTERRUPTED, "stopped with its watcher")
            raise

    def _note_end(self, entry: Entry, work: Callable[[], str]) -> Entry:
        try:
            how = work()
        except TargetStoppedError as error:
            return self._note(entry, State.STOPPED, str(error))
        except TargetError as error:
            return self._note(entry, State.FAILED, str(error))
        return self._note(entry, State.FINISHED, how)

    def _note(self, entry: Entry, state: State, detail: str) -> Entry:
        found = entry.ended(state, detail, time.time())
        self.ledger.write(found)
        self.tell(f"{found.version}: {found.state}, {detail}")
        return found

    def _tell_standing(self, version: str, found: _Next) -> None:
        if found.done is False:
            self._tell_once(f"{version}: given up, it failed too often or was stopped; --again starts it again")
        elif found.done:
            self._tell_once(
                f"{version}: done before" if self.settings.once else f"{version}: done; waiting for the next"
            )

    def _tell_once(self, line: str) -> None:
        if line != self._told:
            self.tell(line)
            self._told = line

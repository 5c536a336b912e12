"""Batches made ahead by a thread, so that nobody waits for them."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

_AHEAD = 6


class Prefetched:
    """Calls `make` in a thread of its own and hands out what it yields; `waited` are the seconds nobody learned in."""

    def __init__(self, make: Callable[[], Iterator[Any]]) -> None:
        self.waited = 0.0
        self._ready: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._fill, args=(make,), daemon=True)
        self._thread.start()

    def __next__(self) -> Any:
        began = time.monotonic()
        found = self._ready.get()
        self.waited += time.monotonic() - began
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        while self._thread.is_alive():
            try:
                self._ready.get(timeout=0.05)
            except queue.Empty:
                continue

    def _fill(self, make: Callable[[], Iterator[Any]]) -> None:
        try:
            for batch in make():
                if self._ended.is_set():
                    return
                self._ready.put(batch)
        except Exception as error:  # noqa: BLE001 - told where the batch is wanted
            self._ready.put(error)

"""One run at a time on a device, in the order of their beginnings."""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from tts.run_records import UNFINISHED, RunRecord, list_runs

_POLL_SECONDS = 0.5
_FOLDER = ".devices"


def device_name(device: str) -> str:
    """The name of a torch device ("cpu", "cuda", "cuda:1") on this machine: cpu, or gpu-N.

    What CUDA_VISIBLE_DEVICES hides is taken into account, so that cuda:0 of two processes may be two devices.
    """
    kind, _, index = device.partition(":")
    if kind != "cuda":
        return device.replace(":", "-")
    visible = [one.strip() for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one.strip()]
    number = int(index or 0)
    return f"gpu-{visible[number] if number < len(visible) else number}"


@contextmanager
def held_devices(root: Path, record: RunRecord, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold all devices of a run; waits, and tells for what, while others have them or came before.

    Only processes of one user and machine with the same folder of runs know of each other.
    """
    told = ""
    while True:
        before = _earlier(root, record)
        with ExitStack() as locks:
            holder = before or _taken(root, record, locks)
            if holder is None:
                yield
                return
        if holder != told:
            tell(f"waits for {', '.join(record.devices)}: {holder or 'another run'} is on it")
            told = holder
        time.sleep(_POLL_SECONDS)


def _earlier(root: Path, record: RunRecord) -> str | None:
    """The id of the first unfinished run that began before and wants one of the same devices."""
    for one in list_runs(root):
        if (one.created, one.id) >= (record.created, record.id):
            return None
        if one.state in UNFINISHED and one.host == record.host and set(one.devices) & set(record.devices):
            return one.id
    return None


def _taken(root: Path, record: RunRecord, locks: ExitStack) -> str | None:
    """Take the locks of all devices; else the id of who has one of them."""
    for device in sorted(set(record.devices)):
        file = locks.enter_context(_lock_file(root, record.host, device))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            return file.read().strip()
        file.truncate(0)
        file.write(record.id)
        file.flush()
    return None


def _lock_file(root: Path, host: str, device: str) -> IO[str]:
    name = re.sub(r"[^A-Za-z0-9._-]", "-", f"{host}-{device}")
    path = root / _FOLDER / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "a+", encoding="utf-8")

"""A real headless Chromium for tests, driven by the DevTools protocol over two pipes: no driver, no port."""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE = 30.0
# The browser reads commands from its descriptor 3 and answers on 4.
_MOVER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


@contextmanager
def chromium(folder: Path) -> Iterator["Browser"]:
    """A browser with a new profile in the folder; skips the test where none is installed."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    out_read, out_write = os.pipe()
    in_read, in_write = os.pipe()
    arguments = [program, *_ARGUMENTS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    mover = [sys.executable, "-c", _MOVER, str(out_read), str(in_write)]
    with open(folder / "browser.log", "wb") as log:
        process = subprocess.Popen([*mover, *arguments], pass_fds=(out_read, in_write), stdout=log, stderr=log)
    os.close(out_read)
    os.close(in_write)
    try:
        yield Browser(out_write, in_read)
    finally:
        os.close(out_write)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(in_read)


class Browser:
    """One page, what it said in the console, and the dialogs that it opened."""

    def __init__(self, commands: int, answers: int) -> None:
        self.commands, self.answers = commands, answers
        self.numbers = itertools.count(1)
        self.waiting = b""
        self.errors: list[str] = []
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        self.session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command's answer; raises RuntimeError where the browser refuses it."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])

    def open(self, path: Path) -> None:
        """Load a page from disk and wait until it is there."""
        self.errors, self.dialogs, self.requests = [], [], []
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression, in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, script: str, patience: float = _PATIENCE) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + patience
        while not self.run(script):
            if time.monotonic() > end:
                raise AssertionError(f"not true after {patience:g} s: {script}")
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """A key, where the focus is."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def resize(self, width: int, height: int = 900) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def colours(self, scheme: str) -> None:
        """light or dark"""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _next(self) -> dict[str, Any]:
        """The next message; errors and dialogs are noted as they come by."""
        while b"\0" not in self.waiting:
            if not select.select([self.answers], [], [], _PATIENCE)[0]:
                raise AssertionError(f"the browser says nothing for {_PATIENCE:g} s")
            read = os.read(self.answers, 1 << 20)
            if not read:
                raise AssertionError("the browser has gone; browser.log says why")
            self.waiting += read
        text, self.waiting = self.waiting.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(told["exceptionDetails"].get("exception", {}).get("description", told)))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.errors.append(told["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.errors.append(str(told["args"]))
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(told["message"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])

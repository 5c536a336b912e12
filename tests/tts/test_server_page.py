"""The page of a server in a real browser: a voice is heard, and the page's policy lets nothing else in."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from browser import Browser, chromium
from small_voice import ORIGIN, write_small_voice

from tts.server.app import app_of
from tts.server.service import Service
from tts.server.voices import load_served


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    origin = replace(ORIGIN, speaker="<img src=x onerror=alert(1)>")
    voice = load_served(write_small_voice(tmp_path_factory.mktemp("voice"), origin=origin))
    app = app_of(Service([voice], api_key="key"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join(20)


def test_the_page_speaks(browser: Browser, address: str) -> None:
    browser.call("Page.navigate", url=address)
    browser.until("document.readyState === 'complete' && location.href !== 'about:blank'")
    assert browser.run("document.querySelector('dd').textContent") == "<img src=x onerror=alert(1)>"
    browser.run("document.getElementById('speak').click()")
    browser.until("document.getElementById('told').textContent.includes('no such API key')")
    browser.run("document.getElementById('key').value = 'key'; document.getElementById('format').value = 'wav'")
    browser.run("document.getElementById('speak').click()")
    browser.until("document.getElementById('audio').duration > 1")
    browser.until("!document.getElementById('speak').disabled")
    assert browser.run("document.getElementById('told').textContent").endswith(" kB")
    assert browser.dialogs == []
    # The refusal of the first try, and nothing that the policy forbade.
    assert len(browser.errors) == 1
    assert "401" in browser.errors[0]
    # The player's own pictures are data:.
    assert [url for url in browser.requests if not url.startswith((address, "blob:", "data:"))] == []

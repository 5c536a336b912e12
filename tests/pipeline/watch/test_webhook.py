"""Calls as a real server gets them."""

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from ready_dataset import commit_version
from recording_server import RecordingServer, recording_server

from pipeline.cli import main

SECRET = "a secret"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as found:
        yield found


@pytest.fixture
def version(tmp_path: Path) -> str:
    return commit_version(tmp_path / "readings", "one")


def call(dataset: Path, server: RecordingServer, *more: str) -> int:
    return main(["watch", str(dataset), "--once", "--interval", "0.1", "--webhook", f"{server.url}/hook/token", *more])


def test_a_call_says_what_is_ready_and_is_signed(
    tmp_path: Path, server: RecordingServer, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALTALK_WEBHOOK_SECRET", SECRET)
    assert call(tmp_path / "readings", server) == 0
    assert call(tmp_path / "readings", server) == 0
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/hook/token")
    assert asked.document == {
        "dataset": str(tmp_path / "readings"),
        "version": version,
        "name": "readings",
        "hours": 0.5,
        "consent": "consented",
        "from_version": "",
    }
    signed = hmac.new(SECRET.encode(), asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-realtalk-signature-256"] == f"sha256={signed}"
    assert asked.headers["idempotency-key"] == version


def test_without_a_secret_nothing_is_signed(
    tmp_path: Path, server: RecordingServer, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REALTALK_WEBHOOK_SECRET", raising=False)
    assert call(tmp_path / "readings", server) == 0
    assert "x-realtalk-signature-256" not in server.asked[0].headers


def test_an_answer_that_is_not_2xx_is_a_failure_and_the_call_comes_again(
    tmp_path: Path, server: RecordingServer, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [(503, {}), (302, {}), (204, None)]
    assert call(tmp_path / "readings", server) == 0
    assert len(server.asked) == 3
    said = capsys.readouterr().err
    assert f"{version}: failed, webhook 127.0.0.1: answered 503" in said
    assert f"{version}: failed, webhook 127.0.0.1: answered 302" in said
    assert f"{version}: finished, answered 204" in said
    assert "token" not in said, "the address of a hook may be its secret"


def test_a_server_that_is_not_there_is_a_failure(
    tmp_path: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording_server() as gone:
        pass
    assert call(tmp_path / "readings", gone, "--retries", "0") == 1
    assert "webhook 127.0.0.1: no answer (" in capsys.readouterr().err

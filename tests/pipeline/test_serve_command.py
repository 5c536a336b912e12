"""The commands `serve` and `onnx`."""

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from pipeline.cli import main
from tts.server.service import Service

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tts"))
from small_voice import ORIGIN, write_small_voice

ROOT = Path(__file__).resolve().parents[2]
SPEECH = {"model": "realtalk", "input": "The kettle is on. " * 25, "response_format": "pcm"}


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    origin = replace(ORIGIN, consent_id="", without_consent="a synthetic speaker")
    return write_small_voice(tmp_path_factory.mktemp("voice"), origin=origin)


def test_a_server_that_is_stopped_says_to_the_end_what_it_says(voice: Path) -> None:
    arguments = [sys.executable, "-m", "pipeline.cli", "serve", str(voice), "--port", "0"]
    environment = os.environ | {"REALTALK_API_KEY": "key"}
    process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "reader: trained without a consent on record (a synthetic speaker)\n"
        found = re.match(r"serving reader at (\S+) \(POST", process.stderr.readline())
        assert found is not None
        with httpx.Client(base_url=found[1], headers={"Authorization": "Bearer key"}, timeout=30) as client:
            whole = client.post("/v1/audio/speech", json=SPEECH).content
            with client.stream("POST", "/v1/audio/speech", json=SPEECH) as answer:
                parts = answer.iter_raw()
                begun = next(parts)
                process.send_signal(signal.SIGINT)
                assert begun + b"".join(parts) == whole
        assert process.wait(20) == 0
        assert process.stderr.read() == "stopped\n"
    finally:
        process.kill()
        process.wait()


def test_a_port_that_is_taken_is_one_line(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(voice), "--port", str(port)]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (f"realtalk: 127.0.0.1 port {port}: can't be had (Address already in use); choose another by --port")


def test_what_can_not_be_served_is_one_line(voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(tmp_path)]) == 1
    assert "no voice is here, voice.json is missing" in capsys.readouterr().err
    assert main(["serve", str(voice), str(voice)]) == 2
    assert "voices to serve: reader, reader; name one or more, each with a name of its own" in capsys.readouterr().err


def test_a_voice_whose_consent_has_ended_is_served_for_a_reason_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = write_small_voice(tmp_path / "ended", origin=replace(ORIGIN, expiry="2020-01-01"))
    assert main(["serve", str(ended)]) == 1
    assert "reader: the consent to this voice ended on 2020-01-01; ask the speaker for" in capsys.readouterr().err
    begun: list[Service] = []
    monkeypatch.setattr("tts.server.run.serve", lambda service, host, port: begun.append(service))
    assert main(["serve", str(ended), "--without-consent", "it is being renewed"]) == 0
    assert "its consent ended on 2020-01-01; served all the same: it is being renewed" in capsys.readouterr().err
    begun[0].check_consent(begun[0].voices["reader"], date.today())


def test_onnx_writes_a_voice_and_tells_its_files(
    voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["onnx", str(voice), str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [str(out / name) for name in ("acoustic.onnx", "vocoder.onnx", "voice.json")]
    assert main(["onnx", str(voice), str(voice)]) == 2
    assert "a trained voice is there; name another folder" in capsys.readouterr().err


def test_the_commands_load_nothing_heavy_to_say_what_they_do() -> None:
    for command in ("serve", "onnx"):
        code = (
            f"import sys; from pipeline.cli import main; main([{command!r}, '--help']); print('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
        assert done.stdout.splitlines()[-1] == "False"

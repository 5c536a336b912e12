"""Voices over HTTP: a real client talks to a real server."""

import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
import uvicorn
from small_voice import ORIGIN, write_small_voice

from tts.onnx.export import export_voice
from tts.server.app import app_of
from tts.server.limits import Limits
from tts.server.service import Service
from tts.server.voices import Served, load_served
from tts.synthesis import speak
from tts.voice import load_voice

TEXT = "The kettle is on. The letters of the morning are on the table, as they are on every day."
ROOT = Path(__file__).resolve().parents[2]
SPEECH = "/v1/audio/speech"
NASTY = '<b>"Ann" & Søn'


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> list[Served]:
    folder = tmp_path_factory.mktemp("voices")
    nasty = replace(ORIGIN, speaker="<script>alert(1)</script>", consent_id="", without_consent="a test")
    return [
        load_served(write_small_voice(folder / "a")),
        load_served(write_small_voice(folder / "b", seed=1, name=NASTY, origin=nasty)),
    ]


@contextmanager
def served(service: Service) -> Iterator[httpx.Client]:
    """A client of a real server; waits until the server has gone."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app_of(service), log_level="critical", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def client(voices: list[Served]) -> Iterator[httpx.Client]:
    with served(Service(voices, Limits(characters=500))) as found:
        yield found


def asked(client: httpx.Client, **fields: object) -> httpx.Response:
    return client.post(SPEECH, json={"model": "tts-1", "voice": "reader", "input": TEXT, **fields})


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in 10 s"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    voice = load_voice(write_small_voice(tmp_path_factory.mktemp("expected")))
    return np.concatenate(list(speak(voice, TEXT)))


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("format", ["wav", "flac", "pcm", "mp3"])
def test_speech_is_what_say_says(client: httpx.Client, expected: np.ndarray, format: str, stream: bool) -> None:
    answer = asked(client, response_format=format, stream=stream)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == {"mp3": "audio/mpeg"}.get(format, f"audio/{format}")
    assert answer.headers["x-synthetic-speech"] == "realtalk; voice=reader; dataset=v1"
    assert ("content-length" in answer.headers) is not stream
    samples = np.frombuffer(answer.content, "<i2") / 32768 if format == "pcm" else decoded(answer.content)
    if format == "mp3":
        assert abs(len(samples) - len(expected)) < 3000
    else:
        assert np.abs(samples - expected).max() < 1e-3


def decoded(content: bytes) -> np.ndarray:
    import av

    with av.open(io.BytesIO(content)) as container:
        rate = container.streams.audio[0].rate
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    assert rate == 24_000
    joined = np.concatenate(frames, axis=1)[0]
    return joined / 32768 if joined.dtype == np.int16 else joined


def test_a_streamed_wav_says_that_its_length_is_unknown(client: httpx.Client) -> None:
    streamed = asked(client, response_format="wav").content
    whole = asked(client, response_format="wav", stream=False).content
    at = streamed.index(b"data\xff") + 4
    assert streamed[4:8] == streamed[at : at + 4] == b"\xff\xff\xff\xff"
    assert int.from_bytes(whole[4:8], "little") == len(whole) - 8
    assert int.from_bytes(whole[at : at + 4], "little") == len(whole) - at - 4
    assert streamed[at + 4 :] == whole[at + 4 :]


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "opus"])
@pytest.mark.parametrize("stream", [True, False])
def test_files_say_that_they_are_synthetic(client: httpx.Client, format: str, stream: bool) -> None:
    content = asked(client, response_format=format, stream=stream).content
    assert b"Synthetic speech made by realtalk; voice reader, dataset readings v1" in content
    if not stream:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            assert file.comment.startswith("Synthetic speech made by realtalk; voice reader")


@pytest.mark.parametrize("stream", [True, False])
def test_opus_is_what_say_says(client: httpx.Client, expected: np.ndarray, stream: bool) -> None:
    answer = asked(client, response_format="opus", stream=stream)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/ogg; codecs=opus"
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert (rate, len(samples)) == (24_000, len(expected))
    assert np.corrcoef(samples, expected)[0, 1] > 0.8, "noise, of which much is lost, but none of it moves"


@pytest.mark.parametrize("format", ["wav", "pcm", "flac", "mp3", "opus"])
def test_speech_is_sent_while_it_is_made(voices: list[Served], format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service, heard = Service(voices), threading.Event()

    def samples(served: object, wanted: object) -> Iterator[np.ndarray]:
        yield np.random.default_rng(1).uniform(-0.1, 0.1, 24_000).astype(np.float32)
        assert heard.wait(10)
        yield np.zeros(24_000, np.float32)

    monkeypatch.setattr(service, "samples", samples)
    with served(service) as client:
        body = {"model": "realtalk", "input": TEXT, "response_format": format}
        with client.stream("POST", SPEECH, json=body) as answer:
            parts = answer.iter_raw()
            first = next(parts)
            heard.set()
            assert len(first) > 1000
            assert sum(len(part) for part in parts) > 0


def test_a_consent_that_ends_while_a_voice_is_served_ends_its_speech(tmp_path: Path) -> None:
    yesterday, today = date.today() - timedelta(days=1), date.today()
    voices = [
        load_served(write_small_voice(tmp_path / name, name=name, origin=replace(ORIGIN, expiry=expiry.isoformat())))
        for name, expiry in (("ended", yesterday), ("holds", today))
    ]
    service = Service(voices)
    with served(service) as client:
        assert asked(client, voice="holds").status_code == 200, "it holds on its last day"
        answer = asked(client, voice="ended")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "consent_ended"
        assert f"the consent to this voice ended on {yesterday}" in answer.json()["error"]["message"]
    assert service.counters.answers == {200: 1, 403: 1}


def test_a_client_that_leaves_ends_its_speech(voices: list[Served]) -> None:
    service = Service(voices)
    with served(service) as client:
        body = {"model": "realtalk", "input": TEXT * 40, "voice": "reader", "response_format": "pcm"}
        with client.stream("POST", SPEECH, json=body) as answer:
            next(answer.iter_raw())
        until(lambda: service.doorkeeper.inside == 0)
        assert service.counters.answers == {499: 1}
        assert service.counters.speech_seconds < 60
        assert asked(client).status_code == 200


def test_who_comes_when_all_is_taken_is_told_when_to_come_again(
    voices: list[Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(voices, Limits(at_once=1, waiting=1))

    def endless(served: object, wanted: object) -> Iterator[np.ndarray]:
        while True:
            time.sleep(0.01)
            yield np.zeros(100, np.float32)

    monkeypatch.setattr(service, "samples", endless)
    with served(service) as client:
        body = {"model": "realtalk", "input": TEXT, "response_format": "pcm"}
        with client.stream("POST", SPEECH, json=body) as first, client.stream("POST", SPEECH, json=body) as second:
            # Kept: an iterator that is let go closes the connection.
            both = [first.iter_raw(), second.iter_raw()]
            for parts in both:
                next(parts)
            answer = asked(client)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        until(lambda: service.doorkeeper.inside == 0)
    assert service.counters.answers == {429: 1, 499: 2}


def test_no_more_is_computed_at_once_than_is_allowed(voices: list[Served], monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(voices, Limits(at_once=2))
    lock, running, most = threading.Lock(), [0], [0]

    def counted(served: object, wanted: object) -> Iterator[np.ndarray]:
        for _ in range(5):
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.01)
            with lock:
                running[0] -= 1
            yield np.zeros(100, np.float32)

    monkeypatch.setattr(service, "samples", counted)
    with served(service) as client:
        threads = [threading.Thread(target=asked, args=(client,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most[0] == 2
    assert service.counters.answers == {200: 6}


def test_speech_that_takes_too_long_is_refused_or_broken_off(voices: list[Served]) -> None:
    told: list[str] = []
    service = Service(voices, Limits(synthesis_seconds=1e-4), tell=told.append)
    with served(service) as client:
        answer = asked(client, stream=False)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("the text takes more than 0.0001 s of computing")
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            asked(client)
    assert told == ["an answer was broken off: the text takes more than 0.0001 s of computing; send it in parts"]


def test_a_fault_of_ours_is_told_and_counted(voices: list[Served], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    service = Service(voices, tell=told.append)

    def broken(served: object, wanted: object) -> Iterator[np.ndarray]:
        raise ZeroDivisionError("by zero")
        yield

    monkeypatch.setattr(service, "samples", broken)
    with served(service) as client:
        answer = asked(client)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
    assert told == ["unexpected ZeroDivisionError: by zero"]
    assert service.counters.answers == {500: 1}


def test_at_once_says_the_same_as_one_after_another(voices: list[Served]) -> None:
    with served(Service(voices, Limits(at_once=4))) as client:
        texts = [f"{word} {number} times, the {word}smithy." for number, word in enumerate(["Gold", "Lock"] * 6)]
        alone = [asked(client, input=text, response_format="pcm").content for text in texts]
        together: dict[str, bytes] = {}

        def ask(text: str) -> None:
            together[text] = asked(client, input=text, response_format="pcm").content

        threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [together[text] for text in texts] == alone


def test_a_pause_without_end_has_one(voices: list[Served]) -> None:
    with served(Service(voices, Limits(speech_seconds=5.0))) as client:
        text = "<speak>Wait." + '<break time="10s"/>' * 20 + "Go on.</speak>"
        answer = asked(client, input=text, stream=False)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "the text takes more than 5 s of speech; send it in parts"


def test_a_client_that_does_not_read_is_left(voices: list[Served]) -> None:
    service = Service(voices, Limits(patience=0.3))
    with served(service) as client:
        address = (client.base_url.host, client.base_url.port or 0)
        with socket.create_connection(address) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            body = json.dumps({"model": "realtalk", "input": TEXT * 45, "response_format": "wav"}).encode()
            head = f"POST {SPEECH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            slow.sendall(head.encode() + body)
            until(lambda: service.doorkeeper.inside == 1)
            until(lambda: service.doorkeeper.inside == 0)
    assert service.counters.answers == {0: 1}


@pytest.mark.parametrize(
    ("fields", "status", "param", "message"),
    [
        (
            {"response_format": "aac"},
            400,
            "response_format",
            "'aac' is not supported; there are: mp3, opus, flac, wav, pcm",
        ),
        ({"voice": "alloy"}, 400, "voice", "voice 'alloy' is not served; there are: reader"),
        ({"model": "whisper-1"}, 404, "model", "model 'whisper-1' is not served"),
        ({"model": None}, 400, "model", "model: is missing"),
        ({"input": " "}, 400, "input", "has no text in it"),
        ({"input": 5}, 400, "input", "has to be a text"),
        ({"input": "x" * 501}, 400, "input", "has 501 characters, 500 are allowed"),
        ({"input": "日本語"}, 400, "input", "nothing in it can be said"),
        ({"speed": 5}, 400, "speed", "has to be 0.25 to 4"),
        ({"speed": "fast"}, 400, "speed", "has to be a number"),
        ({"speed": True}, 400, "speed", "has to be a number"),
        ({"speed": 10**400}, 400, "speed", "has to be 0.25 to 4"),
        ({"seed": 1.5}, 400, "seed", "has to be a whole number"),
        ({"stream": "yes"}, 400, "stream", "has to be true or false"),
        ({"stream_format": "sse"}, 400, "stream_format", "only 'audio' is supported"),
        ({"sped": 1}, 400, "sped", "'sped' is no field"),
    ],
)
def test_what_is_wrong_is_said_as_clients_read_it(
    client: httpx.Client, fields: dict[str, object], status: int, param: str, message: str
) -> None:
    answer = asked(client, **fields)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert message in error["message"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "message"),
    [
        (b"{", "application/json", 400, "is not JSON"),
        (b"[" * 100_000, "application/json", 413, "the request has more than"),
        (b"[" * 10_000, "application/json", 400, "is not JSON"),
        (b"[]", "application/json", 400, "has to be a JSON object"),
        (b"\xff\xfe", "application/json", 400, "is not JSON"),
        (b"{}", "text/plain", 415, "send the request as application/json"),
    ],
)
def test_a_body_that_is_none_is_refused(
    client: httpx.Client, content: bytes, kind: str, status: int, message: str
) -> None:
    answer = client.post(SPEECH, content=content, headers={"Content-Type": kind})
    assert (answer.status_code, message in answer.json()["error"]["message"]) == (status, True)


def test_speed_pitch_seed_and_voice_are_heard(client: httpx.Client, expected: np.ndarray) -> None:
    fast = asked(client, response_format="pcm", speed=2).content
    assert 0.8 < len(fast) / len(expected) < 1.3
    plain, higher = (asked(client, response_format="pcm", pitch=pitch).content for pitch in (0, 4))
    assert plain != higher
    other = asked(client, response_format="pcm", voice={"id": NASTY})
    assert other.content != plain
    assert other.headers["x-synthetic-speech"] == "realtalk; voice=%3Cb%3E%22Ann%22%20%26%20S%C3%B8n; dataset=v1"


def test_models_health_and_counters(client: httpx.Client) -> None:
    listed = client.get("/v1/models").json()
    assert [model["id"] for model in listed["data"]] == ["realtalk", "reader", NASTY]
    assert client.get("/v1/models/reader").json()["object"] == "model"
    assert client.get("/v1/models/gpt-9").json()["error"]["code"] == "model_not_found"
    assert client.get("/healthz").json() == {"status": "ok", "voices": ["reader", NASTY]}
    asked(client)
    assert 'realtalk_answers_total{status="200"}' in client.get("/metrics").text
    assert client.get("/nowhere").json()["error"]["message"] == "nothing is at this address"
    assert client.get(SPEECH).status_code == 405


def test_with_a_key_only_its_owner_is_served(voices: list[Served]) -> None:
    with served(Service(voices, api_key="sésame")) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic sésame".encode()}):
            answer = client.post(SPEECH, json={"model": "tts-1", "input": TEXT}, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
            assert client.get("/v1/models", headers=headers).status_code == 401
            assert client.get("/metrics", headers=headers).status_code == 401
        right = {"Authorization": "Bearer sésame".encode()}
        assert client.post(SPEECH, json={"model": "tts-1", "input": TEXT}, headers=right).status_code == 200
        assert client.get("/healthz").status_code == client.get("/").status_code == 200


def test_the_page_says_whose_voice_it_is_and_runs_nothing_of_a_voice(client: httpx.Client) -> None:
    answer = client.get("/")
    assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
    assert "Reader" in answer.text
    assert "research, tts-training" in answer.text
    assert "none on record; trained all the same, because: a test" in answer.text
    assert "passing its speech on unmarked" in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    assert "<!--" not in answer.text
    assert "http" not in answer.text.replace("http-equiv", "")
    for name in ("page.js", "page.css"):
        assert client.get(f"/assets/{name}").status_code == 200
    assert client.get("/assets/page.html").status_code == 404


def test_a_voice_written_as_onnx_is_served_without_torch(voices: list[Served], tmp_path: Path) -> None:
    export_voice(load_voice(write_small_voice(tmp_path / "voice")), tmp_path / "onnx")
    answers = []
    for voice in (voices[0], load_served(tmp_path / "onnx")):
        with served(Service([voice])) as client:
            answers.append(asked(client, response_format="pcm"))
    assert answers[0].headers["x-synthetic-speech"] == answers[1].headers["x-synthetic-speech"]
    first, second = (np.frombuffer(answer.content, "<i2").astype(int) for answer in answers)
    assert np.abs(first - second).max() <= 1
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tts.server.app import app_of\n"
        "from tts.server.service import Service\n"
        "from tts.server.voices import load_served\n"
        f"service = Service([load_served(Path({str(tmp_path / 'onnx')!r}))])\n"
        "service.warm_up()\n"
        "print(type(app_of(service)).__name__, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split("\n")[0] == "Starlette False"

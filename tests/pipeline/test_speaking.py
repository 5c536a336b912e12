"""The command `say`."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.cli import main

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tts"))
from small_voice import ORIGIN, write_small_voice

TEXT = "Hello, world. It is 5:30 p.m."


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_voice(tmp_path_factory.mktemp("voice"))


class Pipe(io.StringIO):
    """Stdout that takes bytes too."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = io.BytesIO()


def samples_of(path: Path) -> np.ndarray:
    return soundfile.read(path)[0]


def test_a_text_is_spoken_into_a_file_and_figures_tell_of_it(
    voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.wav"
    assert main(["say", str(voice), TEXT, "-o", str(out), "--format", "json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["out"] == str(out)
    assert figures["sentences"] == 2
    assert figures["sampling_rate"] == 24_000
    assert figures["seconds"] == pytest.approx(len(samples_of(out)) / 24_000, abs=1e-3)
    assert figures["first_audio_ms"] > 0
    assert figures["real_time_factor"] > 0
    assert figures["synthetic"].startswith("Synthetic speech made by realtalk; voice reader")


def test_text_comes_from_a_file_or_stdin_too(
    voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    outs = [tmp_path / f"{number}.wav" for number in range(4)]
    assert main(["say", str(voice), TEXT, "-o", str(outs[0])]) == 0
    assert main(["say", str(voice), "--file", str(tmp_path / "text.txt"), "-o", str(outs[1])]) == 0
    for out, arguments in ((outs[2], ["-"]), (outs[3], ["--file", "-"])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode("utf-8"))))
        assert main(["say", str(voice), *arguments, "-o", str(out)]) == 0
    assert len({out.read_bytes() for out in outs}) == 1
    assert "speech" in capsys.readouterr().out


def test_stdout_gets_the_speech_and_stderr_the_figures(
    voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.wav"
    assert main(["say", str(voice), TEXT, "-o", str(out)]) == 0
    errors = io.StringIO()
    for arguments, head in (([], 44), (["--raw"], 0)):
        pipe = Pipe()
        monkeypatch.setattr(sys, "stdout", pipe)
        monkeypatch.setattr(sys, "stderr", errors)
        assert main(["say", str(voice), TEXT, "-o", "-", *arguments]) == 0
        monkeypatch.undo()
        assert pipe.getvalue() == ""
        content = pipe.buffer.getvalue()
        assert (content[:4] == b"RIFF") == bool(head)
        samples = np.frombuffer(content[len(content) % 2 :], "<i2")[-len(samples_of(out)) :] / 32768
        assert np.abs(samples - samples_of(out)).max() < 1e-3
    assert "first audio" in errors.getvalue()


def test_options_change_what_is_spoken(voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.txt").write_text("world V IY\n", encoding="utf-8")
    plain, out = tmp_path / "plain.wav", tmp_path / "out.wav"
    assert main(["say", str(voice), TEXT, "-o", str(plain)]) == 0
    for options in (["--rate", "2"], ["--pitch", "3"], ["--volume=-6"], ["--lexicon", str(tmp_path / "own.txt")]):
        assert main(["say", str(voice), TEXT, "-o", str(out), *options]) == 0
        assert plain.read_bytes() != out.read_bytes()
    ssml = '<speak>Hello, <break time="2s"/> world.</speak>'
    assert main(["say", str(voice), ssml, "-o", str(out)]) == 0
    assert len(samples_of(out)) > 2 * 24_000
    assert main(["say", str(voice), ssml, "--no-ssml", "-o", str(plain)]) == 0
    assert plain.read_bytes() != out.read_bytes()
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["a", "-o", "x.aac"], 2, "-o x.aac: the ending says the format"),
        (["a"], 2, "say: where to? give -o OUT.wav"),
        (["-o", "x.wav"], 2, "say: give a text, or --file FILE"),
        (["a", "--file", "b", "-o", "x.wav"], 2, "say: give a text, or --file FILE"),
        (["--file", "none.txt", "-o", "x.wav"], 2, "--file none.txt: can't be read"),
        (["a", "--rate", "9", "-o", "x.wav"], 2, "rate 9: has to be 0.25 to 4 times"),
        (["a", "--device", "abacus", "-o", "x.wav"], 2, "--device abacus: can't be used here"),
        (["a", "--raw", "-o", "x.wav"], 2, "--raw: is for -o -"),
        (["<speak><p>", "-o", "x.wav"], 1, "SSML, line 1: no element found"),
        (["Привет", "-o", "x.wav"], 1, "text: nothing in it can be said in English"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str],
    code: int,
    why: str,
    voice: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["say", str(voice), *arguments]) == code
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith(f"realtalk: {why}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_voice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", str(tmp_path), "a", "-o", str(tmp_path / "x.wav")]) == 1
    assert "no voice is here" in capsys.readouterr().err


def test_a_voice_that_was_trained_without_consent_says_so_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = replace(ORIGIN, without_consent="a test", expiry="2020-01-01")
    made = write_small_voice(tmp_path / "voice", origin=origin)
    for _ in range(2):
        assert main(["say", str(made), "a.", "-o", str(tmp_path / "x.wav")]) == 0
        assert "reader was trained without consent on record: a test" in capsys.readouterr().err


def test_a_voice_whose_consent_has_ended_says_nothing_without_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = write_small_voice(tmp_path / "voice", origin=replace(ORIGIN, expiry="2020-01-01"))
    out = tmp_path / "x.wav"
    assert main(["say", str(made), "a.", "-o", str(out)]) == 1
    assert capsys.readouterr().err == (
        "realtalk: reader: the consent to this voice ended on 2020-01-01; ask the speaker for a new one and train "
        'again, or say --without-consent "REASON" only if you may\n'
    )
    assert not out.exists()
    assert main(["say", str(made), "a.", "-o", str(out), "--without-consent", "it is being renewed"]) == 0
    assert "though the consent to it ended on 2020-01-01: it is being renewed" in capsys.readouterr().err
    assert out.exists()

"""The command line: what it prints where, and with which exit code it ends."""

import json
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import typer

from pipeline import cli
from pipeline.cli import main
from pipeline.config import load_config
from schemas.consent import read_consent
from schemas.errors import ConfigurationError, RealtalkError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "dataset.yaml"
    path.write_text("name: a\nsources: [{files: none}]\nspeaker: {name: H, auto: true}\n")
    return path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What went to stderr; nothing may have gone to stdout, and no traceback anywhere."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"realtalk \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_help_names_every_command_and_nothing_that_is_not_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    commands = {name for name in re.findall(r"^  (\w+)  ", out, re.MULTILINE) if not name.startswith("-")}
    assert commands == {
        "init",
        "doctor",
        "plan",
        "build",
        "select",
        "audit",
        "review",
        "inspect",
        "export",
        "evaluate",
        "onnx",
        "serve",
        "train",
        "watch",
        "say",
        "runs",
    }


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["bild"], "realtalk: no such command 'bild'"),
        (["plan"], "realtalk: missing argument 'CONFIG'"),
        (["plan", "x.yaml", "more"], "realtalk: got unexpected extra argument"),
        (["plan", "--formt", "json", "x"], "realtalk: no such option"),
        (["plan", "x.yaml", "--format", "xml"], "realtalk: invalid value for '--format'"),
        (["build", "x.yaml", "--workers", "0"], "realtalk: invalid value for '--workers'"),
        (
            ["plan", "x.yaml", "--", "--runner=DataflowRunner"],
            "realtalk: options after -- are for Beam, and plan does not use them; see realtalk --help",
        ),
    ],
)
def test_wrong_use_is_one_line_and_2(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    err = said(capsys)
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_no_command_shows_the_help_and_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Usage: realtalk" in capsys.readouterr().err


def test_mistakes_in_a_configuration_are_a_line_each_and_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("name: 1\nsuorces: []\n")
    assert main(["plan", str(config)]) == 2
    lines = said(capsys).splitlines()
    assert len(lines) == 4
    assert lines[0] == f"realtalk: {config}:1: name: expected text, got 1; put it in quotes"


def test_a_failure_is_one_line_and_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "none"), "x"]) == 1
    assert said(capsys) == (f"realtalk: {tmp_path}/none: no such folder; `realtalk build CONFIG` makes a dataset\n")


class TestHowItEnds:
    """Every way out of a command, by a command that takes it."""

    @pytest.fixture
    def raising(self, monkeypatch: pytest.MonkeyPatch, config: Path):
        def arrange(error: BaseException) -> list[str]:
            def fail(*_: object, **__: object) -> None:
                raise error

            monkeypatch.setattr("pipeline.plan.forecast", fail)
            return ["plan", str(config)]

        return arrange

    @pytest.mark.parametrize(
        ("error", "code", "line"),
        [
            (RealtalkError("disk: full"), 1, "realtalk: disk: full"),
            (ConfigurationError("a: wrong\nb: wrong"), 2, "realtalk: a: wrong\nrealtalk: b: wrong"),
            (
                KeyboardInterrupt(),
                130,
                "realtalk: stopped; what is done is kept: run the same command again to go on",
            ),
            (typer.Exit(3), 3, ""),
        ],
    )
    def test_codes(self, raising, error: BaseException, code: int, line: str, capsys) -> None:
        assert main(raising(error)) == code
        assert said(capsys).endswith(f"{line}\n" if line else "...\n")

    def test_what_nobody_expected_goes_to_a_log(self, raising, tmp_path: Path, monkeypatch, capsys) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert main(raising(ZeroDivisionError("of\nall things"))) == 1
        line = said(capsys).splitlines()[-1]
        assert line.startswith("realtalk: unexpected ZeroDivisionError: of all things; the whole of it is in ")
        log = Path(line.rpartition(" ")[2])
        assert "Traceback" in log.read_text()
        assert "ZeroDivisionError" in log.read_text()

    def test_control_characters_of_others_do_not_reach_the_terminal(self, raising, capsys) -> None:
        main(raising(RealtalkError("title \x1b]0;owned\x07")))
        assert "\x1b" not in said(capsys)


def test_interrupting_a_running_command(tmp_path: Path) -> None:
    """The real thing: SIGINT to a process that waits for a feed that never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        path = tmp_path / "dataset.yaml"
        path.write_text(
            f"name: a\nsources: [{{feed: 'http://127.0.0.1:{port}/f'}}]\nspeaker: {{name: H, auto: true}}\n"
        )
        command = [sys.executable, "-m", "pipeline.cli", "plan", str(path)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            # Shells start what runs in the background deaf to it, and children inherit that.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1].startswith("realtalk: stopped; ")
    assert "Traceback" not in err


def test_a_reader_that_leaves_early_is_no_error_message(tmp_path: Path) -> None:
    code = (
        "import sys; from pipeline import cli, console\n"
        "@cli.app.command()\n"
        "def flood() -> None:\n"
        "    for _ in range(100_000): print('x' * 100)\n"
        "sys.exit(cli.main(['flood']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 1


class TestInit:
    def test_it_writes_what_the_other_commands_read(self, tmp_path: Path, capsys) -> None:
        folder = tmp_path / "new" / "readings"
        assert main(["init", str(folder), "--feed", "https://example.org/feed.xml", "--speaker", "Ada"]) == 0
        captured = capsys.readouterr()
        assert captured.out.splitlines() == [f"{folder}/dataset.yaml", f"{folder}/consent.example.json"]
        assert f"realtalk build {folder}/dataset.yaml" in captured.err
        config = load_config(folder / "dataset.yaml")
        assert (config.name, config.sources[0].feed) == ("readings", "https://example.org/feed.xml")
        assert config.speaker.name == "Ada"
        assert config.output_location == str(folder / "readings")

    def test_without_a_source_the_file_says_what_to_fill_in(self, tmp_path: Path, capsys) -> None:
        assert main(["init", str(tmp_path)]) == 0
        assert "FILL IN" in (tmp_path / "dataset.yaml").read_text()
        with pytest.raises(ConfigurationError, match=r"sources\.0\.feed: is empty; fill it in$"):
            load_config(tmp_path / "dataset.yaml")

    def test_every_commented_key_is_a_key(self, tmp_path: Path) -> None:
        """What the file offers in comments works when its "# " is taken away."""
        main(["init", str(tmp_path), "--feed", "https://example.org/feed.xml"])
        path = tmp_path / "dataset.yaml"
        text = re.sub(r"^( {2,4})# (?=[a-z_-][a-z_ -]*: )", r"\1", path.read_text(), flags=re.MULTILINE)
        assert text != path.read_text()
        text = text.replace("  enroll: [enroll.flac] ", "  # ")
        path.write_text(text)
        config = load_config(path)
        assert config.speaker.auto
        assert config.speaker.consent == "consent.json"
        assert config.sources[0].limit == 10
        assert {source.kind for source in config.sources} == {"feed", "opml", "manifest"}
        assert config.download.allow_hosts == ("media.internal",)

    def test_the_defaults_that_the_file_shows_are_the_defaults(self, tmp_path: Path) -> None:
        main(["init", str(tmp_path), "--feed", "https://example.org/feed.xml"])
        written = load_config(tmp_path / "dataset.yaml")
        bare = tmp_path / "bare.yaml"
        bare.write_text("name: a\nsources: [{feed: 'https://example.org/f'}]\nspeaker: {name: H, auto: true}\n")
        default = load_config(bare)
        for section in ("models", "clips", "select", "download", "workers", "splits"):
            assert getattr(written, section) == getattr(default, section), section

    def test_files_are_found_from_where_the_command_runs(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["init", "sets/one", "--files", "archive/*.mp3"]) == 0
        config = load_config("sets/one/dataset.yaml")
        assert config.locate(config.sources[0].files) == str(tmp_path / "archive" / "*.mp3")

    @pytest.mark.parametrize("name", ["no", "12", "a: b", '"quoted"', "Übung # 1", "null", "-", "{x}", "$name"])
    def test_any_name_comes_back_as_it_was_given(self, tmp_path: Path, name: str) -> None:
        arguments = ["--name", name, "--speaker", name, "--feed", "https://example.org/f"]
        assert main(["init", str(tmp_path), *arguments]) == 0
        config = load_config(tmp_path / "dataset.yaml")
        assert (config.name, config.speaker.name) == (name, name)

    def test_nothing_is_overwritten(self, tmp_path: Path, capsys) -> None:
        (tmp_path / "dataset.yaml").write_text("mine")
        assert main(["init", str(tmp_path)]) == 1
        assert "is there already and is not overwritten" in said(capsys)
        assert (tmp_path / "dataset.yaml").read_text() == "mine"
        assert [path.name for path in tmp_path.iterdir()] == ["dataset.yaml"]

    def test_a_wrong_feed_leaves_nothing(self, tmp_path: Path, capsys) -> None:
        assert main(["init", str(tmp_path / "x"), "--feed", "ftp://example.org/f"]) == 2
        assert "expected an address" in said(capsys)
        assert list((tmp_path / "x").iterdir()) == []

    def test_a_folder_that_can_not_be_made(self, tmp_path: Path, capsys) -> None:
        (tmp_path / "file").touch()
        assert main(["init", str(tmp_path / "file" / "x")]) == 1
        assert "can't be written" in said(capsys)

    def test_the_example_of_a_consent_is_none(self, tmp_path: Path) -> None:
        main(["init", str(tmp_path)])
        path = tmp_path / "consent.example.json"
        assert "Nobody has consented" in path.read_text()
        with pytest.raises(ConfigurationError):
            read_consent(path)

    def test_the_example_filled_in_is_one(self, tmp_path: Path) -> None:
        main(["init", str(tmp_path)])
        record = json.loads((tmp_path / "consent.example.json").read_text())
        del record["THIS IS AN EXAMPLE"], record["recording"]
        record |= {"date": "2025-03-01", "expiry": None}
        (tmp_path / "consent.json").write_text(json.dumps(record))
        assert read_consent(tmp_path / "consent.json").scope


def test_plan_as_json(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "one.flac", np.zeros(8000 * 36, np.float32), 8000)
    assert main(["plan", str(config), "--set", "sources.0.files=one.flac", "--format", "json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["hours"] == pytest.approx(0.01)
    assert found["episodes"][0]["length_from"] == "file"
    assert captured.err.splitlines() == [
        "no consent is on record: the dataset will be marked so",
        "listing the sources ...",
    ]


def test_plan_of_nothing_fails(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(config)]) == 1
    assert "no-files" in capsys.readouterr().out


def test_a_build_without_its_recording_of_the_speaker_does_not_start(config: Path, capsys) -> None:
    assert main(["build", str(config), "--set", "speaker={name: H, enroll: gone.flac}"]) == 2
    assert said(capsys) == (
        f"realtalk: speaker.enroll: {config.parent}/gone.flac is not there; "
        "put a recording of the speaker alone there, or correct speaker.enroll\n"
    )
    assert [path.name for path in config.parent.iterdir()] == ["dataset.yaml"]


def test_a_build_by_a_silent_recording_of_the_speaker_does_not_start(config: Path, capsys) -> None:
    import numpy as np
    import soundfile

    soundfile.write(config.parent / "silent.flac", np.zeros(12 * 16_000), 16_000)
    assert main(["build", str(config), "--set", "speaker={name: H, enroll: silent.flac}"]) == 2
    assert said(capsys) == (
        f"realtalk: speaker.enroll: {config.parent}/silent.flac holds 0.0 s of speech; "
        "give at least 1.5 s, better 10 s, of the target alone\n"
    )


@pytest.mark.parametrize("command", ["plan", "build"])
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"date": "2020-01-01", "expiry": "2021-01-01"}, "expiry: the consent ended on 2021-01-01"),
        ({"date": "2999-01-01"}, "date: 2999-01-01 lies in the future"),
        ({"scope": ["research"]}, "scope: tts-training (training a synthetic voice of the speaker) is not allowed"),
    ],
)
def test_without_a_consent_that_holds_today_nothing_is_planned_or_built(
    command: str, changes: dict, fault: str, config: Path, capsys
) -> None:
    record = {"who": "A", "to_whom": "B", "scope": ["tts-training"], "expiry": None, "statement": "Yes.", **changes}
    path = config.parent / "consent.json"
    path.write_text(json.dumps({"date": "2025-03-01", **record}))
    assert main([command, str(config), "--set", "speaker.consent=consent.json"]) == 2
    assert said(capsys).startswith(f"realtalk: {path}: {fault}")
    assert sorted(entry.name for entry in config.parent.iterdir()) == ["consent.json", "dataset.yaml"]


def test_a_plan_says_that_its_consent_is_missing(config: Path, capsys) -> None:
    assert main(["plan", str(config), "--set", "speaker.consent=gone.json"]) == 2
    assert said(capsys).startswith(f"realtalk: {config.parent}/gone.json: there is no such file")


def test_a_build_into_a_file_system_that_is_not_there_does_not_start(config: Path, capsys) -> None:
    assert main(["build", str(config), "--set", "output=nowhere://bucket/set"]) == 1
    line = said(capsys).splitlines()[-1]
    assert line.startswith("realtalk: nowhere://bucket/set: can't be reached (Unable to get filesystem from specified")
    assert line.endswith("; choose another output, or mend that")


def test_a_misspelt_option_of_beam_does_not_start_a_build_elsewhere(config: Path, capsys) -> None:
    assert main(["build", str(config), "--", "--runnr=DataflowRunner"]) == 2
    assert said(capsys) == "realtalk: --runnr: no option of Beam; did you mean --runner?\n"
    assert [path.name for path in config.parent.iterdir()] == ["dataset.yaml"]


def test_the_entry_point_is_the_command() -> None:
    from importlib.metadata import entry_points

    (found,) = entry_points(group="console_scripts", name="realtalk")
    assert found.load() is cli.main

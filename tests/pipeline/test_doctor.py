"""What the doctor finds: made to be missing, so that each check is seen to fail."""

import datetime
import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import doctor
from pipeline.cli import main
from pipeline.config import load_config
from pipeline.doctor import Check, Status
from pipeline.doctor_inputs import check_clip_lengths, check_consent, check_enrolment, check_enrolment_episodes
from pipeline.plan import forecast
from schemas.episode import episode_id

CONSENT = {
    "who": "Ada Example",
    "to_whom": "Example Audio Ltd.",
    "scope": ["tts-training"],
    "date": "2025-03-01",
    "expiry": "2030-03-01",
    "statement": "I allow it.",
}


def statuses(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.name, check.status.value) for check in checks]


@pytest.mark.parametrize(("version", "status"), [((3, 10, 4), "missing"), ((3, 11, 0), "ok"), ((3, 13, 1), "warning")])
def test_python(version: tuple[int, ...], status: str) -> None:
    check = doctor.check_python(version)
    assert check.status == status
    assert bool(check.mend) == (status != "ok")


def test_packages_of_this_environment_are_those_that_the_distribution_needs() -> None:
    checks = list(doctor.check_packages())
    assert [check for check in checks if check.status is not Status.OK] == []
    assert {"torch", "apache-beam", "setuptools"} <= {check.name for check in checks}
    assert "openai-whisper" not in {check.name for check in checks}, "extras are not required"


def test_a_distribution_that_is_not_installed() -> None:
    (check,) = doctor.check_packages("realtalk-that-is-not")
    assert (check.status, check.mend) == (Status.MISSING, "pip install -e . in the checkout")


def test_a_package_outside_its_range_names_the_line_that_mends_it() -> None:
    version = importlib.metadata.version("numpy")
    check = doctor.check_package("numpy", "<1.0")
    assert check.status is Status.MISSING
    assert check.found == f"{version}, needed is <1.0"
    assert check.mend == "pip install 'numpy<1.0'"
    assert doctor.check_package("no-such-package", ">=1").found == "not installed"


def test_weights_that_are_a_stump_or_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert "is not there" in doctor.check_weight("voices", "v.pt", 10, "voices").found
    (tmp_path / "voices" / "v.pt").write_bytes(b"123")
    assert "holds only 3 bytes" in doctor.check_weight("voices", "v.pt", 10, "voices").found
    (tmp_path / "voices" / "v.pt").write_bytes(b"1" * 10)
    assert doctor.check_weight("voices", "v.pt", 10, "voices").status is Status.OK
    assert "package nowhere is not installed" in doctor.check_weight("nowhere", "v.pt", 10, "voices").found


def test_weights_of_this_environment() -> None:
    assert [check for check in doctor.check_weights() if check.status is not Status.OK] == []


def test_native_modules_that_fail_and_that_kill_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "refuses.py").write_text("raise ImportError('libx.so: cannot open\\nshared object')")
    (tmp_path / "kills.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    checks = {check.name: check for check in doctor.check_native(["json", "refuses", "kills", "csv"])}
    assert checks["loads: json"].status is Status.OK
    assert checks["loads: refuses"].found == "ImportError: libx.so: cannot open shared object"
    assert checks["loads: kills"].found == "loading it ended the process (signal 11)"
    assert checks["loads: csv"].status is Status.OK, "what comes after the one that kills is still looked at"


def test_a_compiler_is_named_for_webrtcvad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "webrtcvad.py").write_text("import pkg_resources_gone")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (check,) = doctor.check_native(["webrtcvad"])
    assert check.status is Status.MISSING
    assert "build-essential" in check.mend
    assert "setuptools>=77.0.3,<82" in check.mend


def test_memory_of_the_machine_and_of_the_control_group(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    assert doctor.memory_bytes(meminfo, tmp_path) == 8_192_000_000
    (tmp_path / "memory.max").write_text("2000000000\n")
    (tmp_path / "memory.current").write_text("500000000\n")
    assert doctor.memory_bytes(meminfo, tmp_path) == 1_500_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor.memory_bytes(meminfo, tmp_path) == 8_192_000_000
    assert doctor.memory_bytes(tmp_path / "none", tmp_path) is None


def test_too_many_workers() -> None:
    assert doctor.check_memory(4, 2 * doctor.WORKER_BYTES).mend == "workers: 2 in the configuration"
    assert doctor.check_memory(1, doctor.WORKER_BYTES).status is Status.OK
    assert doctor.check_cores(doctor.usable_cores() + 1).status is Status.WARNING


def test_an_output_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert statuses(list(doctor.check_output(str(tmp_path / "a" / "b")))) == [("output", "ok"), ("disk", "ok")]
    assert not (tmp_path / "a").exists(), "looking makes nothing"
    (tmp_path / "file").touch()
    (check,) = doctor.check_output(str(tmp_path / "file" / "b"))
    assert check.status is Status.MISSING
    full = list(doctor.check_output(str(tmp_path), needed_bytes=10**18))
    assert full[1].status is Status.MISSING
    # root may write anywhere, so the answer of the system is made up here.
    monkeypatch.setattr("os.access", lambda *_: False)
    (check,) = doctor.check_output(str(tmp_path))
    assert "can't be written to" in check.found


class TestInputs:
    @pytest.fixture
    def config(self, tmp_path: Path):
        def make(speaker: str, more: str = ""):
            path = tmp_path / "dataset.yaml"
            path.write_text(f"name: a\nsources: [{{files: '*.flac'}}]\nspeaker: {{name: H, {speaker}}}\n{more}")
            return load_config(path)

        return make

    def sound(self, path: Path, seconds: float) -> None:
        soundfile.write(path, np.zeros(round(seconds * 8000), np.float32), 8000)

    def test_enrolments(self, config, tmp_path: Path) -> None:
        loaded = config("enroll: [a.flac, b.flac, c.flac]")
        self.sound(tmp_path / "a.flac", 1.2)
        (tmp_path / "b.flac").write_bytes(b"no sound")
        checks = list(check_enrolment(loaded))
        assert [check.status.value for check in checks] == ["ok", "missing", "missing", "missing"]
        assert "can't be read as a recording" in checks[1].found
        assert "is not there" in checks[2].found
        assert checks[3].found == "1.2 s in all"
        self.sound(tmp_path / "a.flac", 4.0)
        assert list(check_enrolment(config("enroll: a.flac")))[-1].status is Status.WARNING
        self.sound(tmp_path / "a.flac", 12.0)
        assert len(list(check_enrolment(config("enroll: a.flac")))) == 1

    def test_consent(self, config, tmp_path: Path) -> None:
        today = datetime.date(2026, 1, 1)
        assert check_consent(config("auto: true"), today).status is Status.WARNING
        loaded = config("auto: true, consent: consent.json")
        assert check_consent(loaded, today).status is Status.MISSING
        (tmp_path / "consent.json").write_text(json.dumps(CONSENT))
        assert check_consent(loaded, today).found == "Ada Example to Example Audio Ltd., until 2030-03-01"
        ended = check_consent(loaded, datetime.date(2031, 1, 1))
        assert ended.status is Status.MISSING
        assert "ended on 2030-03-01" in ended.found

    def test_clips_that_are_cut_only_to_be_rejected(self, config) -> None:
        assert list(check_clip_lengths(config("auto: true"))) == []
        (check,) = check_clip_lengths(config("auto: true", "clips: {max_seconds: 25}\n"))
        assert check.found == "clips of 1 to 25 s are cut, 1 to 20 s are kept"
        mended = config("auto: true", f"clips: {{max_seconds: 25}}\n{check.mend}\n")
        assert list(check_clip_lengths(mended)) == []


class TestEnrolmentEpisodes:
    def test_a_guid_of_two_episodes_needs_an_id(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("url,guid,duration\nhttp://e.org/a.mp3,1,100\n")
        (tmp_path / "feed.xml").write_text(
            "<rss><channel><title>F</title><item><title>T</title><guid>1</guid>"
            '<enclosure url="http://e.org/b.mp3" type="audio/mpeg"/></item></channel></rss>'
        )
        file = tmp_path / "dataset.yaml"
        text = "name: a\nsources: [{{manifest: a.csv}}, {{feed: feed.xml}}]\nspeaker: {{name: H, enroll: {}}}\n"

        def check(name: str) -> Check:
            file.write_text(text.format(f"[{{episode: '{name}', start: 1, end: 9}}]"))
            config = load_config(file)
            (found,) = check_enrolment_episodes(config, forecast(config, lambda _: (), cores=1))
            return found

        ambiguous = check("1")
        assert (ambiguous.status, ambiguous.found) == (Status.MISSING, "2 episodes have the guid 1")
        named = episode_id("manifest", "1")
        assert named in ambiguous.mend
        assert check(named).status == Status.OK


class TestCommand:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Loading torch takes seconds; what loads and what does not is tested above.
        monkeypatch.setattr("pipeline.doctor._NATIVE", {"soundfile": "pip install soundfile"})

    def test_a_whole_look(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        soundfile.write(tmp_path / "one.flac", np.zeros(80_000, np.float32), 8000)
        (tmp_path / "one.txt").write_text("Nothing is said.")
        (tmp_path / "dataset.yaml").write_text(
            "name: a\nsources: [{files: one.flac}]\n"
            "speaker: {name: H, enroll: [one.flac, {episode: x, start: 1, end: 9}]}\n"
        )
        assert main(["doctor", str(tmp_path / "dataset.yaml"), "--format", "json"]) == 1
        found = json.loads(capsys.readouterr().out)
        assert found["ready"] is False
        missing = [check for check in found["checks"] if check["status"] == "missing"]
        assert [check["found"] for check in missing] == ["no listed episode has the guid x"]
        assert not (tmp_path / "a").exists()

        assert main(["doctor", str(tmp_path / "dataset.yaml"), "--set", "speaker.enroll=one.flac"]) == 0
        assert "Nothing is missing." in capsys.readouterr().out

    def test_a_wrong_configuration_is_a_finding_among_others(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "dataset.yaml").write_text("nme: a\n")
        assert main(["doctor", str(tmp_path / "dataset.yaml")]) == 2
        out = capsys.readouterr().out
        assert "nme: unknown key in the configuration; did you mean name?" in out
        assert "python" in out
        assert main(["doctor", str(tmp_path / "none.yaml")]) == 2
        assert "none.yaml: no such file" in capsys.readouterr().out

    def test_a_source_without_episodes(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "dataset.yaml").write_text("name: a\nsources: [{files: none}]\nspeaker: {name: H, auto: true}\n")
        assert main(["doctor", str(tmp_path / "dataset.yaml")]) == 1
        assert "no-files" in capsys.readouterr().out

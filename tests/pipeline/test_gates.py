"""Gates: what a dataset has to fulfil as a whole, from its configuration or a file; a mistake in one is one line."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from small_dataset import YAML, write_dataset

from pipeline.audit import audit, read_gates
from pipeline.cli import main
from pipeline.config import load_config, parse_config
from pipeline.gates import DEFAULTS, GATES, Facts, judge_gates, parse_limit
from schemas.errors import ConfigurationError

FACTS = Facts(
    clips={"train": 90, "test": 10},
    seconds={"train": 3600.0, "test": 360.0},
    episodes=4,
    duplicates=2,
    without_consent=100,
    recognised=25,
    numbers={"speaker_similarity": np.append(np.linspace(0.0, 1.0, 101), np.nan), "loudness_lufs": np.full(3, -20.0)},
)


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips; the first of each episode has a speaker_similarity of 0.90, the next of 0.89, the last of 0.88."""
    return write_dataset(tmp_path_factory.mktemp("gates") / "dataset", YAML + "gates: {clips: 7, duplicates: null}\n")


@pytest.mark.parametrize(
    ("name", "limit", "observed", "passed"),
    [
        ("clips", 100, 100, True),
        ("clips", 101, 100, False),
        ("hours", 1.1, 1.1, True),
        ("train_clips", 91, 90, False),
        ("validation_clips", 1, 0, False),
        ("test_hours", 0.1, 0.1, True),
        ("episodes", 4, 4, True),
        ("failed_episodes", 0, 0, True),
        ("duplicates", 1, 2, False),
        ("duplicates", 2, 2, True),
        ("clips_without_consent", 99, 100, False),
        ("clips_without_license", 0, 0, True),
        ("recognised_share", 0.2, 0.25, False),
        ("speaker_similarity_p05", 0.05, 0.05, True),
        ("speaker_similarity_p05", 0.06, 0.05, False),
        ("loudness_lufs_p50", [-30, -14], -20.0, True),
        ("loudness_lufs_p50", [None, -25], -20.0, False),
        ("snr_db_p50", 1, None, False),
    ],
)
def test_a_gate_is_judged(name: str, limit: object, observed: float | None, passed: bool) -> None:
    (result,) = judge_gates({name: parse_limit(name, limit)}, FACTS)
    assert (result.name, result.observed, result.passed) == (name, pytest.approx(observed), passed)


def test_a_gate_says_in_words_what_was_asked_for() -> None:
    def text(name: str, limit: object) -> str:
        return judge_gates({name: parse_limit(name, limit)}, FACTS)[0].text

    assert text("clips", 500) == "chosen clips: 100, at least 500 asked for"
    assert text("speaker_similarity_p05", 0.75) == (
        "5th percentile of speaker_similarity over the chosen clips: 0.05, at least 0.75 asked for"
    )
    assert text("loudness_lufs_p50", [-18, -14]).endswith(": -20, at least -18 and at most -14 asked for")
    assert text("snr_db_p50", 3).endswith("no clip has one, at least 3 asked for")
    assert text("clips_without_consent", 0).endswith(
        "; name the speaker's consent under speaker: consent: and build again"
    )


def test_what_is_hardly_missed_is_not_rounded_to_the_limit() -> None:
    facts = Facts(seconds={"train": 3600.0 * 4.999999})
    assert judge_gates({"hours": 5.0}, facts)[0].text == "hours of chosen clips: 4.999999, at least 5 asked for"


def test_null_is_no_limit_and_the_defaults_are_gates() -> None:
    assert judge_gates({"clips": None}, FACTS) == []
    assert set(DEFAULTS) <= set(GATES)


def test_gates_of_the_configuration_and_of_a_file(committed: Path, tmp_path: Path, capsys) -> None:
    found = audit(str(committed))
    assert [gate.name for gate in found.gates] == ["clips", "clips_without_consent", "clips_without_license"]
    assert found.failures() == ["gate clips failed: chosen clips: 6, at least 7 asked for"]
    file = tmp_path / "gates.yaml"
    file.write_text("clips: 6\nspeaker_similarity_p05: 0.88\nspeaker_similarity_p50: 0.895\n")
    assert main(["audit", str(committed), "--gates", str(file)]) == 3
    out, err = capsys.readouterr()
    assert err.startswith("realtalk: gate speaker_similarity_p50 failed: median of speaker_similarity over the chosen")
    assert err.count("\n") == 1
    assert "0.895" in out
    file.write_text("gates:\n  clips: 6\n")
    assert main(["audit", str(committed), "--gates", str(file)]) == 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("clisp: 3\n", ":1: 'clisp' is no gate; did you mean clips?"),
        (
            "clips: 3\nspeaker_similarty_p05: 1\n",
            ":2: 'speaker_similarty_p05' is no gate; did you mean speaker_similarity_p05?",
        ),
        ("gates:\n  hours: 3\n  our: 3\n", ":3: 'our' is no gate; did you mean hours?"),
        ("xyzzy: 3\n", ":1: 'xyzzy' is no gate; there are clips, hours, train_clips"),
        ("clips: many\n", ":1: clips: expected a number (at least so much), or null for no limit, got 'many'"),
        ("clips: true\n", ":1: clips: expected a number (at least so much), or null for no limit, got true"),
        ("clips: .nan\n", ":1: clips: expected a number"),
        ("duration_p50: 3\n", ":1: duration_p50: expected a range [least, most] (null for no limit), got 3"),
        ("duration_p50: [9, 3]\n", ":1: duration_p50: 9, the least, is more than 3, the most"),
        ("clips: [1\n", ": not YAML"),
        ("- clips\n", ": holds no gates; write a name and its limit on each line, such as clips: 500"),
        ("", ": holds no gates; "),
        ("gates: 3\n", ": holds no gates; "),
    ],
)
def test_a_mistake_in_a_file_is_one_line(text: str, line: str, tmp_path: Path) -> None:
    file = tmp_path / "gates.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_gates(file)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert line in str(caught.value)


def test_a_file_of_gates_that_is_not_there_is_wrong_use(committed: Path, tmp_path: Path, capsys) -> None:
    assert main(["audit", str(committed), "--gates", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err.startswith(f"realtalk: {tmp_path}/none.yaml: can't be read: No such file")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    assert main(["audit", str(committed), "--gates", str(tmp_path / "bytes.yaml")]) == 2


def test_gates_in_the_configuration_are_checked_like_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(YAML + "gates:\n  clips: 3\n  clisp: 4\n")
    with pytest.raises(ConfigurationError, match=r":6: 'clisp' is no gate; did you mean clips\?"):
        load_config(path)
    path.write_text(YAML)
    assert load_config(path, ["gates.hours=2"]).gates.limits == {"hours": 2.0}


def test_gates_stay_with_the_dataset_and_change_nothing_of_it() -> None:
    plain, gated = parse_config(YAML, "a"), parse_config(YAML + "gates: {hours: 2, duplicates: null}\n", "a")
    assert plain.hash == gated.hash
    assert "gates" not in yaml.safe_load(plain.resolved_yaml())
    again = parse_config(gated.resolved_yaml(), "a")
    assert again.gates.limits == {"hours": 2.0, "duplicates": None}


def test_other_gates_alone_reach_a_dataset_that_is_built_again(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d")
    before = (tmp_path / "d" / "manifest.json").read_bytes()
    write_dataset(tmp_path / "d", YAML + "gates: {clips: 9}\n")
    assert (tmp_path / "d" / "manifest.json").read_bytes() == before
    assert audit(str(tmp_path / "d")).failures() == ["gate clips failed: chosen clips: 6, at least 9 asked for"]

"""The configuration: what it accepts, what it says about what it doesn't, and what identifies it."""

import pickle
from pathlib import Path

import pytest
import yaml

from pipeline.config import Config, load_config
from pipeline.config_sections import SAMPLING_RATES, Splits
from schemas.errors import ConfigurationError
from schemas.recording import Recording
from schemas.verdict import PROFILES
from transforms.cut import CutSettings, clip_rate
from transforms.models.choice import ModelChoice
from transforms.shards import assign_splits

WHOLE = """\
name: readings
output: ./out/readings
sources:
  - feed: http://127.0.0.1:8000/feed.xml
    limit: 10
    after: 2024-01-31
  - files: ./archive/*.mp3
    license: cc-by-4.0
speaker:
  name: Host
  enroll: [enroll.flac, {episode: "guid 1", start: 0:12, end: 1:02.5}]
  consent: consent.json
models: embedded
clips: {min_seconds: 1.0, max_seconds: 15, sampling_rate: 24000}
select: {profile: strict, dnsmos_ovrl: 2.5}
"""
SMALL = "name: a\nsources: [{feed: 'https://example.org/feed.xml'}]\nspeaker: {name: Host, auto: true}\n"


@pytest.fixture
def write(tmp_path: Path):
    def write_text(text: str | bytes) -> Path:
        path = tmp_path / "dataset.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_text


def faults(path: Path, *overrides: str) -> list[str]:
    """The lines of the ConfigurationError, without the folder of the file."""
    with pytest.raises(ConfigurationError) as caught:
        load_config(path, overrides)
    lines = str(caught.value).splitlines()
    assert lines
    for line in lines:
        for jargon in ("pydantic", "https://errors", "input_value", "type=", "Value error", "Traceback", "NoneType"):
            assert jargon not in line
    return [line.replace(f"{path.parent}/", "") for line in lines]


def test_a_whole_configuration(write) -> None:
    config = load_config(write(WHOLE))
    assert [source.kind for source in config.sources] == ["feed", "files"]
    assert config.sources[0].after == "2024-01-31"
    assert config.sources[1].files == "./archive/*.mp3"
    assert config.clips.max_seconds == 15.0
    assert config.select.thresholds.dnsmos_ovrl == 2.5
    assert config.select.thresholds.snr_db == PROFILES["strict"].snr_db
    assert config.workers == 1


def test_times_are_seconds_or_clock_times(write) -> None:
    span = load_config(write(WHOLE)).speaker.enroll[1]
    # YAML 1.1 itself reads 1:02.5 as 62.5, and 0:12 as text.
    assert (span.episode, span.start, span.end) == ("guid 1", 12.0, 62.5)


def test_defaults_need_three_keys(write) -> None:
    config = load_config(write(SMALL))
    assert config.models.speech == "webrtc"
    assert config.select.thresholds == PROFILES["default"]
    assert config.output_location.endswith("/a")


def test_the_least_mistake_of_every_kind_is_one_line_with_its_place(write) -> None:
    path = write(
        """\
name: 12
outptu: x
sources:
  - feed: htp://x
    limit: 0
  - feed: http://x/y
    files: x
  - {files: [a], lmit: 3}
  - {title: "([", files: x}
  - {manifest: x, after: soon}
speaker:
  nme: Host
  enroll:
    - {episode: abc, start: 12}
models: {diarizer: pyanote, transcriber: "whisper:", speech: webrtc:2, language: english, device: gpu}
clips: {min_seconds: "1", max_seconds: true, sampling_rte: 24000, sampling_rate: 24001}
select: {dnsmos_over: 3.0, snr_db: high}
min_seconds: 3
workers: 1.5
splits: {train: 1, test: 0.1}
download: {contact: "ä", max_bytes: 1e9, allow_hosts: a}
"""
    )
    assert faults(path) == [
        "dataset.yaml:1: name: expected text, got 12; put it in quotes",
        "dataset.yaml:2: outptu: unknown key in the configuration; did you mean output?",
        "dataset.yaml:4: sources.0.feed: expected an address such as https://example.org/feed.xml, got 'htp://x'",
        "dataset.yaml:5: sources.0.limit: expected at least 1, got 0",
        "dataset.yaml:6: sources.1: a source has exactly one of feed, opml, files, manifest; this has feed and files",
        "dataset.yaml:8: sources.2.files: expected text, got a list",
        "dataset.yaml:8: lmit: unknown key in sources.2; did you mean limit?",
        "dataset.yaml:9: sources.3.title: not a regular expression: unterminated character set at position 1",
        "dataset.yaml:10: sources.4.after: expected a day such as 2024-05-31, got 'soon'",
        "dataset.yaml:11: speaker.name: missing; the speaker's name, as it shall stand in the dataset",
        "dataset.yaml:12: nme: unknown key in speaker; did you mean name?",
        "dataset.yaml:14: speaker.enroll.0: a span of an episode needs a start and, after it, an end, in seconds",
        "dataset.yaml:15: models.speech: webrtc is one model, nothing follows it; write webrtc",
        "dataset.yaml:15: models.diarizer: there is no diarizer called 'pyanote'; did you mean 'pyannote'?",
        "dataset.yaml:15: models.transcriber: after whisper: the model is missing; write whisper, or whisper:MODEL",
        "dataset.yaml:15: models.language: there is no language 'english'; write a code such as en, de or fr, or auto",
        "dataset.yaml:15: models.device: expected 'auto', 'cpu' or 'cuda', got 'gpu'",
        "dataset.yaml:16: clips.min_seconds: expected a number, got '1'; write 1",
        "dataset.yaml:16: clips.max_seconds: expected a number, got true",
        "dataset.yaml:16: clips.sampling_rate: expected one of 16000, 22050, 24000, 32000, 44100, 48000, got 24001",
        "dataset.yaml:16: sampling_rte: unknown key in clips; did you mean sampling_rate?",
        "dataset.yaml:17: select has no threshold called 'dnsmos_over'; did you mean 'dnsmos_ovrl'?",
        "dataset.yaml:17: select.snr_db is a number (or null for no limit), not 'high'",
        "dataset.yaml:18: min_seconds: unknown key in the configuration; did you mean clips.min_seconds?",
        "dataset.yaml:19: workers: expected a whole number, got 1.5",
        "dataset.yaml:20: splits: train, validation and test have to add up to 1, these add up to 1.15",
        "dataset.yaml:21: download.max_bytes: expected a whole number, got '1e9'; write 1000000000",
        "dataset.yaml:21: download.contact: expected plain ASCII, such as a mail address, got 'ä'",
        "dataset.yaml:21: download.allow_hosts: expected a list, got 'a'",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "dataset.yaml: is empty; `realtalk init DIR` writes one to start from"),
        ("# nothing\n", "dataset.yaml: is empty; `realtalk init DIR` writes one to start from"),
        (
            "- a\n",
            "dataset.yaml:1: expected keys with values, such as 'name: readings'; see `realtalk init DIR`",
        ),
        (
            "name: a: b\n",
            "dataset.yaml:1: not YAML: mapping values are not allowed here; a text that holds ': ' goes in quotes",
        ),
        (
            "name: a\n---\nname: b\n",
            "dataset.yaml:2: not YAML: more than one document in the file; keep the part before the second '---'",
        ),
        (b"name: \xff\n", "dataset.yaml: not UTF-8 text (byte 7); save it as UTF-8"),
        (b"name: a\nx: \x07\n", "dataset.yaml:2: not text: character 0x7 does not belong in YAML"),
    ],
)
def test_what_is_no_configuration_at_all(write, text: str | bytes, line: str) -> None:
    assert faults(write(text)) == [line]


def test_tabs_are_named(write) -> None:
    assert faults(write("speaker:\n\tname: x\n"))[0].endswith("; indent with spaces, not with tabs")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.yaml") == ["none.yaml: no such file; `realtalk init DIR` writes one to start from"]
    assert faults(tmp_path)[0].endswith("is a folder; name the configuration file in it")


def test_duplicate_keys_are_no_silent_last_one_wins(write) -> None:
    lines = faults(write(SMALL + "name: b\nclips: {max_seconds: 3, max_seconds: 4}\n"))
    assert lines == [
        "dataset.yaml:4: name: given twice, first on line 1",
        "dataset.yaml:5: clips.max_seconds: given twice, first on line 5",
    ]


def test_an_anchor_that_holds_itself_ends(write) -> None:
    assert "dataset.yaml:4: an anchor (&) holds itself" in faults(write(SMALL + "select: &a {snr_db: *a}\n"))


def test_a_date_that_is_none(write) -> None:
    text = SMALL.replace("'https://example.org/feed.xml'", "'https://example.org/feed.xml', after: 2024-02-31")
    assert "dataset.yaml:2: 2024-02-31 can't be read: day is out of range for month" in faults(write(text))


def test_a_set_of_models_is_a_model_for_each_stage(write) -> None:
    models = load_config(write(SMALL + "models: neural\n")).models
    assert (models.speech, models.diarizer, models.transcriber) == ("pyannote", "pyannote", "whisper:turbo")
    assert models.choice("aligner") == ModelChoice("whisper", "turbo")
    (line,) = faults(write(SMALL + "models: nueral\n"))
    assert line == "dataset.yaml:4: models: there is no set of models called 'nueral'; did you mean 'neural'?"


@pytest.mark.parametrize(
    ("models", "aligner"),
    [
        ("{transcriber: 'whisper:./a.pt', aligner: whisper}", "./a.pt"),
        ("{transcriber: 'whisper:tiny', aligner: 'whisper:base'}", "base"),
        ("{aligner: whisper}", "turbo"),
    ],
)
def test_an_aligner_without_a_model_takes_the_transcribers(write, models: str, aligner: str) -> None:
    assert load_config(write(SMALL + f"models: {models}\n")).models.choice("aligner").argument == aligner


def test_what_knows_english_only_says_so(write) -> None:
    (line,) = faults(write(SMALL + "models: {transcriber: whisper, language: de}\n"))
    assert line == ("dataset.yaml:4: models: pocketsphinx knows English only, language is de; write aligner: whisper")


def test_only_english_texts_are_verified(write) -> None:
    models = "models: {transcriber: whisper, aligner: whisper, language: de}\n"
    (line,) = faults(write(SMALL + models + "text: {verify: true}\n"))
    assert line.endswith("text.verify knows English only, models.language is de; leave text.verify out")


@pytest.mark.parametrize(
    ("speaker", "said"),
    [
        ("{name: a}", "say how to know the speaker"),
        ("{name: a, enroll: [x], auto: true}", "exclude each other"),
        ("{name: a, enroll: []}", "is an empty list"),
        ("{name: a, enroll: [{file: x, start: 1, end: 2}]}", "a file is taken whole"),
        ("{name: a, enroll: [{episode: x, start: 5, end: 2}]}", "needs a start and, after it, an end"),
        ('{name: " ", auto: true}', "is blank"),
        ('{name: "", auto: true}', "is empty; fill it in"),
    ],
)
def test_a_speaker_is_known_in_one_way(write, speaker: str, said: str) -> None:
    assert said in faults(write(SMALL.replace("{name: Host, auto: true}", speaker)))[0]


def test_a_single_enrolment_needs_no_list(write) -> None:
    text = SMALL.replace("auto: true", "enroll: host.flac")
    assert load_config(write(text)).speaker.enroll[0].file == "host.flac"


def test_paths_start_from_the_folder_of_the_file(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(WHOLE)
    monkeypatch.chdir("/")
    config = load_config(path)
    assert config.output_location == str(tmp_path / "out" / "readings")
    assert config.locate("../x.flac") == str(tmp_path.parent / "x.flac")
    assert config.locate("/abs/x.flac") == "/abs/x.flac"
    assert config.locate("file:///abs/x%20y.flac") == "/abs/x y.flac"
    assert load_config(path, ["output=gs://bucket/readings"]).output_location == "gs://bucket/readings"


def test_a_web_address_is_no_output(write) -> None:
    assert "can't be written to a web address" in faults(write(SMALL), "output=https://example.org/x")[0]


class TestOverrides:
    def test_values_are_yaml(self, write) -> None:
        config = load_config(
            write(WHOLE),
            ["clips.max_seconds=12", "sources.0.limit=3", "workers=2", "speaker.enroll=[a.flac, b.flac]", "name='7'"],
        )
        assert config.clips.max_seconds == 12.0
        assert config.sources[0].limit == 3
        assert config.workers == 2
        assert [enrolment.file for enrolment in config.speaker.enroll] == ["a.flac", "b.flac"]
        assert config.name == "7"

    def test_a_section_that_the_file_leaves_out(self, write) -> None:
        assert load_config(write(SMALL), ["clips.sampling_rate=16000"]).clips.sampling_rate == 16000

    def test_short_forms_are_opened(self, write) -> None:
        config = load_config(
            write(SMALL + "models: embedded\nselect: strict\n"), ["models.speech=silero", "select.snr_db=15"]
        )
        assert config.models.speech == "silero"
        assert config.models.diarizer == "ge2e"
        assert config.select.profile == "strict"
        assert config.select.thresholds.snr_db == 15.0

    def test_a_short_form_that_is_wrong_stays_wrong(self, write) -> None:
        assert "models" in faults(write(SMALL + "models: nueral\n"), "models.speech=silero")[0]

    def test_what_names_nothing_names_the_nearest(self, write) -> None:
        lines = faults(
            write(WHOLE),
            "clips.sampling_rte=2",
            "clip.max_seconds=2",
            "sources.9.limit=1",
            "sources.limit=1",
            "speaker.name.x=1",
            "speaker.enroll.0.x=1",
            "foo",
            "name=[",
            "limit=3",
        )
        assert lines == [
            "--set clips.sampling_rte=2: sampling_rte: unknown key in clips; did you mean sampling_rate?",
            "--set clip.max_seconds=2: clip: unknown key in the configuration; did you mean clips?",
            "--set sources.9.limit=1: sources.9: there is no such entry; sources holds 0 to 1",
            "--set sources.limit=1: sources is a list; say which one: sources.0.limit",
            "--set speaker.name.x=1: speaker.name holds 'Host', no keys",
            "--set speaker.enroll.0.x=1: speaker.enroll.0 holds one value, no keys",
            "--set foo: expected NAME=VALUE, such as clips.max_seconds=12",
            "--set name=[: the value is not YAML: while parsing a flow node expected the node content, "
            "but found '<stream end>'",
            "--set limit=3: limit: unknown key in the configuration; did you mean sources.0.limit?",
        ]

    def test_a_wrong_value_is_blamed_on_the_option(self, write) -> None:
        assert faults(write(WHOLE), "sources.0.limit=x") == [
            "--set sources.0.limit=x: sources.0.limit: expected a whole number, got 'x'"
        ]


class TestIdentity:
    def test_the_resolved_configuration_is_one(self, write) -> None:
        config = load_config(write(WHOLE))
        again = load_config(write(config.resolved_yaml()))
        assert again.hash == config.hash
        assert again.resolved_yaml() == config.resolved_yaml()
        assert again.select.thresholds == config.select.thresholds

    def test_it_says_nothing_of_the_machine_or_the_person(self, write, tmp_path: Path) -> None:
        text = WHOLE + "workers: 7\ndownload: {contact: me@example.org}\n"
        resolved = load_config(write(text)).resolved_yaml()
        assert str(tmp_path) not in resolved
        assert "me@example.org" not in resolved
        assert {"output", "workers"}.isdisjoint(yaml.safe_load(resolved))

    @pytest.mark.parametrize(
        "override",
        ["output=/elsewhere", "workers=3", "download.contact=a@b.org", "download.connections_per_host=1"],
    )
    def test_what_does_not_decide_the_content_leaves_the_hash(self, write, override: str) -> None:
        path = write(WHOLE)
        assert load_config(path, [override]).hash == load_config(path).hash

    @pytest.mark.parametrize(
        "override",
        [
            "clips.max_seconds=14",
            "select.snr_db=11",
            "models.speech=silero",
            "sources.0.limit=9",
            "speaker.consent=other.json",
            "splits={train: 0.8, validation: 0.1, test: 0.1}",
            "download.max_bytes=10",
        ],
    )
    def test_what_decides_the_content_changes_the_hash(self, write, override: str) -> None:
        path = write(WHOLE)
        assert load_config(path, [override]).hash != load_config(path).hash

    def test_a_profile_by_name_is_its_limits(self, write) -> None:
        resolved = yaml.safe_load(load_config(write(SMALL)).resolved_yaml())
        # A profile that changes in a later version is another dataset, and so another hash.
        assert resolved["select"]["snr_db"] == PROFILES["default"].snr_db

    def test_it_travels_to_workers(self, write) -> None:
        config = load_config(write(WHOLE))
        again = pickle.loads(pickle.dumps(config))
        assert again == config
        assert again.output_location == config.output_location


def test_every_key_is_described() -> None:
    def descriptions(section, prefix=""):
        for name, field in section.model_fields.items():
            yield f"{prefix}{name}", field.description

    missing = [name for name, description in descriptions(Config) if not description]
    assert missing == []


@pytest.mark.parametrize("rate", SAMPLING_RATES)
def test_every_rate_that_a_configuration_takes_is_one_that_clips_get(rate: int) -> None:
    recording = Recording("x.flac", "0" * 64, 1.0, 48_000, 48_000, 1)
    assert clip_rate(recording, CutSettings(sampling_rate=rate)) == rate


@pytest.mark.parametrize("shares", [(0.3333333, 0.3333333, 0.3333333), (0.9, 0.05, 0.05), (1.0, 0.0, 0.0)])
def test_shares_that_a_configuration_takes_are_shares_that_a_build_assigns(shares: tuple[float, ...]) -> None:
    splits = Splits(train=shares[0], validation=shares[1], test=shares[2])
    assert splits.shares == pytest.approx(shares, abs=1e-6)
    assert assign_splits(["a", "b"], splits.shares)

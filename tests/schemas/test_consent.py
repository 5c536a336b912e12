"""Consent records: what is accepted, what identifies one, and what is said about a wrong one."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.consent import SCOPES, Consent, read_consent
from schemas.errors import ConfigurationError

TODAY = datetime.date(2026, 1, 15)
RECORD = {
    "who": "Ada Example",
    "to_whom": "Example Audio",
    "scope": ["tts-training", "research"],
    "date": "2025-03-01",
    "expiry": "2030-03-01",
    "statement": "I allow Example Audio to train a voice from my podcast.",
}


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "consent.json"
    record = {name: value for name, value in {**RECORD, **changes}.items() if value is not ...}
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def faults(path: Path, today: datetime.date | None = TODAY) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_consent(path, today)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]


def test_a_record_is_read(tmp_path: Path) -> None:
    consent = read_consent(write(tmp_path), TODAY)
    assert consent == Consent(
        who="Ada Example",
        to_whom="Example Audio",
        scope=("research", "tts-training"),
        date=datetime.date(2025, 3, 1),
        expiry=datetime.date(2030, 3, 1),
        statement="I allow Example Audio to train a voice from my podcast.",
    )
    assert consent.covers("research")
    assert not consent.covers("distribution")


def test_every_purpose_can_be_allowed_and_says_what_it_means(tmp_path: Path) -> None:
    assert read_consent(write(tmp_path, scope=list(SCOPES))).scope == tuple(sorted(SCOPES))
    assert all(SCOPES.values())


def test_the_id_is_of_the_content_and_not_of_its_writing(tmp_path: Path) -> None:
    first = read_consent(write(tmp_path)).id
    path = tmp_path / "other name.json"
    turned = dict(
        reversed({**RECORD, "scope": ["research", "tts-training", "research"], "who": " Ada Example "}.items())
    )
    path.write_text(json.dumps(turned, indent=4))
    assert read_consent(path).id == first
    assert len(first) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"who": "Bob"},
        {"to_whom": "Others"},
        {"scope": ["research"]},
        {"date": "2025-03-02"},
        {"expiry": None},
        {"statement": "No."},
    ],
)
def test_every_word_counts_for_the_id(tmp_path: Path, change: dict[str, Any]) -> None:
    assert read_consent(write(tmp_path)).id != read_consent(write(tmp_path, **change)).id


def test_the_recording_counts_by_its_bytes_beside_the_record(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"one")
    (tmp_path / "b.flac").write_bytes(b"one")
    (tmp_path / "c.flac").write_bytes(b"two")
    plain, a, b, c = (read_consent(write(tmp_path, recording=name)).id for name in (None, "a.flac", "b.flac", "c.flac"))
    assert a == b
    assert len({plain, a, c}) == 3


def test_null_as_expiry_is_until_withdrawn(tmp_path: Path) -> None:
    assert read_consent(write(tmp_path, expiry=None), datetime.date(2999, 1, 1)).expiry is None


def test_the_last_day_still_counts_and_the_next_does_not(tmp_path: Path) -> None:
    path = write(tmp_path, expiry="2026-01-15")
    assert read_consent(path, TODAY).expiry == TODAY
    (line,) = faults(path, TODAY + datetime.timedelta(days=1))
    assert line.startswith("expiry: the consent ended on 2026-01-15 (today is 2026-01-16)")
    assert read_consent(path, None), "without a day to judge by, an old record can still be read"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"who": ...}, "who is missing; add it"),
        ({"expiry": ...}, "expiry is missing; add it (null where there is none)"),
        ({"statement": "  "}, "statement is empty; fill it in"),
        ({"scope": []}, "scope is empty; fill it in"),
        ({"scope": ["tts-trainin"]}, "scope: there is no purpose called 'tts-trainin'; did you mean 'tts-training'?"),
        ({"scope": ["zzz"]}, "scope: there is no purpose called 'zzz'; there are " + ", ".join(SCOPES)),
        ({"scope": "research"}, 'scope has to be a list such as ["tts-training"], not "research"'),
        ({"who": 7}, "who has to be text, not 7"),
        ({"date": "01.03.2025"}, 'date has to be a day such as 2025-03-01, not "01.03.2025"'),
        ({"date": "2025-13-01"}, 'date has to be a day such as 2025-03-01, not "2025-13-01"'),
        ({"expiry": 3}, "expiry has to be a day such as 2025-03-01, not 3"),
        ({"date": "2026-02-01"}, "date: 2026-02-01 lies in the future (today is 2026-01-15)"),
        ({"expiry": "2025-02-01"}, "expiry: 2025-02-01 lies before date 2025-03-01"),
        ({"statment": "x"}, "there is no field called 'statment'; did you mean 'statement'?"),
    ],
)
def test_each_fault_is_one_line(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    assert faults(write(tmp_path, **changes)) == [line]


def test_a_purpose_that_is_not_allowed_is_a_fault(tmp_path: Path) -> None:
    path = write(tmp_path, scope=["research"])
    assert read_consent(path, TODAY, "research").covers("research")
    with pytest.raises(ConfigurationError) as caught:
        read_consent(path, TODAY, "tts-training")
    assert str(caught.value) == (
        f"{path}: scope: tts-training (training a synthetic voice of the speaker) is not allowed, only research; "
        "ask the speaker for a new one"
    )


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert read_consent(path).who == "Ada Example"


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    assert len(faults(write(tmp_path, who=..., date="soon", extra=1))) == 3


def test_a_recording_that_is_not_there_is_said(tmp_path: Path) -> None:
    (line,) = faults(write(tmp_path, recording="gone.flac"))
    assert line.startswith(f"recording: there is no file {tmp_path / 'gone.flac'}")


def test_files_that_are_no_records(tmp_path: Path) -> None:
    path = tmp_path / "consent.json"
    (line,) = faults(path)
    assert line.startswith("there is no such file")
    path.write_text('{\n "who": \n}')
    (line,) = faults(path)
    assert line.startswith("line 3: not readable as JSON")
    path.write_text("[]")
    (line,) = faults(path)
    assert "object" in line
    path.write_text("[" * 100_000)
    (line,) = faults(path)
    assert line.startswith("not a")
    path.write_bytes(b"\xff\xfe{}")
    (line,) = faults(path)
    assert line.startswith("can't be read as text")
    (line,) = faults(tmp_path)
    assert line.startswith("can't be read as text")

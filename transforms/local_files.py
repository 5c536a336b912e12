"""Episodes on this machine: audio files with their transcripts beside them, and manifests that list episodes."""

import csv
import difflib
import glob
import io
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.episode import Episode, Person, TranscriptLink, episode_id
from schemas.errors import ConfigurationError, EpisodeError
from transforms.feeds import AUDIO_SUFFIXES, VIDEO_SUFFIXES, clean, is_web, iso_utc, parse_date

FILES_GUID = "files"
MANIFEST_GUID = "manifest"
TRANSCRIPT_TYPES = {
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".json": "application/json",
    ".html": "text/html",
    ".htm": "text/html",
    ".txt": "text/plain",
}
COLUMNS = (
    *("audio", "url", "transcript", "transcript_language", "guid", "title", "date", "license", "language", "duration"),
    *("persons", "media_type"),
)
_MEDIA = AUDIO_SUFFIXES | VIDEO_SUFFIXES
_DATE_IN_NAME = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})[-_.]?([01][0-9])[-_.]?([0-3][0-9])(?![0-9])")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?")


def find_files(pattern: str, base: Path) -> tuple[Path, list[Path]]:
    """(folder that names are relative to, audio and video files) of a file, a folder or a pattern, sorted by name.

    A folder is searched with the folders in it; a pattern is that of `glob`, "**" for any depth. Names are relative to
    `base` (the configuration's folder) for what lies in it, else to the folder or the fixed part of the pattern, so
    they are the same on every machine. Raises EpisodeError ("no-files").
    """
    written = Path(pattern).expanduser()
    place = Path(os.path.abspath(base / written))
    if place.is_file():
        found, root = [place], place.parent
    elif place.is_dir():
        found, root = [path for path in place.rglob("*") if _is_media(path)], place
    elif glob.has_magic(str(written)):
        names = glob.glob(str(written), root_dir=base, recursive=True)
        found = [path for path in (Path(os.path.abspath(base / name)) for name in names) if _is_media(path)]
        fixed = next(part for part in (*written.parents, Path()) if not glob.has_magic(str(part)))
        root = Path(os.path.abspath(base / fixed))
    else:
        raise EpisodeError(f"no-files: there is no file or folder {place}; correct `files` in the configuration")
    if not found:
        raise EpisodeError(f"no-files: no audio or video file matches {place}; correct `files` in the configuration")
    folder = Path(os.path.abspath(base))
    root = folder if root.is_relative_to(folder) else root
    return root, sorted(found, key=lambda path: path.relative_to(root).as_posix())


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in _MEDIA and not path.name.startswith(".") and path.is_file()


def episodes_of_files(root: Path, files: list[Path]) -> list[Episode]:
    """An episode for each file; the guid is its name relative to `root`, the date is one in its name (2024-05-31)."""
    transcripts = {folder: _transcripts_in(folder) for folder in {path.parent for path in files}}
    episodes = []
    for path in files:
        guid = unicodedata.normalize("NFC", path.relative_to(root).as_posix())
        episodes.append(
            Episode(
                id=episode_id(FILES_GUID, guid),
                guid=guid,
                feed_guid=FILES_GUID,
                source_url=str(path),
                title=clean(path.stem),
                published=iso_utc(_date_in(path.stem)),
                length_bytes=path.stat().st_size,
                transcripts=tuple(transcripts[path.parent].get(path.stem, ())),
            )
        )
    return episodes


def _transcripts_in(folder: Path) -> dict[str, list[TranscriptLink]]:
    """Transcripts by the stem of their audio: NAME.vtt, and NAME.en.vtt with its language, belong to NAME.mp3."""
    found: dict[str, list[TranscriptLink]] = {}
    for path in sorted(folder.iterdir()):
        kind = TRANSCRIPT_TYPES.get(path.suffix.lower())
        if kind is None or not path.is_file():
            continue
        found.setdefault(path.stem, []).append(TranscriptLink(str(path), kind))
        stem, _, language = path.stem.rpartition(".")
        if stem and _LANGUAGE.fullmatch(language):
            found.setdefault(stem, []).append(TranscriptLink(str(path), kind, language))
    return found


def _date_in(name: str) -> datetime | None:
    found = _DATE_IN_NAME.search(name)
    return parse_date("-".join(found.groups())) if found else None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a manifest that holds something; its cells stripped, "" where empty."""

    line: int
    cells: dict[str, str]
    problem: str = ""


def read_manifest(path: Path) -> list[Row]:
    """Rows of a CSV (comma, semicolon or tab; a header of column names) or JSONL (an object a line) manifest.

    Raises EpisodeError ("no-manifest", "empty-manifest") where there is no such file or no row in it,
    ConfigurationError where it is no such table or has a column that is not one of `COLUMNS`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise EpisodeError(f"no-manifest: {path} can't be read: {error.strerror}; correct `manifest`") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"manifest {path} is not UTF-8 text ({error.reason}); save it as UTF-8") from None
    try:
        rows = list(_json_rows(text) if path.suffix.lower() in (".jsonl", ".ndjson", ".json") else _csv_rows(text))
    except ValueError as error:
        raise ConfigurationError(f"manifest {path}: {error}") from None
    if not rows:
        raise EpisodeError(f"empty-manifest: {path} lists no recording; write a row for each")
    for row in rows:
        for column in row.cells:
            _check_column(column, path, row.line)
    if not any(row.cells.get("audio") or row.cells.get("url") for row in rows):
        raise ConfigurationError(f"manifest {path} has no column `audio` or `url` with anything in it")
    return rows


def _check_column(column: str, path: Path, line: int) -> None:
    if column not in COLUMNS:
        near = difflib.get_close_matches(column, COLUMNS, 1, 0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"the columns are {', '.join(COLUMNS)}"
        raise ConfigurationError(f"manifest {path}, line {line}: unknown column `{column[:60]}`; {hint}")


def _csv_rows(text: str) -> Iterator[Row]:
    # Lines end as CSV ends them: str.splitlines would also cut a cell at U+2028 or U+0085.
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from _table_rows(reader)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}; double the quotes inside a quoted cell") from None


def _table_rows(reader: Any) -> Iterator[Row]:
    header = [name.strip().lower() for name in next(reader, [])]
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice:
        raise ValueError(f"line 1: there are two columns `{twice}`; leave one out")
    # Tables are often saved with their row numbers, in a first column without a name.
    first = 1 if header and not header[0] else 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            extra = len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :])
            problem = f"it has {len(cells)} cells, the header {len(header)}" if extra else ""
            yield Row(
                reader.line_num,
                {name: cell.strip() for name, cell in zip(header[first:], cells[first:], strict=False)},
                problem,
            )


def _json_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise ValueError(f"line {number} is no JSON ({error}); write one object a line") from None
        if not isinstance(value, dict):
            raise ValueError(f"line {number} is no JSON object; write one object a line")
        yield Row(number, {name.strip().lower(): _cell(cell) for name, cell in value.items()})


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(_cell(item) for item in value)
    return value.strip() if isinstance(value, str) else json.dumps(value)


def episode_of_row(row: Row, folder: Path) -> Episode:
    """The episode of a manifest's row. Paths are relative to `folder`, in which the manifest lies.

    The guid is the column `guid`, else the audio's path or address as it is written. `persons` and `transcript` may
    name several, with semicolons between. Raises EpisodeError ("bad-row", "no-file").
    """
    cells = row.cells
    if row.problem:
        raise EpisodeError(f"bad-row: {row.problem}; quote cells that hold the delimiter")
    written = cells.get("audio") or cells.get("url") or ""
    if not written or (cells.get("audio") and cells.get("url")):
        raise EpisodeError("bad-row: give the audio's path or address in one of the columns `audio` and `url`")
    date, duration = cells.get("date", ""), cells.get("duration", "")
    if date and parse_date(date) is None:
        raise EpisodeError(f"bad-row: {date!r} is no date; write 2024-05-31")
    if duration and not re.fullmatch(r"[0-9]{1,7}(\.[0-9]+)?", duration):
        raise EpisodeError(f"bad-row: {duration!r} is no duration; write seconds")
    guid = cells.get("guid") or (written if is_web(written) else Path(written).as_posix())
    transcripts = [part.strip() for part in cells.get("transcript", "").split(";") if part.strip()]
    persons = [clean(part) for part in cells.get("persons", "").split(";") if part.strip()]
    licence = cells.get("license") or None
    return Episode(
        id=episode_id(MANIFEST_GUID, guid),
        guid=guid,
        feed_guid=MANIFEST_GUID,
        source_url=_located(written, folder),
        title=clean(cells.get("title", "")) or clean(Path(written).stem),
        published=iso_utc(parse_date(date)),
        media_type=cells.get("media_type", ""),
        duration=float(duration) if duration else None,
        language=cells.get("language", ""),
        license=licence,
        license_source="manifest" if licence else None,
        persons=tuple(Person(name) for name in persons),
        transcripts=tuple(_link(part, folder, cells.get("transcript_language", "")) for part in transcripts),
    )


def _link(written: str, folder: Path, language: str) -> TranscriptLink:
    kind = "" if is_web(written) else TRANSCRIPT_TYPES.get(Path(written).suffix.lower(), "")
    return TranscriptLink(_located(written, folder), kind, language)


def _located(written: str, folder: Path) -> str:
    if is_web(written):
        return written
    path = Path(os.path.abspath(folder / Path(written).expanduser()))
    if not path.is_file():
        raise EpisodeError(f"no-file: there is no file {path}; paths are relative to the manifest's folder")
    return str(path)

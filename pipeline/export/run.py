"""An export from its beginning to its end: unit by unit, so that one that was stopped goes on where it was.

Lists and export.json are written last: an export is whole exactly when its export.json is there.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from pipeline.export.clips import Version, read_rows, ready_version
from pipeline.export.formats import ExportFormat
from pipeline.export.table import FORMATS, Format
from pipeline.export.unit import Made, Unit, creating, keep, kept
from pipeline.inspect import Dataset, open_dataset
from pipeline.progress_line import Progress
from schemas.errors import NO_ROOM, ConfigurationError, RealtalkError
from schemas.manifest import Manifest

#: Written last; what the export is of, and the rights that travel with it.
DONE_NAME = "export.json"
_WORK, _STATE = ".export", "state.json"
_EPISODES = "episodes/episodes.parquet"


@dataclass(frozen=True)
class Exported:
    """What an export came to. `unchanged` where all of it was there already; `refused` is (clip id, why).

    `count` is of clips, or of what else the format goes through (`noun`, "episodes"), `seconds` how long they are.
    """

    out: Path
    format: str
    version: str
    noun: str
    count: int
    seconds: float
    refused: tuple[tuple[str, str], ...]
    consent: str
    unchanged: bool = False


def run_export(location: str, to: ExportFormat, out: str, rate: int | None = None) -> Exported:
    """Export the dataset at `location` into the folder `out`; `rate` (Hz) of WAV files, else the format's own.

    Raises ConfigurationError for wrong use, RealtalkError where dataset or folder don't allow it.
    """
    form = FORMATS[to]
    if "://" in out:
        raise ConfigurationError(f"{out}: an export goes to a folder of this machine; name one, and copy it from there")
    if rate is not None and not form.makes_wav:
        raise ConfigurationError(f"--sampling-rate: {to} has no WAV files; leave it out")
    dataset = ready_version(open_dataset(location))
    manifest = dataset.manifest
    folder = Path(os.path.abspath(out))
    _require_apart(dataset, folder)
    key = {
        "dataset": manifest.name,
        "version": manifest.version,
        "format": str(to),
        "sampling_rate": (rate or form.rate or manifest.sampling_rate) if form.makes_wav else None,
        # Some formats name files by absolute paths.
        "folder": str(folder),
    }
    try:
        return _export(dataset, form, folder, key)
    except OSError as error:
        why = "the disk is full; free some space" if error.errno in NO_ROOM else f"{error.strerror}; mend that"
        place = error.filename or folder
        raise RealtalkError(f"{place}: can't be written to: {why} and run the same command again to go on") from error


def _export(dataset: Version, form: Format, folder: Path, key: dict[str, Any]) -> Exported:
    manifest, noun = dataset.manifest, "episodes" if form.by_episode else "clips"
    done = _json(folder / DONE_NAME)
    if done is not None and _is_same(done, key):
        shutil.rmtree(folder / _WORK, ignore_errors=True)
        refused = tuple((one["clip"], one["why"]) for one in done["refused"])
        return Exported(
            folder, key["format"], key["version"], noun, done[noun], done["seconds"], refused, manifest.consent, True
        )
    _require_own(folder, key, done)
    work = folder / _WORK
    work.mkdir(parents=True, exist_ok=True)
    with _alone(work):
        with creating(work / _STATE) as partial:
            partial.write_text(json.dumps(key), encoding="utf-8")
        markers = _do_units(dataset, form, folder, key)
        _write_lists(folder, markers, form.header)
        count, seconds, refused = _sum_up(markers)
        _write_done(dataset, folder, {**key, noun: count, "seconds": seconds}, refused)
    shutil.rmtree(work)
    return Exported(folder, key["format"], key["version"], noun, count, seconds, refused, manifest.consent)


def _do_units(dataset: Version, form: Format, folder: Path, key: dict[str, Any]) -> list[Path]:
    """Do what isn't done yet; returns the units' marks in the order of the dataset."""
    markers = []
    units = list(_units(dataset.manifest, form, folder, key))
    total, noun = (len(units), "episodes") if form.by_episode else (dataset.manifest.totals.clips, "clips")
    with Progress(total, noun) as progress:
        for position, (unit, size) in enumerate(units):
            marker = folder / _WORK / f"{position:05d}.json"
            markers.append(marker)
            if kept(marker) is not None:
                progress.skip(size)
                continue
            unit.step = progress.step
            form.work(unit, dataset)
            keep(unit.made, marker)
            # Its lines are in the mark: of all units together they would fill the memory.
            unit.made = Made()
    return markers


def _units(manifest: Manifest, form: Format, folder: Path, key: dict[str, Any]) -> Iterator[tuple[Unit, int]]:
    """The units in the order of the dataset, each with how many clips or episodes it goes through."""
    rate = key["sampling_rate"] or 0
    if form.by_episode:
        turns = [file.name for file in manifest.files if file.name.startswith("turns/")]
        yield from ((Unit(folder, name, "", number, rate), 1) for number, name in enumerate(turns))
        return
    numbers: dict[str, int] = {}
    for shard in manifest.shards:
        number = numbers[shard.split] = numbers.get(shard.split, -1) + 1
        yield Unit(folder, shard.name, shard.split, number, rate), shard.rows


def _write_lists(folder: Path, markers: Sequence[Path], header: str) -> None:
    """Join the units' lines; one unit's are in memory at a time."""
    with ExitStack() as stack:
        files: dict[str, TextIO] = {}
        for marker in markers:
            made = kept(marker) or Made()
            for name, lines in made.lists.items():
                if name not in files:
                    partial = stack.enter_context(creating(folder / name))
                    files[name] = stack.enter_context(open(partial, "w", encoding="utf-8", newline="\n"))
                    if header:
                        files[name].write(f"{header}\n")
                files[name].writelines(f"{line}\n" for line in lines)


def _sum_up(markers: Sequence[Path]) -> tuple[int, float, tuple[tuple[str, str], ...]]:
    """How many all units hold, their seconds, who was refused; one unit's lines are in memory at a time."""
    count, seconds, refused = 0, 0.0, []
    for made in (kept(marker) or Made() for marker in markers):
        count, seconds = count + made.count, seconds + made.seconds
        refused += made.refused
    return count, round(seconds, 3), tuple(refused)


def _write_done(dataset: Version, folder: Path, facts: dict[str, Any], refused: Sequence[tuple[str, str]]) -> None:
    manifest = dataset.manifest
    licenses = {row["license"] for row in read_rows(dataset, _EPISODES, ["license"])}
    document = {
        **facts,
        "consent": manifest.consent,
        "consent_id": manifest.consent_id,
        "licenses": sorted(name for name in licenses if name),
        "refused": [{"clip": clip, "why": why} for clip, why in refused],
    }
    with creating(folder / DONE_NAME) as partial:
        partial.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _require_apart(dataset: Dataset, folder: Path) -> None:
    if dataset.root == str(folder) or f"{folder}/".startswith(f"{dataset.root}/"):
        raise ConfigurationError(f"{folder}: is the dataset's own folder, or in it; export to another one")


def _require_own(folder: Path, key: dict[str, Any], done: dict[str, Any] | None) -> None:
    """A folder that holds anything but a part of this very export stays as it is."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder}: is a file; name a folder")
    state = done or _json(folder / _WORK / _STATE)
    if state is not None and not _is_same(state, key):
        differs = [name for name in key if state.get(name) != key[name]]
        was = ", ".join(f"{name} {state.get(name)}" for name in differs)
        raise RealtalkError(
            f"{folder}: holds another export ({was}); choose another folder, or remove this one and run again"
        )
    if state is None and folder.is_dir() and any(entry.name != _WORK for entry in folder.iterdir()):
        raise RealtalkError(f"{folder}: is not empty, and holds no export; choose another folder")


def _is_same(state: dict[str, Any], key: dict[str, Any]) -> bool:
    return all(state.get(name) == value for name, value in key.items())


def _json(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise RealtalkError(f"{path}: is damaged; remove {path.parent} and run again")
    return document


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Hold the folder for this process; a lock of a process that died is gone with it."""
    with open(work / "lock", "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RealtalkError(f"{work.parent}: another export is writing here; wait for its end") from None
        yield


def as_data(result: Exported) -> dict[str, Any]:
    """The result as JSON data."""
    refused = [{"clip": clip, "why": why} for clip, why in result.refused]
    data = {**asdict(result), "out": str(result.out), "refused": refused, result.noun: result.count}
    return {name: value for name, value in data.items() if name not in ("noun", "count")}

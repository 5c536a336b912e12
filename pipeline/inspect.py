"""All that is known of one clip or one episode of a dataset, read from its tables alone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import fs

from schemas.clip import candidate_schema
from schemas.errors import ConfigurationError, RealtalkError
from schemas.tables import EPISODE_SCHEMA, TURN_SCHEMA

_LISTED = 5
_SCHEMAS = {"candidates": candidate_schema(), "episodes": EPISODE_SCHEMA, "turns": TURN_SCHEMA}


@dataclass(frozen=True)
class Dataset:
    """A dataset's folder, on this machine or on a remote file system that Arrow knows (gs://, s3://)."""

    location: str
    filesystem: Any
    root: str

    def has(self, *parts: str) -> bool:
        """Whether something is below the dataset's folder."""
        return bool(self.filesystem.get_file_info("/".join((self.root, *parts))).type != fs.FileType.NotFound)

    def open(self, name: str) -> Any:
        """A file below the dataset's folder, for random access; raises OSError."""
        return self.filesystem.open_input_file(f"{self.root}/{name}")

    def table(self, folder: str, columns: Sequence[str] | None = None, where: Any = None, name: str = "") -> pa.Table:
        """Rows of FOLDER/*.parquet, or of FOLDER/NAME alone; raises RealtalkError where it can't be read."""
        try:
            return self._files(folder, name).to_table(columns=columns, filter=where)
        except (pa.ArrowException, OSError) as error:
            place = f"{self.location}/{folder}" + (f"/{name}" if name else "")
            raise RealtalkError(
                f"{place}: can't be read ({_first_line(error)}); run realtalk build to make it anew"
            ) from None

    def rows(self, folder: str, where: Any = None) -> list[dict[str, Any]]:
        """As `table`, each row a mapping."""
        rows: list[dict[str, Any]] = self.table(folder, where=where).to_pylist()
        return rows

    def _files(self, folder: str, name: str) -> Any:
        if name:
            return ds.dataset(f"{self.root}/{folder}/{name}", filesystem=self.filesystem)
        # A dataset of which every episode failed has no candidates, and so no folder of them.
        selector = fs.FileSelector(f"{self.root}/{folder}", recursive=False, allow_not_found=True)
        files = _parquet(self.filesystem.get_file_info(selector))
        # Arrow can't tell the columns of no files at all.
        return ds.dataset(files, filesystem=self.filesystem, schema=None if files else _SCHEMAS[folder])


def open_dataset(location: str) -> Dataset:
    """A dataset by its folder or URI; raises RealtalkError where there is none."""
    try:
        if "://" in location:
            filesystem, root = fs.FileSystem.from_uri(location)
        else:
            filesystem, root = fs.LocalFileSystem(), os.path.abspath(location)
        dataset = Dataset(location.rstrip("/"), filesystem, root.rstrip("/"))
        found, whole = dataset.has(), dataset.has("episodes")
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RealtalkError(f"{location}: can't be opened: {_first_line(error)}") from None
    if not found:
        raise RealtalkError(f"{location}: no such folder; `realtalk build CONFIG` makes a dataset")
    if not whole:
        raise RealtalkError(f"{location}: no dataset is here: episodes/ is missing; build it first")
    return dataset


def inspect(dataset: Dataset, wanted: str) -> dict[str, Any]:
    """What is known of the clip or episode that `wanted` names: an id, the start of one, or an episode's guid.

    Returns {"kind": "clip", "clip": row, "episode": row or None, "turns": rows} with the turns that the clip touches,
    or {"kind": "episode", "episode": row, "clips": rows, "turns": rows}. Raises RealtalkError where nothing or more
    than one thing is named so.
    """
    if not wanted.strip():
        raise ConfigurationError("name a clip or an episode: its id, the start of its id, or an episode's guid")
    episode, clip = _find(dataset, wanted)
    if clip is not None:
        return _clip_facts(dataset, clip)
    assert episode is not None
    return _episode_facts(dataset, episode)


def write_audio(dataset: Dataset, clip: Mapping[str, Any], out: Path) -> None:
    """Write a clip's FLAC as it is kept; `out` appears whole or not at all. Raises RealtalkError."""
    if out.suffix.lower() != ".flac":
        raise ConfigurationError(f"{out}: clips are kept as FLAC; name a file that ends in .flac")
    content = _audio(dataset, clip)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, out)
    except OSError as error:
        raise RealtalkError(f"{out}: can't be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _find(dataset: Dataset, wanted: str) -> tuple[str | None, str | None]:
    """The one episode id or the one clip id that `wanted` names."""
    listed = dataset.table("episodes", ["episode_id", "guid", "title"]).to_pylist()
    # A source that could not be read is a row without an episode.
    episodes = [row for row in listed if row["episode_id"]]
    named = [row for row in episodes if wanted in (row["episode_id"], row["guid"])]
    if len(named) == 1:
        return named[0]["episode_id"], None
    if len(named) > 1:
        raise RealtalkError(f"{wanted}: {len(named)} episodes have this guid: {_some(named, 'episode_id')}; give an id")
    begun = [row for row in episodes if row["episode_id"].startswith(wanted)]
    clips = dataset.table("candidates", ["id", "episode_id"], pc.starts_with(ds.field("id"), wanted)).to_pylist()
    exact = [row for row in clips if row["id"] == wanted]
    if exact or (len(clips) == 1 and not begun):
        return None, (exact or clips)[0]["id"]
    # An episode's clips may begin as it does; then the episode is meant.
    if len(begun) == 1 and all(row["episode_id"] == begun[0]["episode_id"] for row in clips):
        return begun[0]["episode_id"], None
    if not begun and not clips:
        raise RealtalkError(
            f"{wanted}: no clip and no episode of {dataset.location} has this id or guid; "
            f"it has {len(episodes)} episodes: {_some(episodes, 'episode_id') or 'none'}"
        )
    ids = [{"id": row["episode_id"]} for row in begun] + clips
    raise RealtalkError(f"{wanted}: {len(ids)} ids begin so: {_some(ids, 'id')}; give more of it")


def _clip_facts(dataset: Dataset, clip_id: str) -> dict[str, Any]:
    clip = dataset.rows("candidates", ds.field("id") == clip_id)[0]
    of_episode = ds.field("episode_id") == clip["episode_id"]
    episodes = dataset.rows("episodes", of_episode)
    touched = of_episode & (ds.field("start") < clip["end"]) & (ds.field("end") > clip["start"])
    turns = _turns(dataset, touched)
    return {"kind": "clip", "clip": clip, "episode": episodes[0] if episodes else None, "turns": turns}


def _episode_facts(dataset: Dataset, episode_id: str) -> dict[str, Any]:
    of_episode = ds.field("episode_id") == episode_id
    clips = sorted(dataset.rows("candidates", of_episode), key=lambda row: (row["start"], row["id"]))
    episode = dataset.rows("episodes", of_episode)[0]
    return {"kind": "episode", "episode": episode, "clips": clips, "turns": _turns(dataset, of_episode)}


def _turns(dataset: Dataset, where: Any) -> list[dict[str, Any]]:
    return sorted(dataset.rows("turns", where), key=lambda row: (row["start"], row["end"], row["speaker"]))


def _audio(dataset: Dataset, clip: Mapping[str, Any]) -> bytes:
    """A clip's bytes from the candidates' audio, or from the shards where that was deleted."""
    same = ds.field("id") == clip["id"]
    name = f"{clip['episode_id']}.parquet"
    if dataset.has("clips", name):
        found = dataset.table("clips", ["audio"], same, name)
    elif dataset.has("data"):
        found = dataset.table("data", ["audio"], same)
    else:
        found = None
    if found is None or not found.num_rows:
        raise RealtalkError(
            f"{dataset.location}: the audio of {clip['id']} is not there (clips/{name}); build it again"
        )
    content: bytes = found.column("audio")[0].as_py()["bytes"]
    return content


def _parquet(files: Sequence[Any]) -> list[str]:
    return sorted(file.path for file in files if file.path.endswith(".parquet") and not file.base_name.startswith("."))


def _some(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    listed = ", ".join(str(row[name]) for row in rows[:_LISTED])
    return f"{listed}, ..." if len(rows) > _LISTED else listed


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

"""An episode's audio and transcript onto the disk: once, whole, and no more often than it changes."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from schemas.episode import Episode
from schemas.errors import NO_ROOM, EpisodeError, disk_full
from schemas.ids import file_sha256
from schemas.recording import Media
from transforms.feeds import AUDIO_SUFFIXES, VIDEO_SUFFIXES, is_web, suffix_of
from transforms.fetch import Fetched, Partial, Validators, fetch, read_json, write_whole
from transforms.http import HttpClient, HttpError, shown
from transforms.sniff import SNIFF_BYTES, why_not_audio
from transforms.transcript_files import KeptTranscript, TranscriptLimits, fetch_transcript

_SUFFIX_OF_TYPE = {
    **dict.fromkeys(("audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mp3"), ".mp3"),
    **dict.fromkeys(("audio/mp4", "audio/x-m4a", "audio/m4a"), ".m4a"),
    **dict.fromkeys(("audio/ogg", "application/ogg"), ".ogg"),
    **dict.fromkeys(("audio/flac", "audio/x-flac"), ".flac"),
    **dict.fromkeys(("audio/wav", "audio/x-wav", "audio/wave"), ".wav"),
    **{"audio/aac": ".aac", "audio/opus": ".opus", "video/mp4": ".mp4", "video/webm": ".webm"},
}


@dataclass(frozen=True)
class DownloadSettings:
    """Limits of a download: bytes of a file, seconds of one try.

    `revalidate` asks the server (a conditional GET) whether an episode that is here has changed, where it gave an ETag
    or a Last-Modified; without them, and with False, an episode that is here is never asked for again.
    """

    max_bytes: int = 4 << 30
    max_seconds: float = 2 * 3600.0
    transcript_max_bytes: int = 16 << 20
    transcript_max_seconds: float = 120.0
    revalidate: bool = True


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What is on the disk, and one line for each thing that went wrong without harm to the audio.

    Notes tell why `media.transcript` is not the best one, that an alternate enclosure stands in, and that a server
    could not be asked whether the episode has changed. `no_transcript` tells why there is none: "" where none is
    published.
    """

    media: Media
    notes: tuple[str, ...] = ()
    no_transcript: str = ""


def download(
    episode: Episode, folder: Path, client: HttpClient, settings: DownloadSettings | None = None
) -> Downloaded:
    """Bring an episode's audio and its best transcript into `folder`, under names that begin with the episode's id.

    A file of this machine is not copied: Media.path is the file itself. Calls for one episode wait for each other,
    also from other processes. However a call ends, nothing but a whole file has the name of one. Raises EpisodeError:
    the codes of HttpError, "html-not-audio", "text-not-audio", "empty-file", "too-large", "no-file", "disk-full",
    "disk-error".
    """
    partial = Partial(folder / f"{episode.id}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f".{episode.id}.lock"):
            return _download(episode, partial, client, settings or DownloadSettings())
    except OSError as error:
        if error.errno in NO_ROOM:
            # The part that is there may be what filled the disk, and other episodes need the room.
            partial.discard()
            raise disk_full(folder, os.strerror(error.errno)) from error
        place = error.filename or folder
        raise EpisodeError(f"disk-error: {place}: {error.strerror or error}; check the folder and the disk") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with open(path, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _State:
    """What is known of an episode's files from call to call: a small JSON file with "audio" and "transcript"."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = read_json(path)

    def __getitem__(self, name: str) -> Any:
        return self._content.get(name)

    def keep(self, name: str, value: dict[str, Any] | None) -> None:
        if self._content.get(name) != value or not self._path.exists():
            self._content[name] = value
            write_whole(self._path, json.dumps(self._content, indent=1, sort_keys=True))

    def forget(self) -> None:
        """Until the next `keep` nothing is known: for the moment in which one file takes another's place."""
        self._path.unlink(missing_ok=True)


def _download(episode: Episode, partial: Partial, client: HttpClient, settings: DownloadSettings) -> Downloaded:
    folder = partial.path.parent
    state = _State(folder / f"{episode.id}.json")
    notes: list[str] = []
    if is_web(episode.source_url):
        media = _audio_from_web(episode, partial, client, settings, state, notes)
    else:
        media = _audio_from_disk(episode, state)
    earlier = KeptTranscript.load(state["transcript"])
    limits = TranscriptLimits(settings.transcript_max_bytes, settings.transcript_max_seconds, settings.revalidate)
    told: list[str] = []
    transcript, kept = fetch_transcript(episode, folder, client, limits, earlier, told)
    state.keep("transcript", asdict(kept) if kept else None)
    if earlier is not None and (kept is None or kept.file != earlier.file):
        (folder / earlier.file).unlink(missing_ok=True)
    if transcript is None:
        return Downloaded(media, tuple(notes), "; ".join(told))
    return Downloaded(replace(media, transcript=transcript), (*notes, *told))


@dataclass(frozen=True, slots=True)
class _KeptAudio:
    """The audio of an earlier call. `url` is what it was fetched from: the enclosure, or an alternate."""

    source_url: str
    declared_bytes: int | None
    url: str
    file: str
    sha256: str
    bytes: int
    media_type: str
    etag: str
    last_modified: str

    @classmethod
    def load(cls, state: Any) -> "_KeptAudio | None":
        try:
            return cls(**state)
        except TypeError:
            return None

    def stands_for(self, episode: Episode) -> bool:
        """Whether the feed still means this file: its address may have another signature after the "?"."""
        if self.source_url == episode.source_url:
            return True
        same_length = self.declared_bytes is not None and self.declared_bytes == episode.length_bytes
        return same_length and self._is_at(episode.source_url)

    def validators_for(self, episode: Episode) -> Validators:
        """By which an enclosure may turn out to be this file under another signature.

        Only a strong ETag: "?id=2" may be an episode of its own, and one that is older than "?id=1".
        """
        is_enclosure = self.url == self.source_url and self._is_at(episode.source_url)
        return Validators(self.etag) if is_enclosure and self.etag.startswith('"') else Validators()

    def _is_at(self, url: str) -> bool:
        one, other = urlsplit(self.source_url), urlsplit(url)
        return (one.hostname, one.path) == (other.hostname, other.path)

    def is_in(self, folder: Path) -> bool:
        try:
            return (folder / self.file).stat().st_size == self.bytes
        except OSError:
            return False

    def media(self, folder: Path) -> Media:
        return Media(str(folder / self.file), self.sha256, self.bytes, self.url, self.media_type)


def _audio_from_web(
    episode: Episode,
    partial: Partial,
    client: HttpClient,
    settings: DownloadSettings,
    state: _State,
    notes: list[str],
) -> Media:
    folder = partial.path.parent
    old = _KeptAudio.load(state["audio"])
    here = old if old is not None and old.is_in(folder) else None
    if here is not None and here.stands_for(episode):
        fetched, url = _renewed(here, partial, client, settings, notes), here.url
    else:
        known = here.validators_for(episode) if here is not None and settings.revalidate else Validators()
        fetched, url = _fetch_any(episode, partial, client, settings, known, notes)
        if fetched is None and here is not None:
            here = replace(here, source_url=episode.source_url, declared_bytes=episode.length_bytes, url=url)
            state.keep("audio", asdict(here))
    if fetched is None:
        assert here is not None
        return here.media(folder)
    new = _KeptAudio(
        source_url=episode.source_url,
        declared_bytes=episode.length_bytes,
        url=url,
        file=f"{episode.id}{_suffix(url, fetched.media_type)}",
        sha256=fetched.sha256,
        bytes=fetched.bytes,
        media_type=fetched.media_type or episode.media_type,
        etag=fetched.validators.etag,
        last_modified=fetched.validators.last_modified,
    )
    state.forget()
    partial.finish(folder / new.file)
    state.keep("audio", asdict(new))
    if old is not None and old.file != new.file:
        (folder / old.file).unlink(missing_ok=True)
    return new.media(folder)


def _renewed(
    kept: _KeptAudio, partial: Partial, client: HttpClient, settings: DownloadSettings, notes: list[str]
) -> Fetched | None:
    """The new file where the server says that it has changed; None where what is here goes on serving."""
    known = Validators(kept.etag, kept.last_modified)
    if not (settings.revalidate and known):
        return None
    try:
        return _fetch_audio(kept.url, partial, client, settings, known)
    except EpisodeError as error:
        notes.append(f"not asked whether it has changed, the file of an earlier run serves: {error}")
        return None


def _fetch_any(
    episode: Episode,
    partial: Partial,
    client: HttpClient,
    settings: DownloadSettings,
    known: Validators,
    notes: list[str],
) -> tuple[Fetched | None, str]:
    """(file, its address): the enclosure, or where that is gone the first alternate that is there.

    The file is None where the enclosure is what `known` stands for.
    """
    try:
        fetched = _fetch_audio(episode.source_url, partial, client, settings, known)
        return (fetched if known else _whole(fetched)), episode.source_url
    except EpisodeError as error:
        if not _is_gone(error):
            raise
        for alternate in filter(is_web, episode.alternates):
            try:
                fetched = _whole(_fetch_audio(alternate, partial, client, settings))
            except EpisodeError as failure:
                notes.append(f"alternate enclosure: {failure}")
                continue
            notes.append(f"the alternate enclosure {shown(alternate)} stands in: {error}")
            return fetched, alternate
        raise


def _is_gone(error: EpisodeError) -> bool:
    """Whether a server says for good that there is no audio: by its status, or by what it sends in its place."""
    if isinstance(error, HttpError) and error.status is not None and 400 <= error.status < 500:
        return not error.retryable
    return str(error).partition(":")[0] in ("html-not-audio", "text-not-audio", "empty-file")


def _fetch_audio(
    url: str, partial: Partial, client: HttpClient, settings: DownloadSettings, known: Validators | None = None
) -> Fetched | None:
    """`fetch`, and a look at what came; a part that can't be gone on with does not stay."""
    try:
        fetched = fetch(
            url, partial, client, max_bytes=settings.max_bytes, max_seconds=settings.max_seconds, known=known
        )
    except EpisodeError:
        if partial.promise(url) is None:
            partial.discard()
        raise
    if fetched is not None:
        problem = why_not_audio(_head(fetched.path), f"GET {shown(url)}: the answer")
        if problem:
            partial.discard()
            raise EpisodeError(problem)
    return fetched


def _whole(fetched: Fetched | None) -> Fetched:
    if fetched is None:
        raise EpisodeError("http-304: the server says that a file has not changed which it was not asked about")
    return fetched


def _suffix(url: str, media_type: str) -> str:
    suffix = suffix_of(url)
    return suffix if suffix in AUDIO_SUFFIXES | VIDEO_SUFFIXES else _SUFFIX_OF_TYPE.get(media_type, ".audio")


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(SNIFF_BYTES)


def _audio_from_disk(episode: Episode, state: _State) -> Media:
    """The file itself; its hash is kept for as long as size and time of change stay (an archive is large)."""
    path = Path(episode.source_url)
    try:
        found = path.stat()
        if not path.is_file():
            raise EpisodeError(f"no-file: {path} is no file; correct the source")
        problem = why_not_audio(_head(path), str(path))
        if problem:
            raise EpisodeError(problem)
        kept = state["audio"]
        known = {"path": str(path), "bytes": found.st_size, "mtime_ns": found.st_mtime_ns}
        if not isinstance(kept, dict) or {**kept, **known} != kept or "sha256" not in kept:
            kept = {**known, "sha256": file_sha256(path)}
    except OSError as error:
        raise EpisodeError(f"no-file: {path} can't be read: {error.strerror}; correct the source") from None
    state.keep("audio", kept)
    return Media(str(path), kept["sha256"], found.st_size, episode.source_url, episode.media_type)

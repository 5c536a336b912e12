"""The publisher's transcript of an episode: which of several, and onto the disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.episode import Episode, TranscriptLink
from schemas.errors import EpisodeError
from schemas.recording import Transcript
from transforms.feeds import is_web, same_language, suffix_of
from transforms.fetch import Validators, write_whole
from transforms.http import HttpClient, shown
from transforms.sniff import transcript_format
from transforms.text.captions import parse_captions

# From the most to the least that a format tells: times and voices, times, paragraphs, words.
FORMATS = ("vtt", "json", "srt", "html", "txt")
_TIMED = ("vtt", "json", "srt")
_TYPES = {
    **dict.fromkeys(("text/vtt", "application/vtt", "text/webvtt"), "vtt"),
    **dict.fromkeys(("application/json", "text/json", "application/x-json"), "json"),
    **dict.fromkeys(("application/x-subrip", "application/srt", "text/srt", "application/x-srt", "text/x-srt"), "srt"),
    **dict.fromkeys(("text/html", "application/xhtml+xml"), "html"),
    "text/plain": "txt",
}
_SUFFIXES = {".vtt": "vtt", ".json": "json", ".srt": "srt", ".html": "html", ".htm": "html", ".txt": "txt"}


def declared_format(link: TranscriptLink) -> str:
    """The format that a link promises, "" where it does not. Anything may be called text/plain: then the name tells."""
    by_type = _TYPES.get(link.type.partition(";")[0].strip().lower(), "")
    by_name = _SUFFIXES.get(suffix_of(link.url), "")
    return by_name or by_type if by_type in ("", "txt") else by_type


def ranked(episode: Episode) -> list[TranscriptLink]:
    """The links from the best to the last: in the episode's language first, then by what their format tells."""

    def rank(link: TranscriptLink) -> tuple[bool, int]:
        kind = declared_format(link)
        return _is_foreign(link, episode), FORMATS.index(kind) if kind else len(FORMATS)

    return sorted(dict.fromkeys(episode.transcripts), key=rank)


def _is_foreign(link: TranscriptLink, episode: Episode) -> bool:
    return bool(link.language and episode.language and not same_language(link.language, episode.language))


def foreign_note(url: str, episode: Episode) -> str | None:
    """A line about the transcript taken from `url` where it is in another language than its episode."""
    link = next((link for link in episode.transcripts if link.url == url), None)
    if link is None or not _is_foreign(link, episode):
        return None
    return f"the transcript is in {link.language!r}, the episode in {episode.language!r}: {shown(url)}"


@dataclass(frozen=True, slots=True)
class KeptTranscript:
    """A transcript of an earlier call, with what its server said of it. JSON holds it as it is."""

    url: str
    file: str
    format: str
    sha256: str
    etag: str = ""
    last_modified: str = ""

    @classmethod
    def load(cls, state: Any) -> "KeptTranscript | None":
        try:
            return cls(**state)
        except TypeError:
            return None

    def is_in(self, folder: Path) -> bool:
        try:
            return hashlib.sha256((folder / self.file).read_bytes()).hexdigest() == self.sha256
        except OSError:
            return False

    def transcript(self, folder: Path) -> Transcript:
        return Transcript(str(folder / self.file), self.format, self.sha256, self.url)


@dataclass(frozen=True, slots=True)
class TranscriptLimits:
    """Bytes and seconds that a transcript may take, and whether a kept one is asked for anew."""

    max_bytes: int
    max_seconds: float
    revalidate: bool


def fetch_transcript(
    episode: Episode,
    folder: Path,
    client: HttpClient,
    limits: TranscriptLimits,
    kept: KeptTranscript | None,
    notes: list[str],
) -> tuple[Transcript | None, KeptTranscript | None]:
    """(the first of the ranked links that gives a transcript to read, what to keep of it); None where there is none.

    `notes` gets a line for each link that failed, and for one in another language. Raises OSError where the disk fails.
    """
    links = ranked(episode)
    if kept is not None and not (kept.is_in(folder) and kept.url in [link.url for link in links]):
        kept = None
    if kept is not None and not limits.revalidate:
        return kept.transcript(folder), kept
    for link in links:
        try:
            if is_web(link.url):
                same = kept if kept is not None and kept.url == link.url else None
                now_kept = _from_web(link, episode, folder, client, limits, same, notes)
                transcript = now_kept.transcript(folder)
            else:
                transcript, now_kept = _from_disk(link, limits), None
        except EpisodeError as error:
            notes.append(f"transcript not taken: {error}")
            continue
        note = foreign_note(link.url, episode)
        if note:
            notes.append(note)
        return transcript, now_kept
    return None, None


def _from_web(
    link: TranscriptLink,
    episode: Episode,
    folder: Path,
    client: HttpClient,
    limits: TranscriptLimits,
    same: KeptTranscript | None,
    notes: list[str],
) -> KeptTranscript:
    known = Validators(same.etag, same.last_modified) if same else Validators()
    if same is not None and not known:
        return same
    try:
        headers = known.conditions()
        page = client.get(link.url, headers=headers, max_bytes=limits.max_bytes, max_seconds=limits.max_seconds)
        if page.status == 304 and same is not None:
            return same
        kind = readable_format(page.body, declared_format(link), shown(link.url))
    except EpisodeError as error:
        if same is None:
            raise
        notes.append(f"the transcript of an earlier run serves: {error}")
        return same
    name = f"{episode.id}.transcript.{kind}"
    sha256 = hashlib.sha256(page.body).hexdigest()
    write_whole(folder / name, page.body)
    fresh = Validators.of(page.headers)
    return KeptTranscript(link.url, name, kind, sha256, fresh.etag, fresh.last_modified)


def _from_disk(link: TranscriptLink, limits: TranscriptLimits) -> Transcript:
    path = Path(link.url)
    try:
        with open(path, "rb") as file:
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        raise EpisodeError(f"no-file: {path} can't be read: {error.strerror}") from None
    if len(data) > limits.max_bytes:
        raise EpisodeError(f"too-large: {path} has more than {limits.max_bytes} bytes")
    kind = readable_format(data, declared_format(link), str(path))
    return Transcript(str(path), kind, hashlib.sha256(data).hexdigest(), link.url)


def readable_format(data: bytes, declared: str, place: str) -> str:
    """`checked_format` of a transcript that holds text; raises EpisodeError also where no caption can be read."""
    kind = checked_format(data, declared, place)
    try:
        parse_captions(data, kind)
    except EpisodeError as error:
        code, _, why = str(error).partition(": ")
        raise EpisodeError(f"{code}: {place}: {why}") from None
    return kind


def checked_format(data: bytes, declared: str, place: str) -> str:
    """The format that the bytes have; raises EpisodeError where that is not what `declared` can be mistaken for.

    A label is often wrong about which timed format it is. A web page where none was promised is an error page, and
    text without times where they were promised is no transcript of that format.
    """
    found = transcript_format(data)
    if found is None:
        raise EpisodeError(f"bad-transcript: {place} is empty or no text")
    if found == "page":
        if declared not in ("", "html"):
            raise EpisodeError(f"html-not-transcript: {place} is a web page, not {declared}")
        return "html"
    if declared in _TIMED and found not in _TIMED:
        raise EpisodeError(f"bad-transcript: {place} is called {declared} but is not: no times were found in it")
    if declared == "html" and found == "txt":
        return "html"
    return found

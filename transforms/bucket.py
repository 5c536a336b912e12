"""Downloads of a build whose output is a bucket: fetched into a passing folder, kept and known again in the bucket."""

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from schemas.episode import Episode
from schemas.recording import Media
from transforms.download import Downloaded, DownloadSettings, download
from transforms.fetch import read_json
from transforms.http import HttpClient
from transforms.store import Store


def download_to_bucket(episode: Episode, store: Store, client: HttpClient, settings: DownloadSettings) -> Downloaded:
    """`download` with its books and files under work/downloads/ of a remote store."""
    with tempfile.TemporaryDirectory(prefix="realtalk-") as name:
        books = Path(name) / f"{episode.id}.json"
        kept_books = store.path("work", "downloads", books.name)
        before = store.read_bytes(kept_books)
        if before is not None:
            books.write_bytes(before)
            try:
                _recall(books, store)
            except (KeyError, TypeError, AttributeError):
                # Books of another shape: the episode is fetched anew.
                books.unlink()
        found = download(episode, Path(name), client, settings)
        uploaded = replace(found, media=_uploaded(found.media, store))
        # After the files that they tell of.
        after = books.read_bytes()
        if after != before:
            store.write_text(kept_books, after.decode("utf-8"))
        return uploaded


def _recall(books: Path, store: Store) -> None:
    """Put beside the books what they tell of, so that its servers are asked only whether it has changed."""
    kept = read_json(books)
    audio, transcript = kept.get("audio") or {}, kept.get("transcript") or {}
    if "file" in audio and store.exists(_place(audio["file"], audio["sha256"], store)):
        # Nothing reads it but its size: the bytes of an unchanged episode stay in the bucket.
        with open(books.parent / audio["file"], "wb") as file:
            os.truncate(file.fileno(), audio["bytes"])
    if transcript and store.exists(place := _place(transcript["file"], transcript["sha256"], store)):
        shutil.copyfile(store.fetch(place), books.parent / transcript["file"])


def _uploaded(media: Media, store: Store) -> Media:
    transcript = media.transcript
    if transcript is not None:
        transcript = replace(transcript, path=_upload(transcript.path, transcript.sha256, store))
    return replace(media, path=_upload(media.path, media.sha256, store), transcript=transcript)


def _upload(local: str, sha256: str, store: Store) -> str:
    place = _place(local, sha256, store)
    if not store.exists(place):
        store.publish(local, place)
    return place


def _place(name: str, sha256: str, store: Store) -> str:
    return store.path("work", "downloads", sha256 + Path(name).suffix)

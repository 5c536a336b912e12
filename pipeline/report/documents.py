"""The files of a report: report.json, the page, and the clips that are too many to be inside of it."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.report.clip_media import ClipMedia, QueueClip, as_media
from pipeline.report.contents import REPORT_NAME, Files, as_json
from pipeline.report.page import PAGE_NAME, render
from pipeline.report.queue import queue_audio
from schemas.errors import RealtalkError
from transforms.shards import keep_content
from transforms.store import Store

CLIPS_FOLDER = "report/clips"
_MOST_BYTES = 10_000_000


def report_documents(
    store: Store, report: Mapping[str, Any], files: Files, embed: int | None = None
) -> Iterator[tuple[str, str | bytes]]:
    """(Name, content) of each file of a report, the clips' first.

    So many clips as `embed` says are inside of the page, else as many as 10 MB hold; the others lie beside it.
    """
    media = dict(_media(store, report, files))
    embedded = _embedded(report, media) if embed is None else [*media][:embed]
    clips: dict[str, QueueClip] = {}
    for clip, one in media.items():
        if clip in embedded:
            clips[clip] = one.embedded()
        else:
            clips[clip] = one.beside(f"clips/{clip}.mp3")
            yield f"{CLIPS_FOLDER}/{clip}.mp3", one.mp3
    yield REPORT_NAME, as_json(report)
    yield PAGE_NAME, render(report, clips)


def write_report(store: Store, documents: Iterator[tuple[str, str | bytes]]) -> None:
    """Write the files of a report, and remove clips of an earlier one; the page comes last."""
    written = set()
    for name, content in documents:
        written.add(name)
        as_bytes = content.encode("utf-8") if isinstance(content, str) else content
        keep_content(store, store.path(*name.split("/")), as_bytes)
    for name in store.names(CLIPS_FOLDER):
        if f"{CLIPS_FOLDER}/{name}" not in written:
            store.remove(store.path(*CLIPS_FOLDER.split("/"), name))


def _media(store: Store, report: Mapping[str, Any], files: Files) -> Iterator[tuple[str, ClipMedia]]:
    """The media of the clips in the queue, in its order; one that can't be decoded has none: an audit tells."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made = {
            clip: threads.submit(_or_none, audio) for clip, audio in queue_audio(store, report["queue"], files.clips)
        }
    for clip in dict.fromkeys(clip["id"] for clip in report["queue"]):
        found = made[clip].result() if clip in made else None
        if found is not None:
            yield clip, found


def _or_none(audio: bytes) -> ClipMedia | None:
    try:
        return as_media(audio)
    except RealtalkError:
        return None


def _embedded(report: Mapping[str, Any], media: Mapping[str, ClipMedia]) -> list[str]:
    """The first clips of the queue that fit into the page."""
    beside = {clip: one.beside(f"clips/{clip}.mp3") for clip, one in media.items()}
    room = _MOST_BYTES - len(render(report, beside).encode("utf-8"))
    fitting = []
    for clip, one in media.items():
        room -= len(one.embedded().audio)
        if room < 0:
            break
        fitting.append(clip)
    return fitting

"""A page to listen by: each held-out sentence as recorded, copied and synthesised. Plain HTML, no script."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tts.audio_files import write_audio
from tts.evaluation.evaluate import Evaluated
from tts.evaluation.utterances import ORIGINAL, VERSIONS
from tts.voice import write_whole

PAGE_NAME = "index.html"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;"
    "background:#fff}table{border-collapse:collapse}"
    "td,th{padding:.5rem;border-bottom:1px solid #ddd;vertical-align:top;text-align:left}"
    "audio{width:15rem;display:block}small{color:#555}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}small{color:#aaa}}"
)


def write_page(folder: Path, found: Evaluated) -> Path:
    """Write audio/ID-VERSION.flac and index.html into a folder; returns the page's path.

    What is no recording says in its tags that it is synthetic.
    """
    import soundfile

    audio = folder / "audio"
    audio.mkdir(parents=True, exist_ok=True)
    for one in found.versions:
        for name, samples in zip(VERSIONS, one.samples, strict=True):
            path = audio / _file(one.clip.id, name)
            if name == ORIGINAL:
                soundfile.write(path, samples, found.rate)
            else:
                write_audio(path, [samples], found.rate, found.marks)
    path = folder / PAGE_NAME
    write_whole(path, _page(found).encode("utf-8"))
    return path


def _page(found: Evaluated) -> str:
    evaluation = found.evaluation
    rows = "".join(_row(clip) for clip in evaluation.per_clip)
    title = html.escape(f"{evaluation.voice} on held-out sentences of {evaluation.dataset}")
    heads = "".join(f"<th>{name}</th>" for name in VERSIONS)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f'<meta name="viewport" content="width=device-width"><h1>{title}</h1>'
        "<p>What is called copy-synthesis and synthesised is synthetic speech. Below each: what "
        f"{html.escape(evaluation.models['recogniser'].split(':')[0])} heard, and how many words of it are wrong.</p>"
        f"<table><tr><th>text</th>{heads}</tr>{rows}</table></html>\n"
    )


def _row(clip: Mapping[str, Any]) -> str:
    cells = "".join(_cell(clip["id"], name, clip["versions"][name]) for name in VERSIONS)
    return f"<tr><td>{html.escape(clip['text'])}<br><small>{html.escape(clip['id'])}</small></td>{cells}</tr>"


def _cell(clip: str, version: str, figures: Mapping[str, Any]) -> str:
    source = html.escape(f"audio/{_file(clip, version)}")
    words = figures["words"]
    wrong = words["substitutions"] + words["deletions"] + words["insertions"]
    return (
        f'<td><audio controls preload="none" src="{source}"></audio>{html.escape(figures["heard"]) or "nothing"}<br>'
        f"<small>{wrong} of {words['words']} words wrong</small></td>"
    )


def _file(clip: str, version: str) -> str:
    return f"{clip}-{version}.flac"

"""report/index.html: the report as one page, which opens from a disk or a bucket and asks nobody for anything.

All texts are escaped where they are put in. The Content-Security-Policy lets run and apply only what was written here,
by hash: a script or a style that came with a feed's text would do nothing even if it weren't escaped.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files

from pipeline.report import listening, sections
from pipeline.report.clip_media import QueueClip
from pipeline.report.markup import Html, join, tag
from pipeline.report.scores import scores
from pipeline.report.sections import Report

PAGE_NAME = "report/index.html"
_SCRIPTS = ("dom.js", "episodes.js", "reviews.js", "player.js", "queue.js")
_ENTRIES = (
    ("verdict", "Verdict"),
    ("funnel", "Funnel"),
    ("scores", "Scores"),
    ("episodes", "Episodes"),
    ("queue", "Listen"),
    ("text", "Text"),
    ("rights", "Rights"),
    ("configuration", "Configuration"),
)


def render(report: Report, clips: Mapping[str, QueueClip]) -> str:
    """The page of report.json; `clips` has the media of clips of its queue by id, for those that shall be played."""
    style, script = _asset("page.css"), _script()
    about = report["dataset"]
    title = f"{about['name']}: quality report"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        Html(f"<style>{style}</style>"),
    )
    header = tag(
        "header",
        tag("p", "Quality report", class_="kicker"),
        tag("h1", about["name"]),
        tag("p", "Version ", tag("code", about["version"]), class_="quiet"),
    )
    body = tag(
        "body",
        tag("a", "Skip to the verdict", href="#verdict", class_="skip"),
        header,
        sections.contents(_ENTRIES),
        tag("noscript", tag("p", "Episodes and the listening queue need JavaScript; all else is here without it.")),
        tag("main", *_sections(report)),
        join(listening.page_data(report, clips), "\n"),
        Html(f"<script>{script}</script>"),
    )
    return f'<!doctype html>\n<html lang="en">{head}\n{body}</html>\n'


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy that lets only these run; audio comes out of the page or from beside it."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hashed(script)}'",
            f"style-src '{_hashed(style)}'",
            "img-src data:",
            "media-src data: 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _sections(report: Report) -> tuple[Html, ...]:
    return (
        sections.verdict(report),
        sections.funnel(report),
        scores(report),
        listening.episodes(report),
        listening.queue(report),
        sections.text(report),
        sections.rights(report),
        sections.configuration(report),
    )


def _script() -> str:
    """All scripts in one, so that they share their names with nobody else."""
    inner = "\n".join(_asset(name) for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{inner}}})();\n'


def _asset(name: str) -> str:
    return (files("pipeline.report") / "assets" / name).read_text(encoding="utf-8")


def _hashed(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"

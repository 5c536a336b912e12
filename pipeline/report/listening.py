"""The sections that a script fills: episodes, and the listening queue; and the data they are filled from."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.report.clip_media import QueueClip
from pipeline.report.markup import Html, data, percent, tag
from pipeline.report.names import COLUMNS, column_name
from pipeline.report.sections import Report, section
from pipeline.review import VERDICTS

# As the rows of the table are made of; whole names in every row would be most of the page of 10,000 episodes.
_EPISODE = (
    "id", "title", "published", "state", "failed_stage", "remark", "seconds", "kept_seconds", "yield", "loudness_lufs",
    "snr_db", "dnsmos_ovrl", "similarity", "others", "license", "split", "timeline", "speaker_names",
)  # fmt: skip
_QUEUE = (
    "id", "why", "episode_id", "text", "spoken", "words", "start", "duration", "split", "verdict", "reasons", "scores",
)  # fmt: skip
_EPISODES_SAY = (
    "Scores are medians over an episode's candidate clips; a deeper shade is a higher value. "
    "Turns: the target above, others below. An episode's name opens all that is known of it."
)
_MOST_REMARK = 400
_OTHERS = 5
_KEYS = (
    ("j", "next clip"), ("k", "previous clip"), ("space", "play or pause"), ("1", "ok"), ("2", "wrong text"),
    ("3", "wrong speaker"), ("4", "bad audio"), ("5", "other"), ("?", "this help"),
)  # fmt: skip


def episodes(report: Report) -> Html:
    """The table of episodes: empty, with its filter."""
    table = tag(
        "table",
        tag("caption", tag("span", _EPISODES_SAY)),
        tag("thead", tag("tr", id="episodes-head")),
        tag("tbody", id="episodes-rows"),
    )
    return section(
        "episodes",
        "Episodes",
        tag(
            "div",
            _field("episodes-filter", "Filter", tag("input", type="search", id="episodes-filter")),
            class_="controls",
        ),
        tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Episodes"),
        tag(
            "p",
            tag("span", id="episodes-count", role="status", class_="quiet"),
            " ",
            tag("button", "Show 100 more", type="button", id="episodes-more", hidden=""),
            class_="more",
        ),
    )


def queue(report: Report) -> Html:
    """The listening queue: its controls, a list and a card that are empty."""
    sample = report["sample"]
    proves = (
        f"The random sample has {sample['size']} clips: 0 faults in them mean with {percent(sample['confidence'])} "
        f"confidence that fewer than {percent(sample['most_faulty_share'])} are faulty."
        if sample["size"]
        else "There is no random sample: no clip was kept."
    )
    if not report.get("queue"):
        return section(
            "queue", "Listening queue", tag("p", proves, id="queue-sample"), tag("p", "No clip is in the queue.")
        )
    desk = tag(
        "div",
        tag("ol", id="queue-list", class_="list", aria_label="Clips"),
        tag("div", id="queue-card", class_="card", role="group", aria_label="Clip"),
        id="queue-desk",
        class_="desk",
    )
    return section(
        "queue",
        "Listening queue",
        tag("p", proves, id="queue-sample", role="status"),
        _bar(),
        _filters(),
        desk,
        tag("p", id="queue-says", role="status", class_="says"),
        tag("audio", id="player", preload="auto"),
        _help(),
    )


def _bar() -> Html:
    """Who listens, how far they are, and the way out."""
    return tag(
        "div",
        _field("reviewer", "Reviewer", tag("input", type="text", id="reviewer", autocomplete="name", maxlength=200)),
        tag(
            "div",
            tag("label", "Progress", for_="queue-progress"),
            tag("progress", id="queue-progress", value=0, max=1),
            tag("span", id="queue-count", class_="quiet"),
            class_="progress",
        ),
        tag("button", "Download review.csv", type="button", id="queue-download", class_="main", disabled=""),
        tag("button", "Keys ", tag("kbd", "?"), type="button", id="queue-help"),
        class_="controls",
    )


def _filters() -> Html:
    states = (
        ("", "all"),
        ("open", "not judged"),
        ("judged", "judged"),
        ("kept", "kept clips"),
        ("rejected", "left out"),
    )
    ways = (("ascending", "lowest first"), ("descending", "highest first"))
    return tag(
        "div",
        _field("queue-why", "Why it is here", _select("queue-why", (("", "any reason"),))),
        _field("queue-verdict", "Verdict", _select("queue-verdict", states)),
        _field("queue-search", "Search", tag("input", type="search", id="queue-search")),
        _field("queue-sort", "Sort by", _select("queue-sort", (("", "as queued"),))),
        _field("queue-order", "Order", _select("queue-order", ways)),
        class_="controls",
    )


def _field(name: str, label: str, control: Html) -> Html:
    return tag("div", tag("label", label, for_=name), control, class_="field")


def _select(name: str, options: tuple[tuple[str, str], ...]) -> Html:
    return tag("select", *(tag("option", text, value=value) for value, text in options), id=name)


def _help() -> Html:
    keys = (tag("div", tag("dt", tag("kbd", key)), tag("dd", means)) for key, means in _KEYS)
    return tag(
        "dialog",
        tag("h3", "Keys", id="help-title"),
        tag("dl", *keys, class_="keys"),
        tag("button", "Close", type="button", id="help-close"),
        id="help",
        aria_labelledby="help-title",
    )


def page_data(report: Report, clips: Mapping[str, QueueClip]) -> Iterator[Html]:
    """All that the script reads."""
    about, queued = report["dataset"], report.get("queue", ())
    limits = {one["column"]: [[t["side"], t["value"]] for t in one["thresholds"]] for one in report["distributions"]}
    yield data(
        "page-data",
        {
            "name": about["name"],
            "version": about["version"],
            "nyquist_khz": about["sampling_rate"] / 2000,
            "names": {column: column_name(column) for column in COLUMNS},
            "limits": {column: values for column, values in limits.items() if values},
            "verdicts": VERDICTS,
            "sample": {"clips": report["sample"]["clips"], "confidence": report["sample"]["confidence"]},
        },
    )
    yield data("episodes-data", {"columns": _EPISODE, "rows": [_episode(one) for one in report["episodes"]]})
    if queued:
        yield data("queue-data", [{key: one[key] for key in _QUEUE} for one in queued])
        held = {one["id"]: clips[one["id"]] for one in queued if one["id"] in clips}
        yield data(
            "media-data", {name: [one.audio, one.peaks, one.spectrogram, one.delay] for name, one in held.items()}
        )


def _episode(one: Mapping[str, Any]) -> list[Any]:
    """An episode in the order of _EPISODE."""
    remark = ": ".join(str(one[key]) for key in ("error", "error_detail") if one.get(key))
    row = {
        **one,
        "id": one["episode_id"] or one["guid"],
        "remark": f"{remark[:_MOST_REMARK]}…" if len(remark) > _MOST_REMARK else remark or None,
        "published": (one["published"] or "")[:10] or None,
        "others": [[other["speaker"], round(other["seconds"], 1)] for other in one.get("others", ())[:_OTHERS]],
        "speaker_names": one.get("speaker_names", []),
    }
    return [_short(row.get(key)) for key in _EPISODE]


def _short(value: Any) -> Any:
    """Numbers in as many digits as the table shows."""
    return round(value, 3) if isinstance(value, float) else value

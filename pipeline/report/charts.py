"""Charts as SVG that needs no script: histograms of scores, bars of a funnel."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.report.markup import Html, count, join, number, tag

_WIDTH, _HEIGHT, _BELOW, _ABOVE = 240.0, 76.0, 20.0, 18.0


def histogram(found: Mapping[str, Any]) -> Html:
    """A distribution of report.json: all candidates as an outline, kept ones filled, limits as dashed lines."""
    edges: Sequence[float] = found["edges"]
    everything, kept = found["all_clips"], found["kept_clips"]
    first, last = _shown(everything, [one["value"] for one in found["thresholds"]], edges)
    most = max(max(everything[first : last + 1], default=0), 1)
    step = _WIDTH / (last - first + 1)
    label = f"{found['column']}: {count(sum(everything))} clips, {count(sum(kept))} kept"
    parts = [
        tag("title", label),
        _bars(everything[first : last + 1], most, step, "all"),
        _bars(kept[first : last + 1], most, step, "kept"),
        tag("line", x1=0, x2=_WIDTH, y1=_base(), y2=_base(), class_="axis"),
        *(
            _limit(one, _place(one["value"], edges, first, step))
            for one in found["thresholds"]
            if edges[0] <= one["value"] <= edges[-1]
        ),
        *_axis(edges, first, last, found["thresholds"]),
    ]
    box = f"0 0 {_WIDTH:g} {_base() + _BELOW:g}"
    return tag("svg", join(parts), viewBox=box, role="img", aria_label=label, class_="histogram")


def bar(share: float) -> Html:
    """A bar as long as a share of the whole."""
    width = round(100 * max(0.0, min(share, 1.0)), 2)
    filled = tag("rect", width=width, height=10, rx=1, class_="fill")
    return tag("svg", filled, viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true", class_="bar")


def _base() -> float:
    return _HEIGHT + _ABOVE


def _shown(counts: Sequence[int], limits: Sequence[float], edges: Sequence[float]) -> tuple[int, int]:
    """The first and the last bin worth showing: with clips or a limit in them, and one more on either side."""
    filled = [place for place, value in enumerate(counts) if value]
    filled += [1 + sum(edge < limit for edge in edges[1:-1]) for limit in limits if edges[0] <= limit <= edges[-1]]
    if not filled:
        return 0, len(counts) - 1
    first, last = min(filled) - 1, max(filled) + 1
    short = max(0, 16 - (last - first))
    return max(0, first - short // 2), min(len(counts) - 1, last + short - short // 2)


def _place(value: float, edges: Sequence[float], first: int, step: float) -> float:
    """Where a value stands, in points; bin 0 is what lies below the first edge."""
    width = (edges[-1] - edges[0]) / (len(edges) - 1)
    return ((value - edges[0]) / width + 1 - first) * step


def _bars(counts: Sequence[int], most: int, step: float, kind: str) -> Html:
    """One path for all bars: a page has many."""
    drawn = []
    for place, value in enumerate(counts):
        if value:
            height = max(_HEIGHT * value / most, 1.0)
            drawn.append(f"M{place * step + 0.5:.1f} {_base():g}v{-height:.1f}h{max(step - 1, 0.5):.1f}v{height:.1f}z")
    return tag("path", d="".join(drawn), class_=kind)


def _limit(limit: Mapping[str, Any], place: float) -> Html:
    word = "≥" if limit["side"] == "least" else "≤"
    anchor = "start" if place < _WIDTH / 2 else "end"
    x = f"{place:.1f}"
    line = tag("line", x1=x, x2=x, y1=4, y2=_base(), class_="limit")
    shift = 4 if anchor == "start" else -4
    text = tag("text", f"{word} {number(limit['value'])}", x=f"{place + shift:.1f}", y=12, text_anchor=anchor)
    return join((line, text))


def _axis(edges: Sequence[float], first: int, last: int, limits: Sequence[Mapping[str, Any]]) -> Iterator[Html]:
    """What the ends stand for; the outermost bins hold all that lies beyond, and what is on an edge as histograms.py
    counts it: with limits of the side "most" in the bin below."""
    is_below = bool(limits) and limits[0]["side"] == "most"
    below, above = ("≤", ">") if is_below else ("<", "≥")
    least = f"{below} {number(edges[0])}" if first == 0 else number(edges[first - 1])
    most = f"{above} {number(edges[-1])}" if last == len(edges) else number(edges[last])
    y = _base() + 15
    yield tag("text", least, x=0, y=y, text_anchor="start")
    yield tag("text", most, x=_WIDTH, y=y, text_anchor="end")

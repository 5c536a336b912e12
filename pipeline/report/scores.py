"""The section of the scores: how each is spread, where its limits are, and what other limits would give."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.report.charts import histogram
from pipeline.report.markup import Column, Html, change, count, hours, number, table, tag
from pipeline.report.names import column_name, unit_of
from pipeline.report.sections import Report, note, section

_FEWEST_SECONDS = 0.05


def scores(report: Report) -> Html:
    """A histogram a column; columns with a limit first, those that no clip has a score in by name only."""
    found = sorted(report["distributions"], key=lambda one: not one["thresholds"])
    empty = [column_name(one["column"]) for one in found if not sum(one["all_clips"])]
    charts = [_chart(one) for one in found if sum(one["all_clips"])]
    legend = tag(
        "p",
        tag("span", "", class_="key kept", aria_hidden="true"), " kept ",
        tag("span", "", class_="key all", aria_hidden="true"), " all candidates ",
        tag("span", "", class_="key limit", aria_hidden="true"), " limit in force",
        class_="legend",
    )  # fmt: skip
    rest = [note("Without any score: ", ", ".join(empty), ".")] if empty else []
    return section("scores", "Scores", legend, tag("div", *charts, class_="charts"), *rest, _other_limits(report))


def _chart(found: Mapping[str, Any]) -> Html:
    unit = unit_of(found["column"])
    name = column_name(found["column"])
    heading = tag("h3", name, *([tag("span", f" {unit}", class_="quiet")] if unit else []))
    nearest = [line for threshold in found["thresholds"] for line in _nearest(found, threshold)]
    said = tag("ul", *(tag("li", line) for line in nearest), class_="plain quiet") if nearest else ""
    return tag("figure", tag("figcaption", heading), histogram(found), said)


def _nearest(found: Mapping[str, Any], threshold: Mapping[str, Any]) -> Iterator[str]:
    """In words, what the first looser and the first stricter limit that change anything would give."""
    side, value = threshold["side"], threshold["value"]
    options = [one for one in found["what_if"] if one["side"] == side and abs(one["delta_seconds"]) >= _FEWEST_SECONDS]
    options.sort(key=lambda one: abs(one["limit"] - value))
    for is_more in (True, False):
        for one in options:
            if (one["delta_seconds"] > 0) == is_more:
                yield in_words(found["column"], value, one)
                break


def in_words(column: str, value: float, option: Mapping[str, Any]) -> str:
    """ "DNSMOS 3 to 2.8: +1.4 h" """
    return f"{column_name(column)} {number(value)} to {number(option['limit'])}: {change(option['delta_seconds'])}"


def _other_limits(report: Report) -> Html:
    """Every limit that would change something, in one folded table."""
    rows = [
        (
            in_words(found["column"], threshold["value"], one),
            change_of_clips(one["delta_clips"]),
            hours(one["seconds"]),
            count(one["clips"]),
        )
        for found in report["distributions"]
        for threshold in found["thresholds"]
        for one in found["what_if"]
        if one["side"] == threshold["side"] and one["delta_clips"]
    ]
    if not rows:
        return note("No other limit near those in force would change anything.")
    columns = (
        Column("Another limit", "text"),
        Column("Clips", "number"),
        Column("Time then", "number"),
        Column("Clips then", "number"),
    )
    shown = table("What another limit would give, all other limits as they are", columns, rows)
    return tag("details", tag("summary", f"What other limits would give ({len(rows)})"), shown)


def change_of_clips(clips: int) -> str:
    """A number of clips more or less, with its sign."""
    return f"{'−' if clips < 0 else '+'}{count(abs(clips))}"

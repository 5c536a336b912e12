"""The sections of the page that are tables: verdict, funnel, text, rights, configuration. Each takes report.json."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.report.charts import bar
from pipeline.report.markup import (
    NONE,
    Column,
    Html,
    bytes_of,
    count,
    hours,
    join,
    number,
    percent,
    table,
    tag,
)
from pipeline.report.names import stage_name

Report = Mapping[str, Any]

_MOST_PHONES = 60


def section(name: str, title: str, *content: object) -> Html:
    """A section that the navigation leads to."""
    return tag("section", tag("h2", title, id=f"{name}-title"), *content, id=name, aria_labelledby=f"{name}-title")


def note(*content: object) -> Html:
    """A quiet paragraph."""
    return tag("p", *content, class_="note")


def mark(passed: bool | None) -> Html:
    """Whether something holds, as a sign and a word; None is what nobody looked at."""
    kind, sign, word = {True: ("good", "✓", "yes"), False: ("bad", "✗", "no"), None: ("open", "○", "not looked at")}[
        passed
    ]
    return tag("span", tag("span", sign, aria_hidden="true"), f" {word}", class_=f"mark {kind}")


def verdict(report: Report) -> Html:
    """Whether the dataset is good enough, gate by gate."""
    found = report.get("verdict", {})
    passed = found.get("passed")
    title = {True: "Every gate is passed", False: "Not good enough", None: "Not audited yet"}[passed]
    kind = {True: "good", False: "bad", None: "open"}[passed]
    sign = {True: "✓", False: "✗", None: "○"}[passed]
    head = tag(
        "div",
        tag("span", sign, class_="sign", aria_hidden="true"),
        tag("div", tag("p", title, class_="says"), tag("p", found.get("text", ""))),
        class_=f"verdict {kind}",
    )
    return section("verdict", "Verdict", head, _tiles(report), _gates(report), _checks(report))


def _tiles(report: Report) -> Html:
    kept, candidates = report["kept"], report["candidates"]
    share = kept["seconds"] / candidates["seconds"] if candidates["seconds"] else None
    tiles = (
        (hours(kept["seconds"]), "kept"),
        (count(kept["clips"]), "clips"),
        (count(len(report["episodes"])), "episodes"),
        (percent(share), "of the candidates"),
        (count(report["coverage"]["vocabulary"]), "different words"),
    )
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for value, name in tiles), class_="tiles")


def _gates(report: Report) -> Html:
    gates = report.get("gates", ())
    if not gates:
        return note("No gates are set.")
    rows = (
        (
            tag("code", gate["name"]),
            _figure(gate["observed"]),
            _figure(gate["threshold"]),
            mark(gate["passed"]),
            gate.get("text", ""),
        )
        for gate in gates
    )
    columns = (
        Column("Gate"),
        Column("Observed", "number"),
        Column("Threshold", "number"),
        Column("Passed"),
        Column("In words", "text"),
    )
    return table("Gates: what the dataset has to fulfil as a whole", columns, rows)


def _figure(value: float | Sequence[float | None] | None) -> str:
    """A number, or both ends of a range."""
    if isinstance(value, Sequence):
        return " to ".join("any" if end is None else number(end) for end in value)
    return number(value)


def _checks(report: Report) -> Html:
    checks = report.get("checks", ())
    if not checks:
        return note("The files were not checked yet: ", tag("code", "realtalk audit"), " verifies every shard.")
    rows = (
        (
            tag("code", check["name"]),
            check["means"],
            mark(check["passed"]),
            count(check["faults"]),
            _items(check["examples"]),
        )
        for check in checks
    )
    columns = (
        Column("Check"),
        Column("Means", "text"),
        Column("Passed"),
        Column("Faults", "number"),
        Column("Examples", "text"),
    )
    return table("Checks of the audit", columns, rows)


def _items(texts: Sequence[str]) -> Html | str:
    return tag("ul", *(tag("li", text) for text in texts), class_="plain") if texts else NONE


def funnel(report: Report) -> Html:
    """What is left after each stage, and why clips were left out."""
    stages = report["funnel"]
    whole = max((stage["seconds"] for stage in stages), default=0.0) or 1.0
    rows = (
        (
            stage_name(stage["stage"]),
            count(stage["episodes"]),
            count(stage["clips"]),
            hours(stage["seconds"]),
            percent(stage["seconds"] / whole),
            bar(stage["seconds"] / whole),
        )
        for stage in stages
    )
    columns = (
        Column("Stage"), Column("Episodes", "number"), Column("Clips", "number"), Column("Time", "number"),
        Column("Of listed", "number"), Column(""),
    )  # fmt: skip
    return section("funnel", "Funnel", table("From what was listed to the splits", columns, rows), _reasons(report))


def _reasons(report: Report) -> Html:
    reasons = report["reasons"]
    if not reasons:
        return note("No candidate was left out.")
    whole = report["candidates"]["seconds"] or 1.0
    rows = (
        (
            tag("code", reason["code"]),
            count(reason["clips"]),
            hours(reason["seconds"]),
            percent(reason["seconds"] / whole),
            bar(reason["seconds"] / whole),
        )
        for reason in reasons
    )
    columns = (
        Column("Reason"),
        Column("Clips", "number"),
        Column("Time", "number"),
        Column("Of candidates", "number"),
        Column(""),
    )
    caption = "Why candidates were left out; one clip can have several reasons"
    return table(caption, columns, rows)


def text(report: Report) -> Html:
    """How much of the language is in the kept clips."""
    found = report["coverage"]
    facts = (
        ("Time", hours(found["seconds"])),
        ("Clips", count(found["clips"])),
        ("Words", count(found["words"])),
        ("Different words", count(found["vocabulary"])),
        ("Phones", count(len(found["phones"]))),
        ("Diphones", f"{count(len(found['diphones']))} of {count(len(found['phones']) ** 2)} pairs"),
        ("Duplicates left out", count(found["duplicates"])),
    )
    return section("text", "Text", _facts(facts), *_sounds(found))


def _sounds(found: Report) -> Iterator[Html]:
    phones = sorted(found["phones"].items(), key=lambda item: (-item[1], item[0]))[:_MOST_PHONES]
    if not phones:
        yield note("No clip has phones.")
        return
    most = phones[0][1]
    whole = sum(found["phones"].values())
    rows = ((tag("code", name), count(times), percent(times / whole), bar(times / most)) for name, times in phones)
    columns = (Column("Phone"), Column("Times", "number"), Column("Share", "number"), Column(""))
    yield _folded(f"Phones, the commonest first ({len(phones)})", table("How often each phone is said", columns, rows))
    rarest = [(tag("code", pair), count(found["diphones"].get(pair))) for pair in found["rarest_diphones"]]
    yield tag("h3", "Rarest diphones")
    yield tag(
        "ul", *(tag("li", name, tag("span", f" {times}×", class_="quiet")) for name, times in rarest), class_="chips"
    )


def rights(report: Report) -> Html:
    """What allows the use of the clips, and what doesn't say so."""
    found = report["rights"]
    consent = found.get("consent") or {key: report["dataset"].get(key) for key in ("consent", "consent_id")}
    missing = found.get("missing", ())
    rows = (
        (one["license"] or "none", one["source"] or NONE, count(one["clips"]), hours(one["seconds"]))
        for one in found["licenses"]
    )
    columns = (Column("Licence"), Column("Found in"), Column("Clips", "number"), Column("Time", "number"))
    facts = (
        ("Consent of the speaker", consent["consent"] or "none"),
        ("Consent on record", tag("code", consent["consent_id"] or NONE)),
        ("Clips without a licence", count(found["clips_without_license"])),
    )
    lacks = (
        tag("div", tag("h3", "Missing"), tag("ul", *(tag("li", one) for one in missing)), class_="missing")
        if missing
        else note(mark(True), " Nothing is missing.")
    )
    return section("rights", "Rights", _facts(facts), lacks, table("Licences of the kept clips", columns, rows))


def configuration(report: Report) -> Html:
    """What made the dataset, down to the hash of each shard."""
    about = report["dataset"]
    facts = (
        ("Version", tag("code", about["version"])),
        ("Configuration", tag("code", about["config_hash"])),
        ("Sampling rate", f"{count(about['sampling_rate'])} Hz"),
    )
    models = table(
        "Models",
        (Column("Task"), Column("Identity", "text")),
        ((name, tag("code", model)) for name, model in about["models"].items()),
    )
    parts = [_facts(facts), models, _shards(report)]
    if report.get("files"):
        rows = (
            (tag("code", one["name"]), count(one["rows"]), bytes_of(one["bytes"]), _hash(one))
            for one in report["files"]
        )
        columns = (Column("File"), Column("Rows", "number"), Column("Size", "number"), Column("SHA-256"))
        parts.append(_folded(f"Other files ({len(report['files'])})", table("Other files", columns, rows)))
    if report.get("configuration"):
        yaml = tag("pre", report["configuration"], tabindex="0", aria_label="dataset.yaml")
        parts.append(_folded("dataset.yaml", yaml))
    return section("configuration", "Configuration", *parts)


def _shards(report: Report) -> Html:
    rows = [
        (tag("code", one["name"]), one["split"], count(one["rows"]), bytes_of(one["bytes"]), _hash(one))
        for one in report.get("shards", ())
    ]
    columns = (Column("Shard"), Column("Split"), Column("Rows", "number"), Column("Size", "number"), Column("SHA-256"))
    shown = table("Shards of the manifest", columns, rows)
    return shown if len(rows) <= 12 else _folded(f"Shards ({len(rows)})", shown)


def _hash(one: Report) -> Html:
    return tag("code", one["sha256"], class_="hash")


def _facts(facts: Sequence[tuple[str, object]]) -> Html:
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts")


def _folded(title: str, content: Html) -> Html:
    return tag("details", tag("summary", title), content)


def contents(entries: Sequence[tuple[str, str]]) -> Html:
    """The navigation: (anchor, title) of each section."""
    links = join(tag("li", tag("a", title, href=f"#{name}")) for name, title in entries)
    return tag("nav", tag("ol", links), aria_label="Sections")

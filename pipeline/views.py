"""How results look: tables for people, the same facts as JSON for programs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.console import (
    Column,
    Format,
    duration,
    print_facts,
    print_json,
    print_line,
    print_table,
    shortened,
    size,
)
from pipeline.progress import LABELS

if TYPE_CHECKING:
    from pipeline.doctor import Check
    from pipeline.plan import Forecast
    from pipeline.result import BuildResult
    from pipeline.review import Taken


def show_checks(checks: "Sequence[Check]", output: Format) -> None:
    """What the doctor found: everything as JSON; in the table what is well of a group is only counted."""
    bad = [check for check in checks if check.mend and check.status != "ok"]
    if output is Format.JSON:
        print_json({"checks": [check.plain() for check in checks], "ready": all(c.status != "missing" for c in checks)})
        return
    groups = Counter(check.group for check in checks if check.status == "ok")
    rows = {check.group or index: _check_row(check, groups) for index, check in enumerate(checks)}
    print_table(["check", "", "found"], list(rows.values()))
    for check in bad:
        print_line(f"{check.name}: {check.status}: {check.mend}")
    missing = sum(check.status == "missing" for check in checks)
    print_line(f"{missing} missing: a build can't run yet" if missing else "Nothing is missing.")


def _check_row(check: "Check", groups: Mapping[str, int]) -> tuple[str, str, str]:
    if check.group:
        return check.group, check.status, f"{groups[check.group]} as needed"
    return check.name, check.status, check.found


_LISTED_EPISODES = 25
_LENGTHS = {"file": "", "feed": "", "size": "by its size", "mean": "not told"}


def show_plan(plan: "Forecast", output: Format) -> None:
    """What a build would do."""
    if output is Format.JSON:
        print_json(plan.plain())
        return
    print_table(
        ["source", "", Column("episodes", True), "not taken"],
        [(s.kind, s.place, s.episodes, f"{len(s.problems)} problems" if s.problems else "") for s in plan.sources],
    )
    for source in plan.sources:
        for problem in (*source.problems, *source.notes):
            print_line(f"  {problem}")
    listed = plan.episodes[:_LISTED_EPISODES]
    print_table(
        ["episode", "published", Column("length", True), "", "transcript", "title"],
        [
            (
                episode.id,
                (episode.published or "")[:10],
                duration(episode.seconds),
                _LENGTHS[episode.length_from],
                "published" if episode.has_transcript else "none",
                shortened(episode.title),
            )
            for episode in listed
        ],
    )
    if len(plan.episodes) > len(listed):
        print_line(f"  and {len(plan.episodes) - len(listed)} more; --format json lists all")
    print_table(
        ["stage", Column("done", True), Column("to do", True), Column("hours", True), Column("CPU time", True), ""],
        [
            (
                LABELS.get(stage.stage, stage.stage),
                stage.done,
                stage.left,
                f"{stage.hours_left:.1f}",
                duration(stage.cpu_seconds),
                "measured here" if stage.measured else "by the table",
            )
            for stage in plan.stages
        ],
    )
    if plan.models:
        print_table(
            ["neural model", "", Column("hours", True), Column("GPU time", True), ""],
            [
                (one.task, one.model, f"{one.hours:.1f}", duration(one.gpu_seconds), f"as {one.gpu} takes")
                for one in plan.models
            ],
        )
    print_facts(_totals(plan))


def _totals(plan: "Forecast") -> dict[str, object]:
    free = f", {size(plan.free_bytes)} are free" if plan.free_bytes is not None else ""
    return {
        "episodes": f"{len(plan.episodes)}, {plan.hours:.1f} hours",
        "time": f"about {duration(plan.wall_seconds)} with {plan.workers} worker{'s' * (plan.workers > 1)} "
        f"({duration(plan.cpu_seconds)} of CPU time), and the download",
        "download": size(plan.download_bytes),
        "disk": f"about {size(plan.disk_bytes)}{free}",
        "cost": "none: it runs on this machine",
        "output": plan.output,
        "configuration": plan.config_hash,
        "note": "; ".join((*plan.notes, *_without_transcript(plan))) or None,
    }


def _without_transcript(plan: "Forecast") -> list[str]:
    count = sum(not episode.has_transcript for episode in plan.episodes)
    return [f"{count} without a transcript: a recogniser's words are no ground truth; by default none is chosen"] * (
        count > 0
    )


def show_review(taken: "Taken", output: Format) -> None:
    """What was taken in of a review."""
    if output is Format.JSON:
        print_json(asdict(taken))
        return
    print_table(["verdict", Column("clips", True)], list(taken.reviews.items()))
    for clip, why in taken.refused.items():
        print_line(f"{clip}: its corrected text is not put in, and it is left out: {why}")
    facts = {"new or changed": taken.changed, "texts put in": taken.corrected}
    print_facts({**facts, "clips left out in all": taken.left_out})


_FUNNEL = {
    "in": "listed",
    "downloaded": "downloaded and decoded",
    "speech": "speech",
    "target": "the speaker alone",
    "aligned": "with text in time",
    "candidates": "cut into clips",
    "kept": "chosen",
}
_REASONS_SHOWN = 12
_TROUBLES_SHOWN = 25


def show_build(result: "BuildResult", output: Format) -> None:
    """What a build made of the hours that went in, and why the rest went."""
    if output is Format.JSON:
        print_json(
            {
                "output": result.output,
                "unchanged": result.unchanged,
                "version": result.manifest.version,
                "from_version": result.manifest.from_version,
                "totals": asdict(result.manifest.totals),
                "consent": result.manifest.consent,
                "config_hash": result.manifest.config_hash,
                "costs": result.costs,
                "troubles": [asdict(trouble) for trouble in result.troubles],
                **result.summary,
            }
        )
        return
    funnel = result.summary["funnel"]
    whole = funnel[0]["seconds"]
    print_table(
        ["through", Column("episodes", True), Column("clips", True), Column("time", True), Column("of all", True)],
        [
            (
                _FUNNEL.get(s["stage"], s["stage"]),
                s["episodes"],
                s["clips"],
                duration(s["seconds"]),
                _of(s["seconds"], whole),
            )
            for s in funnel
        ],
    )
    _show_reasons(result.summary)
    _show_troubles(result)
    print_facts(_built(result))


def _show_reasons(summary: Mapping[str, Any]) -> None:
    reasons = summary["reasons"][:_REASONS_SHOWN]
    if reasons:
        print_table(
            ["rejected for", Column("clips", True), Column("time", True), Column("clips in all", True)],
            [(r["code"], r["clips"], duration(r["seconds"]), r["any_clips"]) for r in reasons],
        )


def _show_troubles(result: "BuildResult") -> None:
    """A line for each episode and source that gave nothing or too little; where they are many, how many of each."""
    shown = result.troubles[:_TROUBLES_SHOWN]
    if shown:
        rows = [(shortened(t.name), LABELS.get(t.stage, t.stage), t.code, t.why) for t in shown]
        print_table(["in trouble", "at", "for", "why"], rows)
    if len(result.troubles) > len(shown):
        print_line(f"  and {len(result.troubles) - len(shown)} more; --format json and episodes/ have all")
        counts = Counter((trouble.stage, trouble.code) for trouble in result.troubles)
        counted = [(LABELS.get(stage, stage), code, count) for (stage, code), count in sorted(counts.items())]
        print_table(["in trouble at", "for", Column("episodes", True)], counted)


def _built(result: "BuildResult") -> dict[str, object]:
    manifest = result.manifest
    totals, costs = manifest.totals, result.costs
    cpu = sum(cost["cpu_seconds"] for cost in costs.values())
    heard = costs.get("recording", {}).get("audio_seconds", 0.0)
    splits = ", ".join(f"{name} {split.clips}" for name, split in totals.splits.items())
    return {
        "clips": f"{totals.clips}, {duration(totals.clip_seconds)}" + (f" ({splits})" if splits else ""),
        "episodes": ", ".join(_episodes(result)),
        "consent": f"{manifest.consent} {manifest.consent_id}".strip(),
        "CPU time": f"{duration(cpu)}, {cpu / heard * 3600:.0f} s for an hour of audio" if heard else None,
        "version": f"{manifest.version}, {'unchanged' if result.unchanged else 'new'}",
        "chosen anew from": manifest.from_version or None,
        "dataset": result.output,
    }


def _episodes(result: "BuildResult") -> Iterator[str]:
    totals, left_out = result.manifest.totals, result.summary["states"].get("skipped", 0)
    yield f"{totals.episodes}"
    if totals.failed_episodes:
        yield f"{totals.failed_episodes} failed"
    if left_out:
        yield f"{left_out} left out by their feeds or limits"


def _of(part: float, whole: float) -> str | None:
    return f"{part / whole:.0%}" if whole else None

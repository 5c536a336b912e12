"""How the findings of an audit look."""

from typing import TYPE_CHECKING

from pipeline.console import Column, Format, duration, print_facts, print_json, print_table

if TYPE_CHECKING:
    from pipeline.audit import Audit
    from pipeline.gates import Limit


def show_audit(found: "Audit", output: Format, report: str) -> None:
    """Every check and gate, what they were made of, and where the `report` is ("": it was not written)."""
    if output is Format.JSON:
        print_json({**found.plain(), "report": report or None})
        return
    print_table(
        ["check", "", Column("faults", True), "makes sure that"],
        [(check.name, _passed(check.passed), check.faults, check.means) for check in found.checks],
    )
    lines = [(check.name, line) for check in found.checks for line in check.examples]
    if lines:
        print_table(["fault of", "the first of them"], lines)
    print_table(
        ["gate", "", Column("observed", True), Column("limit", True), "in words"],
        [
            (gate.name, _passed(gate.passed), _number(gate.observed), _limit(gate.threshold), gate.text)
            for gate in found.gates
        ],
    )
    clips, seconds = sum(found.facts.clips.values()), sum(found.facts.seconds.values())
    print_facts(
        {
            "looked at": f"{clips} clips, {duration(seconds)}, of {found.facts.episodes} episodes",
            "version": found.manifest.version,
            "dataset": found.dataset,
            "report": report or None,
            "verdict": "passed" if found.passed else f"not passed: {', '.join(found.failed)}",
        }
    )


def _passed(passed: bool | None) -> str:
    return "passed" if passed else "FAILED"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"


def _limit(limit: "Limit") -> str | None:
    if isinstance(limit, tuple):
        return f"{_number(limit[0]) or '...'} to {_number(limit[1]) or '...'}"
    return _number(limit)

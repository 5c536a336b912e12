"""How runs look."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.console import Column, Format, duration, print_facts, print_json, print_line, print_table
from tts.run_records import RunRecord, metrics_of, samples_of

# Of many figures a table shows those that say most.
_SHOWN = ("loss", "mel", "stft", "step")
_MOST_SHOWN = 4
_SIGNIFICANT = 5


def show_runs(root: Path, records: Sequence[RunRecord], output: Format) -> None:
    """All runs, the newest last."""
    if output is Format.JSON:
        print_json({"folder": str(root), "runs": [plain(root / one.id, one) for one in records]})
        return
    if not records:
        print_line(f"No run is kept in {root} yet; realtalk train makes them.")
        return
    print_table(
        ["id", "state", "voice", "dataset version", "preset", Column("time", True), "last metrics"],
        [
            (
                one.id,
                one.state,
                _voice(one),
                one.parameters.get("dataset_version"),
                one.parameters.get("preset"),
                duration(one.seconds) if one.seconds is not None else None,
                _few(metrics_of(root / one.id, one)),
            )
            for one in records
        ],
    )


def show_run(folder: Path, record: RunRecord, output: Format) -> None:
    """All that is known of a run."""
    if output is Format.JSON:
        print_json(plain(folder, record))
        return
    seconds = record.seconds
    print_facts(
        {
            "run": record.id,
            "state": record.state,
            "error": record.error or None,
            "kind": record.kind,
            "makes": record.out,
            "devices": ", ".join(record.devices),
            "created": _time(record.created),
            "started": _time(record.started),
            "ended": _time(record.ended),
            "ran for": duration(seconds) if seconds is not None else None,
            "host": f"{record.host}, process {record.pid}",
            "command": " ".join(record.command),
            "folder": str(folder),
        }
    )
    about: list[tuple[str, Mapping[str, Any]]] = [
        ("parameters", record.parameters),
        ("configuration", record.configuration),
        ("facts", record.facts),
        ("code", record.code),
        ("last metrics", metrics_of(folder, record)),
    ]
    for title, values in about:
        if values:
            print_line(f"{title}:")
            print_facts({name: _value(value) or None for name, value in flat(values).items()})
    samples = samples_of(folder, record)
    if samples:
        print_table(["audio of checkpoints"], [(str(path),) for path in samples])


def show_comparison(runs: Sequence[tuple[Path, RunRecord]], output: Format) -> None:
    """What differs between two runs, and the last metrics of both."""
    found = [comparable(folder, record) for folder, record in runs]
    names = list(dict.fromkeys(name for one in found for name in one))
    rows = [(name, [one.get(name) for one in found]) for name in names]
    rows = [(name, both) for name, both in rows if both[0] != both[1] or name.startswith("metrics.")]
    if output is Format.JSON:
        values = dict(rows)
        print_json({"runs": [one.id for _, one in runs], "differences": values})
        return
    print_table(
        ["", *(Column(record.id, True) for _, record in runs)],
        [(name, *map(_value, both)) for name, both in rows],
    )


def comparable(folder: Path, record: RunRecord) -> dict[str, Any]:
    """What runs are compared by, under flat names."""
    return flat(
        {
            "state": record.state.value,
            "seconds": None if record.seconds is None else round(record.seconds, 1),
            "out": record.out,
            "devices": list(record.devices),
            "code": record.code,
            "parameters": record.parameters,
            "configuration": record.configuration,
            "facts": record.facts,
            "metrics": metrics_of(folder, record),
        }
    )


def plain(folder: Path, record: RunRecord) -> dict[str, Any]:
    """A run as plain data."""
    values = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return {
        **values,
        "seconds": record.seconds,
        "metrics": metrics_of(folder, record),
        "samples": [str(path) for path in samples_of(folder, record)],
        "folder": str(folder),
    }


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested values under names with dots."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found


def _voice(record: RunRecord) -> str:
    path = Path(record.out)
    # The voice of a version is named by it alone.
    return path.name if path.name != record.parameters.get("dataset_version") else f"{path.parent.name}/{path.name}"


def _few(metrics: Mapping[str, Any]) -> str:
    shown = [name for known in _SHOWN for name in metrics if name.rpartition(".")[2] == known]
    return ", ".join(f"{name} {_value(metrics[name])}" for name in (shown or list(metrics))[:_MOST_SHOWN])


def _value(value: Any) -> str | None:
    if isinstance(value, float):
        return f"{value:.{_SIGNIFICANT}g}"
    return None if value is None else str(value)


def _time(text: str) -> str | None:
    return f"{text[:19].replace('T', ' ')} UTC" if text else None

"""The house of DESIGN.md: imports run one way, Beam stays out of the plain rooms, and --help loads nothing heavy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("schemas", "transforms", "pipeline", "tts")
# Room -> rooms that it may import from; a file belongs to the longest room that holds it.
MAY_IMPORT = {
    "schemas": ("schemas",),
    "transforms.text": ("schemas", "transforms.text", "transforms.models"),
    "transforms.models": ("schemas", "transforms.text", "transforms.models"),
    "transforms": ("schemas", "transforms"),
    "tts": ("schemas", "transforms.text", "transforms.models", "tts"),
    "pipeline": ("schemas", "transforms", "tts", "pipeline"),
}
PLAIN = ("schemas", "transforms.text", "transforms.models", "tts")
HEAVY = ("apache_beam", "torch", "pandas", "sklearn", "onnxruntime", "httpx", "librosa", "scipy", "pyarrow", "av")


def modules() -> list[tuple[str, Path]]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found.append((name, path))
    return found


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # The package may hold the module or the name; "from transforms import text" is transforms.text.
            yield from ((node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}") for alias in node.names)


def room_of(name: str) -> str:
    return max((room for room in MAY_IMPORT if within(name, (room,))), key=len)


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def faults(name: str, source: str) -> list[str]:
    """What a module imports that it may not."""
    room = room_of(name)
    found = []
    for line, imported in imports(ast.parse(source)):
        if imported.startswith("."):
            found.append(f"{name}:{line} imports {imported} relatively")
        elif within(imported, PACKAGES) and not within(imported, MAY_IMPORT[room]):
            found.append(f"{name}:{line} imports {imported}")
        elif within(imported, ("apache_beam",)) and room in PLAIN:
            found.append(f"{name}:{line} imports Beam")
        elif within(imported, ("torch",)) and room == "schemas":
            found.append(f"{name}:{line} imports torch")
    return found


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _ in modules()])
def test_imports_run_one_way(name: str, path: Path) -> None:
    assert faults(name, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("schemas.clip", "import transforms.cut"),
        ("schemas.clip", "def f():\n    from pipeline import config"),
        ("schemas.clip", "import torch"),
        ("transforms.text.captions", "from transforms import audio"),
        ("transforms.models.dnsmos", "from transforms.audio import read_span"),
        ("transforms.models.dnsmos", "import apache_beam as beam"),
        ("transforms.cut", "from pipeline.config import Config"),
        ("transforms.cut", "from .audio import read_span"),
        ("tts.train", "from transforms.audio import read_span"),
    ],
)
def test_the_rule_finds_what_breaks_it(name: str, source: str) -> None:
    assert len(faults(name, source)) == 1


def test_every_package_is_looked_at() -> None:
    assert {name.split(".")[0] for name, _ in modules()} == set(PACKAGES)


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["build", "--help"], ["--version"], ["init", "DIR"], ["watch", "--help"], ["runs"]]
)
def test_the_command_starts_without_the_heavy_packages(arguments: list[str], tmp_path: Path) -> None:
    arguments = [str(tmp_path / "new") if argument == "DIR" else argument for argument in arguments]
    run = f"from pipeline.cli import main; main({arguments!r}); " if arguments else "import pipeline.cli; "
    code = f"import sys; {run}print('loaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


def test_choosing_anew_needs_no_beam() -> None:
    """Its import alone takes as long as the verdicts on 30,000 clips."""
    heavy = {"apache_beam", "torch", "httpx", "scipy"}
    code = f"import sys, pipeline.selection; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.strip() == ""

"""What is missing on this machine for a build, and the line that mends it."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from schemas.errors import ConfigurationError

DISTRIBUTION = "realtalk"
#: Name of the check of the configuration as such.
CONFIGURATION = "configuration"
#: Memory that one worker takes with the embedded models loaded (0.9 GB measured) and its tables.
WORKER_BYTES = 1_200_000_000
_PROBE_SECONDS = 180

# Modules with native parts, with what mends each where it does not load.
_NATIVE = {
    "numpy": "pip install --force-reinstall numpy",
    "pyarrow": "pip install --force-reinstall pyarrow",
    "av": "pip install --force-reinstall av",
    "soundfile": "pip install --force-reinstall soundfile; without a wheel: apt-get install libsndfile1",
    "soxr": "pip install --force-reinstall soxr",
    "webrtcvad": "apt-get install build-essential python3-dev && "
    "pip install 'setuptools>=77.0.3,<82' && pip install --force-reinstall --no-deps webrtcvad",
    "pocketsphinx": "pip install --force-reinstall --no-deps pocketsphinx",
    "onnxruntime": "pip install --force-reinstall onnxruntime; needs glibc 2.27 or later",
    "torch": "pip install --force-reinstall 'torch>=2.8,<2.14'",
}
# Weights that come inside a package: package, file below it, smallest size in bytes that is no stump, what it is and
# its licence, which is the package's.
_WEIGHTS = (
    ("resemblyzer", "pretrained.pt", 10_000_000, "GE2E speaker embedding, Apache-2.0"),
    ("silero_vad", "data/silero_vad.onnx", 1_000_000, "silero speech detector, MIT"),
    ("pocketsphinx", "model/en-us/en-us/mdef", 1_000_000, "en-us acoustic model, BSD"),
    ("pocketsphinx", "model/en-us/cmudict-en-us.dict", 1_000_000, "pronouncing dictionary, BSD"),
    ("speechmos", "dnsmos_models/sig_bak_ovr.onnx", 500_000, "DNSMOS, MIT"),
)


class Status(StrEnum):
    """`MISSING` stops a build; `WARNING` may; `ABSENT` is an optional part."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"
    ABSENT = "absent"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and the line that mends it ("" where nothing has to be).

    Checks of one `group` that are well are told together.
    """

    name: str
    status: Status
    found: str
    mend: str = ""
    group: str = ""

    def plain(self) -> dict[str, str]:
        """As JSON holds it."""
        return {name: str(value) for name, value in asdict(self).items()}


def examine(config: Path | None, overrides: Sequence[str] = ()) -> Iterator[Check]:
    """Every check of this machine and, with a configuration, of what its build needs."""
    if config is None:
        yield from check_machine()
        yield from check_output(os.getcwd())
        return
    from pipeline.config import load_config

    try:
        loaded = load_config(config, overrides)
    except ConfigurationError as error:
        for line in str(error).splitlines():
            yield Check(CONFIGURATION, Status.MISSING, line, "correct it")
        yield from check_machine()
        return
    from pipeline.doctor_inputs import check_inputs
    from pipeline.doctor_models import worker_bytes

    yield from check_machine(loaded.workers, worker_bytes(loaded))
    yield from check_inputs(loaded)


def check_machine(workers: int = 1, worker_bytes: int = WORKER_BYTES) -> Iterator[Check]:
    """Look at Python, packages, weights, native libraries, memory (of `worker_bytes` a worker) and cores.

    Takes some seconds.
    """
    yield check_python(sys.version_info[:3])
    yield from check_packages()
    yield from check_conflicts()
    yield from check_weights()
    yield from check_native(tuple(_NATIVE))
    yield check_cores(workers)
    yield check_memory(workers, memory_bytes(), worker_bytes)
    yield check_extra("espeakng_loader", "demo", "speaks the demonstration's podcast")
    yield check_extra("whisper", "whisper", "writes and aligns text, best on a GPU")
    yield check_extra("pyannote.audio", "pyannote", "tells speakers apart, best on a GPU")


def check_python(version: tuple[int, ...]) -> Check:
    """The version of Python."""
    said = ".".join(str(part) for part in version)
    if version < (3, 11):
        return Check("python", Status.MISSING, said, "install Python 3.11 and make the environment anew with it")
    if version >= (3, 12):
        return Check("python", Status.WARNING, said, "only 3.11 has been tried the whole way; use it if this fails")
    return Check("python", Status.OK, said)


def check_packages(distribution: str = DISTRIBUTION) -> Iterator[Check]:
    """Every required package against the range that the installed realtalk names; no package is imported."""
    from packaging.requirements import Requirement

    try:
        needed = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        mend = "pip install -e . in the checkout"
        yield Check(distribution, Status.MISSING, "not installed in this environment", mend)
        return
    yield Check(distribution, Status.OK, importlib.metadata.version(distribution))
    for requirement in map(Requirement, needed):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield check_package(requirement.name, str(requirement.specifier))


def check_package(name: str, allowed: str) -> Check:
    """One package: installed at all, and in a version that `allowed` (">=2.8,<2.14") holds."""
    from packaging.specifiers import SpecifierSet

    mend = f"pip install '{name}{allowed}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, Status.MISSING, "not installed", mend)
    if not SpecifierSet(allowed).contains(version, prereleases=True):
        return Check(name, Status.MISSING, f"{version}, needed is {allowed}", mend)
    return Check(name, Status.OK, version, group="packages")


def check_conflicts() -> Iterator[Check]:
    """Packages that spoil others by being there."""
    try:
        version = importlib.metadata.version("webrtcvad-wheels")
    except importlib.metadata.PackageNotFoundError:
        return
    mend = "pip uninstall -y webrtcvad-wheels webrtcvad && pip install 'webrtcvad>=2.0.10,<3'"
    yield Check("webrtcvad-wheels", Status.WARNING, f"{version} writes the same files as webrtcvad", mend)


def check_weights() -> Iterator[Check]:
    """The weights of the embedded models, inside their packages."""
    for package, file, smallest, what in _WEIGHTS:
        yield check_weight(package, file, smallest, what)


def check_weight(package: str, file: str, smallest_bytes: int, what: str) -> Check:
    """Whether a file of weights is there and no stump."""
    name, mend = f"weights: {what}", f"pip install --force-reinstall --no-deps {package.replace('_', '-')}"
    folder = package_folder(package)
    if folder is None:
        return Check(name, Status.MISSING, f"package {package} is not installed", mend)
    path = folder / file
    if not path.is_file():
        return Check(name, Status.MISSING, f"{path} is not there", mend)
    held = path.stat().st_size
    if held < smallest_bytes:
        return Check(name, Status.MISSING, f"{path} holds only {held} bytes", mend)
    return Check(name, Status.OK, f"{package}/{file}, {held / 1e6:.1f} MB", group="weights of models")


def package_folder(package: str) -> Path | None:
    """Where a package lies, without importing it; None where it is not installed."""
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


_PROBE = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        print(name, "ok", flush=True)
    except BaseException as error:
        print(name, "failed", type(error).__name__ + ":", " ".join(str(error).split()), flush=True)
"""


def check_native(modules: Sequence[str]) -> Iterator[Check]:
    """Load native modules in a process of their own: what kills it is found too."""
    left = list(modules)
    while left:
        answers, ended = _probe(left)
        for name in [module for module in left if module in answers]:
            yield _native_check(name, answers[name])
            left.remove(name)
        if left:
            yield _native_check(left.pop(0), f"loading it ended the process ({ended})")


def _probe(modules: Sequence[str]) -> tuple[dict[str, str], str]:
    """What loading each module answers ("ok" or the error), and how the process ended."""
    command = [sys.executable, "-W", "ignore", "-c", _PROBE, *modules]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
        output, ended = done.stdout, f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
    except subprocess.TimeoutExpired as error:
        output = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout or ""
        ended = f"no answer in {_PROBE_SECONDS} s"
    answers = {}
    for line in output.splitlines():
        name, _, answer = line.partition(" ")
        if name in modules:
            answers[name] = answer.removeprefix("failed ")
    return answers, ended


def _native_check(module: str, answer: str) -> Check:
    name = f"loads: {module}"
    if answer == "ok":
        return Check(name, Status.OK, "yes", group="native libraries")
    return Check(name, Status.MISSING, answer, _NATIVE.get(module, f"pip install --force-reinstall {module}"))


def check_cores(workers: int) -> Check:
    """Whether there is a core for every worker."""
    cores = usable_cores()
    if workers > cores:
        mend = f"workers: {cores} in the configuration; more processes than cores only wait for each other"
        return Check("cores", Status.WARNING, f"{cores} for {workers} workers", mend)
    return Check("cores", Status.OK, f"{cores}, {workers} used by a build")


def check_memory(workers: int, available: int | None, worker_bytes: int = WORKER_BYTES) -> Check:
    """Memory against what `workers` processes take; `available` in bytes, None where it can't be known."""
    needed = workers * worker_bytes
    if available is None:
        return Check("memory", Status.OK, f"can't be told here; a build takes about {needed / 1e9:.1f} GB")
    found = f"{available / 1e9:.1f} GB free, a build takes about {needed / 1e9:.1f} GB"
    if available < needed:
        fewer = max(1, int(available // worker_bytes))
        mend = f"workers: {fewer} in the configuration" if fewer < workers else "close other programs"
        return Check("memory", Status.WARNING, found, mend)
    return Check("memory", Status.OK, found)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Memory still free for this process: the machine's, or its control group's where that is less."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read_text(), re.MULTILINE)
        free = int(found[1]) * 1024 if found else None
    except OSError:
        return None
    for limit_name, used_name in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            limit, used = (cgroup / limit_name).read_text().strip(), int((cgroup / used_name).read_text())
        except (OSError, ValueError):
            continue
        if limit.isdecimal() and free is not None:
            free = min(free, max(0, int(limit) - used))
    return free


def check_extra(package: str, extra: str, what: str) -> Check:
    """An optional part."""
    if package_folder(package) is None:
        return Check(f"extra: {extra}", Status.ABSENT, f"{what}; not installed", f"pip install 'realtalk[{extra}]'")
    return Check(f"extra: {extra}", Status.OK, what)


def check_output(location: str, needed_bytes: int = 0) -> Iterator[Check]:
    """Whether a local folder, or the nearest one above it, can be written to, and has room."""
    folder = Path(location)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        yield Check("output", Status.MISSING, f"{folder} is a file, not a folder", "name another output")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        mend = f"name another output, or: chmod u+wx {folder}"
        yield Check("output", Status.MISSING, f"{folder} can't be written to", mend)
        return
    yield Check("output", Status.OK, f"{location} can be written to")
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free" + (f", a build takes about {needed_bytes / 1e9:.1f} GB" if needed_bytes else "")
    if free < max(needed_bytes, 1_000_000_000):
        yield Check(
            "disk", Status.MISSING if free < needed_bytes else Status.WARNING, said, "free some, or name another output"
        )
        return
    yield Check("disk", Status.OK, said)

"""Which model does which stage: "NAME" or "NAME:ARGUMENT", as a configuration says it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: What each stage can be done with, the embedded set's first; True where an argument may follow.
MODELS: Mapping[str, Mapping[str, bool]] = MappingProxyType(
    {
        "speech": {"webrtc": False, "silero": False, "pyannote": True},
        "diarizer": {"ge2e": False, "pyannote": True},
        "transcriber": {"pocketsphinx": False, "whisper": True},
        "aligner": {"pocketsphinx": False, "whisper": True},
    }
)
#: Sets of models by name: what each stage is done with.
SETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "embedded": {stage: next(iter(names)) for stage, names in MODELS.items()},
        "neural": {
            "speech": "pyannote",
            "diarizer": "pyannote",
            "transcriber": "whisper:turbo",
            "aligner": "whisper",
        },
    }
)
DEFAULT_WHISPER = "turbo"
DEFAULT_PYANNOTE = "pyannote/speaker-diarization-community-1"
_CODES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi "
    "ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd "
    "gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"
)
#: The codes of the languages that Whisper knows (whisper.tokenizer.LANGUAGES), in the order of its tokens.
LANGUAGES = tuple(_CODES.split())
AUTO = "auto"
#: Those that are written without spaces between words.
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model by the name of its kind; `argument` says which of the kind ("turbo", a path, a hub id), "" none."""

    name: str
    argument: str = ""


def parse_choice(stage: str, text: str) -> ModelChoice:
    """What `stage` is done with; raises ValueError with a line that names the nearest one."""
    name, colon, argument = text.partition(":")
    known = MODELS[stage]
    if name not in known:
        raise ValueError(f"there is no {stage} called {name!r}; {nearest(name, list(known))}")
    if colon and not known[name]:
        raise ValueError(f"{name} is one model, nothing follows it; write {name}")
    if colon and not argument.strip():
        raise ValueError(f"after {name}: the model is missing; write {name}, or {name}:MODEL")
    return ModelChoice(name, argument.strip())


def parse_language(text: str) -> str:
    """A code of LANGUAGES or "auto"; raises ValueError with a line that names the nearest one."""
    if text == AUTO or text in LANGUAGES:
        return text
    near = difflib.get_close_matches(text.lower().replace("_", "-").split("-")[0], LANGUAGES, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else "write a code such as en, de or fr, or auto"
    raise ValueError(f"there is no language {text!r}; {hint}")


def is_path(argument: str) -> bool:
    """Whether an argument names a file or a folder, and not a model by its name."""
    return "/" in argument or "\\" in argument or argument.endswith(".pt")


def is_missing_folder(source: str) -> bool:
    """Whether a source that is no folder here can't be a hub id either: it is the path of one that isn't there."""
    return source.startswith((".", "/", "~")) or source.count("/") != 1


def nearest(name: str, known: list[str]) -> str:
    """ "did you mean ...?", or all that there are."""
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known)}"

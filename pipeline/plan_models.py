"""What neural models would hear of a build's episodes, and the GPU time that takes at stated speeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.config_sections import Models
from transforms.models.choice import DEFAULT_PYANNOTE, ModelChoice

#: What the speeds are of.
GPU = "an RTX 3090"
#: GPU seconds for an hour of audio on that. Large, medium and small (15:50 of English by openai-whisper):
#: gist.github.com/vphill/e1716a166cf7fbe15e3371b0f67cd6e7. The others in proportion to large: turbo as in
#: github.com/SYSTRAN/faster-whisper/issues/1030, tiny and base as in openai-whisper's own table.
WHISPER: Mapping[str, float] = MappingProxyType(
    {"tiny": 42.0, "base": 61.0, "small": 106.0, "medium": 216.0, "large": 424.0, "turbo": 116.0}
)
#: The same of a whole diarization pipeline: github.com/e6quisitory/pyannote-benchmark.
PYANNOTE = 63.0
#: Stages whose model a configuration chooses, and the stage of an episode that it works in.
STAGES: Mapping[str, str] = MappingProxyType(
    {"speech": "speech", "diarizer": "diarization", "transcriber": "utterances", "aligner": "utterances"}
)


@dataclass(frozen=True)
class PlannedModel:
    """A neural model and what is left for it: hours that it hears, and GPU seconds at the speed of `gpu`."""

    task: str
    model: str
    hours: float
    gpu_seconds: float
    gpu: str = GPU


@dataclass(frozen=True)
class Left:
    """Hours of episodes that a stage has still to see: of all, and of those without a published transcript."""

    hours: float
    without_transcript: float


def seconds_an_hour(choice: ModelChoice) -> float:
    """GPU seconds for an hour of audio; of a checkpoint that has no known name as large, 0 of an embedded model."""
    if choice.name == "pyannote":
        return PYANNOTE
    if choice.name != "whisper":
        return 0.0
    name = choice.argument.rpartition("/")[2].removesuffix(".pt").removesuffix(".en")
    size = "turbo" if name.endswith("turbo") else name.partition("-")[0]
    return WHISPER.get(size, WHISPER["large"])


def planned_models(models: Models, left: Mapping[str, Left], target_share: float) -> tuple[PlannedModel, ...]:
    """Every neural model that the configuration names; `left` is by stage of an episode.

    A detector and a diarizer hear whole episodes. A recogniser hears the target (`target_share` of an episode), where
    no transcript is published; an aligner all of the target's speech.
    """
    found = []
    for task, stage in STAGES.items():
        choice = models.choice(task)
        seconds = seconds_an_hour(choice)
        if not seconds:
            continue
        hours = left[stage].hours
        if task in ("transcriber", "aligner"):
            hours = target_share * (left[stage].without_transcript if task == "transcriber" else hours)
        found.append(PlannedModel(task, written(choice), hours, hours * seconds))
    return tuple(found)


def written(choice: ModelChoice) -> str:
    """A choice as a configuration says it, the model always named."""
    argument = choice.argument or (DEFAULT_PYANNOTE if choice.name == "pyannote" else "")
    return f"{choice.name}:{argument}" if argument else choice.name


def neural_seconds(models: Models, with_transcript: bool) -> dict[str, float]:
    """By stage of an episode, GPU seconds for an hour of what the stage works on; embedded stages are left out."""
    found = {STAGES[task]: seconds_an_hour(models.choice(task)) for task in ("speech", "diarizer")}
    aligning = seconds_an_hour(models.choice("aligner"))
    found["utterances"] = aligning + (0.0 if with_transcript else seconds_an_hour(models.choice("transcriber")))
    return {stage: seconds for stage, seconds in found.items() if seconds}


def hours_left(seconds: Sequence[tuple[float, bool]]) -> Left:
    """Of episodes (seconds, whether a transcript is published)."""
    whole = sum(length for length, _ in seconds) / 3600
    return Left(whole, sum(length for length, has_transcript in seconds if not has_transcript) / 3600)

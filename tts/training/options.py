"""What a training is told."""

from dataclasses import dataclass, replace
from pathlib import Path

from schemas.errors import ConfigurationError
from tts.data.cache import TIERS
from tts.models.presets import PRESETS, Preset

PARTS = ("acoustic", "vocoder")
SCHEDULES = ("cosine", "constant")


@dataclass(frozen=True)
class TrainOptions:
    """`minutes` of training in all, and `steps` of each part: it ends with what comes first. None is the preset's.

    `device` "auto" is a GPU where there is one. `without_consent` is a reason, "" where a consent has to be on record.
    """

    dataset: str
    out: Path
    preset: str = "cpu"
    minutes: float | None = None
    steps: int | None = None
    tier: str = "default"
    seed: int = 0
    device: str = "auto"
    parts: tuple[str, ...] = PARTS
    schedule: str | None = None
    init_from: Path | None = None
    without_consent: str = ""
    cache: Path | None = None
    checkpoint_minutes: float = 5.0
    bf16: bool | None = None
    compiled: bool | None = None
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for name, value, known in (
            ("preset", self.preset, tuple(PRESETS)),
            ("tier", self.tier, TIERS),
            ("schedule", self.schedule or SCHEDULES[0], SCHEDULES),
        ):
            if value not in known:
                raise ConfigurationError(f"--{name}: there is no {value!r}; there are {', '.join(known)}")
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown or not self.parts:
            raise ConfigurationError(
                f"--parts: expected {' or '.join(PARTS)}, got {', '.join(self.parts) or 'nothing'}"
            )
        for name, number in (("max-minutes", self.minutes), ("checkpoint-minutes", self.checkpoint_minutes)):
            if number is not None and not number > 0:
                raise ConfigurationError(f"--{name}: has to be more than 0, not {number:g}")
        if self.steps is not None and self.steps < 1:
            raise ConfigurationError(f"--max-steps: has to be at least 1, not {self.steps}")

    @property
    def settings(self) -> Preset:
        """The preset with what was said otherwise."""
        preset = PRESETS[self.preset]
        if self.schedule is None:
            return preset
        return replace(preset, training=replace(preset.training, schedule=self.schedule))

    @property
    def most_minutes(self) -> float:
        """When it ends, in minutes of training; without an end where only steps were said."""
        if self.minutes is None:
            return float("inf") if self.steps is not None else self.settings.training.minutes
        return self.minutes

"""Training as a run: recorded, one at a time on a device, stopped where it is told to stop."""

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch

from tts.data.dataset import open_dataset
from tts.runs import belongs_to_run, recorded
from tts.training.options import TrainOptions
from tts.training.train import train
from tts.voice import VoiceFacts

# voice.json has minutes with three digits after the point.
_MINUTES_ROUNDED = 0.001


def train_on_record(options: TrainOptions, tell: Callable[[str], None]) -> VoiceFacts:
    """As `train`, recorded as a run; of the processes of torchrun the first one records for all.

    Raises KeyboardInterrupt where a signal ended it before its time; what was learned is kept.
    """
    if belongs_to_run() or os.environ.get("RANK", "0") != "0":
        return train(options, tell)
    about = {"configuration": asdict(options.settings), "devices": devices_of(options.device), "tell": tell}
    with recorded("train", parameters_of(options), options.out, **about) as run:
        facts = train(options, run.tell)
        run.note(steps=dict(facts.steps), minutes=dict(facts.minutes), clips=facts.origin.clips)
        if not is_done(options, facts):
            raise KeyboardInterrupt
    return facts


def parameters_of(options: TrainOptions) -> dict[str, Any]:
    """What a training was asked for, and of which version of the dataset; raises RealtalkError where none is ready."""
    dataset = open_dataset(options.dataset)
    asked = {name: str(value) if isinstance(value, os.PathLike) else value for name, value in asdict(options).items()}
    return {"name": dataset.name, "dataset_version": dataset.version, "max_minutes": asked.pop("minutes"), **asked}


def devices_of(device: str) -> tuple[str, ...]:
    """The devices that a training on `device` takes, with all processes of torchrun on this machine."""
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if name != "cuda":
        return (name,)
    return tuple(f"cuda:{number}" for number in range(int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


def is_done(options: TrainOptions, facts: VoiceFacts) -> bool:
    """Whether every part has learned for as long as was asked."""
    return all(
        facts.minutes.get(part, 0.0) >= options.most_minutes - _MINUTES_ROUNDED
        or (options.steps is not None and facts.steps.get(part, 0) >= options.steps)
        for part in options.parts
    )

"""The loop: steps, lines, checkpoints, until the time or the steps are over or somebody stops it."""

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tts.training.checkpoints import Reached, resume, save
from tts.training.distributed import Team
from tts.training.examples import Batch, Examples, Norms, Segments, acoustic_batches, vocoder_batches
from tts.training.metrics import Metrics
from tts.training.options import TrainOptions
from tts.training.parts import Part
from tts.training.prefetch import Prefetched

_LINE_SECONDS = 15.0
#: In the environment of a training that another one began: that one's process, without which it ends too.
PARENT = "REALTALK_TRAINING_PARENT"
#: Told of each line of metrics, and of each checkpoint: its part and step.
Tell = Callable[[str], None]
AfterCheckpoint = Callable[[str, int], None]


@dataclass(eq=False)
class _Running:
    """A part with all that goes with it."""

    part: Part
    reached: Reached
    batches: Prefetched
    metrics: Metrics
    said: float
    told_waited: float = 0.0
    told_seconds: float = 0.0


def train_parts(
    folder: Path,
    parts: list[Part],
    examples: Callable[[], Examples],
    norms: Norms,
    options: TrainOptions,
    together: Team,
    tell: Tell,
    after_checkpoint: AfterCheckpoint,
) -> Mapping[str, Reached]:
    """Let the parts learn by turns until all have come to the end of `options`; returns how far each is.

    `examples` makes the clips for one thread. A signal (SIGINT, SIGTERM) ends it with a checkpoint.
    """
    with ExitStack() as stack:
        stopped = stack.enter_context(_signals())
        running = []
        for part in parts:
            reached = resume(folder, part)
            batches = Prefetched(_maker(part.name, examples, norms, options, reached, together))
            stack.callback(batches.close)
            metrics = stack.enter_context(Metrics(folder, part.name, options.tensorboard and together.leads))
            running.append(_Running(part, reached, batches, metrics, time.monotonic(), told_seconds=reached.seconds))
        _loop(folder, running, options, together, tell, after_checkpoint, stopped)
        return {one.part.name: one.reached for one in running}


def _loop(
    folder: Path,
    running: list[_Running],
    options: TrainOptions,
    together: Team,
    tell: Tell,
    after_checkpoint: AfterCheckpoint,
    stopped: threading.Event,
) -> None:
    checkpointed = time.monotonic()
    # The first one is early: a voice that speaks badly is better than none.
    wanted = min(60.0, options.checkpoint_minutes * 60)
    learning = list(running)
    while learning:
        for one in list(learning):
            is_over = stopped.is_set() or _is_orphan()
            ended, progress = together.agreed(float(is_over), progress_of(one.reached, options))
            if ended or progress >= 1.0:
                learning.remove(one)
                continue
            _step(one, progress, together)
            if time.monotonic() - one.said > _LINE_SECONDS:
                _line(one, progress, together, tell)
        due = time.monotonic() - checkpointed > wanted
        if together.agreed(float(due))[0] and learning:
            _checkpoint(folder, running, together, after_checkpoint)
            checkpointed, wanted = time.monotonic(), options.checkpoint_minutes * 60
    for one in running:
        _line(one, progress_of(one.reached, options), together, tell)
    _checkpoint(folder, running, together, after_checkpoint)


def _is_orphan() -> bool:
    parent = os.environ.get(PARENT)
    return parent is not None and os.getppid() != int(parent)


def progress_of(reached: Reached, options: TrainOptions) -> float:
    """How much of a part's training is done, 0 to 1 and more."""
    by_time = reached.seconds / (options.most_minutes * 60)
    by_steps = reached.step / options.steps if options.steps else 0.0
    return max(by_time, by_steps)


def _step(one: _Running, progress: float, together: Team) -> None:
    began = time.monotonic()
    batch = next(one.batches)
    assert isinstance(batch, (Batch, Segments))
    losses = one.part.learn(batch.to(together.device), one.reached.step, progress)
    one.metrics.add(losses)
    one.reached = replace(
        one.reached,
        step=one.reached.step + 1,
        batches=one.reached.batches + together.world,
        seconds=one.reached.seconds + time.monotonic() - began,
    )


def _line(one: _Running, progress: float, together: Team, tell: Tell) -> None:
    one.said = time.monotonic()
    if not together.leads:
        return
    seconds = one.reached.seconds - one.told_seconds
    waited = (one.batches.waited - one.told_waited) / seconds if seconds > 0 else 0.0
    one.told_waited, one.told_seconds = one.batches.waited, one.reached.seconds
    line = one.metrics.write(one.reached.step, minutes=one.reached.seconds / 60, waited=waited)
    losses = " · ".join(
        f"{name} {line[name]:.3f}" for name in ("mel", "stft", "flow", "duration", "generator") if name in line
    )
    share = "" if math.isinf(progress) else f" · {min(progress, 1.0):.0%}"
    tell(f"{one.part.name}: step {one.reached.step}{share} · {losses} · {line['steps_per_second']:.2f} steps/s")


def _checkpoint(folder: Path, running: list[_Running], together: Team, after: AfterCheckpoint) -> None:
    if together.leads:
        for one in running:
            save(folder, one.part, one.reached)
        for one in running:
            after(one.part.name, one.reached.step)
    together.wait()


def _maker(
    part: str, examples: Callable[[], Examples], norms: Norms, options: TrainOptions, reached: Reached, together: Team
) -> Callable[[], Iterator[Batch | Segments]]:
    training, place = options.settings.training, (reached.batches, together.rank, together.world)

    def make() -> Iterator[Batch | Segments]:
        found = (
            acoustic_batches(examples(), norms, training, options.seed, *place)
            if part == "acoustic"
            else vocoder_batches(examples(), training, options.seed, *place)
        )
        for batch in found:
            yield batch.pinned() if together.device.type == "cuda" else batch

    return make


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; outside of the main thread nothing is caught."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {which: signal.signal(which, lambda *_: stopped.set()) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)

"""`python -m tts train`: training on a machine that has torch, numpy, pyarrow, soundfile and safetensors alone.

torchrun --nproc-per-node 8 -m tts train gs://bucket/dataset --out voice --preset large
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import RealtalkError
from tts.data.cache import TIERS
from tts.models.presets import PRESETS
from tts.training.options import PARTS, SCHEDULES, TrainOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code: 0 done, 1 failed, 2 wrong use, 130 stopped."""
    given = _parser().parse_args(arguments)
    try:
        from tts.training.on_record import train_on_record

        train_on_record(_options(given), lambda line: print(line, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        print("realtalk: stopped; what is done is kept: run the same command again to go on", file=sys.stderr)
        return 130
    except RealtalkError as error:
        print(f"realtalk: {error}", file=sys.stderr)
        return 1
    return 0


def _options(given: argparse.Namespace) -> TrainOptions:
    return TrainOptions(
        dataset=given.dataset,
        out=given.out,
        preset=given.preset,
        minutes=given.max_minutes,
        steps=given.max_steps,
        tier=given.tier,
        seed=given.seed,
        device=given.device,
        parts=tuple(given.parts),
        schedule=given.schedule,
        init_from=given.init_from,
        without_consent=given.without_consent,
        cache=given.cache,
        checkpoint_minutes=given.checkpoint_minutes,
        bf16=given.bf16,
        compiled=given.compile,
        tensorboard=given.tensorboard,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tts", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="train a voice from a dataset, or go on where it was stopped")
    train.add_argument("dataset", help="a folder or URI with manifest.json")
    train.add_argument("--out", type=Path, required=True, help="the voice's folder")
    train.add_argument("--preset", choices=tuple(PRESETS), default="cpu")
    train.add_argument("--max-minutes", type=float, help="of training in all; else the preset's")
    train.add_argument("--max-steps", type=int, help="of each part")
    train.add_argument("--tier", choices=TIERS, default="default", help="clips that pass this profile")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--device", default="auto", help="auto, cpu or cuda")
    train.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    train.add_argument("--schedule", choices=SCHEDULES)
    train.add_argument("--init-from", type=Path, help="a voice whose weights to begin with")
    train.add_argument("--without-consent", default="", metavar="REASON")
    train.add_argument("--cache", type=Path, help="where features are kept")
    train.add_argument("--checkpoint-minutes", type=float, default=5.0)
    train.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=None)
    train.add_argument("--compile", action=argparse.BooleanOptionalAction, default=None)
    train.add_argument("--tensorboard", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())

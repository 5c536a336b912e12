"""Grow the trees of `sphinx_verifier` from podcasts whose truth is known.

    python -m transforms.models.train_verifier OUT.json PODCAST [PODCAST ...]

A PODCAST is a folder with episodes/NAME.mp3 and truth/NAME.json: {"turns": [{speaker, start, end, text, overlapped},
...]}, text null where it isn't known. Needs scikit-learn.

Every turn is seen with its text as it is said, and with errors as captions have them (a word left out, replaced by
"um", or backwards): the trees learn to tell them apart.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from transforms.models.base import MODEL_RATE, AlignmentError, Samples
from transforms.models.sphinx_verifier import FEATURES, SphinxVerifier
from transforms.text.spoken import tokenise

# The share of words that are wrong in each copy of a turn.
_ERROR_SHARES = (0.08, 0.08, 0.2, 0.2)
# Heard before and after a turn (s).
_MARGIN_SECONDS = 0.15
# Longer turns (s) are left out: clips are not as long.
_LONGEST_SECONDS = 16.0
# What share of the words is expected to be wrong where text is verified.
_EXPECTED_SHARE = 0.04
# Chosen on the speakers that were learnt from, each in turn left out.
_TREES, _DEPTH, _RATE, _ROW_SHARE, _LEAF_ROWS, _FEATURES_A_SPLIT = 200, 3, 0.05, 0.6, 15, 8
_SEED = 0


@dataclass(frozen=True)
class Labelled:
    """A text, and which of its words are wrong or stand beside a missing one."""

    words: tuple[str, ...]
    wrong: tuple[bool, ...]


def with_errors(said: Sequence[str], share: float, rng: random.Random) -> Labelled:
    """A text with a share of its words wrong or left out."""
    words: list[str] = []
    wrong: list[bool] = []
    is_missing = False
    for word in said:
        written = rng.choice(("", "um", word[::-1])) if rng.random() < share else word
        if not written:
            is_missing = True
            wrong[-1:] = [True] * len(wrong[-1:])
            continue
        words.append(written)
        wrong.append(is_missing or written != word)
        is_missing = False
    if is_missing:
        wrong[-1:] = [True] * len(wrong[-1:])
    return Labelled(tuple(words), tuple(wrong))


def learnable(
    verifier: SphinxVerifier, samples: Samples, said: Sequence[str], rng: random.Random
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Features and labels of a turn's words, as they are said and with errors."""
    right = Labelled(tuple(said), (False,) * len(said))
    for variant in (right, *(with_errors(said, share, rng) for share in _ERROR_SHARES)):
        try:
            yield verifier.features(samples, variant.words), np.array(variant.wrong)
        except AlignmentError:
            # A word without vowels has no pronunciation, and some errors fit nowhere.
            continue


def grow(rows: NDArray[np.float64], wrong: NDArray[np.bool_]) -> dict[str, Any]:
    """Trees as `boosted_trees` reads them, for the log-odds of a word being wrong."""
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(
        n_estimators=_TREES,
        max_depth=_DEPTH,
        learning_rate=_RATE,
        subsample=_ROW_SHARE,
        min_samples_leaf=_LEAF_ROWS,
        max_features=_FEATURES_A_SPLIT,
        random_state=_SEED,
    ).fit(rows, wrong)
    trees = [_plain(regressor.tree_) for (regressor,) in model.estimators_]
    return {"start": round(_log_odds(_EXPECTED_SHARE), 5), "features": list(FEATURES), "trees": trees}


def _plain(tree: Any) -> dict[str, list[float]]:
    return {
        "feature": np.where(tree.children_left < 0, -1, tree.feature).tolist(),
        "threshold": np.round(tree.threshold, 4).tolist(),
        "left": tree.children_left.tolist(),
        "right": tree.children_right.tolist(),
        "value": np.round(tree.value[:, 0, 0] * _RATE, 4).tolist(),
    }


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def turns_of(podcast: Path, without: Sequence[str] = ()) -> Iterator[tuple[Samples, tuple[str, ...]]]:
    """Audio and words of every turn whose text is known and that nobody else speaks into, but of speakers `without`."""
    for path in sorted((podcast / "truth").glob("*.json")):
        stereo, rate = soundfile.read(podcast / "episodes" / f"{path.stem}.mp3", dtype="float32", always_2d=True)
        samples = soxr.resample(stereo.mean(axis=1), rate, MODEL_RATE)
        for turn in json.loads(path.read_text(encoding="utf-8"))["turns"]:
            if turn["speaker"] in without:
                continue
            start, end = turn["start"] - _MARGIN_SECONDS, turn["end"] + _MARGIN_SECONDS
            if turn["text"] and not turn["overlapped"] and end - start <= _LONGEST_SECONDS:
                words = tuple(word for token in tokenise(turn["text"]) for word in token.spoken)
                yield samples[round(max(start, 0.0) * MODEL_RATE) : round(end * MODEL_RATE)], words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("podcasts", type=Path, nargs="+", metavar="PODCAST")
    parser.add_argument("--without", nargs="*", default=[], metavar="SPEAKER", help="speakers to be measured on later")
    arguments = parser.parse_args()
    verifier, rng = SphinxVerifier(), random.Random(_SEED)
    found = [
        one
        for podcast in arguments.podcasts
        for samples, said in turns_of(podcast, arguments.without)
        for one in learnable(verifier, samples, said, rng)
    ]
    rows, wrong = np.vstack([one for one, _ in found]), np.concatenate([one for _, one in found])
    arguments.out.write_text(json.dumps(grow(rows, wrong), separators=(",", ":")) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()

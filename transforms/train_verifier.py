"""Grow the trees of `models/sphinx_verifier` from podcasts whose truth is known.

    python -m transforms.train_verifier OUT.json --rows FOLDER PODCAST [PODCAST ...]

A PODCAST is a folder with episodes/NAME.mp3 and NAME.vtt, without errors, and truth/NAME.json: {"host", "turns":
[{speaker, start, end, text, overlapped}, ...]}, text null where it isn't known. Needs scikit-learn. What was measured
on a podcast stays in FOLDER: remove it to measure again.

What is learnt from is what a build would verify: clips that Align and Cut make of the host's turns, and the same clips
with errors as captions have them, where the errors are such that Align would have let them through. Some clips are
heard in another voice: faster or slower, through another microphone, in noise. A table says what limits on the score do
to the texts of each host, judged by trees of the other hosts.

The trees that are there are of six podcasts by make_podcast.py: hosts 1688, 2609 and 367, no overlap, 14 turns of
guests; 1688 and 2609 dry with seed 901, 367 in rooms with seed 902, and in rooms with seeds 903, 902 and 903.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from schemas.clip import Cut
from schemas.recording import Media
from schemas.text import Word
from schemas.turn import Span, TargetSpeech, Turn
from transforms.align import AlignSettings, align_target
from transforms.audio import read_span
from transforms.cut import CutSettings, plan_cuts
from transforms.decode import decode
from transforms.models.base import MODEL_RATE, AlignmentError, Samples
from transforms.models.boosted_trees import trees_of
from transforms.models.silero import SileroDetector
from transforms.models.sphinx import SphinxAligner
from transforms.models.sphinx_decoder import FRAME_SECONDS, Segment
from transforms.models.sphinx_edits import short_words
from transforms.models.sphinx_rivals import Talk
from transforms.models.sphinx_verifier import SphinxVerifier
from transforms.models.verifier_features import FEATURES
from transforms.script import spoken_sentences
from transforms.speech import detect_speech
from transforms.text.captions import read_captions
from transforms.text.spoken import tokenise
from transforms.utterances import PAUSE_SECONDS, Limits

# The share of clips that are heard in another voice, copies of each clip with errors, and how often a copy has two.
_OTHER_VOICES, _COPIES, _TWO_ERRORS = 0.3, 3, 0.25
# What makes another voice: how much faster, how the level tilts (dB an octave, and dB at most), how far noise is below.
_SPEEDS, _TILTS, _MOST_TILT, _NOISES = (0.88, 1.13), (-3.0, 3.0), 12.0, (15.0, 40.0)
_TILT_AROUND = 1000.0
# Two of seven are missing words, which are the hardest to find.
_ERRORS = ("missing", "missing", "um", "short", "backwards", "another", "further")
# Heard after a turn (s), which a room makes longer.
_TURN_MARGINS = (0.05, 0.15)
# What share of the words is expected to be wrong where text is verified.
_EXPECTED_SHARE = 0.02
# Chosen on the hosts that were learnt from, each in turn left out.
_TREES, _DEPTH, _RATE, _LEAF_ROWS, _SHRINKAGE, _FEATURE_SHARE = 150, 2, 0.05, 20, 1.0, 0.3
# Whatever else is so, a word is no likelier to be right if it fits worse, or if rivals fit better: what few examples
# say against it would mislead on other voices.
_FITTING = frozenset(
    ("gop", "worst", "second_worst", "deficit", "worst_deficit", "relative", "score", "agreement", "first_phone",
     "last_phone", "held", "alike", "follows", "is_followed", "fluent")
)  # fmt: skip
_DOUBTFUL = frozenset(
    ("heard_before", "heard_after", "gain", "mean_gain", "wide_gain", "more_before", "instead", "more_after",
     "fits_better", "likelier", "better")
)  # fmt: skip
_SEED = 0
# Limits on a text's score that are tried.
_LIMITS = (0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8)


@dataclass(frozen=True)
class Labelled:
    """A text, and which of its words are wrong or stand beside a missing one."""

    words: tuple[str, ...]
    wrong: tuple[bool, ...]


@dataclass(frozen=True)
class RightClip:
    """A clip of one episode whose text is what is said."""

    samples: Samples
    words: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """FEATURES and labels of words, shape (n, features) and (n,), and the number of the text that each is of."""

    features: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    text: NDArray[np.int64]


def with_errors(said: Sequence[str], others: Sequence[str], rng: random.Random) -> Labelled:
    """A text with one error or two; words that get in by mistake are of `others`."""
    places = set(rng.sample(range(len(said)), min(1 + (rng.random() < _TWO_ERRORS), len(said))))
    words: list[str] = []
    wrong: list[bool] = []
    is_missing = False
    for place, word in enumerate(said):
        written = _written(word, rng.choice(_ERRORS), others, rng) if place in places else (word,)
        # A clip that lacks its first or last word may still be said so, by a cut in another place.
        if not written and place in (0, len(said) - 1):
            written = (word,)
        if not written:
            wrong[-1:] = [True] * len(wrong[-1:])
        for number, one in enumerate(written):
            words.append(one)
            wrong.append(is_missing or one != word or number > 0)
        is_missing = not written
    return Labelled(tuple(words), tuple(wrong))


def _written(word: str, error: str, others: Sequence[str], rng: random.Random) -> tuple[str, ...]:
    if error == "missing":
        return ()
    if error == "um":
        return ("um",)
    if error == "short":
        return (rng.choice(short_words()),)
    if error == "backwards":
        return (word[::-1],)
    return (rng.choice(others),) if error == "another" else (word, rng.choice(others))


def another_voice(samples: Samples, rng: random.Random) -> Samples:
    """The same said by a longer or shorter throat, through another microphone, in noise."""
    faster = soxr.resample(samples, MODEL_RATE * rng.uniform(*_SPEEDS), MODEL_RATE)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(faster), 1 / MODEL_RATE), 1.0) / _TILT_AROUND)
    gains = np.clip(rng.uniform(*_TILTS) * octaves, -_MOST_TILT, _MOST_TILT)
    tilted = np.fft.irfft(np.fft.rfft(faster) * 10 ** (gains / 20), len(faster))
    level = np.sqrt(np.mean(tilted**2)) * 10 ** (-rng.uniform(*_NOISES) / 20)
    noisy = tilted + np.random.default_rng(rng.getrandbits(32)).normal(0.0, level, len(tilted))
    return np.asarray(noisy * np.abs(samples).max() / np.abs(noisy).max(), np.float32)


def measured(podcast: Path, verifier: SphinxVerifier) -> Rows:
    """Rows of all texts of the podcast's clips, right ones and ones with errors, some in another voice."""
    rng = random.Random(f"{_SEED} {podcast.name}")
    found: list[tuple[NDArray[np.float64], tuple[bool, ...]]] = []
    for path in sorted((podcast / "truth").glob("*.json")):
        clips, sentences = episode_clips(podcast, path)
        talk = Talk(sentences, verifier.pronouncer)
        for clip in clips:
            samples = another_voice(clip.samples, rng) if rng.random() < _OTHER_VOICES else clip.samples
            found += _texts(replace(clip, samples=samples), sentences, talk, verifier, rng)
    lengths = [len(wrong) for _, wrong in found]
    return Rows(
        np.vstack([features for features, _ in found]),
        np.concatenate([wrong for _, wrong in found]),
        np.repeat(np.arange(len(found)), lengths),
    )


def _texts(
    clip: RightClip, sentences: Sequence[Sequence[str]], talk: Talk, verifier: SphinxVerifier, rng: random.Random
) -> list[tuple[NDArray[np.float64], tuple[bool, ...]]]:
    """Features and labels of a clip's right text and of its copies with errors; none where that isn't let through."""
    limits = AlignSettings().limits()
    others = [word for sentence in sentences for word in sentence]
    try:
        heard = verifier.listen(clip.samples, talk)
        found = [(verifier.features(heard, clip.words), (False,) * len(clip.words))]
    except AlignmentError:
        return []
    for _ in range(_COPIES):
        copy = with_errors(clip.words, others, rng)
        try:
            if any(copy.wrong) and _is_let_through(verifier.align(heard.pcm, copy.words), limits):
                found.append((verifier.features(heard, copy.words), copy.wrong))
        except AlignmentError:
            # A word without vowels has no pronunciation, and some errors fit nowhere.
            continue
    return found


def episode_clips(podcast: Path, truth_path: Path) -> tuple[list[RightClip], tuple[tuple[str, ...], ...]]:
    """Clips of the host that a build would make of an episode, those with the right text; its captions, as spoken."""
    truth: dict[str, Any] = json.loads(truth_path.read_text(encoding="utf-8"))
    media = podcast / "episodes" / f"{truth_path.stem}.mp3"
    captions = read_captions(str(media.with_suffix(".vtt")), "vtt")
    turns = [turn for turn in truth["turns"] if turn["speaker"]]
    own = [turn for turn in turns if turn["speaker"] == truth["host"]]
    before, after = _TURN_MARGINS
    spans = tuple(Span(turn["start"] - before, turn["end"] + after) for turn in own if not turn["overlapped"])
    everyone = tuple(Turn(t["start"], t["end"], t["speaker"], t["speaker"] == truth["host"]) for t in turns)
    target = TargetSpeech(everyone, spans, truth["host"])
    with tempfile.TemporaryDirectory(prefix="realtalk-") as folder:
        path, model_path = Path(folder) / "recording.flac", Path(folder) / "heard.flac"
        source = Media(str(media), "", media.stat().st_size, str(media))
        recording = replace(decode(source, path, model_out=model_path), path=str(path), model_path=str(model_path))
        speech = detect_speech(recording, SileroDetector())
        utterances = align_target(recording, spans, speech, captions, "vtt", SphinxAligner(), AlignSettings())
        cuts = plan_cuts(recording, utterances, target, speech, CutSettings())
        clips = [
            RightClip(read_span(recording.heard_path, cut.start, cut.end), tuple(cut.spoken.split()))
            for cut in cuts
            if _is_right(cut, own)
        ]
    return clips, spoken_sentences(captions)


def _is_right(cut: Cut, turns: Sequence[dict[str, Any]]) -> bool:
    said = " ".join(
        " ".join(_spoken(turn["text"] or "")) for turn in turns if turn["end"] > cut.start and turn["start"] < cut.end
    )
    return f" {cut.spoken} " in f" {said} "


def _spoken(text: str) -> list[str]:
    return [word for token in tokenise(text) for word in token.spoken]


def _is_let_through(aligned: Sequence[Segment], limits: Limits) -> bool:
    """Whether Align would have taken a text for said: each of its words, and each phrase between pauses."""
    phrase: list[Segment] = []
    for place, segment in enumerate(aligned):
        score = segment.score / max(segment.frames, 1)
        if limits.is_unlikely(Word("", segment.first * FRAME_SECONDS, segment.end * FRAME_SECONDS, score)):
            return False
        phrase.append(segment)
        is_last = place + 1 == len(aligned)
        if is_last or (aligned[place + 1].first - segment.end) * FRAME_SECONDS >= PAUSE_SECONDS:
            if sum(one.score for one in phrase) < limits.phrase_score * sum(one.frames for one in phrase):
                return False
            phrase = []
    return True


def grow(features: NDArray[np.float64], wrong: NDArray[np.bool_]) -> dict[str, Any]:
    """Trees as `boosted_trees` reads them, for the log-odds of a word being wrong."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_depth=_DEPTH,
        learning_rate=_RATE,
        min_samples_leaf=_LEAF_ROWS,
        l2_regularization=_SHRINKAGE,
        max_features=_FEATURE_SHARE,
        monotonic_cst=[_direction(name) for name in FEATURES],
        early_stopping=False,
        random_state=_SEED,
    ).fit(features, wrong)
    # There is no public way to the trees of this model.
    trees = [_plain(predictor.nodes) for (predictor,) in model._predictors]
    return {"start": round(_log_odds(_EXPECTED_SHARE), 5), "features": list(FEATURES), "trees": trees}


def _direction(feature: str) -> int:
    """1 where more of a feature may only make a wrong word likelier, -1 only less likely, 0 either."""
    name = feature.removeprefix("english_").removeprefix("edited_")
    return (name in _DOUBTFUL) - (name in _FITTING)


def _plain(nodes: NDArray[Any]) -> dict[str, list[float]]:
    is_leaf = nodes["is_leaf"].astype(bool)
    return {
        "feature": np.where(is_leaf, -1, nodes["feature_idx"]).tolist(),
        "threshold": np.round(nodes["num_threshold"], 4).tolist(),
        "left": np.where(is_leaf, -1, nodes["left"].astype(np.int64)).tolist(),
        "right": np.where(is_leaf, -1, nodes["right"].astype(np.int64)).tolist(),
        "value": np.where(is_leaf, np.round(nodes["value"], 4), 0.0).tolist(),
    }


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def left_out(rows: Sequence[Rows], hosts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """For every text its score by trees of the other hosts' texts, and whether it is right."""
    scores, right = [], []
    for one, host in zip(rows, hosts, strict=True):
        others = [other for other, whose in zip(rows, hosts, strict=True) if whose != host]
        plain = grow(np.vstack([o.features for o in others]), np.concatenate([o.wrong for o in others]))
        log_right = -np.logaddexp(0.0, trees_of(plain).log_odds(one.features))
        scores.append(np.exp(np.bincount(one.text, weights=log_right)))
        right.append(np.bincount(one.text, weights=one.wrong) == 0)
    return np.concatenate(scores), np.concatenate(right)


def kept_rows(podcast: Path, folder: Path, verifier: SphinxVerifier) -> Rows:
    """Of a podcast; from the folder where they were measured before."""
    path = folder / f"{podcast.name}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        rows = measured(podcast, verifier)
        np.savez_compressed(path, features=rows.features, wrong=rows.wrong, text=rows.text)
    with np.load(path) as kept:
        return Rows(kept["features"], kept["wrong"], kept["text"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("podcasts", type=Path, nargs="+", metavar="PODCAST")
    parser.add_argument("--rows", type=Path, required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    verifier = SphinxVerifier()
    rows = [kept_rows(podcast, arguments.rows, verifier) for podcast in arguments.podcasts]
    trees = grow(np.vstack([one.features for one in rows]), np.concatenate([one.wrong for one in rows]))
    arguments.out.write_text(json.dumps(trees, separators=(",", ":")) + "\n", encoding="ascii")
    scores, right = left_out(rows, [_host(podcast) for podcast in arguments.podcasts])
    print("limit  right texts kept  wrong texts kept")
    for limit in _LIMITS:
        kept = scores >= limit
        print(f"{limit:5.2f}  {kept[right].mean():16.1%}  {kept[~right].mean():16.1%}")


def _host(podcast: Path) -> str:
    return str(json.loads(min((podcast / "truth").glob("*.json")).read_text(encoding="utf-8"))["host"])


if __name__ == "__main__":
    main()

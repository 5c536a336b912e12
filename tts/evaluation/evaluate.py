"""Evaluating a voice on held-out recordings: how intelligible, how alike, how near to the recordings, how fast."""

import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import ConfigurationError
from tts.audio_files import Marks, marks_of
from tts.data.dataset import Dataset, open_dataset
from tts.evaluation.figures import ClipFigures, Evaluation, clip_figures, evaluation_of
from tts.evaluation.judges import embedded_file, identities, judge_all
from tts.evaluation.utterances import Versions, for_models, held_out, versions_of
from tts.origin import recording_key
from tts.voice import Voice, VoiceFacts, load_voice

Tell = Callable[[str], None]
_TOLD_EVERY = 10
_TRAINED_ON = "train"
_SPLITS = ("train", "validation", "test")
_AUDIO = frozenset((".wav", ".flac", ".mp3", ".ogg", ".opus"))


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate. `limit` 0: every clip of the split; `others`: a folder of recordings of other speakers."""

    split: str = "test"
    limit: int = 100
    recogniser: str = "pocketsphinx"
    others: Path | None = None
    workers: int = 1
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Evaluated:
    """An evaluation, and the samples that it is of, at `rate` Hz; `marks` are of the voice's files."""

    evaluation: Evaluation
    rate: int
    marks: Marks
    versions: Sequence[Versions] = field(repr=False)


def evaluate(folder: str | Path, location: str, options: Options, tell: Tell) -> Evaluated:
    """Evaluate the voice in a folder on a dataset; `tell` gets lines of progress.

    Raises ConfigurationError where the voice learned from that split, or there is no such recogniser or folder, and
    RealtalkError where voice, dataset or recordings can't be read, or nothing is held out.
    """
    import torch

    if options.split not in _SPLITS:
        raise ConfigurationError(f"--split {options.split}: there are {', '.join(_SPLITS)}")
    models = identities(options.recogniser)
    recordings = _recordings(options.others)
    voice, dataset = load_voice(folder, options.device), open_dataset(location)
    require_held_out(voice.facts, dataset, options.split, tell)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        versions = _spoken(voice, dataset, options, tell)
        clips = _judged(versions, voice, options, tell)
        others = [embedded_file(path) for path in recordings]
    finally:
        torch.set_num_threads(before)
    found = evaluation_of(
        clips,
        others,
        voice=voice.facts.name,
        dataset=dataset.name,
        dataset_version=dataset.version,
        split=options.split,
        models=models,
        seed=options.seed,
        device=options.device,
    )
    return Evaluated(found, voice.facts.features.sampling_rate, marks_of(voice.facts), versions)


def require_held_out(facts: VoiceFacts, dataset: Dataset, split: str, tell: Tell) -> None:
    """Raises ConfigurationError where a voice learned from the split; says where that can't be known for sure."""
    same = facts.origin.dataset in (dataset.name, dataset.location)
    if same and split == _TRAINED_ON:
        raise ConfigurationError(
            f"--split {split}: the voice {facts.name} was trained on that split of {dataset.name}, so it says nothing; "
            "take test or validation"
        )
    heard = frozenset(facts.origin.recordings)
    if heard:
        _require_unheard(heard, facts.name, dataset, split)
    elif same and facts.origin.dataset_version != dataset.version:
        tell(
            f"the voice was trained on version {facts.origin.dataset_version} of the dataset and this is "
            f"{dataset.version}: the same episodes are held out only where splits: was not changed"
        )


def _require_unheard(heard: Set[str], name: str, dataset: Dataset, split: str) -> None:
    rows = (row for shard in dataset.of(split) for row in dataset.rows(shard, ("recording_sha256",)))
    there = {recording_key(row["recording_sha256"] or "") for row in rows}
    if both := len(there & heard):
        raise ConfigurationError(
            f"--split {split}: the voice {name} learned from {both} of the {len(there)} recordings of that split of "
            f"{dataset.name}, so it says nothing; take another split, or a dataset of other episodes"
        )


def _spoken(voice: Voice, dataset: Dataset, options: Options, tell: Tell) -> list[Versions]:
    features = voice.facts.features
    clips = held_out(dataset, options.split, features.sampling_rate, options.limit)
    tell(f"speaking {len(clips)} held-out sentences ...")
    found: list[Versions] = []
    for versions in versions_of(voice, clips, options.seed):
        found.append(versions)
        if len(found) % (5 * _TOLD_EVERY) == 0:
            tell(f"{len(found)} of {len(clips)} are spoken")
    return found


def _judged(versions: Sequence[Versions], voice: Voice, options: Options, tell: Tell) -> list[ClipFigures]:
    rate = voice.facts.features.sampling_rate
    heard = [tuple(for_models(samples, rate) for samples in one.samples) for one in versions]
    tell(f"listening to them with {options.recogniser}, beside the recordings and their copies ...")
    judged, began = [], time.monotonic()
    for one in judge_all(heard, options.recogniser, options.workers):
        judged.append(one)
        left = len(versions) - len(judged)
        if len(judged) % _TOLD_EVERY == 0 and left:
            minutes = (time.monotonic() - began) / len(judged) * left / 60
            tell(f"{len(judged)} of {len(versions)} are judged, about {minutes:.0f} min left")
    return clip_figures(versions, judged)


def _recordings(folder: Path | None) -> list[Path]:
    """The recordings in a folder of other speakers' ones; [] where none is given."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise ConfigurationError(f"--others {folder}: is no folder")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _AUDIO)
    if not paths:
        raise ConfigurationError(f"--others {folder}: has no recordings ({', '.join(sorted(_AUDIO))}) in it")
    return paths

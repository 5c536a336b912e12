"""Training a voice from a dataset: everything from the manifest to the last checkpoint."""

import datetime
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import torch
from safetensors.torch import load_file

from schemas.errors import RealtalkError
from tts.data.cache import FeatureFile, tiers_of
from tts.data.dataset import Dataset, open_dataset
from tts.data.features import FeatureSettings
from tts.origin import Origin, recording_key
from tts.training.checkpoints import STATE_FOLDER, WEIGHTS
from tts.training.distributed import Team, team
from tts.training.examples import Examples, chosen_examples, feature_files, norms_of
from tts.training.options import PARTS, TrainOptions
from tts.training.parts import AcousticPart, Part, Place, VocoderPart
from tts.training.samples import Samples
from tts.training.trainer import PARENT, Tell, progress_of, train_parts
from tts.voice import VOICE_NAME, VoiceFacts, read_facts, write_facts
from tts.voice_card import write_card

TRAIN_SPLIT, HEARD_SPLIT = "train", "validation"
_PURPOSE = "tts-training"


def train(options: TrainOptions, tell: Tell) -> VoiceFacts:
    """Train the voice of `options` to its end, or go on where it was stopped; returns what it is then.

    Raises RealtalkError where there is nothing to learn from or no consent to, or where `out` holds another voice.
    """
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(options.seed)
    dataset = open_dataset(options.dataset)
    require_consent(dataset, options.without_consent)
    settings = FeatureSettings.of_rate(dataset.sampling_rate)
    with team(options.device) as together:
        files = _features(dataset, TRAIN_SPLIT, settings, options, together, tell)
        heard = _features(dataset, HEARD_SPLIT, settings, options, together, tell) or files
        if together.leads:
            _begin(dataset, settings, files, options)
        together.wait()
        facts = read_facts(options.out)
        if _in_two_processes(options, together):
            with _another_process(replace(options, parts=("vocoder",)), tell) as other:
                done = _here(facts, files, heard, replace(options, parts=("acoustic",)), together, tell)
                if not done:
                    other.terminate()
        else:
            _here(facts, files, heard, options, together, tell)
        if together.leads:
            write_card(options.out)
    return read_facts(options.out)


def require_consent(dataset: Dataset, without: str) -> None:
    """Raises RealtalkError where no consent covers a voice today, and no reason is given to do without."""
    document = dataset.document
    if without.strip():
        return
    mend = 'say --without-consent "REASON" only if you may; the reason is written into the voice'
    if not dataset.consent_id:
        raise RealtalkError(
            f"{dataset.location}: no consent of the speaker is on record; name it under speaker: consent: and build "
            f"again, or {mend}"
        )
    scope, expiry = document.get("consent_scope") or (), document.get("consent_expiry") or ""
    # A manifest from before it had the scope: no build takes a consent that does not cover training.
    if scope and _PURPOSE not in scope:
        raise RealtalkError(f"{dataset.location}: the consent allows {', '.join(scope)}, not {_PURPOSE}; {mend}")
    if expiry and expiry < datetime.date.today().isoformat():
        raise RealtalkError(f"{dataset.location}: the consent ended on {expiry}; renew it and build again, or {mend}")


def cache_folder(options: TrainOptions) -> Path:
    """Where features are kept: beside a local dataset's voice unless something else is said."""
    if options.cache is not None:
        return options.cache
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "realtalk" / "features"


def _features(
    dataset: Dataset, split: str, settings: FeatureSettings, options: TrainOptions, together: Team, tell: Tell
) -> list[FeatureFile]:
    """Features of a split; the first process makes them, the others find them."""
    folder = cache_folder(options)
    found = feature_files(dataset, split, folder, settings, tell) if together.leads else []
    together.wait()
    return found if together.leads else feature_files(dataset, split, folder, settings, tell)


def _begin(dataset: Dataset, settings: FeatureSettings, files: Sequence[FeatureFile], options: TrainOptions) -> None:
    """voice.json as it begins; one that is there has to be of the same training."""
    examples = chosen_examples(files, options.tier, dataset)
    preset = options.settings
    if (options.out / VOICE_NAME).exists():
        before = read_facts(options.out)
        wanted = (dataset.version, options.preset, options.tier, preset.acoustic, preset.vocoder)
        found = (before.origin.dataset_version, before.preset, before.origin.tier, before.acoustic, before.vocoder)
        if found != wanted:
            raise RealtalkError(
                f"{options.out}: holds a voice of dataset version {found[0]}, preset {found[1]}, tier {found[2]}; "
                f"choose another --out (with --init-from {options.out} it goes on from that voice)"
            )
        return
    initial = read_facts(options.init_from) if options.init_from is not None else None
    if initial is not None and (initial.acoustic, initial.vocoder, initial.features) != (
        preset.acoustic,
        preset.vocoder,
        settings,
    ):
        raise RealtalkError(
            f"{options.init_from}: is of the preset {initial.preset} at {initial.features.sampling_rate} Hz; a voice "
            "can only go on from one of the same networks and rate"
        )
    facts = VoiceFacts(
        name=options.out.name,
        preset=options.preset,
        features=settings,
        acoustic=preset.acoustic,
        vocoder=preset.vocoder,
        # A network knows its inputs by the norms that it learned with.
        norms=initial.norms if initial is not None else norms_of(examples),
        origin=_origin(dataset, examples, settings, options, initial.origin.recordings if initial is not None else ()),
    )
    options.out.mkdir(parents=True, exist_ok=True)
    write_facts(options.out, facts)


def _origin(
    dataset: Dataset, examples: Examples, settings: FeatureSettings, options: TrainOptions, heard_before: Sequence[str]
) -> Origin:
    document = dataset.document
    speakers, licenses, recordings = set(), set(), set(heard_before)
    for shard in dataset.of(TRAIN_SPLIT):
        for row in dataset.rows(shard, ["speaker", "license", "recording_sha256"]):
            speakers.add(str(row["speaker"] or ""))
            licenses.add(str(row["license"] or ""))
            recordings.add(recording_key(row["recording_sha256"] or ""))
    return Origin(
        dataset=dataset.name,
        dataset_version=dataset.version,
        speaker=", ".join(sorted(name for name in speakers if name)),
        clips=len(examples),
        seconds=round(float(examples.frames.sum()) * settings.hop / settings.sampling_rate, 1),
        tier=options.tier,
        consent_id=dataset.consent_id,
        scope=tuple(document.get("consent_scope") or ()),
        expiry=str(document.get("consent_expiry") or ""),
        without_consent=options.without_consent.strip(),
        licenses=tuple(sorted(name for name in licenses if name)),
        initialised_from=str(options.init_from.name) if options.init_from is not None else "",
        recordings=tuple(sorted(key for key in recordings if key)),
    )


def _in_two_processes(options: TrainOptions, together: Team) -> bool:
    """On a CPU with two cores the parts learn at the same time: one thread each is what a core gives best."""
    return (
        together.device.type == "cpu" and together.world == 1 and len(options.parts) == 2 and (os.cpu_count() or 1) > 1
    )


@contextmanager
def _another_process(options: TrainOptions, tell: Tell) -> "Iterator[subprocess.Popen[str]]":
    """Another training beside this one, whose lines are told too; it is waited for, and ends where this one fails."""
    command = [sys.executable, "-m", "tts", *arguments_of(options)]
    environment = {**os.environ, PARENT: str(os.getpid())}
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    last = [""]

    def follow() -> None:
        assert child.stderr is not None
        for line in child.stderr:
            last[0] = line.strip()
            tell(last[0])

    follower = Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield child
        child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
        follower.join()
    # One that is stopped before it listens to signals ends by SIGTERM itself.
    if child.returncode not in (0, -signal.SIGTERM):
        raise RealtalkError(f"the training of the {options.parts[0]} ended early: {last[0]}")


def _here(
    facts: VoiceFacts,
    files: Sequence[FeatureFile],
    heard: Sequence[FeatureFile],
    options: TrainOptions,
    together: Team,
    tell: Tell,
) -> bool:
    """Let the parts of `options` learn in this process; returns whether all came to their end."""
    is_gpu = together.device.type == "cuda"
    place = Place(
        together.device,
        together.rank,
        together.world,
        bf16=is_gpu if options.bf16 is None else options.bf16,
        compiled=is_gpu if options.compiled is None else options.compiled,
        seed=options.seed,
    )
    kinds: Mapping[str, Callable[..., Part]] = {"acoustic": AcousticPart, "vocoder": VocoderPart}
    parts = [
        kinds[name](options.settings, facts.features, facts.norms, place) for name in PARTS if name in options.parts
    ]
    if options.init_from is not None:
        _initialise(options, parts)
    samples = Samples(options.out, Examples(heard, tiers_of(options.tier)) if heard else None, facts)

    def examples() -> Examples:
        return Examples(files, tiers_of(options.tier))

    reached = train_parts(options.out, parts, examples, facts.norms, options, together, tell, samples.speak)
    for name, one in reached.items():
        done = "done" if progress_of(one, options) >= 1 else "stopped, run it again to go on"
        tell(f"{name}: {done} after {one.step} steps, {one.seconds / 60:.1f} min")
    return all(progress_of(one, options) >= 1 for one in reached.values())


def _initialise(options: TrainOptions, parts: Sequence[Part]) -> None:
    """Begin with another voice's weights, unless this training has begun already."""
    assert options.init_from is not None
    for part in parts:
        if not (options.out / STATE_FOLDER / f"{part.name}.safetensors").exists():
            weights = load_file(str(options.init_from / WEIGHTS[part.name]))
            part.begin_with(weights)


def arguments_of(options: TrainOptions) -> list[str]:
    """The arguments of `python -m tts train` that give these options."""
    given = [
        "train", options.dataset, "--out", str(options.out), "--preset", options.preset, "--tier", options.tier,
        "--seed", str(options.seed), "--device", options.device, "--parts", *options.parts,
        "--checkpoint-minutes", str(options.checkpoint_minutes),
    ]  # fmt: skip
    optional = {
        "--max-minutes": options.minutes,
        "--max-steps": options.steps,
        "--schedule": options.schedule,
        "--init-from": options.init_from,
        "--without-consent": options.without_consent or None,
        "--cache": options.cache,
    }
    given += [word for name, value in optional.items() if value is not None for word in (name, str(value))]
    flags = {"bf16": options.bf16, "compile": options.compiled}
    given += [f"--{'' if on else 'no-'}{name}" for name, on in flags.items() if on is not None]
    return given + ["--tensorboard"] * options.tensorboard

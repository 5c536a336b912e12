"""A voice small enough for tests: random weights by a seed, and norms as a voice has them."""

from pathlib import Path

import torch

from tts.data.features import FeatureSettings
from tts.models.acoustic import AcousticModel
from tts.models.presets import AcousticSettings, VocoderSettings
from tts.models.vocoder import Vocoder
from tts.training.examples import Norms
from tts.voice import ACOUSTIC_NAME, VOCODER_NAME, Origin, VoiceFacts, write_facts, write_weights

ACOUSTIC = AcousticSettings(width=32, encoder_blocks=1, decoder_blocks=1)
VOCODER = VocoderSettings(width=32, blocks=1)
FEATURES = FeatureSettings(24_000, 1024, 256, 80)
ORIGIN = Origin(
    dataset="readings",
    dataset_version="v1",
    speaker="Reader",
    clips=12,
    seconds=60.0,
    tier="default",
    consent_id="c0ffee",
    scope=("research", "tts-training"),
    licenses=("cc-by-4.0",),
)


def write_small_voice(
    folder: Path,
    seed: int = 0,
    acoustic: AcousticSettings = ACOUSTIC,
    vocoder: VocoderSettings = VOCODER,
    name: str = "reader",
    origin: Origin = ORIGIN,
) -> Path:
    """Write a voice of random weights; returns its folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        models = {
            ACOUSTIC_NAME: AcousticModel(acoustic, FEATURES.mels),
            VOCODER_NAME: Vocoder(vocoder, FEATURES.mels, FEATURES.n_fft, FEATURES.hop),
        }
        for model in models.values():
            model.mel_mean.fill_(-6.0)
            model.mel_deviation.fill_(2.0)
        # Symbols last as long as those of speech, about five frames.
        models[ACOUSTIC_NAME].durations.out.bias.data.fill_(1.8)
        if acoustic.refiner_blocks:
            torch.nn.init.normal_(models[ACOUSTIC_NAME].refiner.out.weight, std=0.05)
    norms = Norms((-6.0,) * FEATURES.mels, (2.0,) * FEATURES.mels, 5.3, 0.2, -6.0, 2.0)
    for file, model in models.items():
        write_weights(folder / file, model.state_dict())
    write_facts(folder, VoiceFacts(name, "cpu", FEATURES, acoustic, vocoder, norms, origin))
    return folder

"""Sentences that a voice speaks at each checkpoint: what it has learned, to be heard."""

import re
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from schemas.errors import RealtalkError
from tts.audio_files import marks_of, write_audio
from tts.models.acoustic import AcousticModel
from tts.phones import Symbols
from tts.training.examples import Examples, symbols_only
from tts.voice import VOCODER_NAME, Voice, VoiceFacts, load_voice

SAMPLES_FOLDER = "samples"
_SENTENCES = 3
# Long enough to say something, short enough to be spoken at once.
_FRAMES = (150, 700)


class Samples:
    """Speaks the same sentences of clips that it did not learn from (where there are any) again and again."""

    def __init__(self, folder: Path, heard: Examples | None, facts: VoiceFacts) -> None:
        self._folder = folder
        self._facts = facts
        self._sentences = _chosen(heard) if heard is not None else []

    def speak(self, part: str, step: int) -> None:
        """Write samples/STEP-NUMBER.wav, marked as synthetic, where the voice can speak already."""
        if part != "acoustic" or not (self._folder / VOCODER_NAME).exists():
            return
        try:
            voice = load_voice(self._folder)
        except RealtalkError:
            # The other part's process is about to write its first weights.
            return
        folder = self._folder / SAMPLES_FOLDER
        folder.mkdir(exist_ok=True)
        for number, (text, symbols) in enumerate(self._sentences):
            words = "-".join(re.findall(r"[a-z0-9]+", text.lower())[:4])
            path = folder / f"{step:07d}-{number}-{words}.wav"
            write_audio(path, [spoken(voice, symbols)], self._facts.features.sampling_rate, marks_of(self._facts))


def spoken(voice: Voice, symbols: Symbols, seed: int = 0) -> NDArray[np.float32]:
    """The samples of a sentence as the voice says it, shape (n,)."""
    with torch.inference_mode():
        mel = spectrogram_of(voice.acoustic, symbols, seed, voice.device)
        samples = voice.vocoder(mel)[0]
    return np.clip(samples.cpu().numpy(), -0.99, 0.99).astype(np.float32)


def spectrogram_of(model: AcousticModel, symbols: Symbols, seed: int, device: torch.device) -> torch.Tensor:
    """The log-mel spectrogram of a sentence, (1, mels, frames), with the model's own durations, pitch and energy."""
    ids, marks, places = (one.to(device) for one in symbols_only(symbols))
    encoded = model.encode(ids, marks, places)
    prosody = model.predict(encoded, ids, marks)
    # The end of each symbol is rounded, so that none is lost over a sentence.
    ends = torch.round(torch.cumsum(prosody.durations, dim=1)).long()
    durations = torch.diff(ends, prepend=torch.zeros_like(ends[:, :1]))
    frames = int(ends[0, -1])
    hidden = model.decode(encoded, durations, prosody.pitch, prosody.energy, frames)
    mel = model.spectrogram(hidden)
    if model.refiner is not None:
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(mel.shape, generator=generator).to(device)
        mel = model.refiner.refine(mel, hidden, noise, model.settings.refiner_steps)
    return model.natural(mel)


def _chosen(heard: Examples) -> list[tuple[str, Symbols]]:
    least, most = _FRAMES
    fitting = [number for number, frames in enumerate(heard.frames) if least <= frames <= most] or [*range(len(heard))]
    step = max(1, len(fitting) // _SENTENCES)
    return [(heard.texts[number], heard.example(number).symbols) for number in fitting[::step][:_SENTENCES]]

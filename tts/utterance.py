"""A sentence on its way through a voice's networks: whole until its frames are laid out, then piece by piece."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tts.frontend.script import Manner, Sentence
from tts.models.acoustic import AcousticModel
from tts.phones import Symbols
from tts.timing import Timing, timing_of
from tts.training.examples import symbols_only
from tts.voice import Voice

Floats = NDArray[np.float32]


class Spectrogram:
    """A log-mel spectrogram that is made from its beginning on, as far as it is asked for.

    The decoder and the refiner see a few frames on either side only, so that pieces are as the whole would be.
    """

    def __init__(self, model: AcousticModel, expanded: Tensor, noise: Tensor | None) -> None:
        """What the decoder reads, (1, width, frames), and the refiner's noise, (1, mels, frames)."""
        self._model, self._expanded, self._noise = model, expanded, noise
        self._made = expanded.new_zeros((1, len(model.mel_mean), 0))

    @property
    def frames(self) -> int:
        return self._expanded.shape[-1]

    def until(self, end: int) -> Tensor:
        """At least its first `end` frames, (1, mels, frames)."""
        start = self._made.shape[-1]
        if start < end:
            # Longer and longer pieces, whose overlaps cost less and less.
            piece = self._piece(start, min(max(end, 2 * start), self.frames))
            self._made = torch.cat([self._made, piece], dim=2)
        return self._made

    def _piece(self, start: int, end: int) -> Tensor:
        model = self._model
        first, last = max(0, start - model.context), min(self.frames, end + model.context)
        hidden = model.decoder(self._expanded[..., first:last])
        mel = model.spectrogram(hidden)
        if model.refiner is not None and self._noise is not None:
            mel = model.refiner.refine(mel, hidden, self._noise[..., first:last], model.settings.refiner_steps)
        return model.natural(mel[..., start - first : end - first])


@dataclass(frozen=True, eq=False)
class Utterance:
    """A sentence with its timing and the spectrogram that it will have."""

    sentence: Sentence
    timing: Timing
    spectrogram: Spectrogram


@torch.inference_mode()
def utterance_of(voice: Voice, sentence: Sentence, manner: Manner, seed: int) -> Utterance:
    """Encode a sentence that isn't silent, and say how long, how high and how loud each symbol is."""
    symbols, model = sentence.symbols(), voice.acoustic
    ids, marks, places = (one.to(voice.device) for one in symbols_only(symbols))
    encoded = model.encode(ids, marks, places)
    prosody = model.predict(encoded, ids, marks)
    timing = timing_of(symbols, prosody.durations[0].float().cpu().numpy(), sentence.rates() * manner.rate)
    durations = torch.from_numpy(timing.durations)[None].to(voice.device)
    semitone = math.log(2) / 12 / voice.facts.norms.pitch_deviation
    higher = torch.from_numpy((sentence.pitches() + np.float32(manner.pitch)) * np.float32(semitone))
    frames = int(timing.durations.sum())
    expanded = model.expand(encoded, durations, prosody.pitch + higher.to(voice.device), prosody.energy, frames)
    noise = _noise(voice, symbols, frames, seed) if model.refiner is not None else None
    return Utterance(sentence, timing, Spectrogram(model, expanded, noise))


@torch.inference_mode()
def samples_of(voice: Voice, utterance: Utterance, start: int, end: int) -> Floats:
    """Samples of frames start to end, float32 ((end - start) * hop,), as they are in the whole."""
    vocoder, hop = voice.vocoder, voice.vocoder.inverse.hop
    margin = vocoder.context + vocoder.inverse.overlap
    first, last = max(0, start - margin), min(utterance.spectrogram.frames, end + margin)
    mel = utterance.spectrogram.until(last)[..., first:last]
    samples = vocoder(mel)[0, (start - first) * hop : (end - first) * hop]
    found: Floats = samples.float().cpu().numpy()
    return found


def _noise(voice: Voice, symbols: Symbols, frames: int, seed: int) -> Tensor:
    """Noise for the refiner that only the seed and the sentence decide, not the sentences before."""
    content = b"|".join((str(seed).encode("ascii"), symbols.ids.tobytes(), symbols.marks.tobytes()))
    own = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") >> 1
    # Drawn on the CPU: a GPU's generator gives other numbers.
    generator = torch.Generator().manual_seed(own)
    return torch.randn((1, voice.facts.features.mels, frames), generator=generator).to(voice.device)

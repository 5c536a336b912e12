"""Many channels become one: what each holds is measured while mixing, and tells whether another mix is better."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

# ITU-R BS.775-3: centre 1, front left and right 1/sqrt(2), surround 1/2; the low-frequency channel is left out.
_FRONT, _CENTRE, _SURROUND, _LOW_FREQUENCY = 2.0**-0.5, 1.0, 0.5, 0.0
_ITU_WEIGHTS = {
    **dict.fromkeys(("FC",), _CENTRE),
    **dict.fromkeys(("FL", "FR", "FLC", "FRC"), _FRONT),
    **dict.fromkeys(("BL", "BR", "BC", "SL", "SR", "TFL", "TFR", "TFC", "TBL", "TBR", "TBC"), _SURROUND),
    **dict.fromkeys(("LFE", "LFE2"), _LOW_FREQUENCY),
}
_USUAL_NAMES = {
    2: ("FL", "FR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
# A channel whose loudest second stays this far (-30 dB) below the loudest channel's holds hiss or bleed, never a voice.
_SILENT_POWER_RATIO = 1e-3
# Correlation below which two channels cancel in their mean rather than add: the same voice with its polarity inverted.
_CANCELLING_CORRELATION = -0.5
# The mix may lie 3 dB below its loudest channel before its level is raised.
_LOST_POWER_RATIO = 0.5
_HIGHEST_PEAK = 0.99
# Less than 1 dB is not worth a second pass over the file.
_SMALLEST_GAIN = 1.122


@dataclass(frozen=True, slots=True)
class Mix:
    """One weight a channel, and in words how the channels become one."""

    weights: tuple[float, ...]
    note: str = ""

    def apply(self, planes: Planes) -> NDArray[np.float32]:
        """Mix planes of shape (channels, n) to (n,). Sums in the order of the channels: the same bytes everywhere."""
        if len(planes) == 1 and self.weights[0] == 1.0:
            return planes[0]
        mono = np.zeros(planes.shape[1], np.float32)
        for weight, plane in zip(self.weights, planes, strict=True):
            if weight:
                mono += np.float32(weight) * plane
        return mono


def standard_mix(channels: tuple[str, ...]) -> Mix:
    """The mix for channel names as FFmpeg gives them ("FL", "FC", ...): it can't clip, its weights sum to 1.

    One or two channels, or names that are unknown: the mean. More: the ITU-R BS.775-3 weights.
    """
    weights = [_ITU_WEIGHTS.get(name, 0.0) for name in channels]
    if len(channels) <= 2 or not sum(weights) or any(name not in _ITU_WEIGHTS for name in channels):
        weights = [1.0] * len(channels)
    total = sum(weights)
    note = (
        "" if len(channels) == 1 else f"mean of {len(channels)} channels" if len(set(weights)) == 1 else "ITU-R BS.775"
    )
    return Mix(tuple(weight / total for weight in weights), note)


def channel_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of channels; where a file says only how many (FFmpeg calls them "NONE"), the usual ones."""
    return _USUAL_NAMES.get(len(names), names) if set(names) == {"NONE"} else names


@dataclass(slots=True)
class ChannelStatistics:
    """What a pass over a file learns about its channels; fed about a second at a time."""

    channels: tuple[str, ...]
    products: NDArray[np.float64] = field(init=False)
    loudest: NDArray[np.float64] = field(init=False)
    mix_peak: float = 0.0

    def __post_init__(self) -> None:
        self.products = np.zeros((len(self.channels), len(self.channels)))
        self.loudest = np.zeros(len(self.channels))

    def update(self, planes: Planes, mono: NDArray[np.float32]) -> None:
        """Take in planes (channels, n) and the standard mix (n,) made of them."""
        if len(self.channels) < 2 or not planes.shape[1]:
            return
        products = planes @ planes.T
        self.products += products
        np.maximum(self.loudest, np.diag(products) / planes.shape[1], out=self.loudest)
        self.mix_peak = max(self.mix_peak, float(np.abs(mono).max()))

    def best_mix(self) -> Mix:
        """The mix that keeps the voice's level.

        Silent channels are left out; two channels of opposite polarity are subtracted; where the voices sit apart (a
        host left, a guest right; speech in the centre only) the standard mix loses level: as much of it is given back
        as the peak allows.
        """
        standard = standard_mix(self.channels)
        energy = np.diag(self.products)
        if len(self.channels) < 2 or not energy.any():
            return standard
        mixed_in = np.asarray(standard.weights) > 0
        heard = mixed_in & (self.loudest >= self.loudest[mixed_in].max() * _SILENT_POWER_RATIO)
        silent = [name for name, is_silent in zip(self.channels, mixed_in & ~heard, strict=True) if is_silent]
        if not silent and len(self.channels) == 2:
            correlation = self.products[0, 1] / np.sqrt(energy[0] * energy[1])
            if correlation < _CANCELLING_CORRELATION:
                return Mix((0.5, -0.5), "difference of 2 channels of opposite polarity")
        share = float(np.sum(standard.weights, where=heard))
        weights = np.where(heard, standard.weights, 0.0) / share
        gain = self._lost_gain(weights, share)
        if not silent and gain == 1.0:
            return standard
        note = standard.note + (f" without silent {', '.join(silent)}" if silent else "")
        note += f" raised by {20 * np.log10(gain):.1f} dB" if gain > 1.0 else ""
        return Mix(tuple((weights * gain).tolist()), note)

    def _lost_gain(self, weights: NDArray[np.float64], share: float) -> float:
        """The gain that gives back what mixing with `weights` lost, as far as no peak is clipped; 1.0 where little was.

        `weights` are the standard ones without the silent channels, whose share was 1 - `share`.
        """
        mixed = float(weights @ self.products @ weights)
        loudest = float(np.diag(self.products)[weights > 0].max())
        peak = self.mix_peak / share
        if mixed >= _LOST_POWER_RATIO * loudest or not peak:
            return 1.0
        gain = min(1.0 / float(weights.max()), _HIGHEST_PEAK / peak)
        return gain if gain >= _SMALLEST_GAIN else 1.0

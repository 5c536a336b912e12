"""What the networks are punished for."""

import torch
from torch import Tensor, nn

from tts.data.features import FeatureSettings, MelSpectrogram
from tts.models.acoustic import Predicted
from tts.training.examples import Batch

# Of each resolution, how many times as long as the features' windows.
_RESOLUTIONS = (0.5, 1.0, 2.0)
_FLOOR = 1e-5


def acoustic_losses(predicted: Predicted, batch: Batch) -> dict[str, Tensor]:
    """Mean errors over what is not padding: of mel, log durations, pitch and energy."""
    symbols, frames = batch.symbol_mask[:, 0], batch.frame_mask
    mel = ((predicted.mel.float() - batch.mel).abs() * frames).sum() / (frames.sum() * batch.mel.shape[1])

    def squared(value: Tensor, target: Tensor) -> Tensor:
        return ((value.float() - target).square() * symbols).sum() / symbols.sum()

    return {
        "mel": mel,
        "duration": squared(predicted.log_durations, torch.log1p(batch.durations.float())),
        "pitch": squared(predicted.pitch, batch.pitch),
        "energy": squared(predicted.energy, batch.energy),
    }


class SpectralLoss(nn.Module):
    """How far samples are from others: multi-resolution STFT (Yamamoto et al., 2020) and log-mel, in float32."""

    def __init__(self, settings: FeatureSettings) -> None:
        super().__init__()
        self.sizes = [(int(settings.n_fft * scale), int(settings.hop * scale)) for scale in _RESOLUTIONS]
        for n_fft, _ in self.sizes:
            self.register_buffer(f"window_{n_fft}", torch.hann_window(n_fft), persistent=False)
        self.mel = MelSpectrogram(settings)

    def forward(self, samples: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Of samples (batch, n): "stft" and "mel"."""
        stft = torch.zeros((), device=samples.device)
        for n_fft, hop in self.sizes:
            found, wanted = (self._magnitude(one, n_fft, hop) for one in (samples, target))
            convergence = torch.linalg.vector_norm(wanted - found) / torch.linalg.vector_norm(wanted).clamp(min=_FLOOR)
            stft = stft + convergence + (torch.log(wanted) - torch.log(found)).abs().mean()
        return {"stft": stft / len(self.sizes), "mel": (self.mel(samples) - self.mel(target)).abs().mean()}

    def _magnitude(self, samples: Tensor, n_fft: int, hop: int) -> Tensor:
        window = getattr(self, f"window_{n_fft}")
        spectrum = torch.stft(samples.float(), n_fft, hop, window=window, return_complex=True, pad_mode="constant")
        return spectrum.abs().clamp(min=_FLOOR)

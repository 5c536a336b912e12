"""A tiny Whisper with random weights, in the file format of openai-whisper: it writes nonsense, by the real code."""

from pathlib import Path
from typing import Any

import pytest


def write_checkpoint(path: Path, seed: int = 0, multilingual: bool = True, **dims: int) -> Path:
    """Write {"dims", "model_state_dict"}; skips the test where openai-whisper isn't installed."""
    pytest.importorskip("whisper", reason="openai-whisper (the extra whisper) is not installed")
    import torch
    from whisper.model import ModelDimensions, Whisper

    sizes: dict[str, int] = {
        "n_mels": 80,
        "n_audio_ctx": 1500,
        "n_audio_state": 16,
        "n_audio_head": 1,
        "n_audio_layer": 1,
        "n_vocab": 51865 if multilingual else 51864,
        "n_text_ctx": 24,
        "n_text_state": 16,
        "n_text_head": 1,
        "n_text_layer": 1,
        **dims,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Whisper(ModelDimensions(**sizes))
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.1)
    checkpoint: dict[str, Any] = {"dims": sizes, "model_state_dict": model.state_dict()}
    torch.save(checkpoint, path)
    return path

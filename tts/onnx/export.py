"""Writing a voice as ONNX: acoustic.onnx, vocoder.onnx, and voice.json for who speaks from them.

By torch's exporter that traces (dynamo=False): each length that varies stays free, and it needs no other package.
"""

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from schemas.errors import ConfigurationError, RealtalkError
from tts.onnx.graphs import AcousticGraph, VocoderGraph
from tts.onnx.voice import ACOUSTIC_NAME, FORMAT, VOCODER_NAME, VOICE_NAME
from tts.phones import EDGE, PAUSE
from tts.voice import ACOUSTIC_NAME as WEIGHTS_NAME
from tts.voice import Voice, write_whole

# LayerNormalization is one operator from 17 on.
_OPSET = 17
_ACOUSTIC_INPUTS = ("ids", "marks", "places", "rates", "pitch", "noise")
_ACOUSTIC_OUTPUTS = ("mel", "durations", "edges")
_ACOUSTIC_AXES = {
    **{name: {1: "symbols"} for name in ("ids", "marks", "places", "rates", "pitch", "durations")},
    "noise": {2: "noise_frames"},
    "mel": {2: "frames"},
}
_VOCODER_AXES = {"mel": {2: "frames"}, "samples": {1: "samples"}}


def export_voice(voice: Voice, out: Path) -> list[Path]:
    """Write a voice as ONNX into a folder, made where it is missing; returns the files. voice.json is written last.

    Raises ConfigurationError where the folder holds a voice as it was trained, RealtalkError where `onnx` is missing.
    """
    if (out / WEIGHTS_NAME).exists():
        raise ConfigurationError(f"{out}: a trained voice is there; name another folder to write to")
    mels, symbols = voice.facts.features.mels, torch.full((1, 8), PAUSE + 1)
    marks = torch.full((1, 8), EDGE)
    of_symbols = (symbols, marks, torch.zeros_like(symbols), torch.ones(1, 8), torch.zeros(1, 8))
    given = (*of_symbols, torch.zeros(1, mels, 64))
    acoustic = _traced(AcousticGraph(voice.acoustic), given, _ACOUSTIC_INPUTS, _ACOUSTIC_OUTPUTS, _ACOUSTIC_AXES)
    vocoder = _traced(VocoderGraph(voice.vocoder), (torch.zeros(1, mels, 16),), ("mel",), ("samples",), _VOCODER_AXES)
    document = _document(voice)
    told = {"realtalk.voice": json.dumps(document, ensure_ascii=False)}
    written = [out / ACOUSTIC_NAME, out / VOCODER_NAME, out / VOICE_NAME]
    try:
        write_whole(written[0], _checked(acoustic, told))
        write_whole(written[1], _checked(vocoder, told))
        write_whole(written[2], (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))
    except OSError as error:
        raise RealtalkError(f"{out}: can't be written ({error.strerror}); name a folder that can") from None
    return written


def _document(voice: Voice) -> dict[str, Any]:
    """What onnx/voice.py reads."""
    facts = voice.facts
    return {
        "format": FORMAT,
        "name": facts.name,
        "preset": facts.preset,
        "sampling_rate": facts.features.sampling_rate,
        "hop": facts.features.hop,
        "mels": facts.features.mels,
        "pitch_deviation": facts.norms.pitch_deviation,
        "margin": voice.vocoder.context + voice.vocoder.inverse.overlap,
        "has_refiner": voice.acoustic.refiner is not None,
        "origin": asdict(facts.origin),
    }


def _traced(
    graph: nn.Module,
    given: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> bytes:
    to = io.BytesIO()
    device = next(graph.parameters()).device
    graph.eval()
    with warnings.catch_warnings(), torch.no_grad():
        # That this exporter is the older of two, and that a batch of one stays one.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        torch.onnx.export(
            graph.to(device),
            tuple(one.to(device) for one in given),
            to,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=_OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(free) for name, free in axes.items()},
        )
    return to.getvalue()


def _checked(model: bytes, told: Mapping[str, str]) -> bytes:
    """A model with what is told of it in its metadata; raises onnx.checker.ValidationError where it is none."""
    import onnx

    loaded = onnx.load_model_from_string(model)
    for name, value in told.items():
        loaded.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(loaded)
    return bytes(loaded.SerializeToString())

"""The models that a configuration names, each made once a worker."""

import functools
import importlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipeline.config import Config
from transforms.align import AlignSettings
from transforms.models.base import (
    Aligner,
    Model,
    OverlapDetector,
    QualityScorer,
    SpeakerEmbedder,
    SpeakerSegmenter,
    SpeechDetector,
    TextVerifier,
    Transcriber,
)
from transforms.models.choice import DEFAULT_PYANNOTE, ModelChoice, is_missing_folder, is_path
from transforms.models.dnsmos import Dnsmos
from transforms.models.ge2e import Ge2eEmbedder
from transforms.models.ge2e_overlap import Ge2eOverlapDetector
from transforms.models.silero import SileroDetector
from transforms.models.sphinx import SphinxAligner, SphinxTranscriber
from transforms.models.sphinx_verifier import SphinxVerifier
from transforms.models.webrtc import WebRtcDetector
from transforms.models.whisper_aligner import SCORES, WhisperAligner
from transforms.models.whisper_model import WhisperModel, check_installed, precision_of
from transforms.models.whisper_transcriber import WhisperTranscriber
from transforms.one_model import OneModel


class Guests:
    """What each stage of a configuration's build is done with. Nothing is loaded until a stage works.

    `names` are told to a recogniser, None where it can't be told any. Raises ConfigurationError where a model's package
    isn't installed.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        models = config.models
        transcriber, aligner = models.choice("transcriber"), models.choice("aligner")
        told = (*models.names, config.speaker.name)
        self.detector: OneModel[SpeechDetector] = OneModel(self._detector(models.choice("speech")))
        diarizer = models.choice("diarizer")
        self.embedder: OneModel[SpeakerEmbedder] = OneModel(self._embedder(diarizer))
        # One that finds turns by itself; else turns are found by the embedder's windows.
        self.segmenter: OneModel[SpeakerSegmenter] | None = (
            OneModel(self._pyannote("pyannote_diarizer", "PyannoteDiarizer", diarizer))
            if diarizer.name == "pyannote"
            else None
        )
        self.overlap: OneModel[OverlapDetector] = OneModel(Ge2eOverlapDetector)
        self.aligner: OneModel[Aligner] = OneModel(self._aligner(aligner, told))
        self.transcriber: OneModel[Transcriber] = OneModel(self._transcriber(transcriber))
        self.scorer: OneModel[QualityScorer] = OneModel(Dnsmos)
        self.verifier: OneModel[TextVerifier] | None = OneModel(SphinxVerifier) if config.text.verify else None
        self.align_settings = AlignSettings()
        if aligner.name == "whisper":
            self.align_settings = replace(self.align_settings, **dict[str, Any](SCORES))
        self.names = told if transcriber.name == "whisper" else None

    def identities(self) -> dict[str, str]:
        """Identity by task, for the column `models`."""
        return {
            "speech": self.detector.identity,
            "diarizer": (self.segmenter or self.embedder).identity,
            "overlap": self.overlap.identity,
            "aligner": self.aligner.identity,
            "transcriber": self.transcriber.identity,
            "quality": self.scorer.identity,
            **({"verifier": self.verifier.identity} if self.verifier else {}),
        }

    def _detector(self, choice: ModelChoice) -> Callable[[], SpeechDetector]:
        if choice.name == "pyannote":
            return self._pyannote("pyannote_speech", "PyannoteDetector", choice)
        return SileroDetector if choice.name == "silero" else WebRtcDetector

    def _embedder(self, choice: ModelChoice) -> Callable[[], SpeakerEmbedder]:
        if choice.name == "pyannote":
            return self._pyannote("pyannote_embedder", "PyannoteEmbedder", choice)
        return Ge2eEmbedder

    def _transcriber(self, choice: ModelChoice) -> Callable[[], Transcriber]:
        if choice.name != "whisper":
            return SphinxTranscriber
        return functools.partial(WhisperTranscriber, self._whisper(choice), self._config.models.language)

    def _aligner(self, choice: ModelChoice, names: tuple[str, ...]) -> Callable[[], Aligner]:
        if choice.name != "whisper":
            return SphinxAligner
        return functools.partial(_whisper_aligner, self._whisper(choice), self._config.models.language, names)

    def _whisper(self, choice: ModelChoice) -> WhisperModel:
        check_installed()
        models = self._config.models
        model = self._config.locate(choice.argument) if is_path(choice.argument) else choice.argument
        # Settled here: every machine of a build works in the precision of the one that it is started from.
        return WhisperModel(model, models.device, precision_of(models.precision, models.device))

    def _pyannote(self, module: str, name: str, choice: ModelChoice) -> Callable[[], Any]:
        source = choice.argument or DEFAULT_PYANNOTE
        folder = self._config.locate(source)
        if os.path.isdir(folder) or is_missing_folder(source):
            source = folder
        return functools.partial(_imported, module, name, source, self._config.models.device)


def _whisper_aligner(source: WhisperModel, language: str, names: tuple[str, ...]) -> WhisperAligner:
    return WhisperAligner(source, language, names, phones=SphinxAligner())


def _imported(module: str, name: str, source: str, device: str) -> Model:
    """A model whose module is imported only where it is chosen."""
    made: Model = getattr(importlib.import_module(f"transforms.models.{module}"), name)(source, device)
    return made

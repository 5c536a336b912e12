"""From a configuration to the plan of a build: stages with their settings and models, sources, rights."""

from dataclasses import replace

from pipeline.commit import DatasetFacts
from pipeline.config import Config
from pipeline.enrol import enrolment_plan
from pipeline.graph import Plan
from pipeline.settings import consent_of, http_settings, sources_of
from schemas.verdict import PROFILES
from transforms.align import AlignSettings
from transforms.cut import CutSettings
from transforms.decode import DecodeSettings
from transforms.diarize import DiarizeSettings
from transforms.diarize_pieces import PieceSettings
from transforms.download import DownloadSettings
from transforms.interjections import InterjectionSettings
from transforms.measure import MeasureSettings
from transforms.models.base import (
    Aligner,
    OverlapDetector,
    QualityScorer,
    SpeakerEmbedder,
    SpeakerSegmenter,
    SpeechDetector,
    TextVerifier,
    Transcriber,
)
from transforms.models.dnsmos import Dnsmos
from transforms.models.ge2e import Ge2eEmbedder
from transforms.models.ge2e_overlap import Ge2eOverlapDetector
from transforms.models.silero import SileroDetector
from transforms.models.sphinx import SphinxAligner, SphinxTranscriber
from transforms.models.sphinx_verifier import SphinxVerifier
from transforms.models.voice_scale import GE2E_SCALE, VoiceScale
from transforms.models.webrtc import WebRtcDetector
from transforms.speech import SpeechSettings
from transforms.stage import Stage
from transforms.stages import (
    Align,
    CutClips,
    Decode,
    DetectSpeech,
    Diarize,
    DiarizePieces,
    Download,
    FindTarget,
    HearInterjections,
    OneModel,
    ReadCaptions,
    ScoreClips,
    ScoreSpeaker,
    VerifyText,
)
from transforms.store import Store
from transforms.target import TargetSettings

_DETECTORS: dict[str, type[SpeechDetector]] = {"webrtc": WebRtcDetector, "silero": SileroDetector}


def make_plan(config: Config, store: Store) -> Plan:
    """The plan of a configuration's build. Reads the consent; raises ConfigurationError where it doesn't hold today."""
    models = Guests(config)
    scale = models.embedder.model.scale
    config = with_gate(config, scale)
    profiles = {name: replace(limits, speaker_similarity=gates(scale)[name]) for name, limits in PROFILES.items()}
    consent = consent_of(config)
    clips = config.clips
    cutting = CutSettings(
        min_seconds=clips.min_seconds, max_seconds=clips.max_seconds, sampling_rate=clips.sampling_rate
    )
    aiming = TargetSettings.of(scale, fine_turns=models.segmenter is not None)
    sources = sources_of(config)
    http = http_settings(config)
    limits = DownloadSettings(
        max_bytes=config.download.max_bytes,
        max_seconds=config.download.max_seconds,
        revalidate=config.download.revalidate,
    )
    until_voices: tuple[Stage, ...] = (
        Download(http, limits),
        Decode(DecodeSettings()),
        ReadCaptions(),
        DetectSpeech(models.detector, SpeechSettings()),
        DiarizePieces(models.segmenter, PieceSettings(scale.linked))
        if models.segmenter
        else Diarize(models.embedder, DiarizeSettings()),
    )
    after_target: tuple[Stage, ...] = (
        FindTarget(aiming),
        HearInterjections(models.overlap, InterjectionSettings()),
        Align(models.aligner, models.transcriber, AlignSettings()),
        CutClips(cutting),
        ScoreClips(models.scorer, cutting, MeasureSettings()),
        ScoreSpeaker(aiming),
        *((VerifyText(models.verifier, profiles["permissive"]),) if models.verifier else ()),
    )
    return Plan(
        store=store,
        sources=sources,
        base=config.folder,
        http=http,
        until_voices=until_voices,
        after_target=after_target,
        enrolment=enrolment_plan(config, models.embedder),
        thresholds=config.select.thresholds,
        profiles=profiles,
        splits=config.splits.shares,
        facts=DatasetFacts(
            name=config.name,
            config_hash=config.hash,
            models=models.identities(),
            consent_id=consent.id if consent else "",
            config_yaml=config.resolved_yaml(),
            sampling_rate=clips.sampling_rate,
            speaker=config.speaker.name,
        ),
    )


def with_gate(config: Config, scale: VoiceScale) -> Config:
    """The configuration with the embedder's own limit on speaker_similarity, where it gives none itself.

    It is written there, so that the dataset's resolved configuration says the limit in force. Profiles hold GE2E's.
    """
    select = config.select
    given = select.model_extra or {}
    if scale == GE2E_SCALE or "speaker_similarity" in given:
        return config
    gated = type(select)(profile=select.profile, **{**given, "speaker_similarity": gates(scale)[select.profile]})
    return config.model_copy(update={"select": gated})


def gates(scale: VoiceScale) -> dict[str, float]:
    """The limit on speaker_similarity by profile."""
    return {"strict": scale.gate_strict, "default": scale.gate_default, "permissive": scale.gate_permissive}


class Guests:
    """The models that a configuration names, each made once a worker."""

    def __init__(self, config: Config) -> None:
        self.detector: OneModel[SpeechDetector] = OneModel(_DETECTORS[config.models.speech])
        self.embedder: OneModel[SpeakerEmbedder] = OneModel(Ge2eEmbedder)
        self.segmenter: OneModel[SpeakerSegmenter] | None = None
        self.overlap: OneModel[OverlapDetector] = OneModel(Ge2eOverlapDetector)
        self.aligner: OneModel[Aligner] = OneModel(SphinxAligner)
        self.transcriber: OneModel[Transcriber] = OneModel(SphinxTranscriber)
        self.scorer: OneModel[QualityScorer] = OneModel(Dnsmos)
        self.verifier: OneModel[TextVerifier] | None = OneModel(SphinxVerifier) if config.text.verify else None

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

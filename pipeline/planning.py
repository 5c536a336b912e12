"""From a configuration to the plan of a build: stages with their settings and models, sources, rights."""

from pipeline.commit import DatasetFacts
from pipeline.config import Config
from pipeline.enrol import enrolment_plan
from pipeline.gates import DEFAULTS
from pipeline.graph import Plan
from pipeline.guests import Guests
from pipeline.review import reviewed
from pipeline.settings import consent_of, http_settings, sources_of
from transforms.clip_stages import Align, CutClips, FindTarget, HearInterjections, ScoreClips, ScoreSpeaker, VerifyText
from transforms.cut import CutSettings
from transforms.decode import DecodeSettings
from transforms.diarize import DiarizeSettings
from transforms.diarize_pieces import PieceSettings
from transforms.download import DownloadSettings
from transforms.interjections import InterjectionSettings
from transforms.measure import MeasureSettings
from transforms.speech import SpeechSettings
from transforms.stage import Stage
from transforms.store import Store
from transforms.target import TargetSettings
from transforms.voice_stages import Decode, DetectSpeech, Diarize, DiarizePieces, Download, ReadCaptions


def make_plan(config: Config, store: Store) -> Plan:
    """The plan of a configuration's build. Reads the consent; raises ConfigurationError where it doesn't hold today."""
    models = Guests(config)
    scale = models.embedder.model.scale
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
        Align(models.aligner, models.transcriber, models.align_settings, models.names, config.models.language),
        CutClips(cutting),
        ScoreClips(models.scorer, cutting, MeasureSettings()),
        ScoreSpeaker(aiming),
        *((VerifyText(models.verifier, config.profiles["permissive"]),) if models.verifier else ()),
    )
    return Plan(
        store=store,
        sources=sources,
        base=config.folder,
        http=http,
        until_voices=until_voices,
        after_target=after_target,
        enrolment=enrolment_plan(config, models.embedder),
        thresholds=config.selection.thresholds,
        profiles=config.profiles,
        splits=config.splits.shares,
        facts=DatasetFacts(
            name=config.name,
            config_hash=config.hash,
            models=models.identities(),
            consent_id=consent.id if consent else "",
            consent_scope=consent.scope if consent else (),
            consent_expiry=consent.expiry.isoformat() if consent and consent.expiry else "",
            config_yaml=config.resolved_yaml(),
            sampling_rate=clips.sampling_rate,
            speaker=config.speaker.name,
            thresholds=config.selection.thresholds,
            gates={**DEFAULTS, **config.gates.limits},
        ),
        reviewed=reviewed(store),
    )

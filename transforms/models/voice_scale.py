"""What a cosine means: the limits that belong to one speaker embedder and not to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class VoiceScale:
    """Cosine limits of one embedder. The values here are those of GE2E, set on podcasts whose truth is known."""

    # A window less similar than this to every voice is none of them.
    nobody: float = 0.6
    # What a change of speaker costs, in cosines times windows of 0.25 s.
    switch_in_speech: float = 0.2
    switch_in_pause: float = 0.1
    # By this much more like the target than like anybody else, a window's share of the target is 0.73.
    share_slope: float = 0.05
    # Least likeness (a cosine less half the mean cosine of the episode's other voices) of the target's cluster.
    to_enrolment: float = 0.45
    to_episodes: float = 0.52
    # How far ahead of that limit, and of the episode's second, a cluster is surely the target's.
    sure: float = 0.03
    ahead: float = 0.03
    label_weight: float = 0.06
    label_agreement: float = 0.04
    named_agreement: float = 0.03
    behind: float = 0.03
    behind_labelled: float = 0.07
    # The cosine of two clusters of one episode that are one voice, and of clusters of several episodes or pieces.
    same_voice: float = 0.85
    linked: float = 0.87
    # Of a voice to another one that it is not, on the average.
    common: float = 0.57
    # Least mean cosine of a clip to the target's voice in its episode, by profile.
    gate_strict: float = 0.80
    gate_default: float = 0.70
    gate_permissive: float = 0.60

    @property
    def gates(self) -> dict[str, float]:
        """The limit on speaker_similarity by profile."""
        return {"strict": self.gate_strict, "default": self.gate_default, "permissive": self.gate_permissive}


GE2E_SCALE = VoiceScale()
#: Guesses, not calibrated: nobody has run podcasts of known truth through real weights here. WeSpeaker's ResNet34, as
#: pyannote's pipelines embed voices, spreads cosines about twice as wide as GE2E: other voices near 0, not near 0.6.
#: Differences are GE2E's times that ratio. Set `select: {speaker_similarity: ...}` where they are off.
PYANNOTE_SCALE = VoiceScale(
    nobody=0.25,
    switch_in_speech=0.4,
    switch_in_pause=0.2,
    share_slope=0.1,
    to_enrolment=0.35,
    to_episodes=0.45,
    sure=0.06,
    ahead=0.06,
    label_weight=0.12,
    label_agreement=0.08,
    named_agreement=0.06,
    behind=0.06,
    behind_labelled=0.14,
    same_voice=0.6,
    linked=0.55,
    common=0.1,
    gate_strict=0.55,
    gate_default=0.40,
    gate_permissive=0.30,
)
#: By the name of the diarizer that embeds the voices.
SCALES: Mapping[str, VoiceScale] = MappingProxyType({"ge2e": GE2E_SCALE, "pyannote": PYANNOTE_SCALE})

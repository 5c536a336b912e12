"""What a cosine means: the limits that belong to one speaker embedder and not to another."""

from dataclasses import dataclass


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


GE2E_SCALE = VoiceScale()

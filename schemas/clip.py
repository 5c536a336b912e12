"""A clip: what is cut, what is measured on it, and the Arrow schemas it is written with."""

import json
from dataclasses import dataclass

import pyarrow as pa

from schemas.text import Evidence, Phone, Word


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a clip is taken from and what is said in it.

    The clip is `leading_tone` s of room tone, then the recording from `start` to `end` (s), then `trailing_tone` s of
    room tone; `tone_start`..`tone_end` is where in the recording that tone is taken from. `words` and `phones` are in
    seconds from the start of the clip, tone included. `silent_words` is the share (0..1) of the words' time in which
    nobody speaks; `evidence` is None where no recogniser with an opinion listened.
    """

    start: float
    end: float
    text: str
    spoken: str
    words: tuple[Word, ...]
    phones: tuple[Phone, ...]
    transcript_source: str
    alignment_score: float
    coverage: float
    leading_tone: float = 0.0
    trailing_tone: float = 0.0
    tone_start: float = 0.0
    tone_end: float = 0.0
    silent_words: float = 0.0
    evidence: Evidence | None = None

    @property
    def duration(self) -> float:
        """Seconds, with the room tone at the edges."""
        return self.leading_tone + (self.end - self.start) + self.trailing_tone


@dataclass(frozen=True, slots=True)
class Scores:
    """What is measured on a clip's samples.

    `snr_db` by WADA (Kim and Stern, 2008); `dnsmos_*` on the 1..5 scale of P.835; `loudness_lufs` BS.1770-4 integrated;
    `peak_db` dBFS; `clipped` the share (0..1) of samples in clipped runs; `bandwidth_hz` the highest frequency that
    holds speech; `upsampled` whether the source holds less than the clip's rate promises; silences in seconds;
    `f0_median_hz` 0.0 where nothing is voiced; `fingerprint` names the same audio in another place.
    """

    snr_db: float
    dnsmos_ovrl: float
    dnsmos_sig: float
    dnsmos_bak: float
    loudness_lufs: float
    peak_db: float
    clipped: float
    bandwidth_hz: float
    upsampled: bool
    leading_silence: float
    trailing_silence: float
    chars_per_second: float
    f0_median_hz: float
    fingerprint: str


WORD_TYPE = pa.struct([("text", pa.string()), ("start", pa.float64()), ("end", pa.float64()), ("score", pa.float64())])
PHONE_TYPE = pa.struct([("symbol", pa.string()), ("start", pa.float64()), ("end", pa.float64())])
AUDIO_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

_TEXT = [
    ("text", pa.string()),
    ("spoken", pa.string()),
    ("words", pa.list_(WORD_TYPE)),
    ("phones", pa.list_(PHONE_TYPE)),
    ("duration", pa.float64()),
    ("sampling_rate", pa.int32()),
    ("split", pa.string()),
    ("tier", pa.string()),
]
_SOURCE = [
    ("episode_id", pa.string()),
    ("episode_guid", pa.string()),
    ("feed_guid", pa.string()),
    ("source_url", pa.string()),
    ("recording_sha256", pa.string()),
    ("start", pa.float64()),
    ("end", pa.float64()),
]
_SCORES = [
    ("speaker", pa.string()),
    # Mean cosine to the target's own voice as this episode has it. It says how even the clip is, not whether the right
    # voice was chosen: turns/ and episodes/ have the similarity to the identity that holds across episodes.
    ("speaker_similarity", pa.float64()),
    # Of windows of 1.6 s the lowest 1 / (1 + exp(-margin / 0.05)), the margin by which a window is more like the target
    # than like any other voice of the episode (or 0.6, a stranger's cosine): no share of time, and no cosine. It falls
    # where another voice fills a window; one that is softer, shorter, or heard at the same time is `overlap`'s to tell.
    ("speaker_purity", pa.float64()),
    # Share of the clip in which somebody else is heard too: at changes of speaker, and inside of the target's turns as
    # far as the overlap detector hears it (docs/results.md has its recall).
    ("overlap", pa.float64()),
    ("transcript_source", pa.string()),
    ("alignment_score", pa.float64()),
    ("text_score", pa.float64()),
    ("no_speech", pa.float64()),
    ("log_probability", pa.float64()),
    ("language_probability", pa.float64()),
    ("disagreement", pa.float64()),
    ("silent_words", pa.float64()),
    ("compression_ratio", pa.float64()),
    ("repeated_words", pa.float64()),
    ("stock_words", pa.float64()),
    ("other_script", pa.float64()),
    ("snr_db", pa.float64()),
    ("dnsmos_ovrl", pa.float64()),
    ("dnsmos_sig", pa.float64()),
    ("dnsmos_bak", pa.float64()),
    ("loudness_lufs", pa.float64()),
    ("peak_db", pa.float64()),
    ("clipped", pa.float64()),
    ("bandwidth_hz", pa.float64()),
    ("upsampled", pa.bool_()),
    ("leading_silence", pa.float64()),
    ("trailing_silence", pa.float64()),
    ("chars_per_second", pa.float64()),
    ("f0_median_hz", pa.float64()),
]
_RIGHTS = [
    ("license", pa.string()),
    ("license_source", pa.string()),
    ("consent_id", pa.string()),
    ("config_hash", pa.string()),
    ("models", pa.string()),
]
_JUDGED = [
    ("coverage", pa.float64()),
    ("fingerprint", pa.string()),
    ("duplicate_of", pa.string()),
    ("verdict", pa.string()),
    ("reasons", pa.list_(pa.string())),
]


def audio_metadata(sampling_rate: int) -> dict[bytes, bytes]:
    """Schema metadata by which `datasets` knows the audio column (read from the datasets library)."""
    info = {"info": {"features": {"audio": {"sampling_rate": sampling_rate, "_type": "Audio"}}}}
    return {b"huggingface": json.dumps(info, separators=(",", ":")).encode()}


def clip_schema(sampling_rate: int) -> pa.Schema:
    """Schema of data/*.parquet: the chosen clips, audio inside."""
    fields = [("id", pa.string()), ("audio", AUDIO_TYPE), *_TEXT, *_SOURCE, *_SCORES, *_RIGHTS]
    return pa.schema(fields, metadata=audio_metadata(sampling_rate))


def candidate_schema() -> pa.Schema:
    """Schema of candidates/*.parquet: every candidate's scores, its verdict ("kept", "rejected") and the reasons."""
    return pa.schema([("id", pa.string()), *_TEXT, *_SOURCE, *_SCORES, *_RIGHTS, *_JUDGED])


def audio_schema(sampling_rate: int) -> pa.Schema:
    """Schema of clips/*.parquet: the audio of every candidate of one episode, in the order of its candidates."""
    return pa.schema([("id", pa.string()), ("audio", AUDIO_TYPE)], metadata=audio_metadata(sampling_rate))

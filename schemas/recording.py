"""What an episode becomes on disk: the bytes that were downloaded, and the seekable recording decoded from them."""

from dataclasses import dataclass

#: Rates that sound cards, codecs and trainers know (Hz).
STANDARD_RATES = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A publisher's transcript on disk. `format` is one of srt, vtt, json, html, txt."""

    path: str
    format: str
    sha256: str
    source_url: str


@dataclass(frozen=True, slots=True)
class Media:
    """The downloaded bytes of an episode. `sha256` identifies everything made from them."""

    path: str
    sha256: str
    bytes: int
    source_url: str
    media_type: str = ""
    transcript: Transcript | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A mono FLAC that opens at any sample.

    `sampling_rate` in Hz (at most 48 000), `source_rate` and `channels` as in the container, `duration` in seconds.
    `damage` is "" for a whole file, otherwise one line that says what could not be read. `downmix` says how several
    channels became one, "" for a mono source. `model_path` is the same audio at the models' rate, written in the same
    pass, so that nothing that listens decodes and resamples the whole again; "" where it was not asked for.
    """

    path: str
    media_sha256: str
    duration: float
    sampling_rate: int
    source_rate: int
    channels: int
    codec: str = ""
    damage: str = ""
    downmix: str = ""
    model_path: str = ""

    @property
    def heard_path(self) -> str:
        """What models listen to."""
        return self.model_path or self.path

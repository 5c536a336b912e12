"""What columns and stages are called on the page, for people who didn't write them."""

from collections.abc import Mapping
from types import MappingProxyType

#: Column: its name in words, the unit of its values.
COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "duration": ("Length", "s"),
        "speaker_similarity": ("Speaker similarity", ""),
        "speaker_purity": ("Speaker purity", ""),
        "overlap": ("Overlap", ""),
        "text_score": ("Text score", ""),
        "alignment_score": ("Alignment score", ""),
        "coverage": ("Speech inside words", ""),
        "chars_per_second": ("Speaking rate", "characters/s"),
        "snr_db": ("SNR", "dB"),
        "dnsmos_ovrl": ("DNSMOS", ""),
        "dnsmos_sig": ("DNSMOS speech", ""),
        "dnsmos_bak": ("DNSMOS background", ""),
        "loudness_lufs": ("Loudness", "LUFS"),
        "clipped": ("Clipped samples", ""),
        "bandwidth_hz": ("Bandwidth", "Hz"),
        "leading_silence": ("Silence before", "s"),
        "trailing_silence": ("Silence after", "s"),
        "no_speech": ("No speech", ""),
        "log_probability": ("Log probability", ""),
        "language_probability": ("Language probability", ""),
        "disagreement": ("Disagreement", ""),
        "silent_words": ("Silent words", ""),
        "compression_ratio": ("Compression ratio", ""),
        "repeated_words": ("Repeated words", ""),
        "stock_words": ("Stock phrases", ""),
        "other_script": ("Other script", ""),
    }
)
STAGES: Mapping[str, str] = MappingProxyType(
    {
        "listed": "Listed",
        "speech": "Speech",
        "target": "Of the target",
        "aligned": "With text",
        "candidates": "Candidate clips",
        "kept": "Kept",
    }
)


def column_name(column: str) -> str:
    """A column in words; one that isn't known as it is written."""
    return COLUMNS.get(column, (column.replace("_", " ").capitalize(), ""))[0]


def unit_of(column: str) -> str:
    """The unit of a column's values, "" for none."""
    return COLUMNS.get(column, ("", ""))[1]


def stage_name(stage: str) -> str:
    """A stage of the funnel in words; a split's name stays as it is."""
    return STAGES.get(stage, f"Split {stage}")

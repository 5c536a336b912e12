"""NeMo: JSON lines of audio_filepath (absolute), duration (s), text, normalized_text and speaker, one file a split."""

import json

from pipeline.export.clips import Clip
from pipeline.export.unit import Unit


def write(clip: Clip, unit: Unit) -> None:
    """One clip: a line and a WAV file."""
    text = clip.text
    path = unit.wav(clip, f"wavs/{clip.id}.wav")
    line = {
        "audio_filepath": str(path),
        "duration": clip["duration"],
        "text": text,
        "normalized_text": clip["spoken"],
        "speaker": 0,
    }
    # ASCII, because some readers end a line at more than a newline.
    unit.add(f"{unit.split}_manifest.json", json.dumps(line))

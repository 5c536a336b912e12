"""Piper: `id.wav|text` for its csv reader, the audio in wavs/. Three columns would mean file, speaker, text."""

from pipeline.export.clips import Clip
from pipeline.export.lines import csv_line
from pipeline.export.ljspeech import list_name
from pipeline.export.unit import Unit

#: Hz of Piper's voices of medium and high quality.
RATE = 22_050


def write(clip: Clip, unit: Unit) -> None:
    """One clip: a line and a WAV file."""
    line = csv_line(f"{clip.id}.wav", clip.text)
    unit.wav(clip, f"wavs/{clip.id}.wav")
    unit.add(list_name(unit.split), line)

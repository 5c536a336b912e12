"""F5-TTS, as its prepare_csv_wavs.py reads it: `audio_file|text` below a header, absolute paths, 0.3 to 30 s."""

from pipeline.export.clips import Clip, RefusedError
from pipeline.export.lines import csv_line
from pipeline.export.ljspeech import list_name
from pipeline.export.unit import Unit

HEADER = "audio_file|text"
#: Hz of F5-TTS.
RATE = 24_000
_SECONDS = (0.3, 30.0)


def write(clip: Clip, unit: Unit) -> None:
    """One clip: a line and a WAV file."""
    least, most = _SECONDS
    if not least <= clip["duration"] <= most:
        raise RefusedError(f"it is {clip['duration']:.2f} s long, and F5-TTS takes {least} to {most:.0f} s")
    name = f"wavs/{clip.id}.wav"
    line = csv_line(str(unit.out / name), clip.text)
    unit.wav(clip, name)
    unit.add(list_name(unit.split), line)

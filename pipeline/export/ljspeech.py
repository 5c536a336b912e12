"""LJSpeech, as Coqui's and most other trainers read it: `id|text as written|text as said`, the audio in wavs/.

Readers cut each line at every "|". metadata.csv holds the training split, metadata_validation.csv and
metadata_test.csv what is held out.
"""

from pipeline.export.clips import Clip
from pipeline.export.lines import cut_line
from pipeline.export.unit import Unit


def write(clip: Clip, unit: Unit) -> None:
    """One clip: a line and a WAV file."""
    line = cut_line(clip.id, clip.text, clip["spoken"] or "")
    unit.wav(clip, f"wavs/{clip.id}.wav")
    unit.add(list_name(unit.split), line)


def list_name(split: str) -> str:
    """The list of a split: metadata.csv is what is trained on."""
    return "metadata.csv" if split == "train" else f"metadata_{split}.csv"
